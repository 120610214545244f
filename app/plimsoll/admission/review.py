"""``mutate`` and ``validate``: an AdmissionRequest and a Snapshot in, an AdmissionResponse out.

``mutate`` patches Pods and refuses nothing but what cannot be read; ``validate`` judges what will be stored, so that
the policy holds where a mutation was lost. An UPDATE is refused only for what it makes worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from plimsoll.admission.matching import skip_reason
from plimsoll.admission.request import AdmissionRequest
from plimsoll.admission.response import (
    BAD_REQUEST,
    FORBIDDEN,
    AdmissionResponse,
    Cause,
    Trace,
    Verdict,
    skipped,
)
from plimsoll.errors import MalformedObject
from plimsoll.objects.kinds import template_pointers
from plimsoll.objects.read import decode, read_head, read_templates, template_texts
from plimsoll.objects.structs import ObjectMeta, PodTemplate
from plimsoll.policy.evaluation import Stage, evaluate
from plimsoll.policy.messages import (
    bounded,
    check_name,
    field_path,
    plain,
    plain_each,
    refusal,
    violation_line,
    warnings,
)
from plimsoll.policy.model import Mode, Policy
from plimsoll.policy.outcome import Evaluation, Exempted, Violation
from plimsoll.policy.patch import describe, json_patch
from plimsoll.policy.snapshot import Governance, Snapshot
from plimsoll.policy.workload import ObjectRef, Workload, owners_of, workload_of

MAX_CAUSES = 50
MAX_ANNOTATION = 8 * 1024
"""Characters of one audit annotation; audit backends cut longer ones."""
MAX_NAMED = 500
"""Violations named in one, more than it holds."""
NO_TEMPLATE = "it carries no pod template"
NO_NAMESPACE = "it has no namespace"
NO_POLICY = "no policy governs the namespace"
IGNORED = "the policy ignores templates"
NOT_A_CREATION = "only the creation of a Pod is patched"
UNCHANGED = "its pod template did not change"
AUDITED = "mode Audit patches nothing"

_POD = msgspec.json.Decoder(PodTemplate)


def mutate(request: AdmissionRequest, snapshot: Snapshot, now: datetime) -> AdmissionResponse:
    """Fill in or clamp what the policy says, on the creation of a Pod; everything else is allowed as it is."""
    if request.kind != "Pod" or request.operation != "CREATE" or request.sub_resource or request.object is None:
        return skipped(NOT_A_CREATION)
    if not request.namespace:
        return skipped(NO_NAMESPACE)
    governance = snapshot.governance_for(request.namespace)
    policy = governance.policy
    if policy is None:
        return skipped(NO_POLICY)
    mode = policy.mode_at(now, template=False)
    if mode is None or mode is Mode.AUDIT:
        return skipped(AUDITED, policy.name)
    try:
        pod = decode(_POD, request.object)
        meta = pod.metadata or ObjectMeta()
        if reason := skip_reason(request, meta):
            return skipped(reason, policy.name)
        evaluation = evaluate(_pod_workload(request, meta, pod), governance, now, Stage.MUTATING)
    except MalformedObject as error:
        return _unreadable(request, error, policy, mode)
    told = tuple(map(describe, evaluation.settings))
    patch = json_patch(evaluation, told)
    verdict = Verdict.PATCHED if patch else Verdict.ALLOWED
    return AdmissionResponse(allowed=True, trace=_trace(verdict, evaluation, mode, told=told), patch=patch)


def validate(request: AdmissionRequest, snapshot: Snapshot, now: datetime) -> AdmissionResponse:
    """Judge a Pod, a resize or an object that carries a pod template."""
    if not template_pointers(request.api_version, request.kind):
        return skipped(NO_TEMPLATE)
    raw = request.object
    if raw is None:
        return skipped(skip_reason(request, ObjectMeta()) or "it has no object")
    if not request.namespace:
        return skipped(NO_NAMESPACE)
    governance = snapshot.governance_for(request.namespace)
    policy = governance.policy
    if policy is None:
        return skipped(NO_POLICY)
    mode = policy.mode_at(now, template=request.kind != "Pod")
    if mode is None:
        return skipped(IGNORED, policy.name)
    try:
        return _judged(request, raw, governance, mode, now)
    except MalformedObject as error:
        return _unreadable(request, error, policy, mode)


def _judged(
    request: AdmissionRequest, raw: msgspec.Raw, governance: Governance, mode: Mode, now: datetime
) -> AdmissionResponse:
    policy = governance.policy.name if governance.policy else ""
    meta, workloads = _read(request, raw)
    if reason := skip_reason(request, meta):
        return skipped(reason, policy)
    stage = _stage(request, mode)
    evaluations = [evaluate(workload, governance, now, stage) for workload in workloads]
    if not evaluations:
        return skipped(NO_TEMPLATE, policy)
    before: list[Violation] = []
    if request.operation == "UPDATE" and request.old_object is not None:
        olds = _old_workloads(request, request.old_object)
        if _is_unchanged(request, workloads, olds):
            return AdmissionResponse(
                allowed=True,
                trace=_trace(Verdict.ALLOWED, evaluations[0], mode, reason=UNCHANGED),
            )
        before = [was for old in olds for was in evaluate(old, governance, now, stage).violations]
    broken = next((e for e in evaluations if _worsened(e.violations, before)), None)
    if broken is not None and mode is Mode.ENFORCE:
        return _denied(broken, _worsened(broken.violations, before), mode, now)
    return _allowed(evaluations, mode, now)


def _read(request: AdmissionRequest, raw: msgspec.Raw) -> tuple[ObjectMeta, list[Workload]]:
    if request.kind == "Pod":
        pod = decode(_POD, raw)
        meta = pod.metadata or ObjectMeta()
        return meta, [_pod_workload(request, meta, pod)]
    meta = read_head(raw).metadata or ObjectMeta()
    ref = _ref(request, meta)
    owners = owners_of(meta, PodTemplate()) if request.is_from_controller else ()
    templates = read_templates(raw, request.api_version, request.kind)
    return meta, [workload_of(ref, pointer, template, owners=owners) for pointer, template in templates]


def _old_workloads(request: AdmissionRequest, raw: msgspec.Raw) -> list[Workload]:
    """What was there before; an old object that cannot be read had no violations that could excuse new ones."""
    try:
        return _read(request, raw)[1]
    except MalformedObject:
        return []


def _pod_workload(request: AdmissionRequest, meta: ObjectMeta, pod: PodTemplate) -> Workload:
    owners = owners_of(meta, pod) if request.is_from_controller else ()
    return workload_of(_ref(request, meta), "", pod, owners=owners)


def _ref(request: AdmissionRequest, meta: ObjectMeta) -> ObjectRef:
    name = request.name or meta.name or ""
    return ObjectRef(request.api_version, request.kind, request.namespace, name, meta.generateName or "")


def _stage(request: AdmissionRequest, mode: Mode) -> str:
    """How far the object has come. Audit has patched no Pod, and records what Enforce would have made of it."""
    if request.kind != "Pod":
        return Stage.WRITTEN
    return Stage.MUTATING if mode is Mode.AUDIT and request.operation == "CREATE" else Stage.VALIDATING


def _is_unchanged(request: AdmissionRequest, workloads: Sequence[Workload], olds: Sequence[Workload]) -> bool:
    """True for an UPDATE that is not spoken about: it leaves the templates, or what a resize may touch, as they are."""
    if request.kind == "Pod":
        return [_asked(workload) for workload in olds] == [_asked(workload) for workload in workloads]
    return _has_same_templates(request)


def _has_same_templates(request: AdmissionRequest) -> bool:
    """Whether the templates are the same text in both objects. Raises MalformedObject where there are none to find."""
    old, new = (
        list(template_texts(raw, request.api_version, request.kind))
        for raw in (request.old_object or b"null", request.object or b"null")
    )
    return old == new


def _asked(workload: Workload) -> tuple[object, ...]:
    """What a judgement of a Pod depends on."""
    containers = tuple(
        (c.name, c.image, c.container_class, c.resources.requests, c.resources.limits) for c in workload.containers
    )
    return containers, workload.labels, workload.pod_resources, workload.overhead


def _worsened(violations: Sequence[Violation], before: Sequence[Violation]) -> list[Violation]:
    """Those that were not there before with the same or a worse value."""
    worst: dict[tuple[str, str | None], Violation] = {}
    for old in before:
        known = worst.get((old.check, old.container))
        if known is None or old.excess > known.excess:
            worst[old.check, old.container] = old
    return [
        violation
        for violation in violations
        if (was := worst.get((violation.check, violation.container))) is None or violation.excess > was.excess
    ]


def _denied(evaluation: Evaluation, violations: Sequence[Violation], mode: Mode, now: datetime) -> AdmissionResponse:
    return AdmissionResponse(
        allowed=False,
        trace=_trace(Verdict.DENIED, evaluation, mode),
        code=FORBIDDEN,
        message=refusal(evaluation, now, violations),
        causes=tuple(
            Cause(check_name(violation), violation_line(violation), field_path(violation.pointer))
            for violation in violations[:MAX_CAUSES]
        ),
        audit_annotations=_annotations(Verdict.DENIED, evaluation, mode),
    )


def _allowed(evaluations: Sequence[Evaluation], mode: Mode, now: datetime) -> AdmissionResponse:
    """Everything is allowed; under Warn and Enforce what there is to say is said."""
    spoken = next((e for e in evaluations if e.violations), evaluations[0])
    lines: list[str] = []
    if mode is not Mode.AUDIT:
        lines = list(dict.fromkeys(line for evaluation in evaluations for line in warnings(evaluation, now)))
        lines = bounded(lines, len(lines))
    said = Verdict.AUDITED if mode is Mode.AUDIT else Verdict.WARNED
    verdict = said if spoken.violations else Verdict.ALLOWED
    return AdmissionResponse(
        allowed=True,
        trace=_trace(verdict, spoken, mode),
        warnings=tuple(lines),
        audit_annotations=_annotations(verdict, spoken, mode),
    )


def _unreadable(request: AdmissionRequest, error: MalformedObject, policy: Policy, mode: Mode) -> AdmissionResponse:
    """A Pod nobody can read is refused where the policy enforces; elsewhere it is allowed, said and counted.

    What would not have been judged is not refused either: a finalizer must come off whatever is written below it.
    """
    reason, unchanged = _why_not_judged(request)
    if reason:
        return skipped(reason, policy.name)
    what = f"plimsoll: it cannot be judged: {field_path(error.pointer) or 'the object'}: {plain(error.reason, 300)}"
    trace = Trace(
        Verdict.UNREADABLE, policy.name, mode.text, reason=f"{plain(error.pointer, 200)}: {plain(error.reason, 300)}"
    )
    if mode is Mode.ENFORCE and not unchanged:
        cause = Cause("unreadable", plain(error.reason, 300), field_path(error.pointer))
        message = f"{what} (at {plain(error.pointer, 300) or '/'}; policy {policy.name} enforces)"
        return AdmissionResponse(allowed=False, trace=trace, code=BAD_REQUEST, message=message, causes=(cause,))
    return AdmissionResponse(allowed=True, trace=trace, warnings=() if mode is Mode.AUDIT else (what,))


def _why_not_judged(request: AdmissionRequest) -> tuple[str, bool]:
    """(why an unreadable object is skipped or empty, whether an UPDATE left what cannot be read as it was)."""
    try:
        meta = read_head(request.object or b"null").metadata or ObjectMeta()
        return skip_reason(request, meta), request.operation == "UPDATE" and _has_same_templates(request)
    except MalformedObject:
        return skip_reason(request, ObjectMeta()), False


def _trace(verdict: Verdict, evaluation: Evaluation, mode: Mode, reason: str = "", told: Sequence[str] = ()) -> Trace:
    return Trace(
        verdict=verdict,
        policy=evaluation.policy.name if evaluation.policy else "",
        mode=mode.text,
        checks=tuple(map(_named, evaluation.violations[:MAX_CAUSES])),
        exempted=tuple(map(_named_exempted, evaluation.exempted[:MAX_CAUSES])),
        settings=plain_each(told[:MAX_CAUSES], 200),
        reason=reason,
    )


def _named_exempted(each: Exempted) -> str:
    return f"{_named(each.violation)} ({each.exemption.name})"


def _named(violation: Violation) -> str:
    return f"{plain(violation.container or 'pod')}/{check_name(violation)}"


def _annotations(verdict: Verdict, evaluation: Evaluation, mode: Mode) -> dict[str, str]:
    """For the API server's audit log; set by ``validate`` alone, since a second round may not change them."""
    policy = evaluation.policy
    notes = {"policy": policy.name if policy else "", "mode": mode.text, "verdict": verdict.value}
    if evaluation.violations:
        names = [_named(violation) for violation in evaluation.violations[:MAX_NAMED]]
        notes["violations"] = ", ".join(names)[:MAX_ANNOTATION]
    if evaluation.exempted:
        names = [f"{_named(e.violation)} by {e.exemption.name}" for e in evaluation.exempted[:MAX_NAMED]]
        notes["exempted"] = ", ".join(names)[:MAX_ANNOTATION]
    return notes
