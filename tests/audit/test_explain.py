"""Why a workload gets what it gets: the origin of every amount, and what of the policy speaks about it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from plimsoll.audit.explain import explanation_of, selector_text
from plimsoll.audit.run import Judged, judge
from plimsoll.policy.limit_range import LimitRange, LimitRangeItem
from plimsoll.policy.matching import Globs, LabelSelector, Requirement
from plimsoll.policy.model import Bounds, Defaulting, Matcher, Namespace, NamespaceMatch, Override, Rules
from plimsoll.policy.quantity import parse
from plimsoll.policy.snapshot import Snapshot
from plimsoll.policy.workload import ContainerClass
from plimsoll.schemas.explanation import Explanation

from tests.audit.material import INCIDENT, MEMORY, NOW, exemption, pod, policy, subjects

CPU = Bounds("cpu", request_required=True, default_request=parse("50m"))


def explained(text: str, snapshot: Snapshot, now: datetime = NOW) -> Explanation:
    [judged] = judge(subjects(text), snapshot, now)
    assert isinstance(judged, Judged)
    return explanation_of(judged, snapshot, now)


def origins(explanation: Explanation) -> dict[str, tuple[str | None, str, str]]:
    [container] = explanation.containers
    return {f"{v.field}.{v.resource}": (v.amount, v.origin, v.name) for v in container.values}


def test_each_amount_names_its_origin() -> None:
    own = LimitRange("own", (LimitRangeItem("Container", default={"ephemeral-storage": parse("1Gi")}),))
    governing = policy(CPU, MEMORY, Bounds("hugepages-2Mi", limit_required=True), defaulting=Defaulting.APPLY)
    text = INCIDENT.replace("{}", "{limits: {memory: 64Mi}}")
    explanation = explained(text, Snapshot([governing], limit_ranges={"logging": [own]}))
    assert origins(explanation) == {
        "request.cpu": ("50m", "policy default", "guard"),
        "request.ephemeral-storage": ("1Gi", "API default", ""),
        "limit.ephemeral-storage": ("1Gi", "LimitRange", "own"),
        "limit.hugepages-2Mi": (None, "missing", ""),
        "request.memory": ("64Mi", "API default", ""),
        "limit.memory": ("64Mi", "written", ""),
    }
    assert explanation.limit_ranges == ("own",)


def test_a_clamped_amount_says_what_was_written() -> None:
    clamping = policy(
        rules=dict.fromkeys(ContainerClass, Rules((Bounds("memory", max=parse("1Gi")), FORBIDDEN), clamp=True))
    )
    explanation = explained(INCIDENT.replace("{}", "{limits: {memory: 4Gi, cpu: 2}}"), Snapshot([clamping]))
    told = {f"{v.field}.{v.resource}": (v.amount, v.origin, v.was) for v in explanation.containers[0].values}
    assert told["limit.memory"] == ("1Gi", "clamp", "4Gi")
    assert told["limit.cpu"] == (None, "clamp", "2")


FORBIDDEN = Bounds("cpu", limit_forbidden=True)


def test_what_the_policy_says_stands_beside_each_amount() -> None:
    full = Bounds(
        "memory",
        limit_required=True,
        default=parse("256Mi"),
        min=parse("16Mi"),
        max=parse("4Gi"),
        ratio=parse("4"),
        equal=True,
    )
    lower, upper = Bounds("cpu", min=parse("1m")), Bounds("ephemeral-storage", max=parse("1Gi"))
    [container] = explained(INCIDENT, Snapshot([policy(full, lower, upper)])).containers
    assert {f"{v.field}.{v.resource}": v.rules for v in container.values} == {
        "request.cpu": "at least 1m",
        "limit.cpu": "at least 1m",
        "request.ephemeral-storage": "at most 1Gi",
        "limit.ephemeral-storage": "at most 1Gi",
        "request.memory": "16Mi to 4Gi",
        "limit.memory": "required, 16Mi to 4Gi, at most 4 times the request, equal to the request, default 256Mi",
    }


def test_the_part_of_the_policy_that_speaks_is_named() -> None:
    override = Override(Matcher(containers=Globs.of(["mesh*"])), dict.fromkeys(ContainerClass, Rules((CPU,))))
    other = Override(Matcher(containers=Globs.of(["nothing"])), {})
    text = pod(
        {"name": "a"}, {"name": "mesh-proxy"}, initContainers=[{"name": "i"}], ephemeralContainers=[{"name": "e"}]
    )
    explanation = explained(text, Snapshot([policy(overrides=(other, override))]))
    assert [(c.name, c.container_class, c.rules_from) for c in explanation.containers] == [
        ("a", "regular", "containers"),
        ("mesh-proxy", "regular", "overrides[1]"),
        ("i", "init", "initContainers"),
        ("e", "ephemeral", ""),
    ]


def test_the_governing_policy_says_why_and_who_else_matches() -> None:
    governing = policy(namespaces=NamespaceMatch(include=Globs.of(["shop", "log*"])), priority=5, origin="p.yaml:1")
    elsewhere = policy(name="elsewhere", namespaces=NamespaceMatch(include=Globs.of(["shop"])), priority=9)
    told = explained(INCIDENT, Snapshot([policy(name="base"), governing, elsewhere])).policy
    assert told is not None
    assert (told.name, told.because, told.priority, told.origin) == ("guard", 'include "log*"', 5, "p.yaml:1")
    assert told.others == ("base (priority 0)",)


def test_a_selector_is_a_reason_too() -> None:
    selector = LabelSelector((Requirement("tier", "In", frozenset(["ops"])),))
    governing = policy(namespaces=NamespaceMatch(selector=selector))
    told = explained(INCIDENT, Snapshot([governing], namespaces=[Namespace("logging", {"tier": "ops"})]))
    assert told.policy is not None
    assert told.policy.because == "selector tier=ops"
    assert told.hint == ""


def test_a_namespace_that_nobody_described_is_hinted_at_where_a_selector_would_need_it() -> None:
    selector = LabelSelector((Requirement("tier", "Exists", frozenset()),))
    told = explained(INCIDENT, Snapshot([policy(namespaces=NamespaceMatch(selector=selector))]))
    assert told.policy is None
    assert told.hint == "no manifest of namespace logging was given, so it has no labels for a selector to match"


@pytest.mark.parametrize(
    ("requirements", "text"),
    [
        ([], "(everything)"),
        ([("a", "Exists", [])], "a"),
        ([("a", "DoesNotExist", [])], "!a"),
        ([("a", "In", ["x"]), ("b", "In", ["z", "y"])], "a=x, b in (y, z)"),
        ([("a", "NotIn", ["x"])], "a notin (x)"),
    ],
)
def test_selectors_are_written_as_kubectl_writes_them(
    requirements: list[tuple[str, str, list[str]]], text: str
) -> None:
    assert selector_text(LabelSelector(tuple(Requirement(k, o, frozenset(v)) for k, o, v in requirements))) == text


def test_what_no_policy_governs_still_shows_what_kubernetes_does() -> None:
    told = explained(INCIDENT.replace("{}", "{limits: {memory: 64Mi}}"), Snapshot())
    assert (told.policy, told.row.result) == (None, "skip")
    assert origins(told) == {
        "request.memory": ("64Mi", "API default", ""),
        "limit.memory": ("64Mi", "written", ""),
    }


def test_exemptions_say_whether_they_hold_and_whom_they_match() -> None:
    held = exemption(waive=frozenset(["memory.limit.required", "memory.request.required"]))
    ended = exemption(name="old", expires=datetime(2026, 1, 1, tzinfo=UTC), expires_text="2026-01-01")
    foreign = exemption(name="foreign", match=Matcher(containers=Globs.of(["other"])))
    labelled = exemption(name="labelled", match=Matcher(pod_labels=(("app", Globs.of(["x"])),)))
    told = explained(INCIDENT, Snapshot([policy()], [held, ended, foreign, labelled])).exemptions
    assert [(e.name, e.holds, e.waives, e.containers) for e in told] == [
        ("legacy", True, ("memory.limit.required", "memory.request.required"), ("elastalert",)),
        ("old", False, ("*",), ("elastalert",)),
    ]


def test_a_change_of_the_class_of_service_says_what_it_means() -> None:
    told = explained(INCIDENT, Snapshot([policy(defaulting=Defaulting.APPLY)]))
    assert told.qos == "no longer the first to be evicted when its node runs out of memory"
    assert explained(INCIDENT, Snapshot([policy()])).qos == ""


def test_totals_of_the_pod_are_told() -> None:
    told = explained(INCIDENT, Snapshot([policy(pod=Rules((Bounds("memory", max=parse("8Gi")),)))]))
    assert told.pod == ("total requests.memory: at most 8Gi", "total limits.memory: at most 8Gi")


def test_the_day_of_enforcement_is_told() -> None:
    told = explained(INCIDENT, Snapshot([policy(enforce_from=datetime(2026, 1, 1, tzinfo=UTC))])).policy
    assert told is not None
    assert told.enforce_from == "2026-01-01T00:00:00Z"
