"""Rounds that never end: look, wait, look again, whatever a round met.

The one place that outlives what nobody foresaw in a round: it is told and the next round comes.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable

from plimsoll.observations import Fault, Observe


async def rounds(look: Callable[[], Awaitable[None]], every: float, where: str, observe: Observe) -> None:
    """Call ``look`` every ``every`` seconds until cancelled. The same fault is told once until a round succeeds."""
    told = ""
    while True:
        await asyncio.sleep(every)
        try:
            await look()
            told = ""
        except Exception as fault:  # noqa: BLE001 - a watch round: the server must outlive it
            text = "".join(traceback.format_exception(fault, limit=-20))
            if text != told:
                observe(Fault(where=where, error=type(fault).__name__, traceback=text))
            told = text
