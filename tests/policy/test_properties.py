"""What holds for every generated pod and policy: the promises of the decision that no single case can show."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonpatch
import msgspec
from hypothesis import given
from hypothesis import strategies as st
from plimsoll.policy.draft import UNLIMITED_BY_ZERO
from plimsoll.policy.evaluation import Stage, evaluate
from plimsoll.policy.limit_range import LimitRange
from plimsoll.policy.messages import refusal, warnings
from plimsoll.policy.model import Defaulting, Exemption, Namespace, Policy, Rules
from plimsoll.policy.outcome import Cause, Evaluation, Side
from plimsoll.policy.patch import ANNOTATION, json_patch
from plimsoll.policy.quantity import parse
from plimsoll.policy.remedy import remedy_for
from plimsoll.policy.resource_names import may_overcommit
from plimsoll.policy.snapshot import Governance
from plimsoll.policy.workload import Workload, read_workloads

from tests.policy.strategies import exemptions, limit_ranges, pod_specs, policies

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ranges = st.lists(limit_ranges(), max_size=1).map(tuple)
waivers = st.lists(exemptions(), max_size=2).map(tuple)


def pod_of(spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n"}, "spec": spec}


def workload_of(obj: dict[str, Any]) -> Workload:
    (workload,) = read_workloads(json.dumps(obj).encode())
    return workload


def governed(policy: Policy, own: tuple[LimitRange, ...] = (), waived: tuple[Exemption, ...] = ()) -> Governance:
    return Governance(Namespace("n"), policy, exemptions=waived, limit_ranges=own)


def stored_by_the_server(pod: dict[str, Any]) -> dict[str, Any]:
    """API defaulting of a Pod: requests take their limits."""
    pod = json.loads(json.dumps(pod))
    for container in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]:
        resources = container.get("resources") or {}
        for name, limit in (resources.get("limits") or {}).items():
            if resources.get("requests") is None:
                resources["requests"] = {}
            resources["requests"].setdefault(name, limit)
    return pod


def apply(evaluation: Evaluation, pod: dict[str, Any]) -> dict[str, Any]:
    patch = json.loads(msgspec.json.encode(json_patch(evaluation)))
    patched: dict[str, Any] = jsonpatch.apply_patch(pod, patch)
    return stored_by_the_server(patched)


@given(pod_specs(pod_level=True), policies(), ranges)
def test_defaulting_twice_changes_nothing_more(
    spec: dict[str, Any], policy: Policy, own: tuple[LimitRange, ...]
) -> None:
    pod = stored_by_the_server(pod_of(spec))
    first = evaluate(workload_of(pod), governed(policy, own), NOW, Stage.MUTATING)
    patched = apply(first, pod)
    second = evaluate(workload_of(patched), governed(policy, own), NOW, Stage.MUTATING)
    assert json_patch(second) == ()


@given(pod_specs(pod_level=True), policies(), ranges)
def test_a_patch_touches_nothing_but_resources_and_our_annotation(
    spec: dict[str, Any], policy: Policy, own: tuple[LimitRange, ...]
) -> None:
    pod = stored_by_the_server(pod_of(spec))
    patched = apply(evaluate(workload_of(pod), governed(policy, own), NOW, Stage.MUTATING), pod)
    for before, after in zip(
        [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])],
        [*patched["spec"]["containers"], *patched["spec"].get("initContainers", [])],
        strict=True,
    ):
        before.pop("resources", None)
        after.pop("resources", None)
    annotations = patched["metadata"].pop("annotations", {})
    assert set(annotations) <= {ANNOTATION}
    assert patched == pod


@given(pod_specs(), policies(), ranges, waivers)
def test_a_legal_pod_stays_legal_whatever_is_filled_in(
    spec: dict[str, Any], policy: Policy, own: tuple[LimitRange, ...], waived: tuple[Exemption, ...]
) -> None:
    """Request ≤ limit, whole resources equal: the API server accepts every patched pod."""
    pod = stored_by_the_server(pod_of(spec))
    evaluation = evaluate(workload_of(pod), governed(policy, own, waived), NOW, Stage.MUTATING)
    for outcome in evaluation.outcomes:
        requests, limits = outcome.resources.requests, outcome.resources.limits
        for name, limit in limits.items():
            assert requests[name] <= limit
        for name in requests:
            assert may_overcommit(name) or requests[name] == limits[name]


@given(pod_specs(), policies(), ranges, waivers)
def test_no_violation_is_made_by_what_is_set(
    spec: dict[str, Any], policy: Policy, own: tuple[LimitRange, ...], waived: tuple[Exemption, ...]
) -> None:
    """Whatever is exempted: what is wrong after defaulting was wrong before it."""
    pod = stored_by_the_server(pod_of(spec))
    governance = governed(msgspec.structs.replace(policy, pod=Rules()), own, waived)
    before = evaluate(workload_of(pod), governance, NOW, Stage.VALIDATING).violations
    after = evaluate(workload_of(pod), governance, NOW, Stage.MUTATING).violations
    fields = {(each.place, each.resource) for each in before}
    assert {(each.place, each.resource) for each in after} <= fields


@given(pod_specs(pod_level=True), policies(), ranges, waivers)
def test_an_exempted_container_is_left_as_written(
    spec: dict[str, Any], policy: Policy, own: tuple[LimitRange, ...], waived: tuple[Exemption, ...]
) -> None:
    evaluation = evaluate(workload_of(pod_of(spec)), governed(policy, own, waived), NOW, Stage.MUTATING)
    for setting in evaluation.settings:
        what = "required" if setting.cause is Cause.POLICY_DEFAULT else None
        for exemption in waived:
            if exemption.match.containers is None or exemption.match.containers.match(setting.container):
                assert "*" not in exemption.waive
                assert f"{setting.resource}.{setting.side.value}.{what}" not in exemption.waive


@given(pod_specs(pod_level=True), policies(Defaulting.APPLY), ranges)
def test_what_was_written_is_kept_unless_it_is_clamped(
    spec: dict[str, Any], policy: Policy, own: tuple[LimitRange, ...]
) -> None:
    workload = workload_of(pod_of(spec))
    evaluation = evaluate(workload, governed(policy, own), NOW)
    for container, outcome in zip(workload.containers, evaluation.outcomes, strict=True):
        for side, written, final in (
            (Side.LIMIT, container.resources.limits, outcome.resources.limits),
            (Side.REQUEST, container.resources.requests, outcome.resources.requests),
        ):
            for name, value in written.items():
                if final.get(name) != value:
                    clamped = outcome.origins[side, name].cause is Cause.CLAMP
                    unlimited = name in UNLIMITED_BY_ZERO and container.resources.limits.get(name, parse("1")).is_zero
                    assert clamped or unlimited


@given(pod_specs(pod_level=True), policies(Defaulting.APPLY), ranges)
def test_what_was_filled_in_passes_every_check(
    spec: dict[str, Any], policy: Policy, own: tuple[LimitRange, ...]
) -> None:
    evaluation = evaluate(workload_of(pod_of(spec)), governed(policy, own), NOW)
    filled = {
        (setting.container, setting.resource, setting.side)
        for setting in evaluation.settings
        if setting.cause is Cause.POLICY_DEFAULT
    }
    for violation in evaluation.violations:
        if violation.container is not None and violation.side is not None:
            assert (violation.container, violation.resource, violation.side) not in filled, violation


@given(pod_specs(), policies(), ranges)
def test_a_deployment_and_the_pod_it_makes_get_one_verdict(
    spec: dict[str, Any], policy: Policy, own: tuple[LimitRange, ...]
) -> None:
    """The Deployment as written; its Pod after mutation, as it will be stored. Without a LimitRange that fills in."""
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "p", "namespace": "n"},
        "spec": {"template": {"spec": spec}},
    }
    governance = governed(policy)
    template = evaluate(workload_of(deployment), governance, NOW)
    pod = stored_by_the_server(pod_of(spec))
    patched = apply(evaluate(workload_of(pod), governance, NOW, Stage.MUTATING), pod)
    stored = evaluate(workload_of(patched), governance, NOW, Stage.VALIDATING)
    assert [(v.check, v.container) for v in template.violations] == [(v.check, v.container) for v in stored.violations]
    assert [outcome.resources for outcome in template.outcomes] == [outcome.resources for outcome in stored.outcomes]


@given(pod_specs(), policies(), ranges)
def test_what_a_refusal_tells_to_write_passes(
    spec: dict[str, Any], policy: Policy, own: tuple[LimitRange, ...]
) -> None:
    workload = workload_of(pod_of(spec))
    evaluation = evaluate(workload, governed(policy, own), NOW)
    remedy = remedy_for(evaluation, NOW)
    if not remedy.containers or not remedy.passes or any(advised.open for advised in remedy.containers):
        return
    mended = pod_of(json.loads(json.dumps(spec)))
    for advised in remedy.containers:
        _, _, list_name, index = advised.container.pointer.split("/")
        mended["spec"][list_name][int(index)]["resources"] = {
            "requests": {name: q.canonical for name, q in advised.resources.requests.items()},
            "limits": {name: q.canonical for name, q in advised.resources.limits.items()},
        }
    assert evaluate(workload_of(mended), governed(policy, own), NOW).violations == ()


@given(pod_specs(pod_level=True), policies(), ranges)
def test_messages_are_bounded_and_warnings_stay_on_one_line(
    spec: dict[str, Any], policy: Policy, own: tuple[LimitRange, ...]
) -> None:
    evaluation = evaluate(workload_of(pod_of(spec)), governed(policy, own), NOW)
    for line in warnings(evaluation, NOW):
        assert line.isprintable()
    if evaluation.violations:
        text = refusal(evaluation, NOW)
        for violation in evaluation.violations[:20]:
            assert f"[{violation.check}]" in text
        assert len(text) < 64 * 1024
