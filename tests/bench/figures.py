"""Samples, the ratios between them, and how they are shown: one table to read, one JSON document to keep.

Machines are noisy, so nothing here is an absolute claim: a figure is compared with another one of the same round, and
shown as the median over the rounds with the smallest and the largest. No verdict is taken here.
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of some numbers, and how many there were."""

    median: float
    least: float
    most: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values), len(values))

    def text(self, digits: int) -> str:
        return f"{self.median:.{digits}f} ({self.least:.{digits}f} to {self.most:.{digits}f})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours to theirs, round by round."""
    return Spread.of([mine / other for mine, other in zip(ours, theirs, strict=True)])


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    `name` stays the same from run to run, for whoever compares the JSON of two runs. `aim` says what is wanted.
    """

    name: str
    title: str
    unit: str
    value: Spread
    digits: int = 1
    ratio: Spread | None = None
    """To what `against` names; None where the value speaks for itself."""
    against: str = ""
    aim: str = ""

    def as_json(self) -> dict[str, Any]:
        shown = {"name": self.name, "title": self.title, "unit": self.unit, "value": vars(self.value)}
        if self.ratio is not None:
            shown |= {"ratio": vars(self.ratio), "against": self.against}
        return shown | ({"aim": self.aim} if self.aim else {})


@dataclass
class Section:
    """Figures that were taken together, with what a reader must know about how."""

    name: str
    title: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_text(self) -> str:
        rows = [["", "value", "ratio", "against", "aim"]]
        for each in self.figures:
            value = f"{each.value.text(each.digits)} {each.unit}"
            ratio = "" if each.ratio is None else each.ratio.text(2)
            rows.append([each.title, value, ratio, each.against, each.aim])
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = [self.title, *(f"  note: {note}" for note in self.notes)]
        lines += [
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "notes": self.notes,
            "figures": [each.as_json() for each in self.figures],
        }


def write(path: Path, machine: dict[str, Any], sections: Sequence[Section]) -> None:
    """One JSON document: the machine, and every section."""
    document = {"machine": machine, "sections": [section.as_json() for section in sections]}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
