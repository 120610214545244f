"""What a single text of a document may say: amounts, resource names, globs, labels, dates; and the nearest legal word.

Each reader answers None for what it could not read, after it has said what was found and what would be accepted. Knows
no relations between fields.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Final

from msgspec import Struct

from plimsoll.objects.read import escaped
from plimsoll.policy.matching import Globs
from plimsoll.policy.quantity import NANO, Quantity, QuantityError, parse_json_value, parse_strict, shown, suspicion
from plimsoll.policy.resource_names import (
    container_resource_problems,
    is_hugepages,
    page_size_text,
    qualified_name_problems,
)

MILLI: Final = NANO // 1000
MOST_COMPLAINTS: Final = 100
RESOURCES: Final = ("cpu", "memory", "ephemeral-storage")

_MEANT: Final = {
    "gpu": "nvidia.com/gpu",
    "gpus": "nvidia.com/gpu",
    "mem": "memory",
    "ram": "memory",
    "cpus": "cpu",
    "storage": "ephemeral-storage",
    "disk": "ephemeral-storage",
    "hugepages": "hugepages-2Mi",
}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT: Final = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_DNS: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?", re.ASCII)


class Complaint(Struct, frozen=True):
    """What is wrong at one place of a document."""

    pointer: str
    reason: str
    """What was found and what would be accepted."""


class TooManyComplaints(Exception):
    """Nobody reads further than this."""


class Complaints(list[Complaint]):
    """All complaints about one document; bounded, because a document can be nothing but mistakes."""

    def append(self, complaint: Complaint) -> None:
        """Add one. Raises TooManyComplaints when no more are wanted."""
        super().append(complaint)
        if len(self) >= MOST_COMPLAINTS:
            raise TooManyComplaints


class Alphabet(Struct, frozen=True):
    """What names of one sort are made of, and how long they may be."""

    what: str
    letters: re.Pattern[str]
    length: int
    says: str


NAMESPACES: Final = Alphabet("namespace", re.compile(r"[-a-z0-9*?]+"), 63, "lower-case letters, digits and -")
CONTAINERS: Final = Alphabet("container", re.compile(r"[-a-z0-9*?]+"), 63, "lower-case letters, digits and -")
WORKLOADS: Final = Alphabet("workload", re.compile(r"[-.a-z0-9*?]+"), 253, "lower-case letters, digits, - and .")
IMAGES: Final = Alphabet("image", re.compile(r"[!-~]+"), 1024, "printable characters without spaces")
LABELS: Final = Alphabet("label value", re.compile(r"[-_.A-Za-z0-9*?]*"), 63, "letters, digits, -, _ and .")


def nearest(word: str, known: Iterable[str]) -> str:
    """`` (did you mean …?)``; empty where nothing is near."""
    by_folded = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(word.casefold()[:128], by_folded, n=1, cutoff=0.6)
    return f" (did you mean {by_folded[close[0]]}?)" if close else ""


def resource_name(complaints: Complaints, pointer: str, name: str) -> bool:
    """Can a container ask for it?"""
    problems = bool(container_resource_problems(name))
    if not problems and is_hugepages(name):
        try:
            problems = parse_strict(page_size_text(name)).nano <= 0
        except QuantityError:
            problems = True
    if problems:
        meant = _MEANT.get(name.casefold())
        hint = f" (did you mean {meant}?)" if meant else nearest(name, (*RESOURCES, "nvidia.com/gpu", "hugepages-2Mi"))
        accepted = (
            "cpu, memory, ephemeral-storage, hugepages-2Mi and the like, or a name with a domain (nvidia.com/gpu)"
        )
        complaints.append(
            Complaint(pointer, f"{shown(name)} is no resource that a container can ask for{hint}; accepted: {accepted}")
        )
    return not problems


def amount(complaints: Complaints, pointer: str, value: str | int | float, resource: str) -> Quantity | None:
    """The quantity of one entry: strict grammar, not negative, nothing finer than Kubernetes stores."""
    try:
        quantity = parse_strict(value) if isinstance(value, str) else parse_json_value(value)
    except QuantityError as error:
        complaints.append(Complaint(pointer, str(error)))
        return None
    reason = ""
    if quantity.nano < 0:
        reason = f"{quantity.text} is negative; accepted: zero or more"
    elif quantity.nano % MILLI:
        reason = f"{quantity.text} is finer than 1m; Kubernetes stores nothing finer"
    elif resource in {"memory", "ephemeral-storage"} and 0 < quantity.nano < NANO:
        found = suspicion(resource, quantity.text)
        meant = f" (did you mean {found.meant}?)" if found is not None and found.meant else ""
        reason = f"{quantity.text} of {resource} is less than one byte{meant}; accepted: whole bytes"
    if reason:
        complaints.append(Complaint(pointer, reason))
        return None
    return quantity


def globs(complaints: Complaints, pointer: str, written: Sequence[str], alphabet: Alphabet) -> Globs | None:
    """The compiled alternatives; None for an empty list, which says nothing."""
    for index, glob in enumerate(written):
        _glob(complaints, f"{pointer}/{index}", glob, alphabet)
    return Globs.of(written) if written else None


def label_globs(complaints: Complaints, pointer: str, written: Mapping[str, str]) -> tuple[tuple[str, Globs], ...]:
    """Label keys with the glob that their value must match."""
    for key, glob in written.items():
        place = f"{pointer}/{escaped(key)}"
        label_key(complaints, place, key)
        _glob(complaints, place, glob, LABELS)
    return tuple((key, Globs.of((glob,))) for key, glob in written.items())


def _glob(complaints: Complaints, pointer: str, glob: str, alphabet: Alphabet) -> None:
    # A run of stars may stand for nothing, so only the other characters count.
    length = len(glob.replace("*", ""))
    if alphabet.letters.fullmatch(glob) is None or length > alphabet.length:
        complaints.append(
            Complaint(
                pointer,
                f"{shown(glob)} matches no {alphabet.what}; accepted: {alphabet.says}, at most {alphabet.length},"
                " with * for any text and ? for one character",
            )
        )


def label_key(complaints: Complaints, pointer: str, key: str) -> None:
    """Can it be the key of a label?"""
    if qualified_name_problems(key):
        complaints.append(
            Complaint(
                pointer,
                f"{shown(key)} cannot be the key of a label; accepted: a name of at most 63 characters, with an"
                " optional domain and / before it (app.kubernetes.io/name)",
            )
        )


def label_value(complaints: Complaints, pointer: str, value: str) -> None:
    """Can it be the value of a label?"""
    if len(value) > 63 or _LABEL_VALUE.fullmatch(value) is None:
        complaints.append(
            Complaint(
                pointer,
                f"{shown(value)} cannot be the value of a label; accepted: at most 63 letters, digits, -, _ and .,"
                " with a letter or digit at both ends",
            )
        )


def object_name(complaints: Complaints, pointer: str, name: str) -> None:
    """Can it be the name of an object in the cluster?"""
    if len(name) > 253 or _DNS.fullmatch(name) is None:
        complaints.append(
            Complaint(
                pointer,
                f"{shown(name)} cannot be the name of an object; accepted: at most 253 lower-case letters, digits, -"
                " and ., with a letter or digit at both ends",
            )
        )


def filled_text(complaints: Complaints, pointer: str, text: str) -> None:
    """Does it say anything?"""
    if not text.strip():
        complaints.append(Complaint(pointer, f"{shown(text)} says nothing; accepted: a text"))


def instant(complaints: Complaints, pointer: str, text: str) -> datetime | None:
    """An instant with a zone, in UTC."""
    found = _instant(text)
    if found is None:
        hint = f" (did you mean {text}T00:00:00Z?)" if _DATE.fullmatch(text) and _day(text) is not None else ""
        accepted = "an instant with a zone, such as 2026-12-01T00:00:00Z"
        complaints.append(Complaint(pointer, f"{shown(text)} is no instant{hint}; accepted: {accepted}"))
    return found


def end_of(complaints: Complaints, pointer: str, text: str) -> datetime | None:
    """A date as the last microsecond of that day in UTC, or an instant with a zone."""
    found = _day(text) if _DATE.fullmatch(text) else _instant(text)
    if found is None:
        accepted = "a date such as 2027-01-31 (to its end, UTC), or an instant with a zone such as 2027-01-31T12:00:00Z"
        complaints.append(Complaint(pointer, f"{shown(text)} is neither a date nor an instant; accepted: {accepted}"))
    return found


def _day(text: str) -> datetime | None:
    try:
        return datetime.combine(datetime.strptime(text, "%Y-%m-%d"), time.max, UTC)
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    try:
        found = datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{zone.upper()}")
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
