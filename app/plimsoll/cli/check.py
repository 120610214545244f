"""``plimsoll check``: judge manifests as the cluster would, and say so by exit code.

Imports what judges inside the command, and neither server nor settings nor Kubernetes client at all: a file is judged
in the time it takes to load Python.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from plimsoll.cli.terminal import INTERRUPTED, Progress, standard_output, wants_colour, write_bytes, write_lines

if TYPE_CHECKING:
    from plimsoll.audit.tally import Tally
    from plimsoll.schemas.report import ReportRow
    from plimsoll.wiring.inputs import Inputs

VIOLATIONS: Final = 1
NOT_JUDGED: Final = 3
LEVELS: Final = ("deny", "warn", "audit", "empty", "never")

EPILOG: Final = """\b
Exit codes: 0 nothing at the failure level, 1 violations, 2 usage or a policy is wrong,
3 something could not be judged (the report is printed all the same).

\b
Examples:
  plimsoll check deploy/                              by the memory-guard preset
  plimsoll check --policies policies/ deploy/*.yaml   by your own policies
  helm template web ./chart | plimsoll check -n shop -
  plimsoll check --format json . | jq '.rows[] | select(.result == "fail")'
"""


@click.command(short_help="Judge manifests: files, folders, - for standard input.", epilog=EPILOG)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--policies", multiple=True, metavar="PATH", help="File, folder or preset; repeatable.  [memory-guard]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.  [text]")
@click.option("-n", "--namespace", default="default", metavar="NAME", help="Of objects that name none.  [default]")
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(LEVELS),
    default=["deny"],
    help="Exit 1 on what would be refused, on warnings too, on audited violations too, when there is nothing to "
    "audit, or never; repeatable.  [deny]",
)
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to use colour.  [auto]"
)
@click.option("-q", "--quiet", is_flag=True, help="Only what is wrong; no progress.")
def check(  # noqa: PLR0913 - one parameter for each option
    *,
    paths: tuple[str, ...],
    policies: tuple[str, ...],
    form: str,
    namespace: str,
    fail_on: tuple[str, ...],
    color: str,
    quiet: bool,
) -> None:
    """Judge manifests as the cluster would: the objects themselves and the Pods they make.

    Reads YAML and JSON, Lists, and what `helm template` and kustomize print. Policies, exemptions, Namespaces and
    LimitRanges among the manifests are applied. In a folder *.yaml, *.yml and *.json are read, hidden files are not.
    """
    if "never" in fail_on and len(fail_on) > 1:
        raise click.UsageError("--fail-on never cannot be joined with another level.")
    sys.exit(judged(paths, policies, form, namespace, Manner(fail_on, colour=color, quiet=quiet)))


class Manner:
    """How to end and how to look."""

    def __init__(self, fail_on: Sequence[str], *, colour: str, quiet: bool) -> None:
        self.fail_on = fail_on
        self.colour = wants_colour(colour, sys.stdout)
        self.quiet = quiet


def judged(paths: Sequence[str], policies: Sequence[str], form: str, namespace: str, manner: Manner) -> int:
    """Read, judge, print; the exit code."""
    from plimsoll.audit.run import report_rows
    from plimsoll.audit.tally import Tally

    progress = Progress(sys.stderr, quiet=manner.quiet)
    try:
        inputs = gathered(paths, policies, namespace, progress)
    except KeyboardInterrupt:
        progress.clear()
        tally = Tally(())
        tally.incomplete = "interrupted while reading; nothing was judged"
        printed((), tally, form, manner)
        return INTERRUPTED
    tally = Tally(inputs.sources, documents=inputs.documents)
    with interruption(tally):
        rows = report_rows(inputs.subjects, inputs.snapshot, inputs.now, tally, namespace=namespace)
        printed(watched(rows, tally, progress), tally, form, manner)
    return INTERRUPTED if tally.incomplete else exit_code(tally, manner.fail_on)


def gathered(paths: Sequence[str], policies: Sequence[str], namespace: str, progress: Progress) -> Inputs:
    """Everything read; says so where a person is waited for."""
    from plimsoll.wiring.inputs import read_inputs

    stdin = sys.stdin.buffer
    if "-" in paths and stdin.isatty():
        click.echo("reading manifests from this terminal; end with Ctrl-D", err=True)
    inputs = read_inputs(
        paths, policies, stdin, namespace=namespace, heard=lambda files: progress.tell(f"{files} files read")
    )
    progress.clear()
    return inputs


def printed(rows: Iterable[ReportRow], tally: Tally, form: str, manner: Manner) -> None:
    """The report to standard output."""
    with standard_output():
        if form == "json":
            from plimsoll.audit.render.json import json_parts

            write_bytes(json_parts(rows, tally))
        else:
            from plimsoll.audit.render.text import text_lines

            write_lines(text_lines(rows, tally, quiet=manner.quiet), colour=manner.colour)


def exit_code(tally: Tally, fail_on: Sequence[str]) -> int:
    """What could not be judged wins: an incomplete report must not pass for a complete one."""
    counts = tally.results
    if counts["error"]:
        return NOT_JUDGED
    failed = {
        "deny": counts["fail"],
        "warn": counts["fail"] + counts["warn"] - tally.audited,
        "audit": counts["fail"] + counts["warn"],
        "empty": counts["fail"] + (tally.rows == 0),
        "never": 0,
    }
    return VIOLATIONS if any(failed[level] for level in fail_on) else 0


@contextmanager
def interruption(tally: Tally) -> Iterator[None]:
    """The first Ctrl-C ends the rows, so that the summary of what is known is printed; the second ends the program."""

    def interrupted(signum: int, frame: FrameType | None) -> None:
        tally.incomplete = "interrupted; what follows the last object above was not judged"
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def watched(rows: Iterable[ReportRow], tally: Tally, progress: Progress) -> Iterator[ReportRow]:
    """The rows until somebody interrupts; progress where nothing else is on the terminal."""
    silent = sys.stdout.isatty()
    for row in rows:
        if not silent:
            progress.tell(f"{tally.rows} workloads judged")
        yield row
        if tally.incomplete:
            break
    progress.clear()
