"""The JSON Patch (RFC 6902) that turns a Pod as received into the Pod as decided.

Minimal: it touches nothing but amounts that were set and one annotation that says so. The API server applies a patch
strictly and a failing one blocks the pod even where the webhook fails open, so each operation is built from the maps
that really are in the document received: an absent parent is added whole, a present one is edited.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from msgspec import UNSET, Struct, UnsetType

from plimsoll.objects.read import escaped
from plimsoll.policy.outcome import Cause, Evaluation, Setting, Side
from plimsoll.policy.quantity import Quantity
from plimsoll.policy.workload import Container, Workload

ANNOTATION = "plimsoll.dev/set"
"""Records each value that was set, and by which policy; for people, never read back as truth."""
MAX_ANNOTATION = 16 * 1024
MAX_ANNOTATIONS = 256 * 1024
"""All annotations of one object together (apimachinery, TotalAnnotationSizeLimitB)."""

Value = str | dict[str, str] | dict[str, dict[str, str]]


class Operation(Struct, frozen=True, gc=False):
    """One operation of a JSON Patch."""

    op: str
    path: str
    value: Value | UnsetType = UNSET


def json_patch(evaluation: Evaluation, told: Sequence[str] | None = None) -> tuple[Operation, ...]:
    """The patch for a Pod; empty when the decision set nothing. ``told``: `describe` of each setting, if known."""
    settings = evaluation.settings
    if not settings:
        return ()
    workload, policy = evaluation.workload, evaluation.policy
    containers = dict(zip(map(_pointer, workload.containers), workload.containers, strict=True))
    operations: list[Operation] = []
    for pointer, of_container in groupby(settings, key=_pointer):  # they come container by container
        operations += _container_operations(containers[pointer], of_container)
    if told is None:
        told = [describe(setting) for setting in settings]
    if (annotation := _annotation(workload, policy.name if policy else "", told)) is not None:
        operations.append(annotation)
    return tuple(operations)


_pointer = attrgetter("pointer")


def _container_operations(container: Container, settings: Iterable[Setting]) -> list[Operation]:
    written = container.spec.resources
    base = f"{container.pointer}/resources"
    limits, requests = (None, None) if written is None else (written.limits, written.requests)
    new_limits: dict[str, str] = {}
    new_requests: dict[str, str] = {}
    edits: list[Operation] = []
    for setting in settings:
        is_limit, after = setting.side is _LIMIT, setting.after
        present = limits if is_limit else requests
        if present is not None:
            path = f"{base}/{setting.side.field}/{escaped(setting.resource)}"
            edits.append(_edit(path, after, setting.resource in present))
        elif after is not None:
            (new_limits if is_limit else new_requests)[setting.resource] = after.canonical
    if written is None:
        return [Operation("add", base, _given(limits=new_limits, requests=new_requests))]
    operations = []
    if new_limits:
        operations.append(Operation("add", f"{base}/limits", new_limits))
    if new_requests:
        operations.append(Operation("add", f"{base}/requests", new_requests))
    if edits:
        operations += edits
        operations.sort(key=_path)
    return operations


_path = attrgetter("path")


def _given(**sides: dict[str, str]) -> dict[str, dict[str, str]]:
    return {field: amounts for field, amounts in sides.items() if amounts}


_LIMIT = Side.LIMIT


def _edit(path: str, after: Quantity | None, present: bool) -> Operation:  # noqa: FBT001 - of this module alone
    if after is None:
        return Operation("remove", path)
    return Operation("replace" if present else "add", path, after.canonical)


def _annotation(workload: Workload, policy: str, told: Sequence[str]) -> Operation | None:
    who = f"policy {policy}: "
    text = who + f"; {who}".join(told)
    before = workload.annotations.get(ANNOTATION, "")
    if before:
        # What is true comes first: what was there may be anybody's, as long as it likes, and is cut.
        text = "; ".join(dict.fromkeys([*(who + each for each in told), *before.split("; ")]))
    if len(text) * 4 > MAX_ANNOTATION and len(text.encode()) > MAX_ANNOTATION:
        text = text.encode()[: MAX_ANNOTATION - 4].decode(errors="ignore") + "…"
    if text == before or not _has_room(workload, text):
        return None
    if not workload.has_metadata:
        return Operation("add", "/metadata", {"annotations": {ANNOTATION: text}})
    if not workload.has_annotations:
        return Operation("add", "/metadata/annotations", {ANNOTATION: text})
    return Operation("replace" if ANNOTATION in workload.annotations else "add", _ANNOTATION_PATH, text)


_ANNOTATION_PATH = f"/metadata/annotations/{escaped(ANNOTATION)}"


def _has_room(workload: Workload, text: str) -> bool:
    """Whether the annotations stay within what the API server takes, ours included."""
    present = workload.annotations
    characters = sum(map(len, present)) + sum(map(len, present.values())) + len(ANNOTATION) + len(text)
    if characters * 4 <= MAX_ANNOTATIONS:
        return True
    others = "".join(f"{key}{value}" for key, value in present.items() if key != ANNOTATION)
    return len((others + ANNOTATION + text).encode()) <= MAX_ANNOTATIONS


def describe(setting: Setting) -> str:
    """``app requests.cpu=50m``: one value that was set, for the annotation and the log."""
    before, after = setting.before, setting.after
    field = f"{setting.container} {setting.side.field}.{setting.resource}"
    if after is None:
        return f"{field} removed (was {before.canonical if before else 'absent'})"
    if before is None or setting.cause is not Cause.CLAMP:
        return f"{field}={after.canonical}"
    return f"{field}={after.canonical} (was {before.canonical})"
