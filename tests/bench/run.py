"""`./scripts/bench`: takes every figure that the docs speak of, prints a table of ratios and writes them as JSON.

Takes no verdict: machines are noisy. Builds the Go programs, and the API server where it is not there yet.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import creation, footprint, scale, throughput
from tests.bench.figures import Section, write
from tests.bench.programs import build_go, machine, missing
from tests.control_plane.build import SUPPORTED, CannotBuild, build

SECTIONS = ("throughput", "creation", "scale", "footprint")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0 when every figure was taken, 1 when something is missing for it."""
    wanted = _parser().parse_args(arguments)
    if reason := missing():
        print(reason, file=sys.stderr)
        return 1
    about = machine()
    if len(os.sched_getaffinity(0)) < 2:
        print("only one core: server and client share it, so rates are not rates per core", file=sys.stderr)
    sections: list[Section] = []
    with tempfile.TemporaryDirectory(prefix="plimsoll-bench-") as name:
        folder = Path(name)
        try:
            programs = build_go(folder)
            if "creation" in wanted.only:
                build(SUPPORTED[0])
        except CannotBuild as problem:
            print(problem, file=sys.stderr)
            return 1
        quick = wanted.quick
        steps: dict[str, Callable[[], Sequence[Section]]] = {
            "throughput": lambda: [
                throughput.measure(
                    programs,
                    _made(folder / "throughput"),
                    throughput.Effort(2, 0.3) if quick else throughput.Effort(7, 2),
                )
            ],
            "creation": lambda: creation.measure(
                programs,
                _made(folder / "creation"),
                creation.Effort(3, 10, 1, 100, 10) if quick else creation.Effort(9, 150, 3, 5000, 50),
            ),
            "scale": lambda: [scale.measure(1 if quick else 7)],
            "footprint": lambda: [footprint.measure(programs, _made(folder / "footprint"), 2 if quick else 15)],
        }
        for section in SECTIONS:
            if section in wanted.only:
                print(f"▸ {section} …", file=sys.stderr, flush=True)
                began = time.monotonic()
                taken = steps[section]()
                print(f"  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
                sections += taken
                print(*(f"{each.as_text()}\n" for each in taken), sep="\n", flush=True)
    write(wanted.json, about, sections)
    print(f"{wanted.json} has these figures as JSON.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute's version: shows that it works, and little more")
    parser.add_argument("--json", type=Path, default=Path("bench-results.json"), help="where to write the figures")
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=list(SECTIONS),
        help=f"some of {','.join(SECTIONS)}, joined by commas",
    )
    return parser


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
