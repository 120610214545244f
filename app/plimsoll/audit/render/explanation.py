"""An Explanation as a table of at most 80 columns, drawn by rich; in a pipe the same without colour.

Imported by `explain` alone: rich takes longer to load than `check` takes to judge a file. Cells are Text, never
markup, and everything that comes from a manifest is made printable first.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from plimsoll.audit.render.text import STYLES, object_name
from plimsoll.policy.messages import plain
from plimsoll.schemas.explanation import ExplainedContainer, ExplainedExemption, ExplainedValue, Explanation
from plimsoll.schemas.report import ReportModes, ReportRow

WIDTH = 80
MAX_FIELD = 32
"""Columns before the name of a field is folded."""
MODES = {
    "Enforce": "a violation is refused",
    "Warn": "a violation is answered with a warning",
    "Audit": "nothing is refused or changed; amounts below are those that Enforce would give",
}
DEFAULTING = {
    "Apply": "missing values that have a default are filled in",
    "Suggest": "missing values that have a default are offered, not filled in",
}
_ORIGIN_STYLES = {"policy default": "green", "clamp": "yellow", "LimitRange": "cyan", "missing": "dim"}


def explained(explanation: Explanation, *, colour: bool) -> str:
    """The explanation of one workload as lines of text; ends with a line break."""
    return drawn(Group(*_parts(explanation)), colour=colour)


def explained_error(row: ReportRow, *, colour: bool) -> str:
    """What could not be explained, and why."""
    error = row.error
    if error is None:
        return ""
    where = f"{plain(error.pointer, 200)}: " if error.pointer else ""
    line = f"line {error.line}: " if error.line is not None else ""
    text = Text(f"{line}{where}{plain(error.message, 2000)}")
    return drawn(Group(_title(row), Padding(text, (0, 0, 0, 2))), colour=colour)


def drawn(renderable: RenderableType, *, colour: bool) -> str:
    """What rich makes of it, without spaces at the ends of lines."""
    console = Console(
        file=io.StringIO(),
        width=WIDTH,
        color_system="standard" if colour else None,
        force_terminal=colour,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    with console.capture() as capture:
        console.print(renderable)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _parts(explanation: Explanation) -> Iterator[RenderableType]:
    yield _title(explanation.row)
    yield Text()
    yield Padding(_facts(explanation), (0, 0, 0, 2))
    for container in explanation.containers:
        yield Text()
        yield Padding(_heading(container), (0, 0, 0, 2))
        if container.values:
            yield Padding(_values(container.values), (0, 0, 0, 4))
    if findings := list(_findings(explanation.row)):
        yield Text()
        for finding in findings:
            yield Padding(finding, (0, 0, 0, 2))


def _title(row: ReportRow) -> Text:
    origin = row.origin
    where = plain(origin.source or origin.file, 300)
    line = f":{origin.line}" if origin.line is not None and not origin.source else ""
    reason = f", {row.reason}" if row.reason else ""
    title = Text.assemble((row.result.upper(), STYLES[row.result]), " ", (object_name(row.object), "bold"))
    title.append(f" ({where}{line}){reason}")
    return title


def _facts(explanation: Explanation) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _fact_rows(explanation):
        table.add_row(Text(name), Text(text))
    return table


def _fact_rows(explanation: Explanation) -> Iterator[tuple[str, str]]:
    row, policy = explanation.row, explanation.policy
    if policy is None:
        yield "policy", "none governs the namespace; Kubernetes alone decides"
    else:
        where = f" ({plain(policy.origin, 200)})" if policy.origin else ""
        yield "policy", f"{plain(policy.name)}{where}: {policy.because}, priority {policy.priority}"
        for index, other in enumerate(policy.others):
            yield "" if index else "also match", other
        if row.modes is not None:
            yield from _mode_rows(row.modes, policy.enforce_from)
        yield "defaulting", f"{policy.defaulting}: {DEFAULTING[policy.defaulting]}"
    if explanation.hint:
        yield "note", explanation.hint
    if explanation.limit_ranges:
        yield "LimitRange", ", ".join(plain(name) for name in explanation.limit_ranges)
    if row.qos_after is not None:
        change = f"{row.qos_before} → {row.qos_after}" if explanation.qos else row.qos_after
        yield "QoS class", f"{change}: {explanation.qos}" if explanation.qos else change
    for exemption in explanation.exemptions:
        yield "exemption", _exemption(exemption)
    for said in explanation.pod:
        yield "pod", plain(said, 200)


def _mode_rows(modes: ReportModes, enforce_from: str) -> Iterator[tuple[str, str]]:
    when = ""
    if modes.enforce_from:
        when = f"; Enforce from {modes.enforce_from}"
    elif enforce_from and "Enforce" in (modes.pods, modes.object):
        when = f"; since {enforce_from}"
    yield "Pods", f"{modes.pods}: {MODES[modes.pods]}{when}"
    if modes.object is not None:
        yield "object", f"{modes.object}: {MODES[modes.object]}{when}"


def _exemption(exemption: ExplainedExemption) -> str:
    end = (
        f"until {plain(exemption.expires)}" if exemption.holds else f"ended {plain(exemption.expires)}, waives nothing"
    )
    what = "every check" if exemption.waives == ("*",) else ", ".join(plain(check) for check in exemption.waives)
    who = f"{plain(exemption.owner)}: {plain(exemption.reason, 200)}"
    containers = ", ".join(plain(name) for name in exemption.containers)
    return f"{plain(exemption.name)}, {end}: {what} of {containers} ({who})"


def _heading(container: ExplainedContainer) -> Text:
    text = Text.assemble("container ", (plain(container.name), "bold"), f" ({container.container_class}")
    if container.container_class == "ephemeral":
        return text.append("): cannot have resources, never judged")
    text.append(f", rules of {container.rules_from})" if container.rules_from else ")")
    return text if container.values else text.append(": nothing is written, nothing is said")


def _values(values: tuple[ExplainedValue, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, pad_edge=False, header_style="dim")
    widest = max(len(_field(value)) for value in values)
    table.add_column("field", overflow="fold", min_width=min(widest, MAX_FIELD))
    for name in ("amount", "from", "the policy says"):
        table.add_column(name, overflow="fold")
    for value in values:
        table.add_row(
            Text(_field(value)),
            Text(plain(value.amount) if value.amount is not None else "–"),
            Text(_origin(value), _ORIGIN_STYLES.get(value.origin, "")),
            Text(value.rules),
        )
    return table


def _field(value: ExplainedValue) -> str:
    return f"{value.field}s.{plain(value.resource)}"


def _origin(value: ExplainedValue) -> str:
    text: str = value.origin
    if value.origin == "LimitRange" and value.name:
        text = f"LimitRange {plain(value.name)}"
    return f"{text}, was {plain(value.was)}" if value.was else text


def _findings(row: ReportRow) -> Iterator[Text]:
    for result in row.results:
        word = "exempted" if result.exemption is not None else result.result
        yield Text.assemble((f"{word}  ", STYLES[result.result]), plain(result.message, 2000))
    for prediction in row.predictions:
        yield Text.assemble(("fail  ", STYLES["fail"]), plain(prediction.message, 2000))
    for advice in row.advice:
        yield Text.assemble(("note  ", "dim"), plain(advice.message, 2000))
