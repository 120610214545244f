"""Where the fields of a document stand, worked out only when somebody asks.

One more pass over the events of a text that was read before, so that reading costs nothing for positions. Must never
fail: where the second pass cannot follow (a JSON escape that libyaml refuses), what is known so far is the answer.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from msgspec import Struct
from yaml._yaml import CParser
from yaml.error import YAMLError
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from plimsoll.objects.read import escaped
from plimsoll.schemas.scalars import key_text, plain_value

_SURROGATE = re.compile(r"(\\\\)|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


class Position(Struct, frozen=True):
    """A place in a text; line and column count from 1."""

    line: int
    column: int


class _Frame:
    """A map or list that is still open."""

    __slots__ = ("is_map", "length", "pending", "pointer")

    def __init__(self, pointer: str, *, is_map: bool) -> None:
        self.pointer = pointer
        self.is_map = is_map
        self.length = 0
        self.pending: str | None = None


def split_pointer(pointer: str) -> list[str]:
    """The steps of a JSON Pointer, each with its slash: ``/a/b`` → ``/a``, ``/b``."""
    return [f"/{token}" for token in pointer.split("/")[1:]]


def positions_of(text: str, first_line: int) -> dict[str, Position]:
    """JSON Pointer → where the key or list item stands, in the one document of ``text``."""
    text = _SURROGATE.sub(lambda match: match[1] or "\\u0020\\u0020", text)
    positions: dict[str, Position] = {}
    with suppress(YAMLError):
        _walk(CParser(text), first_line, positions)
    return positions


def _walk(parser: Any, first_line: int, positions: dict[str, Position]) -> None:
    frames: list[_Frame] = []
    while True:
        event = parser.get_event()
        if isinstance(event, StreamStartEvent | DocumentStartEvent):
            continue
        if isinstance(event, DocumentEndEvent | StreamEndEvent):
            return
        starts = isinstance(event, MappingStartEvent | SequenceStartEvent)
        if not starts and not isinstance(event, ScalarEvent | AliasEvent):
            frames.pop()
            continue
        frame = frames[-1] if frames else None
        if frame is not None and frame.is_map and frame.pending is None:
            frame.pending = _key_pointer(frame.pointer, event)
            positions.setdefault(frame.pending, _position(event, first_line))
            continue
        if frame is None:
            pointer = ""
        elif frame.pending is not None:
            pointer, frame.pending = frame.pending, None
        else:
            pointer = f"{frame.pointer}/{frame.length}"
            frame.length += 1
        positions.setdefault(pointer, _position(event, first_line))
        if starts:
            frames.append(_Frame(pointer, is_map=isinstance(event, MappingStartEvent)))


def _key_pointer(parent: str, event: Any) -> str:
    """The pointer of a key, text or an alias of one; what is merged in with ``<<`` belongs to the map itself."""
    if not isinstance(event, ScalarEvent):
        return parent
    text = event.value
    if event.implicit[0]:
        if text == "<<":
            return parent
        text = key_text(plain_value(text))
    return f"{parent}/{escaped(text)}"


def _position(event: Any, first_line: int) -> Position:
    return Position(first_line + event.start_mark.line, event.start_mark.column + 1)
