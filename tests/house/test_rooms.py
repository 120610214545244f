"""The house stays as it was planned: floors, small rooms, one word for one thing, nothing swallowed or unnamed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from plimsoll.policy.checks import CHECKS, SUFFIXES

ROOT = Path(__file__).parents[2]
APP = ROOT / "app" / "plimsoll"
MODULES = sorted(APP.rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py"))

MAX_LINES = 400
BANNED_ROOMS = {"utils", "util", "manager", "helper", "helpers", "common", "misc"}
FOREIGN_NAMES = {"get_buffer"}  # asyncio.BufferedProtocol calls it so
BANNED_VERBS = ("get_", "handle_", "process_", "do_", "manage_")
CATCHES = {
    "serving/protocol.py": "around one request",
    "wiring/rounds.py": "around one round of watching files",
    "cli/__init__.py": "around one command",
}
"""The places where anything at all may be caught, and around what."""


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout: what is committed cannot be listed")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(APP)))
def test_a_room_is_small_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_LINES, "split it: a room has at most 400 lines"
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, "a module opens with what it is for and what it must not do"
    if path.name not in ("__init__.py", "__main__.py"):
        assert 2 <= len(docstring.splitlines()) <= 25, docstring


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(APP)))
def test_names_are_words_of_the_house(path: Path) -> None:
    assert path.stem not in BANNED_ROOMS
    for function in functions(path):
        if function.name in FOREIGN_NAMES:
            continue
        assert not function.name.lstrip("_").startswith(BANNED_VERBS), f"{function.name}: name it for its answer"


def test_anything_is_caught_in_named_places_alone() -> None:
    found: dict[str, int] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                names = (
                    {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
                    if node.type
                    else {"Exception"}
                )
                last = node.body[-1]
                cleans_up = isinstance(last, ast.Raise) and last.exc is None
                if names & {"Exception", "BaseException"} and not cleans_up:
                    name = str(path.relative_to(APP))
                    found[name] = found.get(name, 0) + 1
    assert found == dict.fromkeys(CATCHES, 1)


def test_the_floors_hold() -> None:
    """import-linter reads its contracts from pyproject.toml."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_map_names_every_room_on_the_floors() -> None:
    """`__init__.py` shows the floors: a folder that it does not name is a room nobody finds."""
    floors = ast.get_docstring(ast.parse((APP / "__init__.py").read_text(encoding="utf-8"))) or ""
    rooms = {path.name for path in APP.iterdir() if (path / "__init__.py").exists()}
    rooms |= {path.stem for path in APP.glob("*.py") if not path.stem.startswith("__")}
    assert {room for room in rooms if not re.search(rf"\b{room}\b", floors)} == set()


def test_check_suffixes_are_those_of_the_checks() -> None:
    assert {check.suffix for check in CHECKS} | {"order"} == SUFFIXES
    assert len({check.suffix for check in CHECKS}) == len(CHECKS)


def test_every_observation_is_documented_as_a_log_line() -> None:
    logs = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")
    tree = ast.parse((APP / "observations.py").read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef) and node.name != "Observation"]
    snake = [re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in names]
    assert [name for name in snake if f"`{name}`" not in logs] == []


def test_every_metric_is_documented() -> None:
    metrics = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    named = set(re.findall(r'"(plimsoll_[a-z_]+)"', (APP / "metrics.py").read_text(encoding="utf-8")))
    assert named
    assert {name for name in named if name not in metrics} == set()


def test_nothing_that_is_committed_names_a_machine() -> None:
    """Paths of somebody's machine help nobody and age badly."""
    places = re.compile(r"(?<![\w.$-])/(work|root|home)/[a-z]")
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path != Path(__file__) and places.search(text):
            found.append(str(path.relative_to(ROOT)))
    assert found == []


def test_links_between_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
