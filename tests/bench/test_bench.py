"""The benchmark runs, and its figures have the shape that the docs speak of; what they come to is not judged here."""

import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench import reviews
from tests.bench.figures import Figure, Section, Spread, ratios
from tests.bench.programs import HERE, missing
from tests.control_plane.build import SUPPORTED, CannotBuild, binaries_for, go_for

Json = dict[str, Any]


def needs(reason: str) -> None:
    """Skip where something is missing; with CI set, fail."""
    if reason and os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    if reason:
        pytest.skip(reason)


def figures(tmp_path: Path, sections: str) -> dict[str, dict[str, Json]]:
    """What `./scripts/bench --quick` writes: section → figure → its values."""
    try:
        go_for(SUPPORTED[0])
    except CannotBuild as problem:
        needs(str(problem))
    needs(missing())
    written = tmp_path / "figures.json"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "tests.bench.run",
        "--quick",
        "--only",
        sections,
        "--json",
        written,
    ]
    ran = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    document = json.loads(written.read_text())
    assert document["machine"]["cores"] >= 1
    found = {each["name"]: {figure["name"]: figure for figure in each["figures"]} for each in document["sections"]}
    for section in found.values():
        for figure in section.values():
            assert_is_a_figure(figure)
            assert figure["title"].strip() in ran.stdout
    return found


def assert_is_a_figure(figure: Json) -> None:
    spreads = [figure["value"], *([figure["ratio"]] if "ratio" in figure else [])]
    for spread in spreads:
        assert spread["rounds"] >= 1
        assert spread["least"] <= spread["median"] <= spread["most"]
        assert math.isfinite(spread["most"])
    assert bool(figure.get("against")) is ("ratio" in figure)


def test_a_minutes_version_measures_reviews_scale_and_footprint(tmp_path: Path) -> None:
    found = figures(tmp_path, "throughput,scale,footprint")

    assert set(found) == {"throughput", "scale", "footprint"}
    sides = found["throughput"]
    assert {"go", "go-patch", "mutate-patched", "mutate-untouched", "validate", "nothing"} < set(sides)
    assert all(figure["value"]["least"] > 0 for figure in sides.values())
    assert "ratio" not in sides["go"]
    assert sides["mutate-patched"]["ratio"]["rounds"] == sides["go"]["value"]["rounds"] == 2
    assert set(found["scale"]) == {*(f"review-{p}-{n}" for p in (1, 1000) for n in (1, 5000)), "first-in-namespace"}
    assert {"memory-ready-rss", "memory-5000-served-pss", "start", "help", "check"} < set(found["footprint"])


@pytest.mark.apiserver
@pytest.mark.parametrize("version", SUPPORTED[:1])
def test_a_minutes_version_measures_the_creation_of_pods(tmp_path: Path, version: str) -> None:
    if not binaries_for(version).complete:
        needs(f"kube-apiserver {version} is not built; `.venv/bin/python -m tests.control_plane.build` builds it")
    found = figures(tmp_path, "creation")

    assert set(found) == {"creation", "burst"}
    added = {
        "go-added",
        "ours-added-to-go-patch",
        "ours-added-to-go",
        "ours-mutate-added-to-go-patch",
        "vap-added-to-go",
    }
    assert added < set(found["creation"])
    assert {"none-p50", "none-p99", "ours-p99", "map-p99"} < set(found["burst"])


def test_the_reviews_are_what_they_are_called() -> None:
    rng = random.Random(1)
    for name in ("patched", "untouched"):
        bodies = [reviews.encoded(reviews.variation(reviews.review(name), rng)) for _ in range(20)]
        assert len(set(bodies)) == 20
        assert all(5300 < len(body) < 6200 for body in bodies)
        assert len({json.loads(body)["request"]["uid"] for body in bodies}) == 20
    named = reviews.named(reviews.review("untouched"), rng)["request"]
    assert named["name"] == named["object"]["metadata"]["name"] != ""
    assert b'"namespace":"bank"' in reviews.in_namespace(reviews.review("patched"), "bank")


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratios([2.0, 9.0, 4.0], [1.0, 3.0, 4.0]) == Spread(median=2.0, least=1.0, most=3.0, rounds=3)


def test_a_section_is_a_table_that_lines_up() -> None:
    value = Spread.of([1.0, 2.0, 4.0])
    section = Section("s", "The title", notes=["noisy"])
    section.figures.append(Figure("a", "one", "ms", value, 1))
    section.figures.append(Figure("b", "the other", "ms", value, 2, Spread.of([2.0]), "one", "≤ 3"))

    lines = section.as_text().splitlines()

    assert lines[:2] == ["The title", "  note: noisy"]
    assert lines[3].split() == ["one", "2.0", "(1.0", "to", "4.0)", "ms"]
    assert lines[4].index("2.00 (1.00 to 4.00) ms") == lines[3].index("2.0 (")
    assert lines[4].endswith("one      ≤ 3")
