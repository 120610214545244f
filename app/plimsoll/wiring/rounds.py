"""Rounds that never end: look, wait, look again, whatever a round met.

The one place that outlives what nobody foresaw in a round: it is told and the next round comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from plimsoll.observations import Observe, fault_of


async def rounds(look: Callable[[], Awaitable[None]], every: float, where: str, observe: Observe) -> None:
    """Call ``look`` every ``every`` seconds until cancelled. The same fault is told once until a round succeeds."""
    told = ""
    while True:
        await asyncio.sleep(every)
        try:
            await look()
            told = ""
        except Exception as fault:  # noqa: BLE001 - the server must outlive it
            seen = fault_of(where, fault)
            if seen.traceback != told:
                observe(seen)
            told = seen.traceback
