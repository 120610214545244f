"""The state folder: whole files or none, for this user alone."""

import multiprocessing
import os
import stat
import threading
from pathlib import Path

import pytest
from plimsoll.files.state import StateFolder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_written_is_read_and_what_was_not_is_none(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "a" / "b")
    assert state.read("x") is None
    state.write("x", b"one", private=True)
    state.write("x", b"two", private=True)
    assert state.read("x") == b"two"
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["x"]


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        state = StateFolder(tmp_path / "state")
        state.write("private", b"", private=True)
        state.write("public", b"", private=False)
    finally:
        os.umask(before)
    assert mode(tmp_path / "state") == 0o700
    assert mode(state.path("private")) == 0o600
    assert mode(state.path("public")) == 0o644


def test_a_folder_that_is_there_already_is_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    StateFolder(tmp_path / "state")
    assert mode(tmp_path / "state") == 0o700


def test_a_write_that_fails_leaves_the_old_content_and_no_rubbish(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.write("x", b"old", private=True)
    state.path("y").mkdir()  # a folder cannot be replaced by a file
    with pytest.raises(OSError, match="directory"):
        state.write("y", b"new", private=True)
    assert state.read("x") == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", "y"]


def test_a_file_where_the_folder_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(OSError, match="exists"):
        StateFolder(tmp_path / "state")


def test_a_reader_never_sees_a_part(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    contents = {bytes([65 + number]) * 50_000 for number in range(5)}
    state.write("x", max(contents), private=True)
    ended = threading.Event()
    seen: set[bytes | None] = set()

    def read() -> None:
        while not ended.is_set():
            seen.add(state.read("x"))

    reader = threading.Thread(target=read)
    reader.start()
    for content in sorted(contents) * 10:
        state.write("x", content, private=True)
    ended.set()
    reader.join()
    assert seen <= contents


def _hold(folder: str, inside: "multiprocessing.synchronize.Event", leave: "multiprocessing.synchronize.Event") -> None:
    with StateFolder(Path(folder)).locked():
        inside.set()
        leave.wait(10)


def test_only_one_process_is_inside_the_lock(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    inside, leave = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(str(tmp_path), inside, leave))
    other.start()
    try:
        assert inside.wait(20)
        entered = threading.Event()

        def enter() -> None:
            with StateFolder(tmp_path).locked():
                entered.set()

        thread = threading.Thread(target=enter)
        thread.start()
        assert not entered.wait(0.2)
        leave.set()
        assert entered.wait(10)
        thread.join()
    finally:
        leave.set()
        other.join()
