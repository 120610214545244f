"""The decision: one workload judged under what governs its namespace. Everything that judges calls ``evaluate``.

Admission, ``check``, ``explain`` and the audit API get one verdict because there is only this function. It follows
the steps of the product's decision in order: read, API defaulting, LimitRange, our defaulting, checks; exemptions are
known before defaulting. Pure: ``now`` is an argument, and nothing is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from plimsoll.objects.read import escaped
from plimsoll.policy import limitranger
from plimsoll.policy.api_validation import api_validation_problems
from plimsoll.policy.checks import ORDER, Found, Pair, checks_for, is_content, out_of_order
from plimsoll.policy.defaulting import apply_defaults, take_back_lonely_pages
from plimsoll.policy.draft import NO_RULES, UNLIMITED_BY_ZERO, Draft, default_requests
from plimsoll.policy.model import Defaulting, Exemption, Policy
from plimsoll.policy.outcome import (
    Cause,
    Evaluation,
    Exempted,
    Origin,
    Outcome,
    Prediction,
    Setting,
    Side,
    Suggestion,
    Violation,
)
from plimsoll.policy.pod import bounding, pod_violations
from plimsoll.policy.pod_level import pod_level_defaults
from plimsoll.policy.quantity import Quantity
from plimsoll.policy.snapshot import Governance
from plimsoll.policy.workload import LIMIT_RANGER_ANNOTATION, Container, ContainerClass, Resources, Workload

MISORDERED = re.compile("must be (less|greater) than or equal to (?!0|[^ ]+ limit of 0$)")
"""API validation's words for a request above its limit and for containers that do not fit their pod.

A limit of 0 is no limit to our own checks, so what the server says about it is not said twice.
"""


NOTHING: frozenset[str] = frozenset()


class Stage:
    """How far the API server has come with the object: it decides what is still to happen to a Pod."""

    WRITTEN = "written"
    """A file, a template: API defaulting and LimitRanger are still to come."""
    MUTATING = "mutating"
    """A Pod before our patch: API defaulting and LimitRanger have run."""
    VALIDATING = "validating"
    """A Pod as it will be stored: judged as it stands, nothing is filled in."""


def evaluate(workload: Workload, governance: Governance, now: datetime, stage: str = Stage.WRITTEN) -> Evaluation:
    """Judge ``workload``; ``now`` (aware) decides which exemptions still hold. Modes are the caller's business."""
    policy = governance.policy
    if policy is None:
        return Evaluation(workload, governance, None)
    exemptions = exemptions_for(workload, governance, now)
    drafts = drafts_of(workload, policy, exemptions)
    default_requests(drafts)
    _limit_range_step(workload, governance, drafts, stage)
    if stage != Stage.VALIDATING:
        _default_step(workload, governance, policy, drafts)
    violations = _container_violations(drafts, workload)
    if policy.pod.bounds or workload.pod_resources is not None:
        violations += pod_violations(workload, drafts, policy.pod)
    standing, exempted = _waived(violations, drafts, exemptions)
    return Evaluation(
        workload=workload,
        governance=governance,
        policy=policy,
        outcomes=tuple([Outcome(d.requests, d.limits, d.origins) for d in drafts]),
        settings=tuple(_settings(drafts)),
        violations=standing,
        exempted=exempted,
        suggestions=() if policy.defaulting is Defaulting.APPLY else tuple(_suggestions(drafts, workload)),
        predictions=_predictions(workload, governance, drafts) if stage == Stage.WRITTEN else (),
    )


def exemptions_for(workload: Workload, governance: Governance, now: datetime) -> tuple[Exemption, ...]:
    """Those that hold at ``now`` and whose words about the whole pod match."""
    if not governance.exemptions:
        return ()
    return tuple([e for e in governance.exemptions if now <= e.expires and e.match.match_pod(workload)])


def drafts_of(workload: Workload, policy: Policy, exemptions: Sequence[Exemption]) -> list[Draft]:
    """A draft of each container with its rules and what is waived for it."""
    overrides = tuple(o for o in policy.overrides if o.match.match_pod(workload)) if policy.overrides else ()
    drafts = []
    for container in workload.containers:
        ephemeral = container.container_class is ContainerClass.EPHEMERAL
        waived = NOTHING
        for exemption in exemptions:
            if exemption.match.match_container(container):
                waived |= exemption.waive
        rules = NO_RULES if ephemeral else policy.rules_for(container, overrides)
        drafts.append(Draft(container, rules, waived))
    return drafts


def pooled_resources(workload: Workload) -> frozenset[str]:
    """Resources that the pod asks for as a whole; its containers get no default for them."""
    pod = workload.pod_resources
    return NOTHING if pod is None else frozenset(pod.requests) | frozenset(pod.limits)


def _limit_range_step(workload: Workload, governance: Governance, drafts: Sequence[Draft], stage: str) -> None:
    """What LimitRanger will set, or has set by its annotation; values of our own LimitRange may be replaced."""
    limit_ranges = governance.limit_ranges
    if not limit_ranges:
        return
    managed = {limit_range.name for limit_range in limit_ranges if limit_range.managed}
    if stage == Stage.WRITTEN:
        for filled in limitranger.fill(drafts, limit_ranges):
            draft, side = drafts[filled.index], Side(filled.side)
            draft.origins[side, filled.resource] = Origin(Cause.LIMIT_RANGE, filled.limit_range)
            if filled.limit_range in managed:
                draft.replaceable.add((side, filled.resource))
            draft.arrived = Resources(dict(draft.requests), dict(draft.limits))
        return
    note = workload.annotations.get(LIMIT_RANGER_ANNOTATION)
    if note is None:
        return
    named = limitranger.named_by_annotation(note)
    for draft in drafts:
        is_init = draft.container.container_class is not ContainerClass.REGULAR
        for side, values in ((Side.LIMIT, draft.limits), (Side.REQUEST, draft.requests)):
            for resource, value in values.items():
                if (is_init, draft.container.name, side.value, resource) not in named:
                    continue
                source = _source(limit_ranges, side, resource, value)
                draft.origins[side, resource] = Origin(Cause.LIMIT_RANGE, source)
                if source in managed:
                    draft.replaceable.add((side, resource))


def _source(limit_ranges: Iterable[limitranger.LimitRange], side: Side, resource: str, value: Quantity) -> str:
    """The LimitRange whose default this value is; empty when none of those that are there now says it."""
    for limit_range in limit_ranges:
        limits, requests = limitranger.defaults(limit_range)
        if (limits if side is Side.LIMIT else requests).get(resource) == value:
            return limit_range.name
    return ""


def _default_step(workload: Workload, governance: Governance, policy: Policy, drafts: Sequence[Draft]) -> None:
    fill = policy.defaulting is Defaulting.APPLY
    if not fill and not any(draft.rules.clamp for draft in drafts):
        return
    limit_ranges = governance.limit_ranges
    pooled = pooled_resources(workload)
    whole_pod = limit_ranges and [lr for lr in limit_ranges if any(item.type == "Pod" for item in lr.items)]
    before = [(dict(d.requests), dict(d.limits), dict(d.origins)) for d in drafts] if whole_pod else []
    apply_defaults(drafts, pooled, limit_ranges, policy.name, fill=fill)
    if not whole_pod:
        return
    # A LimitRange of type Pod judges totals: what we filled in may not be what it refuses the pod for.
    refusals = limitranger.refusals(drafts, workload.pod_resources, whole_pod)
    for refusal in refusals:
        if refusal.container is None:
            _take_back(drafts, before, refusal.resource, f"LimitRange {refusal.limit_range!r}: {refusal.text}")
    for draft in drafts:
        take_back_lonely_pages(draft)


def _take_back(
    drafts: Sequence[Draft],
    before: Sequence[tuple[dict[str, Quantity], dict[str, Quantity], dict[tuple[Side, str], Origin]]],
    resource: str,
    reason: str,
) -> None:
    for draft, (requests, limits, origins) in zip(drafts, before, strict=True):
        for side, now, then in ((Side.REQUEST, draft.requests, requests), (Side.LIMIT, draft.limits, limits)):
            if now.get(resource) == then.get(resource):
                continue
            draft.unfilled[side, resource] = reason
            draft.origins.pop((side, resource), None)
            now.pop(resource, None)
            if resource in then:
                now[resource] = then[resource]
            if (side, resource) in origins:
                draft.origins[side, resource] = origins[side, resource]


def _container_violations(drafts: Sequence[Draft], workload: Workload) -> list[Violation]:
    violations: list[Violation] = []
    pool = bounding(workload.pod_resources)
    for draft in drafts:
        for bounds in draft.rules.bounds:
            resource = bounds.resource
            request, limit = draft.pair(resource)
            if is_content(bounds, request, limit):
                continue
            pair = Pair(
                request,
                limit,
                request_given=request is not None or resource in pool.requests or resource in pool.limits,
                limit_given=limit is not None or resource in pool.limits,
            )
            for check in checks_for(bounds.judged):
                if (found := check.judge(bounds, pair)) is not None:
                    pooled = pooled_resources(workload)
                    violations.append(_violation(draft, resource, check.suffix, found, pooled))
        limits = draft.limits
        for resource, request in draft.requests.items() if limits else ():
            limit = limits.get(resource)
            if limit is not None and request.nano > limit.nano and draft.limit(resource) is not None:
                violations.append(_violation(draft, resource, ORDER, out_of_order(request, limit)))
    return violations


def _violation(draft: Draft, resource: str, suffix: str, found: Found, pooled: frozenset[str] = NOTHING) -> Violation:
    container = draft.container
    side = found.side or Side.LIMIT
    return Violation(
        check=f"{resource}.{suffix}",
        container=container.name,
        container_class=container.container_class,
        pointer=f"{container.pointer}/resources/{side.field}/{escaped(resource)}",
        resource=resource,
        side=found.side,
        found=found.found,
        allowed=found.allowed,
        excess=found.excess,
        note=_note(draft, resource, found, pooled),
    )


def _note(draft: Draft, resource: str, found: Found, pooled: frozenset[str]) -> str:
    """What the reader must know beside found and allowed: whose value it is, or why nothing was filled in."""
    notes = []
    for side in Side if found.side is None else (found.side,):
        if reason := draft.unfilled.get((side, resource)):
            notes.append(f"no {side.value} was filled in because {reason}")
        origin = draft.origins.get((side, resource))
        if found.found is not None and origin is not None:
            if origin.cause is Cause.LIMIT_RANGE:
                by = f"LimitRange {origin.name!r}" if origin.name else "a LimitRange of the namespace"
                notes.append(f"the {side.value} was set by {by}")
            elif origin.cause is Cause.API_DEFAULT and found.side is not None:
                notes.append("the request was taken from the limit, as Kubernetes does when none is written")
    limit = draft.limits.get(resource)
    if found.found is None and limit is not None and limit.nano == 0 and resource in UNLIMITED_BY_ZERO:
        notes.append("a limit of 0 means unlimited")
    if found.found is None and resource in pooled:
        notes.append(f"spec.resources names {resource} but no limit of it, so none is filled in; one there would do")
    return "; ".join(notes)


def _waived(
    violations: Iterable[Violation], drafts: Sequence[Draft], exemptions: Sequence[Exemption]
) -> tuple[tuple[Violation, ...], tuple[Exempted, ...]]:
    if not exemptions:
        return tuple(violations), ()
    standing, exempted = [], []
    containers = {draft.container.pointer: draft.container for draft in drafts}
    for violation in violations:
        container = None
        if violation.container is not None:
            container = containers[violation.place]
        exemption = next((e for e in exemptions if _covers(e, violation, container)), None)
        if exemption is None:
            standing.append(violation)
        else:
            exempted.append(Exempted(violation, exemption))
    return tuple(standing), tuple(exempted)


def _covers(exemption: Exemption, violation: Violation, container: Container | None) -> bool:
    if not exemption.waives(violation.check):
        return False
    return exemption.match.is_whole_pod if container is None else exemption.match.match_container(container)


def _settings(drafts: Iterable[Draft]) -> list[Setting]:
    settings = []
    for draft in drafts:
        arrived, container = draft.arrived, draft.container
        for (side, resource), origin in draft.origins.items():
            cause = origin.cause
            if cause not in _OURS:
                continue
            if side is _LIMIT:
                before, after = arrived.limits.get(resource), draft.limits.get(resource)
            else:
                before, after = arrived.requests.get(resource), draft.requests.get(resource)
            if before is not after and (before is None or after is None or before.nano != after.nano):
                settings.append(Setting(container.name, container.pointer, resource, side, before, after, cause))
    return settings


_LIMIT = Side.LIMIT


_OURS = (Cause.POLICY_DEFAULT, Cause.CLAMP)


def _suggestions(drafts: Iterable[Draft], workload: Workload) -> Iterable[Suggestion]:
    pooled = pooled_resources(workload)
    for draft in drafts:
        for bounds in draft.rules.bounds:
            if bounds.resource in pooled:
                continue
            for side, value, required in (
                (Side.REQUEST, bounds.default_request, bounds.request_required),
                (Side.LIMIT, bounds.default, bounds.limit_required),
            ):
                if value is None or required or draft.written(side, bounds.resource) is not None:
                    continue
                if not draft.waives(f"{bounds.resource}.{side.value}.required"):
                    container = draft.container
                    yield Suggestion(container.name, container.pointer, bounds.resource, side, value)


MAX_PREDICTED = 5_000
"""Amounts in all containers; of a larger object nothing is predicted, since that would cost seconds."""


def _predictions(workload: Workload, governance: Governance, drafts: Sequence[Draft]) -> tuple[Prediction, ...]:
    """Refusals that the API server will answer when the Pods are made; what is out of order is a check of ours."""
    if sum(len(draft.requests) + len(draft.limits) for draft in drafts) > MAX_PREDICTED:
        return ()
    pod_resources = pod_level_defaults(drafts, workload.pod_resources)
    problems = api_validation_problems(drafts, pod_resources, pod_level=True)
    refused = [Prediction("", None, str(problem)) for problem in problems if not MISORDERED.search(problem.text)]
    if governance.limit_ranges:
        refused += (
            Prediction(refusal.limit_range, refusal.container, refusal.text)
            for refusal in limitranger.refusals(drafts, workload.pod_resources, governance.limit_ranges)
        )
    return tuple(refused)
