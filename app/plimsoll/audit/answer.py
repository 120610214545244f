"""The audit API's answer: a text of manifests in, a whole Report out, by what a server has in force.

Answers what admission would do, so policies and exemptions in the text are only counted; its Namespaces and LimitRanges
stand beside those that the server knows. Never raises for anything a text can hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from plimsoll.audit.render.json import json_parts
from plimsoll.audit.run import Subject, Unread, nowhere, report_rows, subject_of
from plimsoll.audit.tally import Tally
from plimsoll.schemas.compile import Loaded
from plimsoll.schemas.manifests import ManifestObject, Role, read_objects

CONTEXT = (Role.NAMESPACE, Role.LIMIT_RANGE)


def report(
    text: str, loaded: Loaded, now: datetime, *, sources: Sequence[str] = (), namespace: str = "default"
) -> bytes:
    """The Report of ``text`` as JSON. ``sources`` say in words where ``loaded`` came from."""
    return b"".join(report_parts(text, loaded, now, sources=sources, namespace=namespace))


def report_parts(
    text: str, loaded: Loaded, now: datetime, *, sources: Sequence[str] = (), namespace: str = "default"
) -> Iterator[bytes]:
    """The same in parts, each cheap to make but for the first, so that a server can answer others in between."""
    subjects: list[Subject | Unread] = []
    context: list[ManifestObject] = []
    documents: set[int] = set()
    for found in read_objects(text, ""):
        subjects.append(subject_of(found))
        documents.add(found.document.index if isinstance(found, ManifestObject) else found.index)
        if isinstance(found, ManifestObject) and found.role in CONTEXT:
            context.append(found)
    if context:
        loaded, problems = loaded.with_context(context, namespace=namespace)
        wrong = (Unread(nowhere(""), f"{each.pointer}: {each.reason}", each.line) for each in problems)
        subjects = [*wrong, *subjects]
    tally = Tally(tuple(sources), documents=len(documents))
    return json_parts(report_rows(subjects, loaded.snapshot, now, tally, namespace=namespace), tally)
