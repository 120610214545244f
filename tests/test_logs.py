"""Log lines: one for each observation, whole whatever is in it, never in the way."""

import json
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from plimsoll import logs
from plimsoll import observations as seen
from plimsoll.logs import LineWriter, Logs, event_name
from plimsoll.observations import Observation

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOSTILE = 'a\nb\r\x1b[31mred\x1b[0m\x00\x7f\x9b\u202e\u2028"}\ud7ff🚢'


def reviewed(**fields: Any) -> seen.Reviewed:
    known: dict[str, Any] = {
        "path": "mutate",
        "uid": "u",
        "operation": "CREATE",
        "kind": "Pod",
        "namespace": "shop",
        "name": "web",
        "dry_run": False,
        "policy": "guard",
        "mode": "Enforce",
        "verdict": "patched",
        "allowed": True,
        "seconds": 0.00004,
    }
    return seen.Reviewed(**{**known, **fields})


class Lines(list[bytes]):
    """What was written."""

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self]


def written(*observations: Observation, as_json: bool = True) -> Lines:
    lines = Lines()
    log = Logs(lines.append, as_json=as_json)
    for observation in observations:
        log.observe(observation)
    return lines


def subclasses() -> list[type[Observation]]:
    return Observation.__subclasses__()


def sample(kind: type[Observation]) -> Observation:
    """An observation with a hostile text in every field that takes one."""
    values: dict[str, Any] = {"str": HOSTILE, "int": 7, "float": 0.5, "bool": True, "datetime": NOW}
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        name = getattr(field.type, "__name__", str(field.type))
        fields[field.name] = (HOSTILE,) if "tuple" in str(field.type) else values[name]
    return kind(**fields)


@pytest.mark.parametrize("kind", subclasses(), ids=event_name)
def test_every_observation_is_one_whole_line_that_begins_with_time_level_and_event(kind: type[Observation]) -> None:
    [line] = written(sample(kind))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert not any(byte < 0x20 or byte == 0x7F for byte in line[:-1])
    document = json.loads(line)
    assert list(document)[:3] == ["time", "level", "event"]
    assert document["event"] == event_name(kind)
    assert document["level"] in ("info", "warning", "error")
    for name, value in msgspec.structs.asdict(sample(kind)).items():
        if isinstance(value, str):
            assert document[name] == value


@pytest.mark.parametrize("kind", subclasses(), ids=event_name)
def test_on_a_terminal_no_text_breaks_the_line_or_reaches_the_terminal_as_a_code(kind: type[Observation]) -> None:
    [line] = written(sample(kind), as_json=False)
    text = line.decode()
    assert event_name(kind) in text
    codes = {*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2028} - {ord("\n")}
    assert not codes & set(map(ord, text))
    if kind is not seen.Fault:
        assert text.count("\n") == 1


def test_on_a_terminal_a_traceback_stands_below_its_line() -> None:
    [line] = written(seen.Fault(where="/mutate", error="E", traceback="first\nsecond"), as_json=False)
    assert line.decode().splitlines()[1:] == ["first", "second"]


def test_a_decision_is_one_line_with_its_fields() -> None:
    [document] = written(reviewed(checks=("web/memory.limit.required",), settings=("web limits.memory=1Gi",))).documents
    assert document["event"] == "reviewed"
    assert document["checks"] == ["web/memory.limit.required"]
    assert document["settings"] == ["web limits.memory=1Gi"]
    assert (document["policy"], document["verdict"], document["dry_run"]) == ("guard", "patched", False)


def test_the_time_is_utc_with_milliseconds() -> None:
    before = time.time()
    [document] = written(reviewed()).documents
    moment = datetime.strptime(document["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp()
    assert before - 0.002 <= moment <= time.time()


def test_the_second_changes_in_the_time() -> None:
    lines = Lines()
    log = Logs(lines.append, as_json=True)
    log.observe(reviewed())
    time.sleep(1.01)
    log.observe(reviewed())
    first, second = (document["time"] for document in lines.documents)
    assert second > first


def test_a_flood_of_refusals_is_cut_to_a_few_lines_and_a_count() -> None:
    lines = Lines()
    log = Logs(lines.append, as_json=True)
    refused = seen.RequestRefused(path="", status=404, reason="x")
    for _ in range(1000):
        log.observe(refused)
    time.sleep(1.01)
    log.observe(refused)
    documents = lines.documents
    logged = sum(document["event"] == "request_refused" for document in documents)
    unlogged = sum(document["count"] for document in documents if document["event"] == "refusals_unlogged")
    assert logged + unlogged == 1001
    assert logged <= 3 * logs.REFUSALS_PER_SECOND


def test_decisions_are_never_cut() -> None:
    assert len(written(*[reviewed()] * 1000)) == 1000


# The writer


def test_lines_arrive_in_order_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        writer = LineWriter(file.fileno())
        expected = [b"%d\n" % number for number in range(5000)]
        for line in expected:
            writer.write(line)
        writer.close()
    assert path.read_bytes().splitlines(keepends=True) == expected
    assert writer.lost == 0


def test_a_reader_that_has_stopped_reading_stops_nobody_and_lost_lines_are_counted() -> None:
    reading, writing = os.pipe()
    writer = LineWriter(writing)
    line = b"x" * 100_000
    try:
        for _ in range(200):
            writer.write(line)
        assert writer.lost > 0
        given = 200 - writer.lost
        arrived = bytearray()

        def read() -> None:
            while piece := os.read(reading, 1 << 20):
                arrived.extend(piece)

        reader = threading.Thread(target=read)
        reader.start()
        writer.close(20)
        os.close(writing)
        reader.join()
        assert len(arrived) == given * len(line)
    finally:
        os.close(reading)


def test_a_full_pipe_that_does_not_wait_is_tried_again() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    writer = LineWriter(writing)
    writer.write(b"x" * 300_000)
    arrived = 0
    while arrived < 300_000:
        arrived += len(os.read(reading, 1 << 16))
    writer.close()
    os.close(reading)
    os.close(writing)


def test_a_reader_that_is_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LineWriter(writing)
    writer.write(b"x\n")
    writer.close()
    os.close(writing)
    assert writer.lost == 0
