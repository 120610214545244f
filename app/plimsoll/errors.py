"""Every error this package raises on purpose, drawn once.

::

    PlimsollError
    ├── MalformedObject       the caller's object cannot be read (pointer, reason)
    ├── MalformedReview       the caller's AdmissionReview cannot be read (reason)
    ├── InvalidPolicy         documents that may not govern anything, all problems at once
    ├── PolicyUnavailable     nobody can know now which policy governs (namespace, reason)
    ├── CertificateError      a certificate or key that cannot be used (reason)
    └── InvalidSettings       flags or environment, all wrong fields at once

A refusal is a value, never an exception: see ``policy.evaluation`` and ``admission.response``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class PlimsollError(Exception):
    """Base of all errors that say something a person can act on."""


class MalformedObject(PlimsollError):
    """An object that cannot be read. ``pointer`` is a JSON Pointer to the field or its nearest parent."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer or '/'}: {reason}")
        self.pointer = pointer
        self.reason = reason


class MalformedReview(PlimsollError):
    """A body that is no AdmissionReview of admission.k8s.io/v1. ``reason`` says what was found and what is accepted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a document: where, what was found, what would be accepted."""

    origin: str
    """File, ``-`` for standard input, or the object's name; with the document's number where there are several."""
    line: int | None
    """1-based line of the value, or of its nearest parent; None where the source has no lines."""
    pointer: str
    """JSON Pointer into the document."""
    reason: str
    """What was found and what would be accepted, in one sentence."""

    def __str__(self) -> str:
        where = self.origin if self.line is None else f"{self.origin}:{self.line}"
        return f"{where}: {self.pointer}: {self.reason}" if self.pointer else f"{where}: {self.reason}"


class InvalidPolicy(PlimsollError):
    """Documents that may not govern anything; ``problems`` holds all of them, in the order of the text."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class PolicyUnavailable(PlimsollError):
    """Which policy governs ``namespace`` cannot be known now; the failure mode answers."""

    def __init__(self, namespace: str, reason: str) -> None:
        super().__init__(f"no policy can be known for namespace {namespace!r}: {reason}")
        self.namespace = namespace
        self.reason = reason


class CertificateError(PlimsollError):
    """A certificate or a key that cannot be used; never holds key material."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidSettings(PlimsollError):
    """Settings that are wrong; ``fields`` maps each to its reason."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("\n".join(f"{name}: {reason}" for name, reason in fields.items()))
        self.fields = fields
