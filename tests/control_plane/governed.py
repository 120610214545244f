"""A control plane beside a running `plimsoll serve`: namespaces come under policies while both run.

For tests that no file of `tests/cases` can hold. Objects are plain dicts, as a client would send them.
"""

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cases.case import Object
from tests.cases.scene import API_VERSION
from tests.cases.serving import PlimsollServer
from tests.control_plane.control_plane import ControlPlane
from tests.control_plane.webhooks import Registration, register, unregister

RELOAD_SECONDS = 30.0
_serial = itertools.count(1)


class Cluster:
    """The control plane, the server, and what both are told together."""

    def __init__(self, control_plane: ControlPlane, server: PlimsollServer) -> None:
        self.control_plane = control_plane
        self.server = server
        self.admin = control_plane.admin

    def govern(self, namespace: str, spec: Object, *more: Object) -> None:
        """Put the namespace under a policy of its own; `more` are further documents."""
        self.write(namespace, spec, *more)
        self.wait_for({namespace})

    def write(self, namespace: str, spec: Object, *more: Object) -> str:
        """The same without waiting; the text of its file."""
        policy = document("ClusterLimitPolicy", namespace, {"namespaces": {"include": [namespace]}, **spec})
        text = "".join(f"---\n{json.dumps(each)}\n" for each in (policy, *more))
        (self.server.policies / f"{namespace}.yaml").write_text(text)
        return text

    def wait_for(self, policies: set[str]) -> None:
        """Until the server says that all of them are in force."""
        deadline = time.monotonic() + RELOAD_SECONDS
        while not any(policies <= set(names_in(event)) for event in self.server.events("policies_loaded")):
            assert time.monotonic() < deadline, [each["problems"] for each in self.server.events("policies_rejected")]
            time.sleep(0.05)

    def governed(self, spec: Object, *limit_ranges: Object) -> str:
        """A new namespace, its LimitRanges and its policy; its name."""
        namespace = self.control_plane.namespace("admission")
        for item in limit_ranges:
            self.admin.create(limit_range(namespace, item)).expect_ok()
        self.govern(namespace, spec)
        return namespace

    def verdicts(self, namespace: str, path: str) -> list[object]:
        """What our log says of each review of this namespace, once it says anything."""
        deadline = time.monotonic() + RELOAD_SECONDS
        while True:
            lines = [line for line in self.server.events("reviewed") if line["namespace"] == namespace]
            if lines or time.monotonic() > deadline:
                return [line["verdict"] for line in lines if line["path"] == path]
            time.sleep(0.05)


def names_in(event: dict[str, object]) -> list[str]:
    names = event["policies"]
    assert isinstance(names, list)
    return names


@contextmanager
def governing(control_plane: ControlPlane, folder: Path) -> Iterator[Cluster]:
    """A server of no policies yet, registered with the control plane until the end."""
    policies = folder / "policies"
    policies.mkdir()
    nothing = document("ClusterLimitPolicy", "nothing", {"namespaces": {"include": ["no-such-namespace"]}})
    (policies / "nothing.yaml").write_text(json.dumps(nothing))
    with PlimsollServer(policies, folder) as server:
        register(control_plane, Registration(server.url, server.ca_bundle))
        yield Cluster(control_plane, server)
        unregister(control_plane)


def document(kind: str, name: str, spec: Object) -> Object:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def pod(namespace: str, *specs: Object, init: tuple[Object, ...] = ()) -> Object:
    """A Pod of these containers, under a name that nothing has used before."""
    spec: Object = {"containers": [{"image": "app:1", **each} for each in specs]}
    if init:
        spec["initContainers"] = [{"image": "app:1", **each} for each in init]
    metadata = {"name": f"pod-{next(_serial)}", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def limit_range(namespace: str, item: Object) -> Object:
    """A LimitRange of one item, of type Container unless it says otherwise."""
    metadata = {"name": f"limits-{next(_serial)}", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": metadata,
        "spec": {"limits": [{"type": "Container", **item}]},
    }
