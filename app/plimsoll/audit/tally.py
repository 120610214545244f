"""What an audit has counted so far: read after the last row, so that rows need not be kept.

The one thing in this room that changes; a caller makes one for each report and hands it to the rows and the renderer.
"""

from __future__ import annotations

from collections import Counter

from plimsoll.schemas.report import ReportInput, ReportPolicy, ReportRow, ReportSummary, Result

RESULTS: tuple[Result, ...] = ("fail", "error", "warn", "skip", "pass")
"""Worst first."""


class Tally:
    """Counts of one report; ``sources`` say where its policies came from, in words."""

    def __init__(self, sources: tuple[str, ...], *, documents: int = 0) -> None:
        """``documents`` were read."""
        self.sources = sources
        self.documents = documents
        self.without_template = 0
        self.results: Counter[Result] = Counter()
        self.audited = 0
        """Of the warnings those under mode Audit, where nobody is told."""
        self.incomplete = ""
        """Why the rows are not all there are."""
        self._policies: Counter[tuple[str, str]] = Counter()

    def count(self, row: ReportRow, policy_origin: str = "") -> None:
        """One more row; ``policy_origin`` is where its policy stands."""
        self.results[row.result] += 1
        if row.policy:
            self._policies[row.policy, policy_origin] += 1
        if row.result == "warn" and row.modes is not None and {row.modes.pods, row.modes.object} <= {"Audit", None}:
            self.audited += 1

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.results.total()

    @property
    def policies(self) -> tuple[ReportPolicy, ...]:
        """Those that govern a row, by name."""
        return tuple(ReportPolicy(name, origin, rows) for (name, origin), rows in sorted(self._policies.items()))

    @property
    def summary(self) -> ReportSummary:
        """How many rows have each result."""
        counts = self.results
        return ReportSummary(counts["pass"], counts["fail"], counts["warn"], counts["error"], counts["skip"])

    @property
    def input(self) -> ReportInput:
        """What was read."""
        return ReportInput(self.documents, self.without_template)
