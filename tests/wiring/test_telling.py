"""Decisions are told a few together, in order and with their own time; everything else at once."""

import asyncio
import json
import threading
import time

from plimsoll.logs import Logs
from plimsoll.metrics import Metrics
from plimsoll.observations import Observation, RequestRefused, Reviewed
from plimsoll.wiring.telling import AT_LATEST_SECONDS, TOGETHER, Telling


def reviewed(uid: object) -> Reviewed:
    return Reviewed(
        path="mutate",
        uid=str(uid),
        operation="CREATE",
        kind="Pod",
        namespace="shop",
        name="",
        dry_run=False,
        policy="guard",
        mode="Enforce",
        verdict="patched",
        allowed=True,
        seconds=0.0001,
    )


class Told:
    """A Telling whose lines are kept."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.metrics = Metrics(lambda: 0)
        self.telling = Telling(Logs(self.lines.append, as_json=True), self.metrics)

    @property
    def uids(self) -> list[str]:
        return [json.loads(line).get("uid", json.loads(line)["event"]) for line in self.lines]

    def counted(self) -> float:
        lines = self.metrics.text(connections=0).decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("plimsoll_reviews_total{"))


def in_a_loop(told: Told, *observations: Observation, wait: float = 0) -> None:
    async def observe() -> None:
        told.telling.start(asyncio.get_running_loop())
        for observation in observations:
            told.telling.observe(observation)
        await asyncio.sleep(wait)

    asyncio.run(observe())


def test_a_few_decisions_are_told_together_and_in_order() -> None:
    told = Told()

    in_a_loop(told, *map(reviewed, range(TOGETHER - 1)))
    assert told.lines == []
    in_a_loop(told, reviewed("last"))

    assert told.uids == [*map(str, range(TOGETHER - 1)), "last"]
    assert told.counted() == TOGETHER


def test_a_single_decision_does_not_wait_for_others_for_long() -> None:
    told = Told()

    in_a_loop(told, reviewed("lonely"), wait=AT_LATEST_SECONDS * 6)

    assert told.uids == ["lonely"]


def test_another_observation_is_told_at_once_and_after_what_came_before_it() -> None:
    told = Told()

    in_a_loop(told, reviewed("before"), RequestRefused(path="/mutate", status=400, reason="no JSON"))

    assert told.uids == ["before", "request_refused"]


def test_a_line_says_when_it_was_decided_and_not_when_it_was_told() -> None:
    told = Told()
    in_a_loop(told, reviewed("early"))
    time.sleep(0.02)
    after = time.time_ns() // 1_000_000

    told.telling.tell()

    moment = json.loads(told.lines[0])["time"]
    assert moment < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(after / 1000)) + f".{after % 1000:03d}Z"


def test_the_metrics_count_what_still_waits_once_they_are_asked_for() -> None:
    told = Told()
    in_a_loop(told, reviewed(1))
    assert told.counted() == 0

    told.telling.tell()

    assert told.counted() == 1


def test_before_the_start_and_after_the_stop_nothing_waits() -> None:
    told = Told()

    told.telling.observe(reviewed("early"))
    in_a_loop(told, reviewed("running"))
    told.telling.stop()
    told.telling.observe(reviewed("late"))

    assert told.uids == ["early", "running", "late"]


def test_threads_lose_none() -> None:
    told = Told()
    uids = [[f"{thread}-{index}" for index in range(500)] for thread in range(4)]

    async def observe() -> None:
        told.telling.start(asyncio.get_running_loop())
        threads = [
            threading.Thread(target=lambda own=own: [*map(told.telling.observe, map(reviewed, own))]) for own in uids
        ]
        for thread in threads:
            thread.start()
        await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in threads))
        told.telling.stop()

    asyncio.run(observe())

    assert sorted(told.uids) == sorted(uid for own in uids for uid in own)
    assert told.counted() == 2000
