"""The JSON Patch (RFC 6902) that turns a Pod as received into the Pod as decided.

Minimal: it touches nothing but amounts that were set and one annotation that says so. The API server applies a patch
strictly and a failing one blocks the pod even where the webhook fails open, so each operation is built from the maps
that really are in the document received: an absent parent is added whole, a present one is edited.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import UNSET, Struct, UnsetType

from plimsoll.objects.read import escaped
from plimsoll.policy.outcome import Cause, Evaluation, Setting, Side
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


def json_patch(evaluation: Evaluation) -> tuple[Operation, ...]:
    """The patch for a Pod; empty when the decision set nothing."""
    if not evaluation.settings:
        return ()
    workload, policy = evaluation.workload, evaluation.policy
    containers = {container.pointer: container for container in workload.containers}
    operations: list[Operation] = []
    for pointer, settings in groupby(sorted(evaluation.settings, key=_place), key=lambda setting: setting.pointer):
        operations.extend(_container_operations(containers[pointer], tuple(settings)))
    operations.extend(_annotation(workload, policy.name if policy else "", evaluation.settings))
    return tuple(operations)


def _place(setting: Setting) -> tuple[str, int, str, str]:
    head, _, index = setting.pointer.rpartition("/")
    return head, int(index), setting.side.field, setting.resource


def _container_operations(container: Container, settings: Sequence[Setting]) -> Iterator[Operation]:
    written = container.spec.resources
    base = f"{container.pointer}/resources"
    if written is None:
        whole: dict[str, dict[str, str]] = {}
        for setting in settings:
            if setting.after is not None:
                whole.setdefault(setting.side.field, {})[setting.resource] = setting.after.canonical
        yield Operation("add", base, whole)
        return
    for side in (Side.LIMIT, Side.REQUEST):
        of_side = [setting for setting in settings if setting.side is side]
        present = written.limits if side is Side.LIMIT else written.requests
        if present is None:
            added = {setting.resource: setting.after.canonical for setting in of_side if setting.after is not None}
            if added:
                yield Operation("add", f"{base}/{side.field}", added)
            continue
        for setting in of_side:
            path = f"{base}/{side.field}/{escaped(setting.resource)}"
            if setting.after is None:
                yield Operation("remove", path)
            else:
                yield Operation("replace" if setting.resource in present else "add", path, setting.after.canonical)


def _annotation(workload: Workload, policy: str, settings: Sequence[Setting]) -> Iterator[Operation]:
    entries = [f"policy {policy}: {describe(setting)}" for setting in settings]
    before = workload.annotations.get(ANNOTATION, "")
    known = before.split("; ") if before else []
    text = "; ".join([*known, *(entry for entry in entries if entry not in known)])
    if len(text.encode()) > MAX_ANNOTATION:
        text = text.encode()[: MAX_ANNOTATION - 4].decode(errors="ignore") + "…"
    others = sum(
        len(key.encode()) + len(value.encode()) for key, value in workload.annotations.items() if key != ANNOTATION
    )
    if text == before or others + len(ANNOTATION) + len(text.encode()) > MAX_ANNOTATIONS:
        return
    if not workload.has_annotations:
        yield Operation("add", "/metadata/annotations", {ANNOTATION: text})
    else:
        op = "replace" if ANNOTATION in workload.annotations else "add"
        yield Operation(op, f"/metadata/annotations/{escaped(ANNOTATION)}", text)


def describe(setting: Setting) -> str:
    """``app requests.cpu=50m``: one value that was set, for the annotation and the log."""
    field = f"{setting.container} {setting.side.field}.{setting.resource}"
    if setting.after is None:
        return f"{field} removed (was {setting.before.canonical if setting.before else 'absent'})"
    was = f" (was {setting.before.canonical})" if setting.before and setting.cause is Cause.CLAMP else ""
    return f"{field}={setting.after.canonical}{was}"
