"""The cases leave nothing out: every check passes, fails and is mended somewhere, for every class, in every mode.

Looks at the cases and at the policies that they name; judges nothing. A case that says its own mode counts for none of
this, because it shows one mode alone.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from plimsoll.policy.checks import CHECKS, ORDER
from plimsoll.policy.model import Bounds
from plimsoll.policy.workload import ContainerClass, Workload, read_workloads
from plimsoll.schemas.compile import load

from tests.cases.case import MODES, POD, VERDICTS, BadCase, Case, cases, containers, read_case
from tests.cases.scene import scene, scenes, stream

CLASSES = [each.value for each in (ContainerClass.REGULAR, ContainerClass.INIT, ContainerClass.SIDECAR)]
SUFFIXES = [check.suffix for check in CHECKS]
MENDED = [suffix for suffix in SUFFIXES if suffix not in ("ratio", "equal")]
"""Fill-in and Clamp mend these; ratio and equal are kept by what is filled in."""
LEAST = 250

Place = tuple[str, str]
"""Suffix of a check, and the class of the container that it looks at, or POD."""

ALL = cases()
EVERY_MODE = [case for case in ALL if case.modes == MODES]


def workloads_of(case: Case) -> list[Workload]:
    raw = json.dumps(scene(case, case.modes[0]).object).encode()
    return [] if case.expect.verdict == "error" else list(read_workloads(raw))


def suffix_of(check: str) -> str:
    return next(suffix for suffix in (*SUFFIXES, ORDER) if check.endswith(f".{suffix}"))


def broken(case: Case, checks: Any) -> Iterator[Place]:
    """The places of the checks that a case names."""
    classes = {POD: POD}
    for workload in workloads_of(case):
        classes |= {container.name: container.container_class.value for container in workload.containers}
    for container, ids in (checks or {}).items():
        yield from ((suffix_of(check), classes[container]) for check in ids)


def satisfied(case: Case) -> Iterator[Place]:
    """Where a check is turned on and has an amount to look at, or looks for one that must not be there."""
    staged = scene(case, case.modes[0])
    policy = load([("case", stream([*staged.documents, *staged.context]))]).snapshot.governance_for(staged.name).policy
    if policy is None:
        return
    for workload in workloads_of(case):
        overrides = tuple(each for each in policy.overrides if each.match.match_pod(workload))
        everything = {name for container in workload.containers for name in named(case, container.name)}
        for bounds in policy.pod.bounds:
            yield from ((suffix, POD) for suffix in looked_for(bounds, everything))
        for container in workload.containers:
            if container.container_class is not ContainerClass.EPHEMERAL:
                for bounds in policy.rules_for(container, overrides).bounds:
                    for suffix in looked_for(bounds, named(case, container.name)):
                        yield suffix, container.container_class.value


def named(case: Case, container: str) -> set[str]:
    """Resources of which the container finally has an amount."""
    return {name for amounts in case.expect.resources.get(container, {}).values() for name in amounts}


def looked_for(bounds: Bounds, resources: set[str]) -> Iterator[str]:
    for check in CHECKS:
        if getattr(bounds, check.needs) and (bounds.resource in resources or check.suffix.endswith("forbidden")):
            yield check.suffix


FAILED = {place for case in EVERY_MODE if case.expect.verdict == "fail" for place in broken(case, case.expect.checks)}
WAIVED = {place for case in EVERY_MODE for place in broken(case, case.expect.exempted)}
PATCHED = [case for case in EVERY_MODE if case.expect.verdict == "defaulted"]
FILLED = {place for case in PATCHED for place in broken(case, case.expect.unmutated)}
PASSED = {place for case in EVERY_MODE if case.expect.verdict == "pass" for place in satisfied(case)}


def test_there_are_many_cases() -> None:
    assert len(ALL) >= LEAST


@pytest.mark.parametrize("looks_at", [*CLASSES, POD])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_check_has_a_case_that_passes_and_one_that_fails(suffix: str, looks_at: str) -> None:
    assert (suffix, looks_at) in PASSED
    assert (suffix, looks_at) in FAILED


@pytest.mark.parametrize("looks_at", [*CLASSES, POD])
def test_a_request_above_its_limit_has_a_case_that_fails(looks_at: str) -> None:
    assert (ORDER, looks_at) in FAILED


@pytest.mark.parametrize("looks_at", CLASSES)
@pytest.mark.parametrize("suffix", MENDED)
def test_what_can_be_mended_has_a_case_that_is(suffix: str, looks_at: str) -> None:
    assert (suffix, looks_at) in FILLED


@pytest.mark.parametrize("looks_at", [*CLASSES, POD])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_check_has_a_case_in_which_it_is_waived(suffix: str, looks_at: str) -> None:
    assert (suffix, looks_at) in WAIVED


def test_every_verdict_is_in_some_case_that_says_its_mode_or_not() -> None:
    assert {case.expect.verdict for case in ALL} == set(VERDICTS)
    assert {case.expect.verdict for case in EVERY_MODE} == {"pass", "defaulted", "fail", "skip", "error"}


@pytest.mark.parametrize("verdict", ["pass", "fail", "defaulted"])
def test_pods_that_limit_ranger_filled_in_before_us_come_to_every_verdict(verdict: str) -> None:
    filled = [case for case in EVERY_MODE if case.expect.arrives and case.expect.verdict == verdict]

    assert len(filled) >= 5


def test_ephemeral_containers_stand_beside_every_verdict() -> None:
    beside = {
        case.expect.verdict
        for case in EVERY_MODE
        if any(listed == "ephemeralContainers" for listed, _ in containers(case.object))
    }

    assert beside == {"pass", "fail", "defaulted"}


def test_all_cases_can_stand_side_by_side() -> None:
    assert len(scenes(ALL)) > len(ALL)


GOOD = """
about: A pod passes.
policy: {containers: {max: {memory: 1Gi}}}
object: {kind: Pod, spec: {containers: [{name: app}]}}
expect: {verdict: pass, checks: {}}
"""


def test_a_good_case_is_read() -> None:
    assert read_case("topic/name", GOOD).expect.verdict == "pass"


@pytest.mark.parametrize(
    ("found", "instead", "complaint"),
    [
        ("verdict: pass", "verdict: passes", "verdict is one of"),
        ("checks: {}", "check: {}", "KeyError: 'checks'"),
        ("verdict: pass, ", "", "KeyError: 'verdict'"),
        ("checks: {}", "checks: {}, resource: {}", "unknown keys: resource"),
        ("checks: {}", "checks: {}, checks: {}", "checks stands twice"),
        ("checks: {}", "checks: {ap: [memory.limit.max]}", "checks names ap"),
        ("verdict: pass", "verdict: fail", "checks are named exactly where"),
        ("verdict: pass", "verdict: defaulted", "unmutated says"),
        ("verdict: pass", "verdict: skip", "a skip has a reason"),
        ("checks: {}", "checks: {}, refusedBy: server", "refusedBy and serverSays belong together"),
        ("policy:", "limitRanges: [{}]\npolicy:", "arrives says"),
        ("A pod passes.", "A pod passes", "one sentence"),
        ("name: app", "name: pod", "no container may be named pod"),
        ("policy:", "polcy:", "unknown keys: polcy"),
    ],
)
def test_a_case_that_says_less_than_it_seems_is_refused(found: str, instead: str, complaint: str) -> None:
    assert found in GOOD

    with pytest.raises(BadCase, match=complaint):
        read_case("topic/name", GOOD.replace(found, instead))
