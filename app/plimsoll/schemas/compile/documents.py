"""One document → one compiled value: `Policy` or `Exemption`, with everything resolved that a request must not resolve.

Complaints are added to a list that the caller brings; where there are any, the value may not be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from plimsoll.objects.read import escaped
from plimsoll.policy.matching import ImageGlobs, LabelSelector, Requirement
from plimsoll.policy.model import (
    Defaulting,
    Exemption,
    Matcher,
    Mode,
    NamespaceMatch,
    Override,
    Policy,
    Rules,
    WorkloadMatch,
)
from plimsoll.policy.quantity import Quantity, shown
from plimsoll.policy.resource_names import resource_problems
from plimsoll.policy.workload import ContainerClass
from plimsoll.schemas.compile.checks import POD, check_id
from plimsoll.schemas.compile.layers import Block, laid_over, read_block, rules_of
from plimsoll.schemas.compile.relations import complain
from plimsoll.schemas.compile.words import (
    CONTAINERS,
    IMAGES,
    NAMESPACES,
    WORKLOADS,
    Complaint,
    Complaints,
    amount,
    end_of,
    filled_text,
    globs,
    instant,
    label_globs,
    label_key,
    label_value,
    nearest,
    object_name,
    resource_name,
)
from plimsoll.schemas.policy_document import (
    ClusterLimitExemption,
    ClusterLimitPolicy,
    ExemptionMatch,
    NamespaceRules,
    OverrideMatch,
    PolicySpec,
    Selector,
)

_MODES: Final = {mode.text: mode for mode in Mode}
_CLASSES: Final = (ContainerClass.REGULAR, ContainerClass.INIT, ContainerClass.SIDECAR)


def policy_of(document: ClusterLimitPolicy, origin: str, complaints: Complaints) -> Policy:
    """The compiled policy; ``origin`` is where it stands, as messages will say it. Raises TooManyComplaints."""
    spec = document.spec
    object_name(complaints, "/metadata/name", document.metadata.name)
    namespaces = _namespaces(complaints, spec.namespaces)
    enforce_from = None
    if spec.enforceFrom is not None:
        enforce_from = instant(complaints, "/spec/enforceFrom", spec.enforceFrom)
    classes = _classes(complaints, spec)
    pod = read_block(complaints, "/spec/pod", 0, spec.pod)
    for block in (*classes.values(), pod):
        complain(complaints, laid_over(block))
    mode = _MODES[spec.mode]
    return Policy(
        name=document.metadata.name,
        namespaces=namespaces,
        priority=spec.priority,
        mode=mode,
        enforce_from=enforce_from,
        defaulting=Defaulting(spec.defaulting),
        templates=_templates(spec.templates, mode),
        rules={each: rules_of(block) for each, block in classes.items()},
        pod=rules_of(laid_over(pod)),
        overrides=_overrides(complaints, spec, classes),
        limit_range_managed=spec.limitRange == "Managed",
        resource_quota=_quota(complaints, spec),
        origin=origin,
    )


def exemption_of(document: ClusterLimitExemption, origin: str, complaints: Complaints) -> Exemption | None:
    """The compiled exemption; None where its end cannot be read. Raises TooManyComplaints."""
    spec, match = document.spec, document.spec.match
    object_name(complaints, "/metadata/name", document.metadata.name)
    filled_text(complaints, "/spec/owner", spec.owner)
    filled_text(complaints, "/spec/reason", spec.reason)
    expires = end_of(complaints, "/spec/expires", spec.expires)
    namespaces = globs(complaints, "/spec/match/namespaces", match.namespaces, NAMESPACES)
    matcher = _matcher(complaints, "/spec/match", match)
    if not spec.waive:
        complaints.append(Complaint("/spec/waive", 'it waives nothing; accepted: check ids, or ["*"] for all'))
    for index, check in enumerate(spec.waive):
        check_id(complaints, f"/spec/waive/{index}", check)
        if check.startswith(POD) and not matcher.is_whole_pod:
            complaints.append(Complaint(f"/spec/waive/{index}", _why_no_total(check, match)))
    if expires is None:
        return None
    return Exemption(
        name=document.metadata.name,
        owner=spec.owner,
        reason=spec.reason,
        expires=expires,
        expires_text=spec.expires,
        match=matcher,
        namespaces=namespaces,
        waive=frozenset(spec.waive),
        ticket=spec.ticket,
        origin=origin,
    )


def _why_no_total(check: str, match: ExemptionMatch) -> str:
    given = [name for name in ("containers", "images", "uses") if getattr(match, name)]
    return (
        f"{shown(check)} is judged on the pod as a whole, and match names {' and '.join(given)}, which single out"
        " containers; accepted: an exemption of its own without them"
    )


def _templates(written: str | None, mode: Mode) -> Mode | None:
    if written is None:
        return Mode.AUDIT if mode is Mode.AUDIT else Mode.WARN
    return _MODES.get(written)


def _classes(complaints: Complaints, spec: PolicySpec) -> dict[ContainerClass, Block]:
    common = read_block(complaints, "/spec/containers", 0, spec.containers)
    init = read_block(complaints, "/spec/initContainers", 1, spec.initContainers)
    sidecar = read_block(complaints, "/spec/sidecarContainers", 1, spec.sidecarContainers)
    blocks = (laid_over(common), laid_over(common, init), laid_over(common, sidecar))
    return dict(zip(_CLASSES, blocks, strict=True))


def _overrides(complaints: Complaints, spec: PolicySpec, classes: dict[ContainerClass, Block]) -> tuple[Override, ...]:
    overrides = []
    for index, written in enumerate(spec.overrides):
        pointer = f"/spec/overrides/{index}"
        block = read_block(complaints, f"{pointer}/containers", 2, written.containers)
        rules: dict[ContainerClass, Rules] = {}
        for each, inherited in classes.items():
            resolved = laid_over(inherited, block)
            complain(complaints, resolved)
            rules[each] = rules_of(resolved)
        overrides.append(Override(_matcher(complaints, f"{pointer}/match", written.match), rules))
    return tuple(overrides)


def _matcher(complaints: Complaints, pointer: str, written: OverrideMatch) -> Matcher:
    images = globs(complaints, f"{pointer}/images", written.images, IMAGES)
    workloads = []
    for index, entry in enumerate(written.workloads):
        place = f"{pointer}/workloads/{index}"
        _kind(complaints, f"{place}/kind", entry.kind)
        workloads.append(WorkloadMatch(entry.kind, globs(complaints, f"{place}/names", entry.names, WORKLOADS)))
    for index, resource in enumerate(written.uses):
        resource_name(complaints, f"{pointer}/uses/{index}", resource)
    return Matcher(
        containers=globs(complaints, f"{pointer}/containers", written.containers, CONTAINERS),
        images=None if images is None else ImageGlobs(images),
        workloads=tuple(workloads),
        pod_labels=label_globs(complaints, f"{pointer}/podLabels", written.podLabels),
        uses=tuple(written.uses),
    )


_KINDS: Final = (
    *("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"),
    *("Job", "CronJob", "PodTemplate", "Rollout"),
)


def _kind(complaints: Complaints, pointer: str, kind: str | None) -> None:
    if kind is not None and not (kind[:1].isupper() and kind.isascii() and kind.isalnum()):
        hint = nearest(kind.removesuffix("s"), _KINDS)
        complaints.append(Complaint(pointer, f"{shown(kind)} is no kind{hint}; accepted: a kind such as Deployment"))


def _namespaces(complaints: Complaints, written: NamespaceRules) -> NamespaceMatch:
    pointer = "/spec/namespaces"
    if written.selector is None and not written.include:
        reason = 'names no namespace; accepted: include (["*"] for all) or selector, or both'
        complaints.append(Complaint(pointer, reason))
    include = globs(complaints, f"{pointer}/include", written.include, NAMESPACES)
    exclude = globs(complaints, f"{pointer}/exclude", written.exclude, NAMESPACES)
    only_names = include is not None and include.pattern is None and written.selector is None
    if exclude is not None and (
        any(set(glob) == {"*"} for glob in exclude.written)
        or (only_names and all(exclude.match(name) for name in written.include))
    ):
        reason = "exclude takes away every namespace that is named; accepted: an exclude that leaves some"
        complaints.append(Complaint(f"{pointer}/exclude", reason))
    selector = None if written.selector is None else _selector(complaints, f"{pointer}/selector", written.selector)
    return NamespaceMatch(selector, include, exclude)


def _selector(complaints: Complaints, pointer: str, written: Selector) -> LabelSelector:
    requirements = []
    for key, value in written.matchLabels.items():
        place = f"{pointer}/matchLabels/{escaped(key)}"
        label_key(complaints, place, key)
        label_value(complaints, place, value)
        requirements.append(Requirement(key, "In", frozenset((value,))))
    for index, expression in enumerate(written.matchExpressions):
        place = f"{pointer}/matchExpressions/{index}"
        label_key(complaints, f"{place}/key", expression.key)
        _values(complaints, f"{place}/values", expression.operator, expression.values)
        requirements.append(Requirement(expression.key, expression.operator, frozenset(expression.values)))
    return LabelSelector(tuple(requirements))


def _values(complaints: Complaints, pointer: str, operator: str, values: Sequence[str]) -> None:
    for index, value in enumerate(values):
        label_value(complaints, f"{pointer}/{index}", value)
    if operator in {"In", "NotIn"} and not values:
        complaints.append(Complaint(pointer, f"{operator} has no values; accepted: at least one"))
    if operator in {"Exists", "DoesNotExist"} and values:
        complaints.append(Complaint(pointer, f"{operator} takes no values; accepted: leave values out"))


def _quota(complaints: Complaints, spec: PolicySpec) -> dict[str, Quantity]:
    quota: dict[str, Quantity] = {}
    if spec.resourceQuota is None:
        return quota
    pointer = "/spec/resourceQuota/hard"
    if not spec.resourceQuota.hard:
        complaints.append(Complaint(pointer, "limits nothing; accepted: entries such as limits.memory: 64Gi"))
    for name, value in spec.resourceQuota.hard.items():
        place = f"{pointer}/{escaped(name)}"
        if resource_problems(name):
            known = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "pods", "count/jobs.batch")
            accepted = f"{', '.join(known)}, and whatever else a ResourceQuota takes"
            reason = f"{shown(name)} is nothing a quota can limit{nearest(name, known)}; accepted: {accepted}"
            complaints.append(Complaint(place, reason))
        quantity = amount(complaints, place, value, name.rpartition(".")[2])
        if quantity is not None:
            quota[name] = quantity
    return quota
