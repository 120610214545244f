"""The audit itself: objects in, rows out, one for each workload, in the order of the input.

Used by `check`, `explain` and the audit API, which must agree. Everything known is an argument: objects already read,
the Snapshot that governs them, the time. An object that cannot be judged is a row too and stops nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from plimsoll.audit.rows import Place, error_row, row_of
from plimsoll.audit.tally import Tally
from plimsoll.errors import MalformedObject
from plimsoll.objects.kinds import template_pointers
from plimsoll.objects.read import read_head
from plimsoll.objects.structs import Head, ObjectMeta
from plimsoll.policy.evaluation import evaluate
from plimsoll.policy.messages import plain
from plimsoll.policy.outcome import Evaluation
from plimsoll.policy.snapshot import Snapshot
from plimsoll.policy.workload import ObjectRef, read_workloads
from plimsoll.schemas.manifests import ManifestObject
from plimsoll.schemas.report import ReportError, ReportOrigin, ReportRow
from plimsoll.schemas.yaml import UnreadableDocument


class Subject(Struct, frozen=True):
    """One object of the input: its JSON, and where it stands."""

    raw: bytes
    place: Place


class Unread(Struct, frozen=True):
    """A part of the input that could not be read."""

    place: Place
    reason: str
    line: int | None = None


def subject_of(found: ManifestObject | UnreadableDocument) -> Subject | Unread:
    """What was read out of a text, as the audit takes it."""
    if isinstance(found, UnreadableDocument):
        return Unread(nowhere(found.origin, found.index), found.reason, found.line)
    document = found.document
    line = None if found.pointer else document.line  # of an item it costs a second look at the whole text
    origin = ReportOrigin(document.origin, document.index, line, document.source or "")
    return Subject(found.json, Place(origin, found.line_of))


def nowhere(file: str, document: int = 0) -> Place:
    """The place of what has no lines to point at."""
    return Place(ReportOrigin(file, document), lambda _: None)


class Judged(Struct, frozen=True):
    """One workload with its verdict."""

    evaluation: Evaluation
    place: Place


class Unjudged(Struct, frozen=True):
    """What could not be judged, and why."""

    place: Place
    ref: ObjectRef | None
    error: ReportError


class Bare(Struct, frozen=True):
    """An object that carries no pod template: there is nothing to judge."""

    place: Place


def judge(
    subjects: Iterable[Subject | Unread], snapshot: Snapshot, now: datetime, *, namespace: str = "default"
) -> Iterator[Judged | Unjudged | Bare]:
    """Each workload of ``subjects`` judged, in their order; ``namespace`` is that of objects that name none.

    Owner references are believed: files have no attacker to keep out.
    """
    for subject in subjects:
        if isinstance(subject, Unread):
            yield Unjudged(subject.place, None, ReportError(subject.reason, line=subject.line))
            continue
        place, found, ref = subject.place, False, None
        try:
            head = read_head(subject.raw)
            _check_head(head)
            if template_pointers(head.apiVersion or "", head.kind or ""):
                ref = _ref(head, namespace)
                for workload in read_workloads(subject.raw, namespace=namespace, believe_owners=True):
                    found = True
                    governance = snapshot.governance_for(workload.ref.namespace)
                    yield Judged(evaluate(workload, governance, now), place)
            if not found:
                yield Bare(place)
        except MalformedObject as error:
            yield Unjudged(place, ref, ReportError(error.reason, error.pointer, place.line_of(error.pointer)))


def report_rows(
    subjects: Iterable[Subject | Unread], snapshot: Snapshot, now: datetime, tally: Tally, *, namespace: str = "default"
) -> Iterator[ReportRow]:
    """The rows of `judge`; ``tally`` counts along and is complete after the last one."""
    for outcome in judge(subjects, snapshot, now, namespace=namespace):
        if isinstance(outcome, Bare):
            tally.without_template += 1
            continue
        if isinstance(outcome, Judged):
            row = row_of(outcome.evaluation, outcome.place, now)
            policy = outcome.evaluation.policy
            tally.count(row, policy.origin if policy is not None else "")
        else:
            row = error_row(outcome.place, outcome.ref, outcome.error)
            tally.count(row)
        yield row


def _check_head(head: Head) -> None:
    """Half a name is a slip; a document with neither (values of a chart) is no object at all."""
    if head.kind and not head.apiVersion:
        raise MalformedObject("/apiVersion", f"missing; a {plain(head.kind)} without it is applied by nobody")
    if head.apiVersion and not head.kind:
        raise MalformedObject("/kind", "missing; an object without it is applied by nobody")


def _ref(head: Head, namespace: str) -> ObjectRef:
    meta = head.metadata or ObjectMeta()
    return ObjectRef(
        head.apiVersion or "",
        head.kind or "",
        meta.namespace or namespace,
        meta.name or "",
        meta.generateName or "",
    )
