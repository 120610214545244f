"""The incident on a real API server: one Deployment without limits, four namespaces, and what its author sees.

Run by ./scripts/demo. It starts etcd, kube-apiserver and `plimsoll serve`, and ends them again. It decides nothing
and asserts nothing: what it prints is what the API server answered.
"""

import argparse
import base64
import json
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from tests.control_plane.api import Object, Reply
from tests.control_plane.build import SUPPORTED, binaries_for
from tests.control_plane.control_plane import DEVELOPER, ControlPlane
from tests.control_plane.processes import Server, free_ports
from tests.control_plane.webhooks import Registration, register

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "deploy" / "examples"
REPLICASET_CONTROLLER = "system:serviceaccount:kube-system:replicaset-controller"
READY_SECONDS = 30.0
LOG_SECONDS = 3.0

NAMESPACES = {
    "audited": "mode: Audit. Nothing is refused and nothing is changed; the verdict is recorded.",
    "warned": "mode: Warn. It goes in, and whoever applies it is told.",
    "defaulted": "mode: Enforce, defaulting: Apply. What is missing is filled in.",
    "enforced": "mode: Enforce, templates: Enforce. What is missing is refused, with the YAML that would pass.",
}


@contextmanager
def plimsoll(log: Path, state: Path) -> Iterator[Registration]:
    """`plimsoll serve` with the demo's policies, ready; what the API server has to know about it."""
    (port,) = free_ports(1)
    program = Path(sys.executable).with_name("plimsoll")
    policies = EXAMPLES / "demo-policies.yaml"
    command: list[str | Path] = [program, "serve", "--policies", policies, "--port", str(port), "--state-dir", state]
    server = Server(command, log)
    try:
        ca = state / "tls" / "ca.crt"
        _wait_until_ready(server, f"https://127.0.0.1:{port}/readyz", ca)
        yield Registration(f"https://127.0.0.1:{port}", base64.b64encode(ca.read_bytes()).decode())
    finally:
        server.stop()


def _wait_until_ready(server: Server, url: str, ca: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and server.alive:
        try:
            if ca.exists() and httpx.get(url, verify=ssl.create_default_context(cafile=ca), trust_env=False).is_success:
                return
        except (httpx.TransportError, ssl.SSLError):
            pass
        time.sleep(0.05)
    raise SystemExit(f"plimsoll serve did not become ready. It said:\n{server.last_words()}")


def deployment(namespace: str) -> Object:
    """The incident's Deployment, as the example file has it, in this namespace."""
    found: Object = yaml.safe_load((EXAMPLES / "elastalert.yaml").read_text())
    found["metadata"]["namespace"] = namespace
    return found


def pod_of(template_owner: Object) -> Object:
    """The Pod that the Deployment's ReplicaSet would make. No controller runs here, so the demo plays its part."""
    replica_set = template_owner["metadata"]["name"] + "-7d9c5b6f4d"
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": replica_set,
        "uid": "5d3a9a53-52c7-4f0c-8a51-0f6f8a3f8f0e",
        "controller": True,
    }
    template = template_owner["spec"]["template"]
    metadata = {
        "name": replica_set + "-x2x7q",
        "namespace": template_owner["metadata"]["namespace"],
        "labels": {**template["metadata"]["labels"], "pod-template-hash": "7d9c5b6f4d"},
        "ownerReferences": [owner],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


class Screen:
    """Prints outcomes as kubectl words them. Long lines are left to the terminal, so that they can be copied whole."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def line(self, *parts: str | tuple[str, str], indent: int = 0) -> None:
        self._console.print(Text.assemble(" " * indent, *parts), soft_wrap=True)

    def heading(self, namespace: str, meaning: str) -> None:
        self.line()
        self._console.print(Panel(Text(meaning), title=f"namespace {namespace}", title_align="left", width=78))

    def outcome(self, obj: Object, reply: Reply, file: str = "") -> None:
        """Warnings, then created or refused; `file` is what kubectl was given."""
        for warning in reply.warnings:
            self.line(("Warning:", "yellow"), " ", warning)
        if reply.ok:
            group = ".apps" if obj["apiVersion"].startswith("apps/") else ""
            self.line((f"{obj['kind'].lower()}{group}/{obj['metadata']['name']} created", "green"))
        else:
            where = f'error when creating "{file}": ' if file else ""
            reason = reply.body.get("reason") or "Forbidden"
            self.line((f"Error from server ({reason}):", "red"), " ", where, reply.message)

    def stored(self, pod: Object) -> None:
        """What the API server keeps as the containers' resources, and what our annotation says about it."""
        kept = {container["name"]: container["resources"] for container in pod["spec"]["containers"]}
        self.line(("stored resources:", "dim"))
        for line in yaml.safe_dump(kept, sort_keys=False, default_flow_style=None, width=200).splitlines():
            self.line((line, "cyan"), indent=2)
        for key, value in pod["metadata"].get("annotations", {}).items():
            if "plimsoll" in key:
                self.line((f"{key}: {value}", "cyan"), indent=2)

    def recorded(self, log: Path, namespace: str) -> None:
        """What the server's own log says about this namespace: all there is to see where nothing is said to anybody."""
        self.line(("recorded in the log of plimsoll serve:", "dim"))
        for entry in _reviews(log, namespace, count=2):
            told = {key: entry[key] for key in ("kind", "policy", "mode", "verdict", "checks")}
            line = yaml.safe_dump(told, sort_keys=False, default_flow_style=True, width=1000).rstrip()
            self.line((line, "cyan"), indent=2)


def _reviews(log: Path, namespace: str, count: int) -> list[dict[str, Any]]:
    """The log lines with a verdict about this namespace; they are written a moment after the answer."""
    deadline = time.monotonic() + LOG_SECONDS
    while True:
        entries = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
        found = [entry for entry in entries if entry.get("namespace") == namespace and entry.get("checks")]
        if len(found) >= count or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def play(screen: Screen, cluster: ControlPlane, namespace: str) -> None:
    """Apply the Deployment as a developer, then its Pod as the ReplicaSet controller."""
    wanted = deployment(namespace)
    screen.line(("$ ", "dim"), (f"kubectl apply -n {namespace} -f elastalert.yaml", "bold"))
    applied = cluster.as_user(DEVELOPER).create(wanted)
    screen.outcome(wanted, applied, "elastalert.yaml")

    pod = pod_of(wanted)
    screen.line()
    screen.line(
        (
            "The ReplicaSet controller then creates its Pod:"
            if applied.ok
            else "Had the Deployment been there before the policy, its ReplicaSet controller would create a Pod:",
            "dim",
        )
    )
    made = cluster.as_user(REPLICASET_CONTROLLER).create(pod)
    screen.outcome(pod, made)
    if made.ok:
        screen.stored(made.body)


def main() -> int:
    """Exit 0 when the demo could be played, whatever the webhook said in it."""
    parser = argparse.ArgumentParser(prog="./scripts/demo", description="The incident, on a real API server.")
    parser.add_argument("--version", default=SUPPORTED[0], choices=SUPPORTED, help="of the API server")
    version = parser.parse_args().version
    if not binaries_for(version).complete:
        raise SystemExit(f"Kubernetes {version} is not built: python -m tests.control_plane.build {version}")
    console = Console(highlight=False)
    screen = Screen(console)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plimsoll-demo-") as name, ExitStack() as running:
        folder, log = Path(name), Path(name) / "plimsoll.log"
        with console.status(f"starting etcd and kube-apiserver {version}"):
            cluster = running.enter_context(ControlPlane(version, folder=folder / "control-plane"))
        screen.line(f"kube-apiserver {version} is up at {cluster.url}")
        with console.status("starting plimsoll serve"):
            registration = running.enter_context(plimsoll(log, folder / "state"))
        screen.line(f"plimsoll serve answers at {registration.url}")
        with console.status("registering the webhook"):
            register(cluster, registration)
        screen.line("the webhook is registered and in force")
        for namespace, meaning in NAMESPACES.items():
            cluster.admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}).expect_ok()
            screen.heading(namespace, meaning)
            play(screen, cluster, namespace)
            if namespace == "audited":
                screen.recorded(log, namespace)
    screen.line()
    screen.line(f"All of it is gone again: the servers and their data ({time.monotonic() - started:.0f} s in all).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
