"""The JSON document: the schema holds, the same input gives the same bytes, and it can be streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
from plimsoll.audit.render.json import json_parts
from plimsoll.audit.run import report_rows
from plimsoll.audit.tally import Tally
from plimsoll.policy.snapshot import Snapshot
from plimsoll.schemas.report import Report, ReportRow

from tests.audit.material import INCIDENT, NOW, exemption, policy, rows, subjects

INPUT = "---\n".join([INCIDENT, "a: [\n", INCIDENT.replace("logging", "shop")])


def document(text: str = INPUT) -> bytes:
    tally = Tally(("guard.yaml",), documents=3)
    snapshot = Snapshot([policy()], [exemption()])
    return b"".join(json_parts(report_rows(subjects(text), snapshot, NOW, tally), tally))


def test_the_document_is_a_report() -> None:
    report = msgspec.json.decode(document(), type=Report, strict=True)
    assert [row.result for row in report.rows] == ["skip", "error", "skip"]
    assert (report.summary.skip, report.summary.error, report.summary.fail) == (2, 1, 0)
    assert (report.sources, report.input.documents) == (("guard.yaml",), 3)
    assert [policy.workloads for policy in report.policies] == [2]


def test_the_same_input_gives_the_same_bytes() -> None:
    assert document() == document()


def test_a_report_without_rows_is_a_document_too() -> None:
    report = json.loads(document(""))
    assert (report["kind"], report["rows"], report["summary"]["pass"]) == ("Report", [], 0)


def test_every_row_is_one_line() -> None:
    lines = document().decode().splitlines()
    assert len(lines) == 5
    assert [json.loads(line.rstrip(","))["result"] for line in lines[1:4]] == ["skip", "error", "skip"]


def test_rows_leave_before_the_next_one_is_judged() -> None:
    taken: list[int] = []

    def watched() -> Iterator[ReportRow]:
        for index, row in enumerate(rows(INPUT)):
            taken.append(index)
            yield row

    parts = json_parts(watched(), Tally(()))
    next(parts)
    assert taken == []
    next(parts)
    assert taken == [0]


def test_an_incomplete_report_says_so() -> None:
    tally = Tally(())
    tally.incomplete = "interrupted"
    assert json.loads(b"".join(json_parts([], tally)))["incomplete"] == "interrupted"
