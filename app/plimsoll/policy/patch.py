"""The JSON Patch (RFC 6902) that turns a Pod as received into the Pod as decided.

Minimal: it touches nothing but amounts that were set and one annotation that says so. The API server applies a patch
strictly and a failing one blocks the pod even where the webhook fails open, so each operation is built from the maps
that really are in the document received: an absent parent is added whole, a present one is edited.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

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


def json_patch(evaluation: Evaluation, told: Sequence[str] | None = None) -> tuple[Operation, ...]:
    """The patch for a Pod; empty when the decision set nothing. ``told``: `describe` of each setting, if known."""
    settings = evaluation.settings
    if not settings:
        return ()
    workload, policy = evaluation.workload, evaluation.policy
    of_container: dict[str, list[Setting]] = {}
    for setting in settings:
        of_container.setdefault(setting.pointer, []).append(setting)
    operations: list[Operation] = []
    for container in workload.containers:
        if container.pointer in of_container:
            operations += _container_operations(container, of_container[container.pointer])
    if told is None:
        told = [describe(setting) for setting in settings]
    operations += _annotation(workload, policy.name if policy else "", told)
    return tuple(operations)


def _container_operations(container: Container, settings: list[Setting]) -> Iterator[Operation]:
    written = container.spec.resources
    base = f"{container.pointer}/resources"
    whole: dict[str, dict[str, str]] = {}
    settings.sort(key=_resource)
    for side in (Side.LIMIT, Side.REQUEST):
        of_side = [setting for setting in settings if setting.side is side]
        present = None if written is None else written.limits if side is Side.LIMIT else written.requests
        if present is None:
            added = {setting.resource: setting.after.canonical for setting in of_side if setting.after is not None}
            if added and written is None:
                whole[side.field] = added
            elif added:
                yield Operation("add", f"{base}/{side.field}", added)
            continue
        for setting in of_side:
            path = f"{base}/{side.field}/{escaped(setting.resource)}"
            if setting.after is None:
                yield Operation("remove", path)
            else:
                yield Operation("replace" if setting.resource in present else "add", path, setting.after.canonical)
    if written is None:
        yield Operation("add", base, whole)


_resource = attrgetter("resource")


def _annotation(workload: Workload, policy: str, told: Sequence[str]) -> Iterator[Operation]:
    entries = [f"policy {policy}: {each}" for each in told]
    before = workload.annotations.get(ANNOTATION, "")
    text = "; ".join(dict.fromkeys([*before.split("; "), *entries]) if before else entries)
    if len(text) * 4 > MAX_ANNOTATION and len(text.encode()) > MAX_ANNOTATION:
        text = text.encode()[: MAX_ANNOTATION - 4].decode(errors="ignore") + "…"
    if text == before or not _has_room(workload, text):
        return
    if not workload.has_metadata:
        yield Operation("add", "/metadata", {"annotations": {ANNOTATION: text}})
    elif not workload.has_annotations:
        yield Operation("add", "/metadata/annotations", {ANNOTATION: text})
    else:
        op = "replace" if ANNOTATION in workload.annotations else "add"
        yield Operation(op, _ANNOTATION_PATH, text)


_ANNOTATION_PATH = f"/metadata/annotations/{escaped(ANNOTATION)}"


def _has_room(workload: Workload, text: str) -> bool:
    """Whether the annotations stay within what the API server takes, ours included."""
    others = "".join(f"{key}{value}" for key, value in workload.annotations.items() if key != ANNOTATION)
    characters = len(others) + len(ANNOTATION) + len(text)
    return characters * 4 <= MAX_ANNOTATIONS or len((others + ANNOTATION + text).encode()) <= MAX_ANNOTATIONS


def describe(setting: Setting) -> str:
    """``app requests.cpu=50m``: one value that was set, for the annotation and the log."""
    field = f"{setting.container} {setting.side.field}.{setting.resource}"
    if setting.after is None:
        return f"{field} removed (was {setting.before.canonical if setting.before else 'absent'})"
    was = f" (was {setting.before.canonical})" if setting.before and setting.cause is Cause.CLAMP else ""
    return f"{field}={setting.after.canonical}{was}"
