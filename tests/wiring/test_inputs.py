"""What is read for `check` and `explain`, in which order, and which policies count."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from plimsoll.audit.run import Subject, Unread
from plimsoll.errors import InvalidPolicy
from plimsoll.wiring.inputs import Inputs, preset_names, read_inputs

from tests.cli.material import DEPLOYMENT, EXEMPTION, POLICY, SERVICE, files

LIMIT_RANGE = (
    "apiVersion: v1\nkind: LimitRange\nmetadata: {name: own}\n"
    "spec: {limits: [{type: Container, default: {memory: 32Mi}}]}\n"
)


def inputs(
    *paths: Path | str, policies: Sequence[Path | str] = (), stdin: str = "", namespace: str = "default"
) -> Inputs:
    return read_inputs(
        [str(path) for path in paths],
        [str(path) for path in policies],
        io.BytesIO(stdin.encode()),
        namespace=namespace,
    )


def names(read: Inputs) -> list[str]:
    return [policy.name for policy in read.snapshot.policies]


def test_subjects_keep_the_order_of_the_input_with_what_could_not_be_read_in_its_place(tmp_path: Path) -> None:
    folder = files(tmp_path, a=DEPLOYMENT, b="kind: [\n", c=f"{SERVICE}---\n{DEPLOYMENT}")
    (tmp_path / "aa.yaml").write_bytes(b"\xff\xff")
    read = inputs(folder)
    assert [(type(one), Path(one.place.origin.file).name, one.place.origin.document) for one in read.subjects] == [
        (Subject, "a.yaml", 1),
        (Unread, "aa.yaml", 0),
        (Unread, "b.yaml", 1),
        (Subject, "c.yaml", 1),
        (Subject, "c.yaml", 2),
    ]
    assert read.documents == 4


def test_files_that_were_read_are_told_along_the_way(tmp_path: Path) -> None:
    heard: list[int] = []
    folder = files(tmp_path, a=DEPLOYMENT, b=DEPLOYMENT)
    read_inputs([str(folder)], [], io.BytesIO(), namespace="default", heard=heard.append)
    assert heard == [1, 2]


def test_without_policies_a_preset_governs_and_is_named() -> None:
    read = inputs("-", stdin=DEPLOYMENT)
    assert (names(read), read.sources) == (["memory-guard"], ("memory-guard (preset; --policies names others)",))


def test_a_policy_in_the_input_leaves_no_room_for_the_preset() -> None:
    read = inputs("-", stdin=f"{DEPLOYMENT}---\n{POLICY}")
    assert (names(read), read.sources) == (["guard"], ("the input",))


def test_a_policy_in_the_input_stands_beside_those_that_were_named() -> None:
    read = inputs("-", policies=["memory-guard"], stdin=POLICY)
    assert (names(read), read.sources) == (["guard", "memory-guard"], ("memory-guard (preset)", "the input"))


def test_a_policy_in_the_input_wins_over_one_of_the_same_name() -> None:
    own = POLICY.replace("name: guard", "name: memory-guard")
    [policy] = inputs("-", policies=["memory-guard"], stdin=own).snapshot.policies
    assert policy.origin == "-:1"


def test_an_exemption_in_the_input_stands_beside_the_preset() -> None:
    read = inputs("-", stdin=EXEMPTION)
    assert (names(read), [exemption.name for exemption in read.snapshot.exemptions]) == (["memory-guard"], ["legacy"])


def test_policies_named_by_a_file_that_is_judged_too_are_compiled_once(tmp_path: Path) -> None:
    folder = files(tmp_path, guard=POLICY, web=DEPLOYMENT)
    read = inputs(folder, policies=[folder / "guard.yaml"])
    assert (names(read), read.sources, len(read.subjects)) == (["guard"], (str(folder / "guard.yaml"),), 2)


def test_a_limit_range_without_a_namespace_belongs_to_the_one_that_was_given() -> None:
    read = inputs("-", stdin=LIMIT_RANGE, namespace="shop")
    assert list(read.snapshot.limit_ranges) == ["shop"]


def test_several_sources_of_policies_are_joined(tmp_path: Path) -> None:
    folder = files(tmp_path, guard=POLICY)
    assert names(inputs("-", policies=[folder, "mesh"])) == ["guard", "mesh"]


def test_every_preset_that_is_shipped_can_be_named() -> None:
    for name in preset_names():
        assert names(inputs("-", policies=[name])) == [name]


@pytest.mark.parametrize("text", [POLICY.replace("mode: Enforce", "mode: Hope"), POLICY + "---\n" + POLICY])
def test_what_is_wrong_with_policies_in_the_input_is_raised(text: str) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        inputs("-", stdin=text)
    assert [problem.origin for problem in caught.value.problems] == ["-"]


def test_what_cannot_be_read_of_the_policies_is_raised_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.yaml").write_bytes(b"\xff")
    with pytest.raises(InvalidPolicy) as caught:
        inputs("-", policies=[tmp_path / "missing", tmp_path / "bad"])
    missing, unreadable = caught.value.problems
    assert missing.reason.startswith("no such file or folder; a file, a folder or one of the presets")
    assert (unreadable.origin, unreadable.line) == (str(tmp_path / "bad" / "a.yaml"), 1)
