"""``plimsoll explain``: where everything comes from that a workload gets, also where nothing is wrong.

Takes what `check` takes and asks the same decision; it never fails a pipeline for a violation.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from plimsoll.cli.check import NOT_JUDGED, Manner, gathered
from plimsoll.cli.terminal import INTERRUPTED, Progress, standard_output, write_bytes

if TYPE_CHECKING:
    from plimsoll.schemas.explanation import Explanations
    from plimsoll.wiring.inputs import Inputs

EPILOG: Final = """\b
Exit codes: 0 explained, 2 usage or a policy is wrong, 3 something could not be judged.

\b
Examples:
  plimsoll explain deploy/web.yaml
  plimsoll explain --policies policies/ -n shop deploy/web.yaml
  kubectl get deployment web -o yaml | plimsoll explain -
"""


@click.command(short_help="Explain each value of a workload: which policy, and where it came from.", epilog=EPILOG)
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option("--policies", multiple=True, metavar="PATH", help="File, folder or preset; repeatable.  [memory-guard]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.  [text]")
@click.option("-n", "--namespace", default="default", metavar="NAME", help="Of objects that name none.  [default]")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to use colour.  [auto]"
)
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def explain(
    *, paths: tuple[str, ...], policies: tuple[str, ...], form: str, namespace: str, color: str, quiet: bool
) -> None:
    """Explain each workload in FILE: which policy governs it and why, in which mode, and for every amount whether it
    was written, is an API default, or comes from a LimitRange, a policy's default or a clamp; the bounds that apply,
    the QoS class before and after, exemptions and their end, and what Kubernetes itself will refuse.
    """
    manner = Manner((), colour=color, quiet=quiet)
    progress = Progress(sys.stderr, quiet=quiet)
    try:
        inputs = gathered(paths, policies, namespace, progress)
        document = _explanations(inputs, namespace)
    except KeyboardInterrupt:
        progress.clear()
        sys.exit(INTERRUPTED)
    with standard_output():
        if form == "json":
            import msgspec

            write_bytes([msgspec.json.format(msgspec.json.encode(document)), b"\n"])
        else:
            _write_text(document, inputs.documents, colour=manner.colour)
    sys.exit(NOT_JUDGED if document.errors else 0)


def _explanations(inputs: Inputs, namespace: str) -> Explanations:
    from plimsoll.audit.explain import explanation_of
    from plimsoll.audit.rows import error_row
    from plimsoll.audit.run import Judged, Unjudged, judge
    from plimsoll.schemas.explanation import EXPLANATION_KIND, Explanations
    from plimsoll.schemas.report import API_VERSION

    workloads, errors = [], []
    for outcome in judge(inputs.subjects, inputs.snapshot, inputs.now, namespace=namespace):
        if isinstance(outcome, Judged):
            workloads.append(explanation_of(outcome, inputs.snapshot, inputs.now))
        elif isinstance(outcome, Unjudged):
            errors.append(error_row(outcome.place, outcome.ref, outcome.error))
    return Explanations(API_VERSION, EXPLANATION_KIND, inputs.sources, tuple(workloads), tuple(errors))


def _write_text(document: Explanations, documents: int, *, colour: bool) -> None:
    from plimsoll.audit.render.explanation import explained, explained_error
    from plimsoll.policy.messages import plain

    sys.stdout.write(f"policies: {', '.join(plain(source, 300) for source in document.sources)}\n")
    for explanation in document.workloads:
        sys.stdout.write(f"\n{explained(explanation, colour=colour)}")
    for error in document.errors:
        sys.stdout.write(f"\n{explained_error(error, colour=colour)}")
    if not document.workloads and not document.errors:
        read = "1 document" if documents == 1 else f"{documents} documents"
        sys.stdout.write(f"\nnothing to explain: {read} read, none carries a pod template\n")
