"""The incident on a real API server: one Deployment without limits, four namespaces, and what its author sees.

Run by ./scripts/demo. It starts etcd, kube-apiserver and `plimsoll serve`, and ends them again. It decides nothing
and asserts nothing: what it prints is what the API server answered.
"""

import argparse
import base64
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from rich.console import Console
from rich.padding import Padding
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

NAMESPACES = {
    "audited": "mode: Audit. Nothing is refused and nothing is changed; the verdict is recorded.",
    "warned": "mode: Warn. It goes in, and whoever applies it is told.",
    "defaulted": "mode: Enforce, defaulting: Apply. What is missing is filled in.",
    "enforced": "mode: Enforce, templates: Enforce. What is missing is refused, with the YAML that would pass.",
}


@contextmanager
def plimsoll(folder: Path) -> Iterator[Registration]:
    """`plimsoll serve` with the demo's policies, ready; what the API server has to know about it."""
    (port,) = free_ports(1)
    program = Path(sys.executable).with_name("plimsoll")
    policies, state = EXAMPLES / "demo-policies.yaml", folder / "state"
    command: list[str | Path] = [program, "serve", "--policies", policies, "--port", str(port), "--state-dir", state]
    server = Server(command, folder / "plimsoll.log")
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


def show(console: Console, command: str, obj: Object, reply: Reply) -> None:
    """A command and its outcome, in kubectl's words."""
    console.print(Text.assemble(("$ ", "dim"), (command, "bold")))
    for warning in reply.warnings:
        console.print(Text.assemble(("Warning:", "yellow"), " ", warning))
    name = f"{obj['kind'].lower()}{'.apps' if obj['kind'] == 'Deployment' else ''}/{obj['metadata']['name']}"
    if reply.ok:
        console.print(Text(f"{name} created", "green"))
    else:
        reason = reply.body.get("reason") or "Forbidden"
        console.print(Text.assemble((f"Error from server ({reason}):", "red"), " ", reply.message))


def show_resources(console: Console, title: str, reply: Reply) -> None:
    """What the API server keeps as the container's resources, and why, where we have written it down."""
    stored = reply.body["spec"]
    containers = stored.get("template", {}).get("spec", stored)["containers"]
    kept: dict[str, Any] = {container["name"]: container["resources"] for container in containers}
    text = yaml.safe_dump(kept, sort_keys=False, default_flow_style=None, width=100).rstrip()
    console.print(Text(title, "dim"))
    console.print(Padding(Text(text, "cyan"), (0, 0, 0, 2)))
    for key, value in reply.body["metadata"].get("annotations", {}).items():
        if "plimsoll" in key:
            console.print(Padding(Text(f"{key}: {value}", "cyan"), (0, 0, 0, 2)))


def play(console: Console, cluster: ControlPlane, namespace: str) -> None:
    """Apply the Deployment as a developer, then its Pod as the ReplicaSet controller."""
    wanted = deployment(namespace)
    applied = cluster.as_user(DEVELOPER).create(wanted)
    show(console, f"kubectl apply -n {namespace} -f elastalert.yaml", wanted, applied)
    console.print()
    pod = pod_of(wanted)
    title = "the ReplicaSet controller makes its Pod" if applied.ok else "and if the Deployment had been there before"
    made = cluster.as_user(REPLICASET_CONTROLLER).create(pod)
    show(console, f"({title})", pod, made)
    if made.ok:
        show_resources(console, "the Pod's resources, as stored:", made)


def main() -> int:
    """Exit 0 when the demo could be played, whatever the webhook said in it."""
    parser = argparse.ArgumentParser(prog="./scripts/demo", description="The incident, on a real API server.")
    parser.add_argument("--version", default=SUPPORTED[0], choices=SUPPORTED, help="of the API server")
    version = parser.parse_args().version
    if not binaries_for(version).complete:
        raise SystemExit(f"Kubernetes {version} is not built: python -m tests.control_plane.build {version}")
    console = Console(highlight=False)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plimsoll-demo-") as name:
        folder = Path(name)
        with console.status("starting") as status:
            status.update(f"starting etcd and kube-apiserver {version}")
            with ControlPlane(version, folder=folder / "control-plane") as cluster:
                console.print(f"kube-apiserver {version} is up at {cluster.url}")
                status.update("starting plimsoll serve")
                with plimsoll(folder) as registration:
                    console.print(f"plimsoll serve answers at {registration.url}")
                    status.update("registering the webhook")
                    register(cluster, registration)
                    console.print("the webhook is registered and in force")
                    status.stop()
                    for namespace, meaning in NAMESPACES.items():
                        metadata = {"name": namespace}
                        cluster.admin.create(
                            {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
                        ).expect_ok()
                        console.print()
                        console.print(Panel(Text(meaning), title=f"namespace {namespace}", title_align="left"))
                        play(console, cluster, namespace)
    console.print(
        f"\nAll of it is gone again: both servers and their data ({time.monotonic() - started:.0f} s in all)."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
