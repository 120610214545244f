"""Walking and reading: order, what is left out, and that one bad file is said and stops nothing."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from plimsoll.files.manifests import MAX_BYTES, MAX_FILES, Manifest, Unreadable, read_manifests


def read(
    *paths: str | Path, stdin: bytes = b"", limit: int = MAX_BYTES, most: int = MAX_FILES
) -> list[Manifest | Unreadable]:
    return list(read_manifests([str(path) for path in paths], io.BytesIO(stdin), limit=limit, most=most))


def origins(found: list[Manifest | Unreadable]) -> list[str]:
    return [Path(one.origin).name for one in found]


def refusal(*paths: str | Path, limit: int = MAX_BYTES) -> Unreadable:
    [one] = read(*paths, limit=limit)
    assert isinstance(one, Unreadable)
    return one


def test_a_folder_is_read_in_the_order_of_its_names_and_hidden_and_other_files_are_left_out(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "C.JSON", "notes.txt", ".hidden.yaml", "sub/z.json", ".git/config.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"name: {name}")
    assert origins(read(tmp_path)) == ["C.JSON", "a.yaml", "b.yml", "z.json"]


def test_a_path_that_is_named_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / ".values"
    path.write_text("a: 1")
    assert read(path) == [Manifest(str(path), "a: 1", (path.stat().st_dev, path.stat().st_ino))]


def test_paths_keep_the_order_they_were_given_in(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("")
    assert origins(read(tmp_path / "b.yaml", tmp_path / "a.yaml")) == ["b.yaml", "a.yaml"]


def test_a_file_that_turns_up_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    assert origins(read(tmp_path / "a.yaml", tmp_path)) == ["a.yaml"]


def test_a_dash_is_standard_input() -> None:
    assert read("-", stdin=b"kind: Pod\n") == [Manifest("-", "kind: Pod\n")]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read("-", stdin=b"\xef\xbb\xbfkind: Pod") == [Manifest("-", "kind: Pod")]


def test_what_is_not_there_is_said_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1")
    missing, found = read(tmp_path / "missing.yaml", tmp_path / "a.yaml")
    assert missing == Unreadable(str(tmp_path / "missing.yaml"), "no such file or folder")
    assert isinstance(found, Manifest)


def test_what_the_system_refuses_is_said_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    assert refusal(tmp_path / "a.yaml" / "b.yaml").reason == "not a directory"


def test_a_link_to_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("gone.yaml")
    assert refusal(tmp_path).reason == "a link to a file that is not there"


def test_a_link_that_leads_back_is_said_once_and_ends(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.yaml").write_text("")
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    found = read(tmp_path)
    assert origins(found) == ["a.yaml", "up"]
    assert found[1] == Unreadable(str(tmp_path / "sub" / "up"), "a link that leads back to a folder it stands in")


def test_a_linked_folder_is_walked(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.yaml").write_text("")
    (tmp_path / "seen").mkdir()
    (tmp_path / "seen" / "link").symlink_to(tmp_path / "real")
    assert origins(read(tmp_path / "seen")) == ["a.yaml"]


def test_a_pipe_in_a_folder_is_said_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.yaml").symlink_to("pipe")
    assert refusal(tmp_path).reason == "not a regular file"


def test_a_pipe_that_is_named_is_read(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"kind: Pod")
    os.close(writer)
    try:
        assert read(f"/dev/fd/{reader}") == [Manifest(f"/dev/fd/{reader}", "kind: Pod")]
    finally:
        os.close(reader)


def test_an_input_above_the_bound_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"#" * (2**20 + 1))
    assert refusal(path, limit=2**20).reason == "larger than 1 MiB; split it"
    assert isinstance(read("-", stdin=b"#" * 2**20, limit=2**20)[0], Manifest)


def test_an_endless_device_ends(tmp_path: Path) -> None:
    assert refusal("/dev/zero", limit=2**20).reason == "larger than 1 MiB; split it"


def test_more_files_than_the_bound_end_with_one_sentence(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.yaml").write_text("")
    found = read(tmp_path, most=2)
    assert [type(one) for one in found] == [Manifest, Manifest, Unreadable]
    assert found[2].origin.endswith("c.yaml")


def test_folders_deeper_than_the_bound_are_said(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 70)
    deep.mkdir(parents=True)
    assert refusal(tmp_path).reason == "more than 64 folders deep"


def test_text_that_is_not_utf_8_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: \xe9\n")
    assert refusal(path) == Unreadable(str(path), "not UTF-8: byte 0xe9 at offset 8", 2)


def test_utf_16_is_said_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1", encoding="utf-16")
    assert refusal(path).reason == "UTF-16; save it as UTF-8"


def test_a_name_that_is_not_utf_8_becomes_printable(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.yaml"
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    [found] = read(tmp_path)
    assert found.origin == f"{tmp_path}/\\xff.yaml"


def test_a_name_with_a_null_byte_is_said() -> None:
    assert "null" in refusal("a\0b.yaml").reason
