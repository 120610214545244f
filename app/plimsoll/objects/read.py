"""From JSON bytes to Structs, and from a decoder's complaint to a JSON Pointer.

One reader for admission, files and the API: YAML becomes JSON first (as kubectl does it), so that nobody else walks
the dicts of a pod. A template's Struct is decoded straight from its place; the rest of the object is skipped unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from plimsoll.errors import MalformedObject
from plimsoll.objects.kinds import template_pointers
from plimsoll.objects.structs import Head, PodTemplate

T = TypeVar("T")

_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_HEAD = msgspec.json.Decoder(Head)
_TEMPLATE = msgspec.json.Decoder(PodTemplate)
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def escaped(token: str) -> str:
    """One reference token of a JSON Pointer (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")


def decode(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw, pointer: str = "") -> T:
    """Decode ``raw``, which stands at ``pointer`` of its object; MalformedObject points into that object."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        place, reason = complaint_of(error)
        raise MalformedObject(pointer + place, reason) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedObject(pointer, f"this is not JSON: {error}") from None
    except RecursionError:
        raise MalformedObject(pointer, "nested too deeply to be read") from None


def complaint_of(error: msgspec.ValidationError) -> tuple[str, str]:
    """(JSON Pointer, reason) of msgspec's ``Expected `str`, got `int` - at `$.spec.containers[0].name```.

    The pointer ends above a key that msgspec does not name.
    """
    text, _, path = str(error).partition(" - at `")
    return _pointer(path.rstrip("`")), text.replace("`", "")


def _pointer(path: str) -> str:
    steps, position = [], path.find("$") + 1
    while step := _STEP.match(path, position):
        steps.append(step[1] if step[1] is not None else step[2])
        position = step.end()
    return "".join(f"/{escaped(step)}" for step in steps)


def read_head(raw: bytes | msgspec.Raw) -> Head:
    """apiVersion, kind and metadata of any object."""
    return decode(_HEAD, raw)


def read_templates(raw: bytes | msgspec.Raw, api_version: str, kind: str) -> Iterator[tuple[str, PodTemplate]]:
    """Each pod template of an object with its JSON Pointer; none for a kind that carries none, or where it is absent.

    A Pod is its own template, at the empty pointer.
    """
    for pointer, found in template_texts(raw, api_version, kind):
        yield pointer, decode(_TEMPLATE, found, pointer)


def template_texts(raw: bytes | msgspec.Raw, api_version: str, kind: str) -> Iterator[tuple[str, bytes]]:
    """The same templates, undecoded: two objects from one server hold the same text where nothing in it changed."""
    for pattern in template_pointers(api_version, kind):
        yield from _descend(bytes(raw), pattern.split("/")[1:], "")


def _descend(raw: bytes, steps: list[str], pointer: str) -> Iterator[tuple[str, bytes]]:
    if pointer and raw == b"null":
        return
    if not steps:
        yield pointer, raw
    elif steps[0] != "*":
        child = decode(_KEYS, raw, pointer).get(steps[0])
        if child is not None:
            yield from _descend(bytes(child), steps[1:], f"{pointer}/{steps[0]}")
    elif raw.startswith(b"{"):
        for key, value in decode(_KEYS, raw, pointer).items():
            yield from _descend(bytes(value), steps[1:], f"{pointer}/{escaped(key)}")
    else:
        items = decode(_ITEMS, raw, pointer)
        for index, value in enumerate(items):
            yield from _descend(bytes(value), steps[1:], f"{pointer}/{index}")
