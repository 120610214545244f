"""Text → documents with positions, in Kubernetes' reading of YAML.

PyYAML's own loaders read another language (``1e3`` is text there, ``1:30`` a number, the last of two equal keys wins),
so values are built here from libyaml's events, following sigs.k8s.io/yaml (go.yaml.in/yaml/v2 decode.go). Events, not
nodes: depth and aliases are bounded before anything is built, and positions are only worked out on demand. Must not
raise for anything a text can hold: what cannot be read is a value too, and later documents are still read.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from yaml._yaml import CParser
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from plimsoll.policy.quantity import shown
from plimsoll.schemas.positions import Position, positions_of, split_pointer
from plimsoll.schemas.scalars import NOT_TEXT, TAG, key_text, plain_value, tagged_value

MAX_TEXT: Final = 64 * 2**20
"""Characters of one text (a whole ``kubectl get pods -A -o yaml`` fits); longer ones are not read at all."""
MAX_DEPTH: Final = 100
"""Maps and lists inside each other; the deepest built-in object needs about 25, resource definitions about 60."""
MAX_EXPANSION: Final = 8 * 2**20
"""What the aliases of one document may add, in characters (16 for each value besides its text)."""

_TOO_DEEP: Final = f"nested more than {MAX_DEPTH} deep; no object of Kubernetes is"
_OPEN: Final = object()  # an anchor whose value is still being read
_DOCUMENT_LINE: Final = re.compile("(?<![^\n\r\x85\u2028\u2029])---(?=[ \t\n\r\x85\u2028\u2029]|\\Z)")
_DIRECTIVE: Final = re.compile(r"^%", re.MULTILINE)
_BLANK: Final = r"(?:---(?=[ \t\r\n]|\Z))?+(?:[ \t\r]*+(?:[#%](?! Source: )[^\n]*+)?+\n)*+"
_NO_CONTENT: Final = re.compile(r"(?:---(?=[ \t\r\n]|\Z))?+(?:(?:\.\.\.)?+[ \t\r]*+(?:[#%][^\n]*+)?+(?:\n|\Z))*+\Z")
_SOURCE: Final = re.compile(_BLANK + r"# Source: ([^\r\n]++)")
_JSON_START: Final = re.compile(r"(?:---)?+[ \t\r\n]*+(?=[\[{])")
_NO_SPACE: Final = re.compile(r"[^ \t\r\n]")
_TEMPLATE: Final = re.compile(r"\{\{-?\s")
_NOT_YAML: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Chunk(msgspec.Struct, frozen=True):
    """The text between two document lines: nothing wrong in it can spoil the next one."""

    text: str
    first_line: int
    source: str | None = None


_Found = tuple[int, bytes | str, _Chunk]
"""Line, JSON (or, as text, the reason why there is none), and the text it came from."""


class Document:
    """One document of a text: its value as JSON, and where its fields stand."""

    __slots__ = ("_chunk", "_positions", "index", "json", "line", "origin")

    def __init__(self, origin: str, index: int, line: int, json: bytes, chunk: _Chunk) -> None:
        self.origin = origin
        """The file, or ``-``."""
        self.index = index
        """Its number among the documents of the text, from 1."""
        self.line = line
        """The line where it begins, from 1."""
        self.json = json
        self._chunk = chunk
        self._positions: dict[str, Position] | None = None

    @property
    def source(self) -> str | None:
        """What helm's ``# Source:`` comment before it says: the template it was rendered from."""
        return self._chunk.source

    def position(self, pointer: str) -> Position:
        """Where the field at a JSON Pointer stands, or its nearest parent: the key of a map, an item of a list."""
        if self._positions is None:
            self._positions = positions_of(self._chunk.text, self._chunk.first_line)
        tokens = split_pointer(pointer)
        for length in range(len(tokens), -1, -1):
            found = self._positions.get("".join(tokens[:length]))
            if found is not None:
                return found
        return Position(self.line, 1)

    def line_of(self, pointer: str) -> int:
        """The line of `position`."""
        return self.position(pointer).line


class UnreadableDocument(msgspec.Struct, frozen=True):
    """A document that is not YAML (or JSON) as Kubernetes reads it."""

    origin: str
    index: int
    line: int
    reason: str
    """What was found, and what to do about it where that can be known."""

    def __str__(self) -> str:
        return f"{self.origin}:{self.line}: {self.reason}"


class _Refusal(Exception):
    """Why a document cannot be read; ``line`` counts from 0 within the chunk."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def read_documents(text: str, origin: str) -> Iterator[Document | UnreadableDocument]:
    """Each document of a text in its order; empty ones are left out. Never raises."""
    if len(text) > MAX_TEXT:
        yield UnreadableDocument(origin, 1, 1, f"{len(text)} characters of text; at most {MAX_TEXT} are read")
        return
    index = 0
    for chunk in _chunks(text.removeprefix("\ufeff")):
        for line, found, part in _values(chunk):
            index += 1
            if isinstance(found, str):
                yield UnreadableDocument(origin, index, line, found)
            else:
                yield Document(origin, index, line, found, part)


def _chunks(text: str) -> Iterator[_Chunk]:
    """The text cut at its ``---`` lines, which no scalar can hold; directives stay with the document they precede."""
    begin, counted, line = 0, 0, 1
    for end in (*(match.start() for match in _DOCUMENT_LINE.finditer(text)), len(text)):
        part = text[begin:end]
        if not _NO_CONTENT.match(part):
            line += text.count("\n", counted, begin)
            counted = begin
            source = _SOURCE.match(part) if "# Source: " in part else None
            yield _Chunk(part, line, source[1].strip() if source else None)
        elif end < len(text) and _DIRECTIVE.search(part):
            continue
        begin = end


def _values(chunk: _Chunk) -> Iterator[_Found]:
    """What a chunk holds: one document of YAML, or JSON values one after the other."""
    start = _JSON_START.match(chunk.text)
    if start is not None and (found := _json_values(chunk, start.end())) is not None:
        yield from found
        return
    try:
        reader = _Reader(chunk.text)
        root = reader.next_root()
        value = None if root is None else reader.value(root, 0)
        if root is not None:
            reader.next_root()  # there is none in this chunk, but what follows the value must be readable too
        if value is not None:
            yield chunk.first_line + root.start_mark.line, _ENCODER.encode(value), chunk
        return
    except _Refusal as refusal:
        line, reason = refusal.line, refusal.reason
    except MarkedYAMLError as error:
        line, reason = _what_is_wrong(chunk.text, error)
    except (YAMLError, UnicodeEncodeError) as error:
        match = _NOT_YAML.search(chunk.text)
        line = chunk.text.count("\n", 0, match.start()) if match is not None else 0
        what = f"the character U+{ord(match[0]):04X} is not allowed" if match is not None else str(error)
        reason = f"this is not YAML: {what}"
    if _TEMPLATE.search(chunk.text):
        reason = "this looks like a Helm template; render it first: helm template NAME CHART | plimsoll check -"
    yield chunk.first_line + line, reason, chunk


class _Reader:
    """One pass over the events of a chunk, building plain values."""

    def __init__(self, text: str) -> None:
        self._next: Callable[[], Any] = CParser(text).get_event
        self._anchors: dict[str, Any] = {}
        self._budget = MAX_EXPANSION

    def next_root(self) -> Any:
        """The first event of the next document; None at the end."""
        event = self._next()
        while not isinstance(event, DocumentStartEvent):
            if isinstance(event, StreamEndEvent):
                return None
            event = self._next()
        self._anchors.clear()
        self._budget = MAX_EXPANSION
        return self._next()

    def value(self, event: Any, depth: int) -> Any:
        """The value that begins with ``event``."""
        kind = type(event)
        anchor = event.anchor
        value: Any
        if kind is ScalarEvent:
            value = event.value
            if event.tag is not None or (event.implicit[0] and value[:1] in NOT_TEXT):
                value = _scalar(event, value)
        elif kind is AliasEvent:
            return self._alias(event)
        elif depth >= MAX_DEPTH:
            raise _Refusal(event.start_mark.line, _TOO_DEEP)
        else:
            if anchor is not None:
                self._anchors[anchor] = _OPEN
            value = self._mapping(depth + 1) if kind is MappingStartEvent else self._sequence(depth + 1)
            if anchor is not None and self._anchors[anchor] is not _OPEN:
                anchor = None  # a value inside took the name for itself
        if anchor is not None:
            self._anchors[anchor] = value
        return value

    def _sequence(self, depth: int) -> list[Any]:
        items = []
        event = self._next()
        while type(event) is not SequenceEndEvent:
            items.append(self.value(event, depth))
            event = self._next()
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: set[str] = set()  # keys that came in with << and may still be written below it
        event = self._next()
        while type(event) is not MappingEndEvent:
            if type(event) is ScalarEvent and event.value == "<<" and (event.implicit[0] or event.tag == f"{TAG}merge"):
                # As in Go: what is merged in wins over keys that stand above, keys below win over it.
                parts = self._merged(self._next(), depth)
                merged.update(parts)
                result.update(parts)
            else:
                key = self.value(event, depth)
                if type(key) is not str:
                    key = _key(event, key)
                if key in result:
                    if key not in merged:
                        raise _Refusal(event.start_mark.line, _twice(key, event))
                    merged.discard(key)
                result[key] = self.value(self._next(), depth)
            event = self._next()
        return result

    def _merged(self, event: Any, depth: int) -> dict[str, Any]:
        value = self.value(event, depth)
        result: dict[str, Any] = {}
        for part in reversed(value) if type(event) is SequenceStartEvent else (value,):
            if type(part) is not dict:
                raise _Refusal(event.start_mark.line, "<< takes a map, or a list of maps, to be merged in here")
            result.update(part)
        return result

    def _alias(self, event: Any) -> Any:
        name, line = event.anchor, event.start_mark.line
        if name not in self._anchors:
            raise _Refusal(line, f"the alias {shown(name)} is used, but no anchor of this name stands before it here")
        value = self._anchors[name]
        if value is _OPEN:
            raise _Refusal(line, f"the alias {shown(name)} stands inside its anchor: the value would contain itself")
        # Each value that is walked is paid for, so that all walks of a document end with its budget.
        stack = [value]
        while stack:
            part = stack.pop()
            self._budget -= 16
            if type(part) is str:
                self._budget -= len(part)
            elif type(part) is dict:
                self._budget -= sum(map(len, part))
                stack.extend(part.values())
            elif type(part) is list:
                stack.extend(part)
            if self._budget < 0:
                raise _Refusal(line, f"the aliases of this document add more than {MAX_EXPANSION} characters to it")
        return value


def _scalar(event: Any, text: str) -> Any:
    try:
        return plain_value(text) if event.tag is None else tagged_value(event.tag, text)
    except ValueError as error:
        raise _Refusal(event.start_mark.line, str(error)) from None


def _key(event: Any, key: object) -> str:
    try:
        return key_text(key)
    except ValueError as error:
        raise _Refusal(event.start_mark.line, str(error)) from None


def _twice(key: str, event: Any) -> str:
    written = getattr(event, "value", key)
    read = "" if written == key else f" ({shown(written)[1:-1]} without quotes is read as {key})"
    return f"the key {shown(key)} stands twice in one map{read}; one of the two would be lost"


def _what_is_wrong(text: str, error: MarkedYAMLError) -> tuple[int, str]:
    """Line (from 0) and reason of a libyaml error, with what a person can do about it.

    What was never closed is found at the end of the text only; it is shown where it begins.
    """
    last = text.rstrip().count("\n")
    lines = [mark.line for mark in (error.problem_mark, error.context_mark) if mark is not None]
    line = min(next((each for each in lines if each <= last), last), last)
    found = text.split("\n", line + 1)[line]
    if "\t" in found[: len(found) - len(found.lstrip())]:
        return line, "this line is indented with a tab; YAML takes spaces"
    return line, f"this is not YAML: {', '.join(part for part in (error.context, error.problem) if part)}"


def _json_values(chunk: _Chunk, start: int) -> list[_Found] | None:
    """JSON values one after the other; None where the text is no JSON (flow-style YAML begins the same way)."""
    text, found = chunk.text, list[_Found]()
    counted, line, source = 0, chunk.first_line, chunk.source
    while start < len(text):
        line += text.count("\n", counted, start)
        counted = start
        try:
            value, end = _JSON.raw_decode(text, start)
            raw = text[start:end].encode()
        except (_Refusal, RecursionError) as error:
            return [*found, (line, error.reason if isinstance(error, _Refusal) else _TOO_DEEP, chunk)]
        except ValueError:
            return None
        if value is not None:
            found.append((line, raw, _Chunk(text[start:end], line, source)))
        following = _NO_SPACE.search(text, end)
        start = following.start() if following is not None else len(text)
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise _Refusal(0, f"the key {shown(twice)} stands twice in one object; one of the two would be lost")
    return keys


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# Numbers are only looked over here: the text itself goes on, so that their digits stay exact.
_JSON: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_int=len, parse_float=len, parse_constant=_no_constant)
_ENCODER: Final = msgspec.json.Encoder()
