"""Why a workload gets what it gets: the governing policy and its reason, and the origin of every amount.

Asks the same decision as everybody else and tells its story; decides nothing. Sentences for people are short because
a table shows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from plimsoll.audit.rows import instant, row_of
from plimsoll.audit.run import Judged
from plimsoll.policy.evaluation import evaluate
from plimsoll.policy.matching import Globs, LabelSelector
from plimsoll.policy.messages import plain
from plimsoll.policy.model import ALL_CHECKS, Bounds, Exemption, NamespaceMatch, Policy, Rules
from plimsoll.policy.outcome import Cause, Evaluation, Outcome, Side
from plimsoll.policy.quantity import Quantity
from plimsoll.policy.snapshot import Snapshot
from plimsoll.policy.workload import Container, ContainerClass, Workload
from plimsoll.schemas.explanation import (
    ExplainedContainer,
    ExplainedExemption,
    ExplainedPolicy,
    ExplainedValue,
    Explanation,
    Origin,
)
from plimsoll.schemas.report import Field

_FIELDS: Final = {
    ContainerClass.REGULAR: "containers",
    ContainerClass.INIT: "initContainers",
    ContainerClass.SIDECAR: "sidecarContainers",
}
_QOS: Final = {
    ("BestEffort", "Burstable"): "no longer the first to be evicted when its node runs out of memory",
    ("BestEffort", "Guaranteed"): "evicted last when its node runs out of memory, and held to its limits",
    ("Burstable", "Guaranteed"): "evicted last when its node runs out of memory, and held to its limits",
    ("Burstable", "BestEffort"): "the first to be evicted when its node runs out of memory",
    ("Guaranteed", "Burstable"): "no longer among the last to be evicted, and without exclusive CPUs",
    ("Guaranteed", "BestEffort"): "the first to be evicted when its node runs out of memory",
}


def explanation_of(judged: Judged, snapshot: Snapshot, now: datetime) -> Explanation:
    """The explanation of one workload, judged under ``snapshot`` at ``now``."""
    evaluation = judged.evaluation
    workload, governance, policy = evaluation.workload, evaluation.governance, evaluation.policy
    row = row_of(evaluation, judged.place, now)
    told = evaluation if policy is not None else ungoverned(evaluation, now)
    return Explanation(
        row=row,
        policy=None if policy is None else _policy(policy, evaluation, snapshot),
        containers=tuple(
            _container(container, outcome, workload, policy)
            for container, outcome in zip(workload.containers, told.outcomes, strict=True)
        ),
        pod=() if policy is None else tuple(_pod_rules(policy.pod)),
        exemptions=tuple(_exemptions(evaluation, now)),
        limit_ranges=tuple(limit_range.name for limit_range in governance.limit_ranges),
        qos=_QOS.get((row.qos_before or "", row.qos_after or ""), ""),
        hint=_hint(evaluation, snapshot),
    )


def ungoverned(evaluation: Evaluation, now: datetime) -> Evaluation:
    """What Kubernetes does to the workload by itself: judged under a policy that says nothing."""
    says_nothing = Policy("", NamespaceMatch(), rules=dict.fromkeys(ContainerClass, Rules()))
    governance = msgspec.structs.replace(evaluation.governance, policy=says_nothing, exemptions=())
    return evaluate(evaluation.workload, governance, now)


def _policy(policy: Policy, evaluation: Evaluation, snapshot: Snapshot) -> ExplainedPolicy:
    namespace = evaluation.governance.namespace
    others = (
        other
        for other in snapshot.policies
        if other.name != policy.name and other.namespaces.match(namespace.name, namespace.labels)
    )
    return ExplainedPolicy(
        name=policy.name,
        origin=policy.origin,
        because=_because(policy.namespaces, namespace.name),
        priority=policy.priority,
        defaulting=policy.defaulting.value,
        others=tuple(f"{plain(other.name)} (priority {other.priority})" for other in others),
        enforce_from=instant(policy.enforce_from) if policy.enforce_from else "",
    )


def _because(match: NamespaceMatch, namespace: str) -> str:
    """The part of ``namespaces`` that the namespace matches."""
    for glob in match.include.written if match.include is not None else ():
        if Globs.of([glob]).match(namespace):
            return f'include "{plain(glob)}"'
    return f"selector {selector_text(match.selector)}" if match.selector is not None else ""


def selector_text(selector: LabelSelector) -> str:
    """``tier=ops, team in (a, b), !legacy``, as kubectl writes selectors; an empty one selects everything."""
    parts = []
    for requirement in selector.requirements:
        key, values = plain(requirement.key), sorted(plain(value) for value in requirement.values)
        if requirement.operator == "Exists":
            parts.append(key)
        elif requirement.operator == "DoesNotExist":
            parts.append(f"!{key}")
        elif requirement.operator == "In" and len(values) == 1:
            parts.append(f"{key}={values[0]}")
        else:
            parts.append(f"{key} {'in' if requirement.operator == 'In' else 'notin'} ({', '.join(values)})")
    return ", ".join(parts) or "(everything)"


def _container(container: Container, outcome: Outcome, workload: Workload, policy: Policy | None) -> ExplainedContainer:
    rules, rules_from = Rules(), ""
    if policy is not None and container.container_class is not ContainerClass.EPHEMERAL:
        rules, rules_from = _rules(policy, workload, container)
    return ExplainedContainer(
        name=container.name,
        container_class=container.container_class.value,
        image=container.image,
        values=tuple(_values(container, outcome, {bounds.resource: bounds for bounds in rules.bounds})),
        rules_from=rules_from,
    )


def _rules(policy: Policy, workload: Workload, container: Container) -> tuple[Rules, str]:
    for index, override in enumerate(policy.overrides):
        if override.match.match_pod(workload) and override.match.match_container(container):
            return override.rules[container.container_class], f"overrides[{index}]"
    return policy.rules[container.container_class], _FIELDS[container.container_class]


def _values(container: Container, outcome: Outcome, said: dict[str, Bounds]) -> Iterator[ExplainedValue]:
    """Every amount that is there, was there or is spoken about: by resource, the request first."""
    written, final = container.resources, outcome.resources
    resources = {*written.requests, *written.limits, *final.requests, *final.limits, *said}
    for resource in sorted(resources):
        for side in (Side.REQUEST, Side.LIMIT):
            before = (written.requests if side is Side.REQUEST else written.limits).get(resource)
            after = (final.requests if side is Side.REQUEST else final.limits).get(resource)
            rules = _said(said.get(resource, Bounds(resource)), side)
            if before is None and after is None and not rules:
                continue
            cause = outcome.origins.get((side, resource))
            yield ExplainedValue(
                resource=resource,
                field=_field(side),
                amount=after.canonical if after is not None else None,
                origin=_origin(after, cause.cause if cause is not None else None),
                name=cause.name if cause is not None else "",
                was=before.text if before is not None and before != after else "",
                rules=rules,
            )


def _origin(after: Quantity | None, cause: Cause | None) -> Origin:
    if cause is None:
        return "written" if after is not None else "missing"
    return cause.value if after is not None or cause is Cause.CLAMP else "missing"


def _field(side: Side) -> Field:
    return "limit" if side is Side.LIMIT else "request"


def _said(bounds: Bounds, side: Side) -> str:
    """What the policy says about one amount."""
    limit = side is Side.LIMIT
    parts = []
    if bounds.limit_required if limit else bounds.request_required:
        parts.append("required")
    if bounds.limit_forbidden if limit else bounds.request_forbidden:
        parts.append("not allowed")
    parts += _range(bounds)
    if limit and bounds.ratio is not None:
        parts.append(f"at most {bounds.ratio.canonical} times the request")
    if limit and bounds.equal:
        parts.append("equal to the request")
    default = bounds.default if limit else bounds.default_request
    if default is not None:
        parts.append(f"default {default.canonical}")
    return ", ".join(parts)


def _range(bounds: Bounds) -> Iterator[str]:
    if bounds.min is not None and bounds.max is not None:
        yield f"{bounds.min.canonical} to {bounds.max.canonical}"
    elif bounds.min is not None:
        yield f"at least {bounds.min.canonical}"
    elif bounds.max is not None:
        yield f"at most {bounds.max.canonical}"


def _pod_rules(rules: Rules) -> Iterator[str]:
    for bounds in rules.bounds:
        for side in (Side.REQUEST, Side.LIMIT):
            if said := _said(bounds, side):
                yield f"total {side.field}.{bounds.resource}: {said}"


def _exemptions(evaluation: Evaluation, now: datetime) -> Iterator[ExplainedExemption]:
    workload = evaluation.workload
    for exemption in evaluation.governance.exemptions:
        if not exemption.match.match_pod(workload):
            continue
        containers = [c.name for c in workload.containers if exemption.match.match_container(c)]
        if containers:
            yield _exemption(exemption, tuple(containers), holds=now <= exemption.expires)


def _exemption(exemption: Exemption, containers: tuple[str, ...], *, holds: bool) -> ExplainedExemption:
    return ExplainedExemption(
        name=exemption.name,
        owner=exemption.owner,
        reason=exemption.reason,
        expires=exemption.expires_text,
        holds=holds,
        waives=(ALL_CHECKS,) if ALL_CHECKS in exemption.waive else tuple(sorted(exemption.waive)),
        containers=containers,
    )


def _hint(evaluation: Evaluation, snapshot: Snapshot) -> str:
    """A selector cannot match a namespace that nobody has described."""
    namespace = evaluation.governance.namespace
    by_label = any(policy.namespaces.selector is not None for policy in snapshot.policies)
    if not by_label or namespace.name in snapshot.namespaces:
        return ""
    return f"no manifest of namespace {plain(namespace.name)} was given, so it has no labels for a selector to match"
