"""A Report for people: grouped by file and object, what is wrong with its line, what would pass, and a summary.

Lines are spans of text with a style, so that one layout serves a terminal and a pipe. Colour is never the only sign.
Everything that comes from a manifest is made printable here or was already: no control character reaches a terminal.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from plimsoll.audit.tally import RESULTS, Tally
from plimsoll.policy.messages import OPEN, plain
from plimsoll.schemas.report import ReportObject, ReportOrigin, ReportResult, ReportRow

Span = tuple[str, str]
"""Text and style; the empty style is plain."""
Line = tuple[Span, ...]

MAX_LINE = 2000
MAX_REASONS = 20
"""Lines about workloads that were not judged."""
STYLES = {"fail": "bold red", "error": "bold magenta", "warn": "yellow", "skip": "cyan", "pass": "green"}
DIM = "dim"
HEADING = "bold"
YAML = "green"

_ITEM = re.compile(r"( *)- name: (.*)\Z")


def text_lines(rows: Iterable[ReportRow], tally: Tally, *, quiet: bool = False) -> Iterator[Line]:
    """The report line by line; ``tally`` is read after the last row. ``quiet``: only what is wrong, and the summary.

    Workloads that pass are counted and not listed; those that no policy governs are listed by namespace.
    """
    yield (("policies: ", DIM), (", ".join(plain(source, 300) for source in tally.sources) or "none", ""))
    heading, skipped = "", Counter[str]()
    for row in rows:
        if row.result == "skip" and not row.results:
            skipped[row.reason] += 1
        if not _is_listed(row, quiet=quiet):
            continue
        if (title := _title(row.origin)) != heading:
            heading = title
            yield ()
            yield ((title, HEADING),)
        yield from _row(row)
    yield ()
    for reason, count in sorted(skipped.items())[:MAX_REASONS]:
        yield (("skip  ", STYLES["skip"]), (f"{_counted(count, 'workload')}: {plain(reason, 300)}", ""))
    if len(skipped) > MAX_REASONS:
        yield (("skip  ", STYLES["skip"]), (f"… and workloads of {len(skipped) - MAX_REASONS} more namespaces", ""))
    yield from _summary(tally)


def _is_listed(row: ReportRow, *, quiet: bool) -> bool:
    if row.result in ("fail", "warn", "error"):
        return True
    return not quiet and bool(row.results or row.advice)


def _title(origin: ReportOrigin) -> str:
    file = "standard input" if origin.file == "-" else plain(origin.file, 400)
    return f"{plain(origin.source, 400)} (in {file or 'the body'})" if origin.source else file


def object_name(ref: ReportObject | None) -> str:
    """``Deployment shop/web``."""
    if ref is None:
        return "this document"
    name = ref.name or (f"{ref.generate_name}…" if ref.generate_name else "(unnamed)")
    return (
        f"{plain(ref.kind)} {plain(ref.namespace)}/{plain(name)}"
        if ref.namespace
        else f"{plain(ref.kind)} {plain(name)}"
    )


def _row(row: ReportRow) -> Iterator[Line]:
    yield tuple(_header(row))
    if row.error is not None:
        where = "" if row.error.pointer == "" else f"{plain(row.error.pointer, 200)}: "
        yield _finding("", row.error.line, f"{where}{plain(row.error.message, MAX_LINE)}")
    for result in row.results:
        yield _result(result)
    for prediction in row.predictions:
        yield _finding("fail", None, prediction.message)
    for advice in row.advice:
        yield _finding("note", advice.line, advice.message)
    if row.yaml and row.result in ("fail", "warn"):
        yield (("    ", ""), (_offer(row), ""))
        for line in compacted(row.yaml):
            yield (("      ", ""), (plain(line, MAX_LINE), YAML))


def _offer(row: ReportRow) -> str:
    if OPEN in row.yaml:
        return f"This would pass, with an amount of your choice for {OPEN}:"
    if row.passes:
        return "This would pass:"
    return "This mends the containers; what is said about the pod as a whole needs smaller amounts than these:"


def _header(row: ReportRow) -> Iterator[Span]:
    yield f"  {row.result.upper():<5} ", STYLES[row.result]
    yield object_name(row.object), HEADING
    if row.origin.line is not None:
        yield f", line {row.origin.line}", DIM
    elif row.origin.document > 1:
        yield f", document {row.origin.document}", DIM
    if row.reason:
        yield f": {row.reason}", ""
    if row.policy and row.result != "pass":
        yield f" (policy {plain(row.policy)}{_modes(row)})", DIM


def _modes(row: ReportRow) -> str:
    if row.modes is None:
        return ""
    text = f", mode {row.modes.pods}"
    if row.modes.object is not None and row.modes.object != row.modes.pods:
        text += f", templates {row.modes.object}"
    return f"{text}, Enforce from {row.modes.enforce_from}" if row.modes.enforce_from else text


def _result(result: ReportResult) -> Line:
    if result.exemption is None:
        return _finding("", result.line, result.message)
    exemption = result.exemption
    who = f"{plain(exemption.owner)}: {plain(exemption.reason, 200)}"
    text = f"{result.message} exempted by {plain(exemption.name)} until {plain(exemption.expires)} ({who})"
    return _finding("skip", result.line, text)


def _finding(word: str, line: int | None, text: str) -> Line:
    gutter = f"line {line}" if line is not None else ""
    spans: list[Span] = [("    ", ""), (f"{gutter:<9} " if gutter else "", DIM)]
    if word:
        spans.append((f"{word}  ", STYLES.get(word, DIM)))
    message, bracket, check = plain(text, MAX_LINE).rpartition(" [")
    if bracket and check.endswith("]"):
        return (*spans, (message, ""), (f" [{check}", DIM))
    return (*spans, (f"{message}{bracket}{check}", ""))


def compacted(yaml: str) -> Iterator[str]:
    """The lines of our own YAML, where a container that is to be written like an earlier one says so in one line."""
    known: dict[str, str] = {}
    block: list[str] = []
    for line in [*yaml.splitlines(), ""]:
        item = _ITEM.match(line)
        if block and (item or not line.startswith(" " * (len(block[0]) - len(block[0].lstrip()) + 1))):
            yield from _once(block, known)
            block = []
        if item:
            block = [line]
        elif block:
            block.append(line)
        elif line:
            yield line


def _once(block: list[str], known: dict[str, str]) -> Iterator[str]:
    item = _ITEM.match(block[0])
    body = "\n".join(block[1:])
    if item is not None and body in known:
        yield f"{block[0]}  # resources as for {known[body]}"
        return
    if item is not None:
        known[body] = item[2]
    yield from block


def _summary(tally: Tally) -> Iterator[Line]:
    counts = [(result, tally.results[result]) for result in RESULTS if tally.results[result]]
    without = f"{_counted(tally.without_template, 'object')} without a pod template" if tally.without_template else ""
    if not counts:
        read = _counted(tally.documents, "document")
        yield (("nothing to audit", HEADING), (f": {read} read" + (f", {without}" if without else ""), ""))
    else:
        spans: list[Span] = []
        for result, count in counts:
            spans += ((", " if spans else "", ""), (f"{count} {result}", STYLES[result]))
        tail = [without] if without else []
        names = [plain(policy.name) for policy in tally.policies]
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            tail.append(f"{'policy' if len(names) == 1 else 'policies'} {', '.join(names[:5])}{more}")
        yield (*spans, ("; " + "; ".join(tail) if tail else "", ""))
    if tally.incomplete:
        yield (("incomplete", STYLES["error"]), (f": {tally.incomplete}", ""))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
