"""Rounds go on whatever one of them met, and the same fault is told once."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from plimsoll.observations import Fault, Observation
from plimsoll.wiring.rounds import rounds


def told_of(*steps: Exception | None) -> Sequence[Observation]:
    """What is told of rounds that meet each step in turn."""
    left = list(steps)
    told: list[Observation] = []

    async def look() -> None:
        if not left:
            raise asyncio.CancelledError
        step = left.pop(0)
        if step is not None:
            raise step

    async def run() -> None:
        with suppress(asyncio.CancelledError):
            await rounds(look, 0, "policies", told.append)

    asyncio.run(run())
    assert left == []
    return told


def test_a_fault_is_told_and_the_next_round_comes() -> None:
    [fault] = told_of(None, ZeroDivisionError("a defect"), None)
    assert isinstance(fault, Fault)
    assert (fault.where, fault.error) == ("policies", "ZeroDivisionError")
    assert "a defect" in fault.traceback


def test_the_same_fault_in_a_row_is_told_once_and_again_after_a_good_round() -> None:
    faults = [ZeroDivisionError("x") for _ in range(4)]
    assert len(told_of(faults[0], faults[1], faults[2])) == 1
    assert len(told_of(faults[0], None, faults[1])) == 2
    assert len(told_of(ValueError("x"), faults[3])) == 2
