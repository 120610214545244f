"""Policy files that change under a server: good, bad, half-written, swapped by links, lost; and restarts."""

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from plimsoll.errors import InvalidPolicy, Problem
from plimsoll.files.manifests import Manifest
from plimsoll.files.policies import InForce, PolicyFiles, PolicyKeeper, Version
from plimsoll.files.state import StateFolder

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def joined(manifests: Sequence[Manifest]) -> str:
    """A stand-in for compiling: the texts, unless one of them is bad."""
    bad = [Problem(manifest.origin, 1, "/spec", "bad") for manifest in manifests if "bad" in manifest.text]
    if bad:
        raise InvalidPolicy(bad)
    return "+".join(manifest.text for manifest in manifests)


class Watched:
    """A keeper, and everything it told: what is in force and whether the newest version was rejected."""

    def __init__(self, path: Path, state: Path, compile_texts: Callable[[Sequence[Manifest]], str] = joined) -> None:
        self.told: list[tuple[str, str]] = []
        self.not_kept: list[str] = []
        files = PolicyFiles(path, StateFolder(state), compile_texts)
        self.keeper = PolicyKeeper(files, lambda: NOW, self._tell, self.not_kept.append)

    def _tell(self, in_force: InForce[str], rejected: InvalidPolicy | None) -> None:
        self.told.append((in_force.compiled, str(rejected or "")))

    def look(self) -> None:
        asyncio.run(self.keeper.look())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    return folder


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_a_folder_is_read_in_the_order_of_its_names_without_hidden_and_foreign_files(folder: Path, state: Path) -> None:
    for name in ("b.yml", "a.yaml", "c.json", ".hidden.yaml", "notes.txt", "d.yaml~"):
        (folder / name).write_text(name)
    watched = Watched(folder, state)
    watched.keeper.start()
    assert watched.told == [("a.yaml+b.yml+c.json", "")]


def test_one_file_is_read_whatever_its_name(tmp_path: Path, state: Path) -> None:
    (tmp_path / "policy").write_text("one")
    watched = Watched(tmp_path / "policy", state)
    watched.keeper.start()
    assert watched.told == [("one", "")]


def test_a_change_of_content_is_told_once_and_a_new_date_is_not(folder: Path, state: Path) -> None:
    (folder / "a.yaml").write_text("one")
    watched = Watched(folder, state)
    watched.keeper.start()
    os.utime(folder / "a.yaml", (1, 1))
    watched.look()
    (folder / "a.yaml").write_text("two")
    watched.look()
    watched.look()
    assert watched.told == [("one", ""), ("two", "")]


def test_a_file_that_comes_or_goes_is_a_change(folder: Path, state: Path) -> None:
    (folder / "a.yaml").write_text("a")
    watched = Watched(folder, state)
    watched.keeper.start()
    (folder / "b.yaml").write_text("b")
    watched.look()
    (folder / "a.yaml").unlink()
    watched.look()
    assert [told[0] for told in watched.told] == ["a", "a+b", "b"]


def test_an_invalid_version_leaves_the_last_good_one_in_force_until_it_is_mended(folder: Path, state: Path) -> None:
    (folder / "a.yaml").write_text("one")
    watched = Watched(folder, state)
    watched.keeper.start()
    (folder / "a.yaml").write_text("bad")
    watched.look()
    watched.look()
    assert watched.keeper.in_force.compiled == "one"
    assert watched.keeper.rejected is not None
    (folder / "a.yaml").write_text("one")
    watched.look()
    problem = f"{folder}/a.yaml:1: /spec: bad"
    assert watched.told == [("one", ""), ("one", problem), ("one", "")]
    assert watched.keeper.rejected is None


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: (folder / "a.yaml").unlink(), "there is no *.yaml, *.yml or *.json file in it"),
        (lambda folder: (folder / "a.yaml").write_bytes(b"\xff"), "not UTF-8: byte 0xff at offset 0"),
        (lambda folder: (folder / "a.yaml").write_bytes(b"x" * (2**20 + 1)), "larger than 1 MiB; split it"),
        (lambda folder: folder.rename(folder.with_name("elsewhere")), "no such file or folder"),
        (lambda folder: os.mkfifo(folder / "pipe.yaml"), "not a regular file"),
    ],
    ids=["emptied", "not UTF-8", "too large", "gone", "a pipe"],
)
def test_what_cannot_be_read_is_an_invalid_version(
    folder: Path, state: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    (folder / "a.yaml").write_text("one")
    watched = Watched(folder, state)
    watched.keeper.start()
    spoil(folder)
    watched.look()
    assert watched.keeper.in_force.compiled == "one"
    assert reason in str(watched.keeper.rejected)


def test_more_text_than_is_read_in_all_is_an_invalid_version(folder: Path, state: Path) -> None:
    for number in range(17):
        (folder / f"{number:02}.yaml").write_text(f"{number}" + "x" * (2**20 - 2))
    with pytest.raises(InvalidPolicy, match="the policies are longer than 16 MiB together"):
        Watched(folder, state).keeper.start()


def test_a_mounted_config_map_is_followed_through_its_links(tmp_path: Path, state: Path) -> None:
    mount = tmp_path / "mount"
    for version in ("one", "two"):
        (mount / f"..{version}").mkdir(parents=True)
        (mount / f"..{version}" / "a.yaml").write_text(version)
    (mount / "..data").symlink_to("..one")
    (mount / "a.yaml").symlink_to("..data/a.yaml")
    watched = Watched(mount, state)
    watched.keeper.start()
    (mount / "..new").symlink_to("..two")
    (mount / "..new").rename(mount / "..data")
    watched.look()
    assert watched.told == [("one", ""), ("two", "")]


def test_a_file_that_is_being_written_is_not_taken_half(folder: Path, state: Path) -> None:
    (folder / "a.yaml").write_text("one")
    watched = Watched(folder, state)
    watched.keeper.start()

    async def look_while_writing() -> None:
        (folder / "a.yaml").write_text("half")
        looking = asyncio.create_task(watched.keeper.look())
        await asyncio.sleep(0.05)
        (folder / "a.yaml").write_text("half and half")
        await looking
        await watched.keeper.look()

    asyncio.run(look_while_writing())
    assert [told[0] for told in watched.told] == ["one", "half and half"]


# Restarts


def test_a_start_without_any_good_version_fails_with_every_problem(folder: Path, state: Path) -> None:
    (folder / "a.yaml").write_text("bad")
    (folder / "b.yaml").write_text("bad too")
    with pytest.raises(InvalidPolicy) as refused:
        Watched(folder, state).keeper.start()
    assert [problem.origin for problem in refused.value.problems] == [f"{folder}/a.yaml", f"{folder}/b.yaml"]


def test_after_a_restart_on_an_invalid_file_the_last_good_version_is_in_force(folder: Path, state: Path) -> None:
    (folder / "a.yaml").write_text("one")
    first = Watched(folder, state)
    first.keeper.start()
    (folder / "a.yaml").write_text("two")
    first.look()
    (folder / "a.yaml").write_text("bad")
    first.look()

    second = Watched(folder, state)
    second.keeper.start()
    assert second.told == [("two", f"{folder}/a.yaml:1: /spec: bad")]
    assert second.keeper.in_force.saved_at == NOW
    second.look()
    (folder / "a.yaml").write_text("three")
    second.look()
    assert second.told[1:] == [("three", "")]
    assert second.keeper.in_force.saved_at is None


def test_the_last_good_version_of_another_path_is_not_taken(tmp_path: Path, state: Path) -> None:
    (tmp_path / "one.yaml").write_text("one")
    Watched(tmp_path / "one.yaml", state).keeper.start()
    (tmp_path / "two.yaml").write_text("bad")
    with pytest.raises(InvalidPolicy):
        Watched(tmp_path / "two.yaml", state).keeper.start()


def test_a_last_good_version_that_a_new_release_refuses_is_not_taken(folder: Path, state: Path) -> None:
    (folder / "a.yaml").write_text("one")
    Watched(folder, state).keeper.start()
    (folder / "a.yaml").write_text("bad")

    def stricter(manifests: Sequence[Manifest]) -> str:
        raise InvalidPolicy([Problem(manifests[0].origin, 1, "", f"refused: {manifests[0].text}")])

    with pytest.raises(InvalidPolicy, match="refused: bad"):
        Watched(folder, state, stricter).keeper.start()


@pytest.mark.parametrize("content", [b"", b"{", b'{"origin": 1}', b"\xff"])
def test_a_spoilt_state_file_is_as_good_as_none(folder: Path, state: Path, content: bytes) -> None:
    (folder / "a.yaml").write_text("one")
    Watched(folder, state).keeper.start()
    [kept] = state.glob("policies-*.json")
    kept.write_bytes(content)
    (folder / "a.yaml").write_text("bad")
    with pytest.raises(InvalidPolicy):
        Watched(folder, state).keeper.start()


def test_policies_that_cannot_be_kept_are_in_force_all_the_same_and_it_is_told(folder: Path, state: Path) -> None:
    (folder / "a.yaml").write_text("one")
    watched = Watched(folder, state)
    state.rename(state.with_name("gone"))
    watched.keeper.start()
    assert watched.told == [("one", "")]
    assert "No such file or directory" in watched.not_kept[0]


def test_versions_differ_by_content_and_by_where_it_stands(folder: Path, state: Path) -> None:
    def version() -> Version:
        return PolicyFiles(folder, StateFolder(state), joined).read()

    (folder / "a.yaml").write_text("text")
    first = version().digest
    assert version().digest == first
    (folder / "a.yaml").rename(folder / "b.yaml")
    assert version().digest != first
