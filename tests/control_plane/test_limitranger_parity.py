"""Our LimitRanger against the real one: what a dry run stores or refuses, for generated LimitRanges and pods.

Two LimitRanges apply in random order, so the server's answer must be one of those that the two orders give. API
validation, the QoS class and the defaulting of LimitRanges and of pod-level resources are compared on the way.
"""

import itertools
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plimsoll.policy.api_validation import api_validation_problems
from plimsoll.policy.draft import NO_RULES, Draft, default_requests
from plimsoll.policy.limitranger import (
    Filled,
    LimitRange,
    fill,
    limit_range_problems,
    named_by_annotation,
    read_limit_range,
    refusals,
)
from plimsoll.policy.pod_level import pod_level_defaults
from plimsoll.policy.qos import qos_class
from plimsoll.policy.workload import LIMIT_RANGER_ANNOTATION, Resources, read_workloads

from tests.control_plane.api import Api, Reply
from tests.control_plane.control_plane import ControlPlane
from tests.control_plane.limitranger_cases import OVERHEADS, Json, limit_range, pod
from tests.policy import shorthand

SEED = 1906  # the year the load line moved
NAMESPACES = 320
PODS_EACH = 8
INFORMER_SECONDS = 60.0

_BETWEEN = re.compile(r", (?=minimum |maximum |\S+ max limit to request ratio )")

Values = dict[str, tuple[dict[str, int], dict[str, int]]]
"""Container → (requests, limits) in nano-units."""


@dataclass(frozen=True)
class Stored:
    """A pod that was let in."""

    containers: Values
    own: tuple[dict[str, int], dict[str, int]]
    """Its `spec.resources`."""
    annotation: frozenset[tuple[bool, str, str, str]]
    qos: str


@dataclass(frozen=True)
class Refused:
    """403 with LimitRanger's sentences, or 422 with (field, text) pairs."""

    status: int
    texts: frozenset[str] | frozenset[tuple[str, str]]


@dataclass
class Case:
    """LimitRanges that the server took, in a namespace of their own, and pods to create there."""

    ranges: list[LimitRange]
    pods: list[Json]
    namespace: str = ""


def test_generated_pods_end_as_on_the_server(control_plane: ControlPlane) -> None:
    chance = random.Random(SEED)
    admin = control_plane.admin
    _runtime_classes(admin)
    cases = [_generated(control_plane, chance) for _ in range(NAMESPACES)]
    _wait_for_informer(control_plane)
    seen = Counter[str]()
    for case in cases:
        for given in case.pods:
            possible = list(_possible(case.ranges, given, control_plane.minor))
            found = _answer(admin.create(given, dry_run=True), control_plane.minor)
            assert found in possible, _difference(case, given, found, possible)
            kind = "stored" if isinstance(found, Stored) else str(found.status)
            seen.update([kind, *(["order"] if any(one != possible[0] for one in possible) else [])])
    print(f"{NAMESPACES * PODS_EACH:,} pods of {control_plane.version}: {dict(seen)}")
    assert seen["stored"] + seen["403"] + seen["422"] >= 2_000
    assert min(seen["stored"], seen["403"], seen["422"]) >= 300, "a lopsided sample proves little"
    assert seen["order"] >= 50


def test_the_vectors_end_as_on_the_server(control_plane: ControlPlane) -> None:
    admin = control_plane.admin
    _runtime_classes(admin)
    rows = [row for row in shorthand.rows("limitranger.tsv") if not row[4].startswith("refused")]
    cases = {}
    for name, ranges, text, _, _ in rows:
        case = Case([], [shorthand.pod(text)], control_plane.namespace("vector"))
        for index, one in enumerate(ranges.split(" | ")):
            written = shorthand.limit_range(one, f"limits-{index}")
            taken = _created(admin, written, case.namespace, control_plane.minor)
            assert taken is not None, name
            case.ranges.append(taken)
        cases[name] = case
    for row in shorthand.rows("pod_resources.tsv"):
        cases[row[0]] = Case([], [shorthand.pod(row[1])], control_plane.namespace("vector"))
    _wait_for_informer(control_plane)
    for name, case in cases.items():
        (given,) = case.pods
        given["metadata"]["namespace"] = case.namespace
        if (overhead := given["spec"].pop("overhead", None)) is not None:
            given["spec"]["runtimeClassName"] = _runtime_class(admin, name.lower(), overhead)
        possible = list(_possible(case.ranges, given, control_plane.minor))
        found = _answer(admin.create(given, dry_run=True), control_plane.minor)
        assert found in possible, f"{name}: {_difference(case, given, found, possible)}"


def test_limit_ranges_are_refused_as_on_the_server(control_plane: ControlPlane) -> None:
    namespace = control_plane.namespace("refused")
    chance = random.Random(SEED)
    written = [limit_range(chance, "limits") for _ in range(600)]
    for row in shorthand.rows("limitranger.tsv"):
        written += [shorthand.limit_range(one) for one in row[1].split(" | ")]
    seen = Counter[bool]()
    for one in written:
        seen[_created(control_plane.admin, one, namespace, control_plane.minor, dry_run=True) is None] += 1
    print(f"{len(written)} LimitRanges of {control_plane.version}, {seen[True]} of them refused")
    assert seen[True] >= 40


def _generated(control_plane: ControlPlane, chance: random.Random) -> Case:
    case = Case([], [pod(chance) for _ in range(PODS_EACH)], control_plane.namespace("ranger"))
    for given in case.pods:
        given["metadata"]["namespace"] = case.namespace
    wanted = chance.choice([1, 1, 1, 2, 2])
    while len(case.ranges) < wanted:
        written = limit_range(chance, f"limits-{len(case.ranges)}")
        taken = _created(control_plane.admin, written, case.namespace, control_plane.minor)
        if taken is not None:
            case.ranges.append(taken)
    return case


def _created(
    admin: Api, written: Json, namespace: str, minor: tuple[int, int], *, dry_run: bool = False
) -> LimitRange | None:
    """Create it; None where it was refused. The server must refuse what we call a problem, and store what we read."""
    written["metadata"]["namespace"] = namespace
    read = read_limit_range(json.dumps(written).encode())[1]
    expected = frozenset(_cause(_field(one.pointer), one.text, minor) for one in limit_range_problems(read))
    reply = admin.create(written, dry_run=dry_run)
    if reply.status == 422 or expected:
        assert _refused(reply, minor) == Refused(422, expected), json.dumps(written)
        return None
    assert read_limit_range(json.dumps(reply.expect_ok()).encode())[1] == read, json.dumps(written)
    return read


def _possible(ranges: Sequence[LimitRange], given: Json, minor: tuple[int, int]) -> Iterator[Stored | Refused]:
    """Every answer that LimitRanger and API validation can give, over the orders of the LimitRanges."""
    pod_level = minor >= (1, 34)
    (read,) = read_workloads(json.dumps(given).encode())
    for order in itertools.permutations(ranges):
        drafts = [Draft(container, NO_RULES, frozenset()) for container in read.containers]
        default_requests(drafts)
        filled = fill(drafts, order)
        own = pod_level_defaults(drafts, read.pod_resources) if pod_level else None
        invalid = api_validation_problems(drafts, own, pod_level=pod_level)
        if invalid:
            yield Refused(422, frozenset(_cause(problem.field, problem.text, minor) for problem in invalid))
            continue
        refused = refusals(drafts, read.pod_resources, ranges, pod_level=pod_level)
        for name in {refusal.limit_range for refusal in refused}:  # the server stops at the first that refuses
            yield Refused(403, frozenset(refusal.text for refusal in refused if refusal.limit_range == name))
        if not refused:
            resources = [Resources(draft.requests, draft.limits) for draft in drafts]
            values = {draft.container.name: _nano(one) for draft, one in zip(drafts, resources, strict=True)}
            named = _annotation(drafts, filled)
            yield Stored(values, _nano(own or Resources()), named, qos_class(resources, own))


def _annotation(drafts: Sequence[Draft], filled: Sequence[Filled]) -> frozenset[tuple[bool, str, str, str]]:
    """What the note names: only the last LimitRange that set something leaves one."""
    last = filled[-1].limit_range if filled else None
    return frozenset(
        ("/initContainers/" in container.pointer, container.name, one.side, one.resource)
        for one in filled
        for container in [drafts[one.index].container]
        if one.limit_range == last
    )


def _answer(reply: Reply, minor: tuple[int, int]) -> Stored | Refused:
    """The server's, about a pod."""
    if not reply.ok:
        return _refused(reply, minor)
    (read,) = read_workloads(json.dumps(reply.body).encode())
    values = {container.name: _nano(container.resources) for container in read.containers}
    own = _nano(read.pod_resources or Resources())
    named = named_by_annotation(read.annotations.get(LIMIT_RANGER_ANNOTATION, ""))
    return Stored(values, own, named, reply.body["status"]["qosClass"])


def _refused(reply: Reply, minor: tuple[int, int]) -> Refused:
    if reply.status == 422:
        causes = reply.body["details"]["causes"]
        return Refused(422, frozenset(_cause(cause["field"], cause["message"], minor) for cause in causes))
    assert reply.status == 403, reply.message
    text = reply.message.partition(" is forbidden: ")[2]
    if text.startswith("["):
        text = text[1:-1]
    return Refused(403, frozenset(_BETWEEN.split(text)))


def _cause(field: str, text: str, minor: tuple[int, int]) -> tuple[str, str]:
    """1.33 quotes no names, shows some amounts as Go structs, and calls a label key a qualified name."""
    if minor < (1, 34):
        text = re.sub(r'^Invalid value: (resource\.Quantity\{.*\}|"[-+0-9.a-zA-Z]*"): ', "", text)
        text = text.replace('"', "").replace("a qualified name must", "a valid label key must")
        text = re.sub(r"^Invalid value: \S*: ", "", text)
    return field, text


def _field(pointer: str) -> str:
    """A pointer into a LimitRange as the server names the place: `spec.limits[0].max[cpu]`."""
    _, spec, limits, index, field, *keys = pointer.split("/")
    return f"{spec}.{limits}[{index}].{field}" + "".join(f"[{unescaped(key)}]" for key in keys)


def unescaped(step: str) -> str:
    """One step of a JSON Pointer."""
    return step.replace("~1", "/").replace("~0", "~")


def _difference(case: Case, given: Json, found: Stored | Refused, possible: Sequence[Stored | Refused]) -> str:
    lines = [f"LimitRange {one}" for one in case.ranges] + [json.dumps(given["spec"]), f"server: {found}"]
    return "\n".join([*lines, *(f"ours:   {one}" for one in possible)])


def _runtime_classes(admin: Api) -> None:
    for name, overhead in OVERHEADS.items():
        _runtime_class(admin, name, overhead)


def _runtime_class(admin: Api, name: str, overhead: Json) -> str:
    """Create one that gives its pods this overhead; nobody may write an overhead that is not its class's."""
    made = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": "none"}
    reply = admin.create({**made, "overhead": {"podFixed": overhead}})
    assert reply.ok or reply.status == 409, reply.message
    return name


def _wait_for_informer(control_plane: ControlPlane) -> None:
    """Until LimitRanger's cache holds every LimitRange so far; a cache that holds one of two would use that one alone.

    A pod in a namespace without LimitRanges makes the plug-in remember for 30 s that there are none; one that is made
    then shows only by way of the cache, which is fed in order.
    """
    admin, namespace = control_plane.admin, control_plane.namespace("canary")
    canary = shorthand.pod("a")
    canary["metadata"]["namespace"] = namespace
    admin.create(canary, dry_run=True).expect_ok()
    written = shorthand.limit_range("Container default cpu=1")
    written["metadata"]["namespace"] = namespace
    admin.create(written).expect_ok()
    deadline = time.monotonic() + INFORMER_SECONDS
    while time.monotonic() < deadline:
        body = admin.create(canary, dry_run=True).expect_ok()
        if body["spec"]["containers"][0]["resources"]:
            return
        time.sleep(0.05)
    raise AssertionError(f"LimitRanger saw no new LimitRange for {INFORMER_SECONDS:.0f} s")


def _nano(resources: Resources) -> tuple[dict[str, int], dict[str, int]]:
    return (
        {name: amount.nano for name, amount in resources.requests.items()},
        {name: amount.nano for name, amount in resources.limits.items()},
    )
