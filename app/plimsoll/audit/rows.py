"""From an Evaluation to the row a report shows: what the cluster would do, where each finding stands in the file.

A workload fails when the cluster would refuse the object itself or the Pods it makes, so that a file is judged by the
worse of the two. Words and YAML come from ``policy.messages``; nothing is decided here but that one word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast

import msgspec
from msgspec import Struct

from plimsoll.objects.kinds import group_of
from plimsoll.objects.read import escaped
from plimsoll.policy.evaluation import evaluate
from plimsoll.policy.messages import field_path, passing_yaml, plain, prediction_line, violation_line
from plimsoll.policy.model import Exemption, Mode, Policy, Rules
from plimsoll.policy.outcome import Advice, Cause, Evaluation, Outcome, Prediction, Setting, Side, Suggestion, Violation
from plimsoll.policy.pod_level import pod_level_defaults
from plimsoll.policy.qos import qos_class
from plimsoll.policy.quantity import Quantity
from plimsoll.policy.remedy import remedy_for
from plimsoll.policy.workload import Container, ContainerClass, ObjectRef, Workload
from plimsoll.schemas.report import (
    Field,
    ModeText,
    QosClass,
    ReportAdvice,
    ReportError,
    ReportExemption,
    ReportModes,
    ReportObject,
    ReportOrigin,
    ReportPrediction,
    ReportResult,
    ReportRow,
    ReportSetting,
    ReportSuggestion,
    Result,
)

ADMISSION_GROUPS = ("", "apps", "batch")
"""API groups whose templates admission is registered for; other kinds are judged by their Pods alone."""


class Place(Struct, frozen=True):
    """Where an object stands, and how to find the lines of its fields."""

    origin: ReportOrigin
    line_of: Callable[[str], int | None]
    """The line of a JSON Pointer, or of its nearest parent; None where the source has no lines."""


def row_of(evaluation: Evaluation, place: Place, now: datetime) -> ReportRow:
    """The row of one judged workload; ``now`` decides which mode and which exemptions are in force."""
    workload, policy = evaluation.workload, evaluation.policy
    ref = object_of(workload.ref)
    if policy is None:
        reason = f"no policy governs namespace {plain(workload.ref.namespace)}"
        return ReportRow("skip", place.origin, ref, (), template=workload.pointer, reason=reason)
    pods, own = modes_of(workload, policy, now)
    result, reason = verdict(evaluation, pods, own)
    before, after = qos_classes(evaluation, now)
    remedy = remedy_for(evaluation, now)
    return ReportRow(
        result=result,
        origin=_origin(place) if evaluation.violations or evaluation.exempted else place.origin,
        object=ref,
        results=_results(evaluation, place, refused="fail" if Mode.ENFORCE in (pods, own) else "warn"),
        template=workload.pointer,
        policy=policy.name,
        modes=_modes(policy, pods, own, now),
        reason=reason,
        qos_before=before,
        qos_after=after,
        settings=_settings(evaluation),
        suggestions=tuple(_suggestion(suggestion) for suggestion in evaluation.suggestions),
        advice=tuple(_advice(advice, place) for advice in evaluation.advice),
        predictions=tuple(_prediction(prediction) for prediction in evaluation.predictions),
        yaml=passing_yaml(remedy, workload) if remedy.containers else "",
        passes=remedy.passes,
    )


def error_row(place: Place, ref: ObjectRef | None, error: ReportError) -> ReportRow:
    """The row of what nobody could judge."""
    return ReportRow("error", _origin(place), None if ref is None else object_of(ref), (), error=error)


def _origin(place: Place) -> ReportOrigin:
    """With the object's line, which is looked for only where there is something to show."""
    origin = place.origin
    return origin if origin.line is not None else msgspec.structs.replace(origin, line=place.line_of(""))


def modes_of(workload: Workload, policy: Policy, now: datetime) -> tuple[Mode, Mode | None]:
    """What happens to a violation when the Pods are created, and when the object itself is applied.

    The second is None for a Pod, for kinds that admission is not registered for, and where templates are ignored.
    """
    pods = policy.mode_at(now, template=False) or Mode.AUDIT
    if not workload.is_template or group_of(workload.ref.api_version) not in ADMISSION_GROUPS:
        return pods, None
    return pods, policy.mode_at(now, template=True)


def verdict(evaluation: Evaluation, pods: Mode, own: Mode | None) -> tuple[Result, str]:
    """The result of a governed workload, and the reason that its findings do not say by themselves."""
    if evaluation.violations:
        if pods is Mode.ENFORCE:
            whose = "its Pods are" if evaluation.workload.is_template else "it is"
            both = "it and its Pods are" if own is Mode.ENFORCE else whose
            return "fail", f"{both} refused"
        if own is Mode.ENFORCE:
            return "fail", "it is refused"
        return "warn", f"mode {max(pods, own or Mode.AUDIT).text}"
    if evaluation.predictions:
        whose = "its Pods are" if evaluation.workload.is_template else "it is"
        by = "a LimitRange of the namespace" if evaluation.predictions[0].limit_range else "the API server"
        return "fail", f"{whose} refused by {by}"
    if evaluation.exempted:
        return "skip", "exempted"
    return "pass", ""


def qos_classes(evaluation: Evaluation, now: datetime) -> tuple[QosClass, QosClass]:
    """The class the Pods would have without the policy, and the one they get with what it sets."""
    after = _qos(evaluation.workload, evaluation.outcomes)
    policy = evaluation.policy
    ours = (Cause.POLICY_DEFAULT, Cause.CLAMP)
    if policy is None or all(o.cause not in ours for outcome in evaluation.outcomes for o in outcome.origins.values()):
        return after, after
    nothing = dict.fromkeys(policy.rules, Rules())
    bare = msgspec.structs.replace(policy, rules=nothing, pod=Rules(), overrides=())
    governance = msgspec.structs.replace(evaluation.governance, policy=bare, exemptions=())
    return _qos(evaluation.workload, evaluate(evaluation.workload, governance, now).outcomes), after


class _Amounts(Struct):
    container: Container
    requests: dict[str, Quantity]
    limits: dict[str, Quantity]


def _qos(workload: Workload, outcomes: tuple[Outcome, ...]) -> QosClass:
    amounts = [
        _Amounts(container, dict(outcome.resources.requests), dict(outcome.resources.limits))
        for container, outcome in zip(workload.containers, outcomes, strict=True)
        if container.container_class is not ContainerClass.EPHEMERAL
    ]
    pod = pod_level_defaults(amounts, workload.pod_resources)
    judged = (
        outcome.resources
        for container, outcome in zip(workload.containers, outcomes, strict=True)
        if container.container_class is not ContainerClass.EPHEMERAL
    )
    return cast(QosClass, qos_class(judged, pod))


def _modes(policy: Policy, pods: Mode, own: Mode | None, now: datetime) -> ReportModes:
    pending = policy.enforce_from is not None and now < policy.enforce_from
    enforced = Mode.ENFORCE in (policy.mode, policy.templates)
    return ReportModes(
        pods=cast(ModeText, pods.text),
        object=None if own is None else cast(ModeText, own.text),
        enforce_from=instant(policy.enforce_from) if pending and enforced and policy.enforce_from else "",
    )


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def object_of(ref: ObjectRef) -> ReportObject:
    """The object as reports name it."""
    return ReportObject(ref.api_version, ref.kind, ref.namespace, ref.name, ref.generate_name)


def _results(evaluation: Evaluation, place: Place, *, refused: Result) -> tuple[ReportResult, ...]:
    """Violations and exempted ones together, by container (the pod last), field and check."""
    positions = _positions(evaluation.workload)
    found: list[tuple[Violation, Exemption | None]] = [(violation, None) for violation in evaluation.violations]
    found += ((exempted.violation, exempted.exemption) for exempted in evaluation.exempted)
    found.sort(key=lambda pair: (positions.get(pair[0].container, len(positions)), pair[0].pointer, pair[0].check))
    return tuple(
        ReportResult(
            result="skip" if exemption else refused,
            check=violation.check,
            container=violation.container,
            pointer=violation.pointer,
            message=violation_line(violation),
            allowed=violation.allowed,
            found=violation.found,
            container_class=violation.container_class.value if violation.container_class else None,
            line=place.line_of(violation.pointer),
            note=violation.note,
            exemption=_exemption(exemption) if exemption else None,
        )
        for violation, exemption in found
    )


def _positions(workload: Workload) -> Mapping[str | None, int]:
    return {container.name: index for index, container in enumerate(workload.containers)}


def _exemption(exemption: Exemption) -> ReportExemption:
    return ReportExemption(
        exemption.name, exemption.owner, exemption.reason, exemption.expires_text, exemption.ticket or ""
    )


def _settings(evaluation: Evaluation) -> tuple[ReportSetting, ...]:
    positions = _positions(evaluation.workload)
    rows = [_setting(setting) for setting in evaluation.settings]
    return tuple(sorted(rows, key=lambda row: (positions.get(row.container, len(positions)), row.pointer)))


def _setting(setting: Setting) -> ReportSetting:
    return ReportSetting(
        container=setting.container,
        pointer=_field_pointer(setting.pointer, setting.side, setting.resource),
        resource=setting.resource,
        field=_field(setting.side),
        cause=setting.cause.value,
        before=setting.before.canonical if setting.before else None,
        after=setting.after.canonical if setting.after else None,
    )


def _suggestion(suggestion: Suggestion) -> ReportSuggestion:
    return ReportSuggestion(
        container=suggestion.container,
        pointer=_field_pointer(suggestion.pointer, suggestion.side, suggestion.resource),
        resource=suggestion.resource,
        field=_field(suggestion.side),
        value=suggestion.value.canonical,
    )


def _advice(advice: Advice, place: Place) -> ReportAdvice:
    doubt = advice.suspicion
    meant = f"; {doubt.meant} was probably meant" if doubt.meant else ""
    return ReportAdvice(
        container=advice.container,
        pointer=advice.pointer,
        message=f"container {plain(advice.container)}: {field_path(advice.pointer)}: "
        f"{plain(doubt.found)} is {doubt.meaning}{meant}",
        found=doubt.found,
        meant=doubt.meant or "",
        line=place.line_of(advice.pointer),
    )


def _prediction(prediction: Prediction) -> ReportPrediction:
    return ReportPrediction(prediction_line(prediction), prediction.limit_range, prediction.container)


def _field(side: Side) -> Field:
    return "limit" if side is Side.LIMIT else "request"


def _field_pointer(container: str, side: Side, resource: str) -> str:
    return f"{container}/resources/{side.field}/{escaped(resource)}"
