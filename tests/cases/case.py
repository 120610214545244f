"""Reads a case file: a policy, what stands around it, an object, and what must come of it.

Strict on purpose: an unknown key, a missing expectation or a name that matches nothing is an error, never a case that
tests less than it says. Knows no engine and no server; tests/cases/README.md is the format's page.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
"""A Kubernetes object, or a part of one, as JSON."""

CASES = Path(__file__).resolve().parent
MODES = ("Enforce", "Warn", "Audit")
VERDICTS = ("pass", "defaulted", "fail", "warn", "audit", "skip", "error")
POD = "pod"
"""Stands in `checks` for the pod as a whole; no container may have this name."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_MAX_NAME = 50


class BadCase(Exception):
    """A case file that cannot be meant as it is written; says which and why."""


@dataclass(frozen=True)
class Expectation:
    """What must come of it. `checks`, `exempted`, `resources`, `arrives`: exactly that, nothing more, nothing less."""

    verdict: str
    checks: Mapping[str, frozenset[str]]
    """Container name (or POD) → ids of the checks that it breaks."""
    exempted: Mapping[str, frozenset[str]]
    """The same for checks that an exemption waives."""
    resources: Mapping[str, Object]
    """Container name → requests and limits that are finally stored; containers that are not named have none."""
    arrives: Mapping[str, Object] | None
    """What the API server shows to our webhook; given where LimitRanges act before us."""
    message: tuple[str, ...]
    """Phrases of the refusal or, under Warn, of the warnings."""
    fields: tuple[str, ...]
    """Paths of fields, or the beginnings of paths, that the refusal names."""
    warnings: tuple[str, ...]
    """A phrase of each warning that is not about a violation; there are no others."""
    reason: str
    """Why it is not judged."""
    refused_by: Mapping[str, str]
    """Mode → who refuses it before us: `server` (also its Deployment) or `limitranger` (its Pods alone)."""
    server_says: tuple[str, ...]
    """Phrases of that refusal."""
    unmutated: Mapping[str, frozenset[str]] | None
    """What it breaks where the mutation was lost; None where it is no Pod that is patched."""
    check: str
    """The result of `plimsoll check` where it says more than admission does: a template whose Pods are refused."""


@dataclass(frozen=True)
class Case:
    """One file. `name` is its path below tests/cases without the suffix: `required/memory-limit-missing`."""

    name: str
    about: str
    since: tuple[int, int]
    """The oldest Kubernetes minor that behaves so."""
    policy: Object | None
    """The spec of the one policy that governs the object's namespace."""
    preset: str
    documents: tuple[Object, ...]
    """Whole policies and exemptions, used as they are."""
    exemptions: tuple[Object, ...]
    """`name` beside the spec of each."""
    namespace: str
    """Empty: one of its own for each mode."""
    labels: Mapping[str, str]
    limit_ranges: tuple[Object, ...]
    now: datetime | None
    user: str
    object: Object
    old: Object | None
    expect: Expectation

    @property
    def topic(self) -> str:
        return self.name.partition("/")[0]

    @property
    def slug(self) -> str:
        """A name for Kubernetes objects."""
        return self.name.replace("/", "-")

    @property
    def kind(self) -> str:
        return str(self.object["kind"])

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes to run it in; one where the policy itself says its mode."""
        if self.documents or (self.policy is not None and "mode" in self.policy):
            return ("",)
        return MODES

    def verdict_under(self, mode: str) -> str:
        """What must come of it under `mode`, from what Enforce does with it."""
        verdict = self.expect.verdict
        if mode == "Warn":
            return "warn" if verdict == "fail" else verdict
        if mode == "Audit":
            return {"fail": "audit", "defaulted": "pass"}.get(verdict, verdict)
        return verdict

    def __str__(self) -> str:
        return self.name


def cases(folder: Path = CASES) -> list[Case]:
    """All cases in the order of their names. Raises BadCase."""
    paths = sorted(folder.glob("*/*.yaml"))
    found = [read_case(path.relative_to(folder).with_suffix("").as_posix(), path.read_text()) for path in paths]
    strays = [path for path in folder.rglob("*.y*ml") if path not in set(paths)]
    if strays:
        raise BadCase(f"{strays[0]}: a case stands in tests/cases/<topic>/<name>.yaml")
    return found


def read_case(name: str, text: str) -> Case:
    """One case from the text of its file. Raises BadCase."""
    try:
        return _case(name, text)
    except (KeyError, TypeError, ValueError, AttributeError, yaml.YAMLError) as problem:
        raise BadCase(f"{name}: {type(problem).__name__}: {problem}") from problem


_KEYS: frozenset[str] = frozenset(
    {
        *("about", "since", "policy", "preset", "documents", "exemptions", "namespace", "labels", "limitRanges"),
        *("now", "user", "old", "object", "expect"),
    }
)
_EXPECT_KEYS: frozenset[str] = frozenset(
    {
        *("verdict", "reason", "checks", "exempted", "arrives", "resources", "unmutated", "refusedBy", "serverSays"),
        *("message", "fields", "warnings", "check"),
    }
)


def _case(name: str, text: str) -> Case:
    written = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader that leaves dates alone
    _only(name, written, _KEYS)
    if not all(_NAME.fullmatch(part) for part in name.split("/")) or len(name) > _MAX_NAME:
        raise BadCase(f"{name}: topic and name are lower case, with dashes, {_MAX_NAME} characters together")
    about = written["about"]
    if not about.endswith(".") or "\n" in about.strip():
        raise BadCase(f"{name}: about is one sentence on one line")
    if sum(key in written for key in ("policy", "preset", "documents")) != 1:
        raise BadCase(f"{name}: one of policy, preset and documents is needed")
    major, _, minor = str(written.get("since", "1.0")).partition(".")
    case = Case(
        name=name,
        about=about,
        since=(int(major), int(minor)),
        policy=written.get("policy"),
        preset=written.get("preset", ""),
        documents=tuple(written.get("documents", ())),
        exemptions=tuple(written.get("exemptions", ())),
        namespace=written.get("namespace", ""),
        labels=written.get("labels", {}),
        limit_ranges=tuple(written.get("limitRanges", ())),
        now=datetime.fromisoformat(written["now"]) if "now" in written else None,
        user=written.get("user", ""),
        object=written["object"],
        old=written.get("old"),
        expect=_expectation(name, written["expect"]),
    )
    _check(case)
    return case


def _expectation(name: str, written: Object) -> Expectation:
    _only(f"{name}: expect", written, _EXPECT_KEYS)
    refused_by = written.get("refusedBy", {})
    if isinstance(refused_by, str):
        refused_by = dict.fromkeys(("", *MODES), refused_by)
    return Expectation(
        verdict=written["verdict"],
        checks=_sets(written["checks"]),
        exempted=_sets(written.get("exempted", {})),
        resources=_resources(name, written.get("resources", {})),
        arrives=_resources(name, written["arrives"]) if "arrives" in written else None,
        message=tuple(written.get("message", ())),
        fields=tuple(written.get("fields", ())),
        warnings=tuple(written.get("warnings", ())),
        reason=written.get("reason", ""),
        refused_by=refused_by,
        server_says=tuple(written.get("serverSays", ())),
        unmutated=_sets(written["unmutated"]) if "unmutated" in written else None,
        check=written.get("check", ""),
    )


def _check(case: Case) -> None:
    """Refuses expectations that contradict each other or that nothing could ever compare."""
    expect, broken = case.expect, []
    if expect.verdict not in VERDICTS:
        broken.append(f"verdict is one of {', '.join(VERDICTS)}")
    if expect.verdict in ("warn", "audit") and case.modes != ("",):
        broken.append(f"verdict {expect.verdict} needs a policy that says its mode")
    if expect.verdict != "skip" and (expect.verdict in ("fail", "warn", "audit")) is not bool(expect.checks):
        broken.append("checks are named exactly where the verdict is fail, warn or audit")
    if expect.verdict in ("fail", "warn", "error") and not expect.message:
        broken.append(f"a verdict of {expect.verdict} has a message")
    if case.kind == "Pod" and expect.verdict == "defaulted" and case.old is None and expect.unmutated is None:
        broken.append("unmutated says what a Pod that is patched breaks without its patch")
    if expect.verdict == "skip" and bool(expect.reason) is bool(expect.exempted):
        broken.append("a skip has a reason, or says what is exempted")
    if expect.reason and expect.verdict != "skip":
        broken.append("only a skip has a reason")
    if (case.namespace or case.documents) and case.modes != ("",):
        broken.append("a namespace of a given name needs a policy that says its mode")
    if case.limit_ranges and expect.arrives is None and case.kind == "Pod":
        broken.append("with limitRanges, arrives says what the API server makes of the Pod first")
    if bool(expect.refused_by) is not bool(expect.server_says):
        broken.append("refusedBy and serverSays belong together")
    if set(expect.refused_by.values()) - {"server", "limitranger"}:
        broken.append("refusedBy is server or limitranger, or says so for each mode")
    names = {container["name"] for _, container in containers(case.object)}
    if POD in names:
        broken.append(f"no container may be named {POD}")
    for field in ("checks", "exempted", "resources", "arrives", "unmutated"):
        unknown = (
            set(getattr(expect, field) or ()) - names - ({POD} if field not in ("resources", "arrives") else set())
        )
        if unknown:
            broken.append(f"{field} names {', '.join(sorted(unknown))}, which the object does not have")
    if broken:
        raise BadCase(f"{case.name}: " + "; ".join(broken))


def containers(value: Any, key: str = "") -> Iterator[tuple[str, Object]]:
    """(list name, container) of every container anywhere in an object, without knowing its kind."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield from containers(child, name)
    elif isinstance(value, list):
        for child in value:
            if key in ("containers", "initContainers", "ephemeralContainers") and isinstance(child, dict):
                yield key, child
            else:
                yield from containers(child, "")


def _sets(written: Mapping[str, list[str]]) -> Mapping[str, frozenset[str]]:
    return {container: frozenset(checks) for container, checks in written.items()}


def _resources(name: str, written: Mapping[str, Object]) -> Mapping[str, Object]:
    for amounts in written.values():
        _only(f"{name}: resources", amounts, frozenset({"requests", "limits"}))
    return written


def _only(where: str, written: Object, known: frozenset[str]) -> None:
    if unknown := set(written) - known:
        raise BadCase(f"{where}: unknown keys: {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """YAML in which a date is the text that stands there, as in a manifest, and no key may stand twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT002
        keys = [key.value for key, _ in node.value]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise BadCase(f"line {node.start_mark.line + 1}: {', '.join(sorted(twice))} stands twice")
        return dict(super().construct_mapping(node, deep))


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
