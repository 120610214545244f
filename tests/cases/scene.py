"""A case under one mode, in a namespace of its own: all documents that a policy folder or a cluster needs for it.

Many scenes stand side by side in one server: each policy names its own namespace and nothing else, so that two
hundred and fifty cases cost one start. Needs no server.
"""

import copy
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from tests.cases.case import MODES, BadCase, Case, Object
from tests.cases.manifests import completed, deployment_of, has_a_deployment

API_VERSION = "plimsoll.dev/v1alpha1"
PRESETS = Path(__file__).resolve().parents[2] / "deploy" / "presets"
NEVER = "2999-12-31"


@dataclass(frozen=True)
class Scene:
    """`documents`: policies and exemptions; `namespace`: its manifest; the objects stand in that namespace."""

    case: Case
    mode: str
    """Empty where the case's policy says its mode."""
    documents: tuple[Object, ...]
    namespace: Object
    limit_ranges: tuple[Object, ...]
    object: Object
    old: Object | None
    deployment: Object | None
    """The Deployment that would make this Pod; None where there is no such thing."""
    now: datetime | None
    """The time it is by the case; None where a real clock tells it."""

    @property
    def name(self) -> str:
        return str(self.namespace["metadata"]["name"])

    @property
    def verdict(self) -> str:
        return self.case.verdict_under(self.mode)

    @property
    def refused_by(self) -> str:
        """Who refuses it before us: `server`, `limitranger` or nobody."""
        return self.case.expect.refused_by.get(self.mode, "")

    @property
    def mode_of_pods(self) -> str:
        """What happens to its Pods now: one of MODES."""
        spec = next(each["spec"] for each in self.documents if each["kind"] == "ClusterLimitPolicy")
        mode = str(spec.get("mode", "Audit"))
        begins = datetime.fromisoformat(spec["enforceFrom"]) if "enforceFrom" in spec else None
        now = self.now or datetime.now(UTC)
        return "Warn" if mode == "Enforce" and begins is not None and now < begins else mode

    @property
    def context(self) -> tuple[Object, ...]:
        """What must exist before the object does."""
        return (self.namespace, *self.limit_ranges)

    def __str__(self) -> str:
        return " ".join(filter(None, (self.case.name, self.mode, "by its own clock" if self.now else "")))


def scenes(cases: Iterable[Case], clock: datetime | None = None) -> list[Scene]:
    """Every case under each of its modes. Raises BadCase where two of them would disturb each other.

    `clock`: the real time, where nobody can set it: dates of a case that says what time it is are moved beside it.
    """
    found = [scene(case, mode, clock) for case in cases for mode in case.modes]
    for what, names in (
        ("namespace", [each.name for each in found]),
        ("policy or exemption", [document["metadata"]["name"] for each in found for document in each.documents]),
    ):
        if twice := {name for name in names if names.count(name) > 1}:
            raise BadCase(f"more than one case has a {what} named {', '.join(sorted(twice))}")
    return found


def scene(case: Case, mode: str, clock: datetime | None = None) -> Scene:
    """The case under one of MODES, or under the mode that its policy says. `clock` as for `scenes`."""
    name = case.namespace or "-".join(filter(None, (case.slug, mode.lower())))
    namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    if case.labels:
        namespace["metadata"]["labels"] = dict(case.labels)
    obj = completed(case.object, case.slug, name)
    return Scene(
        case=case,
        mode=mode,
        documents=tuple(_on_time(document, case.now, clock) for document in _documents(case, mode, name)),
        namespace=namespace,
        limit_ranges=tuple(_limit_range(written, name) for written in case.limit_ranges),
        object=obj,
        old=None if case.old is None else completed(case.old, case.slug, name),
        deployment=deployment_of(obj) if has_a_deployment(case) else None,
        now=None if clock else case.now,
    )


def _documents(case: Case, mode: str, namespace: str) -> Iterator[Object]:
    yield from case.documents
    if not case.documents:
        spec = copy.deepcopy(case.policy) if case.policy is not None else _preset(case.preset)
        if mode in MODES:
            spec["mode"] = mode
            spec.setdefault("templates", mode)
        if case.preset:
            spec["namespaces"] = {"include": [namespace]}
        spec.setdefault("namespaces", {"include": [namespace]})
        yield _document("ClusterLimitPolicy", namespace, spec)
    for written in case.exemptions:
        exemption = copy.deepcopy(written)
        name = exemption.pop("name")
        for field, value in (("owner", "team-case"), ("reason", "the case says so"), ("expires", NEVER)):
            exemption.setdefault(field, value)
        exemption.setdefault("match", {}).setdefault("namespaces", [namespace])
        yield _document("ClusterLimitExemption", f"{namespace}-{name}", exemption)


def _on_time(document: Object, now: datetime | None, clock: datetime | None) -> Object:
    """The document with its date a day before or after the real time, as it lies before or after the case's own."""
    spec = document["spec"]
    if now is None or clock is None:
        return document
    if "enforceFrom" in spec:
        reached = datetime.fromisoformat(spec["enforceFrom"]) <= now
        spec = {**spec, "enforceFrom": (clock + timedelta(days=-1 if reached else 1)).isoformat(timespec="seconds")}
    if "expires" in spec:
        last = datetime.fromisoformat(spec["expires"])
        if last.tzinfo is None:  # a date holds to its end
            last = last.replace(tzinfo=UTC) + timedelta(days=1, microseconds=-1)
        spec = {**spec, "expires": str((clock + timedelta(days=1 if now <= last else -1)).date())}
    return {**document, "spec": spec}


def _preset(name: str) -> Object:
    document: Object = yaml.safe_load((PRESETS / f"{name}.yaml").read_text())
    spec: Object = document["spec"]
    return spec


def _document(kind: str, name: str, spec: Object) -> Object:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _limit_range(written: Object, namespace: str) -> Object:
    limit_range = {"apiVersion": "v1", "kind": "LimitRange", **copy.deepcopy(written)}
    limit_range.setdefault("metadata", {})["namespace"] = namespace
    limit_range["metadata"].setdefault("name", "limits")
    return limit_range


def write_policies(found: Iterable[Scene], folder: Path) -> None:
    """One file for each scene, with all that `serve --policies` and `check --policies` read."""
    for each in found:
        documents = (*each.documents, *each.context)
        text = "".join(f"---\n{json.dumps(document, indent=1)}\n" for document in documents)
        (folder / f"{each.name}.yaml").write_text(text)


def stream(documents: Iterable[Object]) -> str:
    """Many documents as one text of YAML."""
    return "".join(f"---\n{json.dumps(document)}\n" for document in documents)
