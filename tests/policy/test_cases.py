"""Every case through the decision itself: as a file, as the Pod that arrives and that is stored, as a Deployment.

No server, no bytes of a review: what `evaluate` answers is held against what the case says, and the YAML that a
refusal offers is taken at its word.
"""

import copy
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from plimsoll.admission.request import CONTROLLER_MANAGER, SERVICE_ACCOUNTS
from plimsoll.errors import MalformedObject
from plimsoll.policy.evaluation import Stage, evaluate
from plimsoll.policy.messages import field_path, refusal, warnings
from plimsoll.policy.outcome import Evaluation
from plimsoll.policy.snapshot import Governance
from plimsoll.policy.workload import read_workloads
from plimsoll.schemas.compile import load

from tests.cases.case import POD, Case, Object, cases, containers
from tests.cases.manifests import all_amounts, as_it_arrives, deployment_of, expected_amounts
from tests.cases.scene import Scene, scene, stream

ALL = cases()
JUDGED = [case for case in ALL if case.expect.verdict != "error" and not case.expect.reason]
OFFER = re.compile(r"^(This passes|Write this, with an amount of your choice for <amount> \([^)]*\)):\n", re.MULTILINE)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def each(chosen: Iterable[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in chosen])


def scene_of(case: Case) -> Scene:
    return scene(case, case.modes[0])


def now_of(case: Case) -> datetime:
    return case.now or NOW


def governance_of(case: Case) -> Governance:
    staged = scene_of(case)
    loaded = load([("case", stream([*staged.documents, *staged.context]))])
    return loaded.snapshot.governance_for(staged.name)


def evaluations(case: Case, obj: Object, stage: str) -> list[Evaluation]:
    user = case.user
    believed = user == CONTROLLER_MANAGER or (user.startswith(SERVICE_ACCOUNTS) and user.endswith("-controller"))
    found = read_workloads(json.dumps(obj).encode(), believe_owners=believed)
    return [evaluate(workload, governance_of(case), now_of(case), stage) for workload in found]


def checks_of(found: Iterable[Evaluation]) -> dict[str, set[str]]:
    checks: dict[str, set[str]] = defaultdict(set)
    for evaluation in found:
        for violation in evaluation.violations:
            checks[violation.container or POD].add(violation.check)
    return dict(checks)


def exempted_of(found: Iterable[Evaluation]) -> dict[str, set[str]]:
    checks: dict[str, set[str]] = defaultdict(set)
    for evaluation in found:
        for exempted in evaluation.exempted:
            checks[exempted.violation.container or POD].add(exempted.violation.check)
    return dict(checks)


def amounts_of(found: Iterable[Evaluation]) -> dict[str, dict[str, Any]]:
    """Container → its amounts after the decision."""
    amounts = {}
    for evaluation in found:
        for container, outcome in zip(evaluation.workload.containers, evaluation.outcomes, strict=True):
            sides = {"requests": outcome.resources.requests, "limits": outcome.resources.limits}
            if kept := {side: dict(given) for side, given in sides.items() if given}:
                amounts[container.name] = kept
    return amounts


def with_resources(pod: Object, resources: dict[str, Any]) -> Object:
    """The Pod with these amounts instead of its own."""
    changed: Object = json.loads(json.dumps(pod))
    for _, container in containers(changed["spec"]):
        container["resources"] = resources.get(container["name"], {})
    return changed


def assert_judged_as_expected(case: Case, found: list[Evaluation]) -> None:
    assert checks_of(found) == case.expect.checks
    assert exempted_of(found) == case.expect.exempted
    assert amounts_of(found) == expected_amounts(case.expect.resources)


@each(case for case in JUDGED if case.old is None)
def test_an_object_in_a_file_is_judged_as_expected(case: Case) -> None:
    assert_judged_as_expected(case, evaluations(case, scene_of(case).object, Stage.WRITTEN))


@each(case for case in JUDGED if case.kind == "Pod" and case.old is None)
def test_the_pod_that_arrives_is_judged_as_expected(case: Case) -> None:
    arrives = as_it_arrives(case, scene_of(case).object)
    if case.expect.arrives is not None:
        assert all_amounts(arrives) == expected_amounts(case.expect.arrives), "the case contradicts itself"

    assert_judged_as_expected(case, evaluations(case, arrives, Stage.MUTATING))


@each(case for case in JUDGED if case.kind == "Pod")
def test_the_pod_that_is_stored_is_judged_as_expected_without_being_filled_in(case: Case) -> None:
    stored = with_resources(as_it_arrives(case, scene_of(case).object), dict(case.expect.resources))

    found = evaluations(case, stored, Stage.VALIDATING)

    assert_judged_as_expected(case, found)
    assert not any(evaluation.settings for evaluation in found)


@each(case for case in JUDGED if case.expect.unmutated is not None)
def test_without_its_patch_a_pod_is_judged_as_it_stands(case: Case) -> None:
    found = evaluations(case, as_it_arrives(case, scene_of(case).object), Stage.VALIDATING)

    assert case.expect.unmutated is not None
    assert checks_of(found) == case.expect.unmutated


@each(case for case in JUDGED if case.kind == "Pod" and case.old is None)
def test_a_patched_pod_is_not_patched_again(case: Case) -> None:
    stored = with_resources(as_it_arrives(case, scene_of(case).object), dict(case.expect.resources))

    assert not any(evaluation.settings for evaluation in evaluations(case, stored, Stage.MUTATING))


@each(case for case in JUDGED if scene_of(case).deployment is not None)
def test_its_deployment_gets_the_verdict_of_the_pod(case: Case) -> None:
    deployment = deployment_of(scene_of(case).object)

    assert_judged_as_expected(case, evaluations(case, deployment, Stage.WRITTEN))


@each(case for case in ALL if "no policy" in case.expect.reason)
def test_where_no_policy_governs_nothing_is_judged(case: Case) -> None:
    assert governance_of(case).policy is None
    assert all(evaluation.policy is None for evaluation in evaluations(case, scene_of(case).object, Stage.WRITTEN))


@each(case for case in ALL if case.expect.verdict == "error")
def test_what_cannot_be_read_is_an_error_that_points_at_it(case: Case) -> None:
    with pytest.raises(MalformedObject) as raised:
        evaluations(case, scene_of(case).object, Stage.WRITTEN)

    said = f"{field_path(raised.value.pointer)}: {raised.value.reason}"
    assert [phrase for phrase in case.expect.message if phrase not in said] == []


@each(case for case in JUDGED if case.expect.checks and case.old is None)
def test_a_refusal_says_everything_and_the_yaml_it_offers_passes(case: Case) -> None:
    written = scene_of(case).object
    (broken, *_) = [found for found in evaluations(case, written, Stage.WRITTEN) if found.violations]
    assert broken.policy is not None

    message = refusal(broken, now_of(case))

    for violation in broken.violations:
        assert field_path(violation.pointer) in message
        assert f"[{violation.check}]" in message
    assert {str(name) for name in case.expect.checks if name != POD} <= set(message.replace(":", " ").split())
    assert broken.policy.name in message
    assert [path for path in case.expect.fields if path not in message] == []
    if case.expect.verdict == "fail":
        assert [phrase for phrase in case.expect.message if phrase not in message] == []
    offer = re.search(
        r"^(This passes|Write this, with an amount of your choice for <amount> \([^)]*\)):\n", message, re.M
    )
    if offer is not None and "# item" not in message:
        mended = merged(written, yaml.safe_load(message[offer.end() :].replace("<amount>", "1")))
        assert checks_of(evaluations(case, mended, Stage.WRITTEN)) == {}, message


@each(case for case in JUDGED if case.expect.checks and case.old is None)
def test_the_yaml_that_warnings_call_passing_passes(case: Case) -> None:
    written = scene_of(case).object
    (broken, *_) = [found for found in evaluations(case, written, Stage.WRITTEN) if found.violations]

    offers = {}
    for line in warnings(broken, now_of(case)):
        _, offer, text = line.partition("passes with ")
        if offer:
            offers[line.split(": ")[2].removeprefix("container ")] = yaml.safe_load(text.replace("<amount>", "1"))

    mended = copy.deepcopy(written)
    for _, container in containers(mended):
        container.update(offers.get(container["name"], {}))
    left = checks_of(evaluations(case, mended, Stage.WRITTEN))
    assert set(left) & set(offers) == set()


def test_a_refusal_ends_with_yaml_that_passes_unless_something_else_is_in_the_way() -> None:
    without = {
        case.name
        for case in JUDGED
        if case.expect.checks and case.old is None and POD not in case.expect.checks
        for found in evaluations(case, scene_of(case).object, Stage.WRITTEN)
        if found.violations and OFFER.search(refusal(found, now_of(case))) is None
    }

    assert without == {
        # hugepages need cpu or memory beside them, about which the policy names no amount or only a ban
        "extended/hugepages-keep-their-cpu",
        "extended/hugepages-keep-their-cpu-request",
        "extended/required-hugepages-without-cpu-or-memory",
        # the LimitRange fills in again what is taken out, or refuses what the policy would fill in
        "limit-range/own-cpu-limit-forbidden",
        "limit-range/own-max-keeps-a-forbidden-limit",
        "limit-range/own-pod-max-refuses-our-default",
        "limit-range/own-ratio-refuses-our-default",
    }


def merged(obj: Any, advice: Any) -> Any:
    """The object with the advised YAML written into it: containers by name, resources as a whole."""
    if isinstance(advice, dict) and isinstance(obj, dict):
        whole = {key: advice[key] if key == "resources" else merged(obj.get(key), advice[key]) for key in advice}
        return {**obj, **whole}
    if isinstance(advice, list) and isinstance(obj, list):
        advised = {part["name"]: part for part in advice}
        return [merged(part, advised.get(part["name"])) for part in obj]
    return obj if advice is None else advice
