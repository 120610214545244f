"""A folder of manifests and policies, and the program run on it as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("plimsoll"))

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    spec:
      containers:
      - name: web
        image: web:1
        resources: {}
"""
SIZED = DEPLOYMENT.replace("{}", "{requests: {cpu: 10m, memory: 64Mi}, limits: {memory: 64Mi}}")
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
BROKEN = "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, resources: {limits: {memory: 1GB}}}]}\n"
POLICY = """\
apiVersion: plimsoll.dev/v1alpha1
kind: ClusterLimitPolicy
metadata: {name: guard}
spec:
  namespaces: {include: ["*"]}
  mode: Enforce
  containers: {required: {limits: [memory]}, default: {memory: 128Mi}}
"""
EXEMPTION = """\
apiVersion: plimsoll.dev/v1alpha1
kind: ClusterLimitExemption
metadata: {name: legacy}
spec: {owner: team, reason: because, expires: 2999-01-01, match: {namespaces: [shop]}, waive: ["*"]}
"""


def files(folder: Path, **texts: str) -> Path:
    """Each text as NAME.yaml in ``folder``."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def environment(**variables: str) -> dict[str, str]:
    """What a program finds, without what would colour its output."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "CI", "TERM")}
    return {**kept, "TERM": "xterm", **variables}


def run(*arguments: str | Path, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """The program in a pipe, to its end."""
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(**variables),
        check=False,
    )
