"""The compiled values: modes in time, matchers, which rules a container follows, what an exemption waives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from plimsoll.policy.matching import Globs, ImageGlobs, LabelSelector, Requirement
from plimsoll.policy.model import (
    Bounds,
    Exemption,
    Matcher,
    Mode,
    NamespaceMatch,
    Override,
    Policy,
    Rules,
    WorkloadMatch,
)
from plimsoll.policy.quantity import parse
from plimsoll.policy.workload import Container, ContainerClass, Workload

from tests.policy import shorthand
from tests.policy.decision import NOW, deployment_of, workload_of

EVERYWHERE = NamespaceMatch(include=Globs.of(["*"]))
LATER = NOW + timedelta(days=1)


def policy(**fields: object) -> Policy:
    return Policy("p", EVERYWHERE, **fields)  # type: ignore[arg-type]


def pod(text: str = "app", **metadata: object) -> Workload:
    obj = shorthand.pod(text)
    obj["metadata"] |= metadata
    return workload_of(obj)


def container(text: str) -> Container:
    return pod(text).containers[0]


def test_modes_are_words_and_a_cap_is_their_minimum() -> None:
    assert [mode.text for mode in Mode] == ["Audit", "Warn", "Enforce"]
    assert min(Mode.ENFORCE, Mode.WARN) is Mode.WARN
    assert min(Mode.WARN, Mode.AUDIT) is Mode.AUDIT


@pytest.mark.parametrize(
    ("mode", "templates", "from_", "of_pods", "of_templates"),
    [
        (Mode.AUDIT, Mode.AUDIT, None, Mode.AUDIT, Mode.AUDIT),
        (Mode.ENFORCE, Mode.WARN, None, Mode.ENFORCE, Mode.WARN),
        (Mode.ENFORCE, None, None, Mode.ENFORCE, None),
        (Mode.WARN, Mode.ENFORCE, None, Mode.WARN, Mode.ENFORCE),
        (Mode.ENFORCE, Mode.ENFORCE, LATER, Mode.WARN, Mode.WARN),
        (Mode.AUDIT, Mode.ENFORCE, LATER, Mode.AUDIT, Mode.WARN),
        (Mode.ENFORCE, None, LATER, Mode.WARN, None),
        (Mode.ENFORCE, Mode.ENFORCE, NOW, Mode.ENFORCE, Mode.ENFORCE),
        (Mode.ENFORCE, Mode.ENFORCE, NOW + timedelta(microseconds=1), Mode.WARN, Mode.WARN),
        (Mode.ENFORCE, Mode.AUDIT, NOW - timedelta(days=1), Mode.ENFORCE, Mode.AUDIT),
    ],
)
def test_enforce_acts_as_warn_until_its_instant(
    mode: Mode, templates: Mode | None, from_: datetime | None, of_pods: Mode, of_templates: Mode | None
) -> None:
    given = policy(mode=mode, templates=templates, enforce_from=from_)
    assert given.mode_at(NOW, template=False) is of_pods
    assert given.mode_at(NOW, template=True) is of_templates


@pytest.mark.parametrize(
    ("bounds", "judged", "one_for_both"),
    [
        (Bounds("memory"), (), False),
        (Bounds("memory", default=parse("1Gi"), default_request=parse("1Gi")), (), False),
        (Bounds("memory", limit_required=True, max=parse("1Gi")), ("limit_required", "max"), False),
        (Bounds("memory", equal=True), ("equal",), True),
        (Bounds("nvidia.com/gpu", min=parse("1")), ("min",), True),
        (Bounds("hugepages-2Mi"), (), True),
        (Bounds("ephemeral-storage", request_forbidden=True, ratio=parse("2")), ("request_forbidden", "ratio"), False),
    ],
)
def test_bounds_know_which_of_their_fields_are_judged_and_filled_in(
    bounds: Bounds, judged: tuple[str, ...], one_for_both: bool
) -> None:
    assert bounds.judged == judged
    assert bounds.one_for_both is one_for_both


@pytest.mark.parametrize(
    ("include", "selector", "exclude", "matches"),
    [
        (["shop"], None, None, True),
        (["sh*"], None, None, True),
        (["team"], None, None, False),
        (None, {"tier": "ops"}, None, True),
        (None, {"tier": "dev"}, None, False),
        (["team"], {"tier": "ops"}, None, True),  # selector or include
        (["shop"], {"tier": "dev"}, None, True),
        (["*"], {"tier": "ops"}, ["sh*"], False),  # minus exclude
        (["*"], None, ["team"], True),
        (None, None, None, False),
    ],
)
def test_a_namespace_is_meant_by_selector_or_name_minus_exclude(
    include: list[str] | None, selector: dict[str, str] | None, exclude: list[str] | None, matches: bool
) -> None:
    match = NamespaceMatch(
        selector=None
        if selector is None
        else LabelSelector(tuple(Requirement(key, "In", frozenset({value})) for key, value in selector.items())),
        include=None if include is None else Globs.of(include),
        exclude=None if exclude is None else Globs.of(exclude),
    )
    assert match.match("shop", {"tier": "ops"}) is matches


@pytest.mark.parametrize(
    ("match", "matches"),
    [
        (WorkloadMatch(), True),
        (WorkloadMatch("Deployment"), True),
        (WorkloadMatch("CronJob"), False),
        (WorkloadMatch(None, Globs.of(["we*"])), True),
        (WorkloadMatch("Deployment", Globs.of(["web"])), True),
        (WorkloadMatch("Deployment", Globs.of(["api"])), False),
        (WorkloadMatch("StatefulSet", Globs.of(["web"])), False),
    ],
)
def test_a_workload_is_matched_by_kind_and_name(match: WorkloadMatch, matches: bool) -> None:
    assert match.match(workload_of(deployment_of(shorthand.pod("app")))) is matches


@pytest.mark.parametrize(
    ("labels", "globs", "matches"),
    [
        ({"app": "web"}, [], True),
        ({}, [], True),
        ({"app": "web"}, [("app", "web")], True),
        ({"app": "web"}, [("app", "w*")], True),
        ({"app": "web"}, [("app", "api")], False),
        ({"app": "web", "tier": "ops"}, [("app", "web"), ("tier", "o?s")], True),
        ({"app": "web"}, [("app", "web"), ("tier", "*")], False),
        ({}, [("tier", "*")], False),  # a label that is absent has no value at all
        ({"tier": ""}, [("tier", "*")], True),
        ({}, [("tier", "?")], False),
    ],
)
def test_every_label_of_a_matcher_must_be_there_and_match(
    labels: dict[str, str], globs: list[tuple[str, str]], matches: bool
) -> None:
    matcher = Matcher(pod_labels=tuple((key, Globs.of([glob])) for key, glob in globs))
    assert matcher.match_pod(pod(labels=labels)) is matches


def test_one_workload_of_a_list_is_enough_and_all_fields_must_match() -> None:
    matcher = Matcher(
        workloads=(WorkloadMatch("CronJob"), WorkloadMatch("Pod", Globs.of(["pod"]))),
        pod_labels=(("app", Globs.of(["web"])),),
    )
    assert matcher.match_pod(pod(labels={"app": "web"}))
    assert not matcher.match_pod(pod(labels={"app": "web"}, name="other"))
    assert not matcher.match_pod(pod())


@pytest.mark.parametrize(
    ("matcher", "matches", "is_whole_pod"),
    [
        (Matcher(), True, True),
        (Matcher(workloads=(WorkloadMatch("CronJob"),)), True, True),  # not its business
        (Matcher(containers=Globs.of(["app", "side"])), True, False),
        (Matcher(containers=Globs.of(["side"])), False, False),
        (Matcher(images=ImageGlobs(Globs.of(["registry.test/*"]))), True, False),
        (Matcher(images=ImageGlobs(Globs.of(["quay.io/*"]))), False, False),
        (Matcher(uses=("nvidia.com/gpu", "cpu")), True, False),
        (Matcher(uses=("nvidia.com/gpu",)), False, False),
        (Matcher(containers=Globs.of(["app"]), images=ImageGlobs(Globs.of(["quay.io/*"]))), False, False),
        (Matcher(containers=Globs.of(["app"]), uses=("memory",)), False, False),
    ],
)
def test_a_container_is_matched_by_name_image_and_use(matcher: Matcher, matches: bool, is_whole_pod: bool) -> None:
    assert matcher.match_container(container("app req cpu=1")) is matches
    assert matcher.is_whole_pod is is_whole_pod


def test_the_first_override_that_matches_gives_the_rules() -> None:
    own, first, second = (
        {each: Rules((Bounds("memory", max=parse(text)),)) for each in ContainerClass} for text in ("1Gi", "2Gi", "4Gi")
    )
    overrides = (
        Override(Matcher(containers=Globs.of(["mesh"])), first),
        Override(Matcher(containers=Globs.of(["mesh", "app"])), second),
    )
    given = policy(rules=own, overrides=overrides)
    assert given.rules_for(container("mesh"), overrides) is first[ContainerClass.REGULAR]
    assert given.rules_for(container("app"), overrides) is second[ContainerClass.REGULAR]
    assert given.rules_for(container("other"), overrides) is own[ContainerClass.REGULAR]
    assert given.rules_for(container("mesh"), ()) is own[ContainerClass.REGULAR]


@pytest.mark.parametrize(
    ("waive", "check", "waives"),
    [
        (["memory.limit.required"], "memory.limit.required", True),
        (["memory.limit.required"], "memory.limit.max", False),
        (["memory.limit.required"], "pod.memory.limit.required", False),
        (["*"], "pod.nvidia.com/gpu.request.max", True),
        (["memory.*"], "memory.limit.max", False),  # no glob: ids, or * for all
    ],
)
def test_an_exemption_waives_the_checks_it_names(waive: list[str], check: str, waives: bool) -> None:
    end = datetime(2027, 1, 31, tzinfo=UTC)
    given = Exemption("e", "team", "why", end, "2027-01-31", Matcher(), None, frozenset(waive))
    assert given.waives(check) is waives
