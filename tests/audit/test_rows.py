"""What a row says: the one word, by the worse of object and Pods, and each finding with its place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from plimsoll.policy.limit_range import LimitRange, LimitRangeItem
from plimsoll.policy.model import Bounds, Defaulting, Mode, Rules
from plimsoll.policy.quantity import parse
from plimsoll.policy.snapshot import Snapshot
from plimsoll.policy.workload import ContainerClass
from plimsoll.schemas.report import ReportExemption, ReportModes, ReportRow

from tests.audit.material import INCIDENT, MEMORY, NOW, exemption, pod, policy, rows, rows_under

SIZED = {"requests": {"memory": "128Mi"}, "limits": {"memory": "256Mi"}}


def row(text: str, **fields: object) -> ReportRow:
    [one] = rows(text, policy(**fields))
    return one


@pytest.mark.parametrize(
    ("mode", "templates", "result", "reason"),
    [
        (Mode.ENFORCE, Mode.ENFORCE, "fail", "it and its Pods are refused"),
        (Mode.ENFORCE, Mode.WARN, "fail", "its Pods are refused"),
        (Mode.ENFORCE, None, "fail", "its Pods are refused"),
        (Mode.WARN, Mode.ENFORCE, "fail", "it is refused"),
        (Mode.AUDIT, Mode.ENFORCE, "fail", "it is refused"),
        (Mode.WARN, Mode.AUDIT, "warn", "mode Warn"),
        (Mode.AUDIT, Mode.WARN, "warn", "mode Warn"),
        (Mode.AUDIT, Mode.AUDIT, "warn", "mode Audit"),
        (Mode.AUDIT, None, "warn", "mode Audit"),
    ],
)
def test_a_template_is_judged_by_the_worse_of_itself_and_its_pods(
    mode: Mode, templates: Mode | None, result: str, reason: str
) -> None:
    one = row(INCIDENT, mode=mode, templates=templates)
    assert (one.result, one.reason) == (result, reason)
    assert {finding.result for finding in one.results} == {result}


@pytest.mark.parametrize(("mode", "result"), [(Mode.ENFORCE, "fail"), (Mode.WARN, "warn"), (Mode.AUDIT, "warn")])
def test_a_pod_is_judged_by_the_mode_for_pods_alone(mode: Mode, result: str) -> None:
    one = row(pod({"name": "a"}), mode=mode, templates=Mode.ENFORCE)
    assert one.result == result
    assert one.modes == ReportModes(mode.text)  # type: ignore[arg-type]  # the same words


def test_a_kind_that_admission_does_not_see_is_judged_by_its_pods_alone() -> None:
    rollout = INCIDENT.replace("apps/v1", "argoproj.io/v1alpha1").replace("Deployment", "Rollout")
    assert row(rollout, mode=Mode.WARN, templates=Mode.ENFORCE).result == "warn"


def test_enforce_that_is_still_to_come_warns_and_says_when() -> None:
    one = row(INCIDENT, enforce_from=datetime(2026, 12, 1, tzinfo=UTC), templates=Mode.ENFORCE)
    assert one.result == "warn"
    assert one.modes == ReportModes("Warn", "Warn", "2026-12-01T00:00:00Z")


def test_what_satisfies_its_policy_passes() -> None:
    one = row(pod({"name": "a", "resources": SIZED}))
    assert (one.result, one.results, one.yaml) == ("pass", (), "")


def test_what_no_policy_governs_is_skipped_and_says_so() -> None:
    [one] = rows_under(Snapshot(), INCIDENT)
    assert (one.result, one.policy, one.reason) == ("skip", "", "no policy governs namespace logging")


def test_each_finding_has_its_check_field_line_and_message() -> None:
    one = row(INCIDENT)
    assert [(f.check, f.container, f.container_class, f.found, f.line) for f in one.results] == [
        ("memory.limit.required", "elastalert", "regular", None, 12),
        ("memory.request.required", "elastalert", "regular", None, 12),
    ]
    assert one.results[0].pointer == "/spec/template/spec/containers/0/resources/limits/memory"
    assert "spec.template.spec.containers[0].resources.limits.memory: missing" in one.results[0].message


def test_the_yaml_that_is_offered_passes_when_it_is_written() -> None:
    one = row(INCIDENT)
    start = INCIDENT.index("spec:")
    mended = INCIDENT[:start] + one.yaml
    assert rows(mended)[0].result == "pass"


def test_findings_are_ordered_by_container_field_and_check_with_the_pod_last() -> None:
    order = Bounds("memory", limit_required=True, max=parse("1Gi"))
    text = pod(
        {"name": "b"},
        {"name": "a", "resources": {"limits": {"memory": "3Gi"}}},
        initContainers=[{"name": "c"}],
    )
    [one] = rows(text, policy(order, Bounds("cpu", limit_required=True), pod=Rules((order,))))
    assert [(f.container, f.check) for f in one.results] == [
        ("b", "cpu.limit.required"),
        ("b", "memory.limit.required"),
        ("a", "cpu.limit.required"),
        ("a", "memory.limit.max"),
        ("a", "memory.request.max"),
        ("c", "cpu.limit.required"),
        ("c", "memory.limit.required"),
        (None, "pod.memory.limit.max"),
        (None, "pod.memory.limit.required"),
        (None, "pod.memory.request.max"),
    ]


def test_exempted_findings_stay_visible_with_owner_reason_and_end() -> None:
    [one] = rows(INCIDENT, exemptions=[exemption()])
    assert (one.result, one.reason) == ("skip", "exempted")
    assert {f.result for f in one.results} == {"skip"}
    assert one.results[0].exemption == ReportExemption("legacy", "team-data", "sizes itself", "2027-01-31")


def test_an_exemption_of_one_check_leaves_the_other_standing() -> None:
    waive = frozenset(["memory.request.required"])
    [one] = rows(INCIDENT, exemptions=[exemption(waive=waive)])
    assert one.result == "fail"
    assert [(f.check, f.result) for f in one.results] == [
        ("memory.limit.required", "fail"),
        ("memory.request.required", "skip"),
    ]


def test_an_exemption_that_has_ended_is_void() -> None:
    [one] = rows(INCIDENT, exemptions=[exemption()], now=datetime(2027, 2, 1, tzinfo=UTC))
    assert one.result == "fail"
    assert {f.exemption for f in one.results} == {None}


def test_what_the_policy_fills_in_is_told_with_its_field() -> None:
    one = row(INCIDENT, defaulting=Defaulting.APPLY)
    assert one.result == "pass"
    assert [(s.pointer.rsplit("/", 2)[1:], s.before, s.after, s.cause) for s in one.settings] == [
        (["limits", "memory"], None, "256Mi", "policy default"),
        (["requests", "memory"], None, "128Mi", "policy default"),
    ]


def test_the_class_of_service_is_told_before_and_after() -> None:
    one = row(INCIDENT, defaulting=Defaulting.APPLY)
    assert (one.qos_before, one.qos_after) == ("BestEffort", "Burstable")


def test_the_class_before_knows_what_the_limit_range_will_fill_in() -> None:
    limits = {"cpu": parse("1"), "memory": parse("1Gi")}
    own = LimitRange("own", (LimitRangeItem("Container", default=limits, default_request=limits),))
    cpu = Bounds("cpu", limit_forbidden=True)
    clamped = policy(rules=dict.fromkeys(ContainerClass, Rules((cpu,), clamp=True)))
    [one] = rows_under(Snapshot((clamped,), limit_ranges={"logging": [own]}), INCIDENT)
    assert (one.qos_before, one.qos_after) == ("Guaranteed", "Burstable")


def test_a_refusal_by_the_limit_range_fails_a_workload_that_its_policy_accepts() -> None:
    strict = LimitRange("strict", (LimitRangeItem("Container", max={"memory": parse("64Mi")}),))
    sized = pod({"name": "a", "resources": SIZED})
    [one] = rows_under(Snapshot((policy(),), limit_ranges={"default": [strict]}), sized)
    assert (one.result, one.reason) == ("fail", "it is refused by a LimitRange of the namespace")
    assert one.predictions[0].limit_range == "strict"
    assert "maximum memory usage per Container is 64Mi, but limit is 256Mi" in one.predictions[0].message


def test_a_value_that_merely_has_a_default_is_a_suggestion() -> None:
    optional = Bounds("memory", default=parse("256Mi"))
    [one] = rows(INCIDENT, policy(optional))
    assert one.result == "pass"
    assert [(s.field, s.value) for s in one.suggestions] == [("limit", "256Mi")]


def test_a_slip_of_the_pen_is_advised_on_with_its_line() -> None:
    text = INCIDENT.replace("resources: {}", "resources: {requests: {memory: 512m}, limits: {memory: 512m}}")
    one = row(text)
    assert [(a.found, a.meant, a.line) for a in one.advice] == [("512m", "512Mi", 12)] * 2


def test_a_row_tells_which_template_it_is_about() -> None:
    assert row(INCIDENT).template == "/spec/template"
    assert row(pod({"name": "a"})).template == ""


def test_rows_are_the_same_twice() -> None:
    assert rows(INCIDENT, policy(MEMORY)) == rows(INCIDENT, policy(MEMORY), now=NOW)
