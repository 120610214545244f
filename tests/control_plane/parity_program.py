"""Builds and asks the small Go program in parity/, which answers with Kubernetes' own code.

Once built (seconds, a minute where modules must be fetched) it lies in the cache folder beside the control planes.
Must not know what is compared: questions in, answers out.
Build it alone: `python -m tests.control_plane.parity_program`.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.control_plane.build import HERE, SUPPORTED, CannotBuild, cache_folder, go_for

MODULE = HERE / "parity"
BUILD_SECONDS = 900
ANSWER_SECONDS = 120


def build_parity(environ: Mapping[str, str] = os.environ) -> Path:
    """The program, built from parity/ unless it is there. Raises CannotBuild, saying why and what would help."""
    program = cache_folder(environ) / f"parity-{_fingerprint()}"
    if program.exists():
        return program
    # Its Kubernetes modules ask for the same Go as the newest control plane does.
    go = go_for(SUPPORTED[0], environ)
    program.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_name(f"{program.name}.{os.getpid()}")
    environment = {**environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "", "CGO_ENABLED": "0"}
    command: list[str | Path] = [
        go,
        "build",
        "-mod=readonly",
        "-buildvcs=false",
        "-ldflags",
        "-s -w",
        "-o",
        unfinished,
        ".",
    ]
    try:
        built = subprocess.run(
            command, cwd=MODULE, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS
        )
    except subprocess.TimeoutExpired as problem:
        raise CannotBuild(f"{MODULE} was not built within {BUILD_SECONDS} s") from problem
    if built.returncode != 0:
        raise CannotBuild(f"{MODULE} does not build:\n" + "\n".join(built.stderr.splitlines()[-20:]))
    unfinished.rename(program)
    return program


def parity_or_skip() -> Path:
    """The program; where it cannot be had the test is skipped with the reason, and fails under CI."""
    try:
        return build_parity()
    except CannotBuild as problem:
        if os.environ.get("CI"):
            pytest.fail(str(problem), pytrace=False)
        pytest.skip(str(problem))


def answers(program: Path, subcommand: str, questions: Iterable[str]) -> list[dict[str, Any]]:
    """One answer for each question (JSON on one line), in order."""
    asked = "".join(question + "\n" for question in questions)
    said = subprocess.run(
        [program, subcommand], input=asked, capture_output=True, text=True, encoding="utf-8", timeout=ANSWER_SECONDS
    )
    assert said.returncode == 0, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for part in ("go.mod", "go.sum", "main.go"):
        digest.update((MODULE / part).read_bytes())
    return digest.hexdigest()[:12]


if __name__ == "__main__":
    try:
        print(build_parity())
    except CannotBuild as problem:
        sys.exit(str(problem))
