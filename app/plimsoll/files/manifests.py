"""Walking and reading manifests: paths in, texts out, and what could not be read said once, in its place.

One bad file never stops the rest. Sizes, depth and the number of files are bounded, because the paths may come from a
checkout that nobody has looked at. Knows no YAML and no Kubernetes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

STANDARD_INPUT = "-"
SUFFIXES = (".yaml", ".yml", ".json")
MAX_BYTES = 32 * 1024 * 1024
"""Of one input."""
MAX_DEPTH = 64
"""Folders inside folders."""
MAX_FILES = 100_000

Identity = tuple[int, int]
"""Device and inode: one file, whatever it is called."""


class Manifest(Struct, frozen=True):
    """The text of one input."""

    origin: str
    """The path as a person would type it, or ``-``."""
    text: str
    identity: Identity | None = None
    """None for what is no regular file."""


class Unreadable(Struct, frozen=True):
    """An input that could not be read: where, and why."""

    origin: str
    reason: str
    line: int | None = None


def read_manifests(
    paths: Iterable[str], stdin: BinaryIO, *, limit: int = MAX_BYTES, most: int = MAX_FILES
) -> Iterator[Manifest | Unreadable]:
    """Each file of ``paths`` in the order given, folders sorted by name; a file that turns up twice is read once.

    ``-`` is ``stdin``. Of a folder the files that end in `SUFFIXES` are read, hidden ones are not; a path that is
    named itself is read whatever it is called. ``limit``: bytes of one input; ``most``: files in all.
    """
    seen: set[Identity] = set()
    count = 0
    for found in _found(paths):
        if isinstance(found, Unreadable):
            yield found
            continue
        read = _standard_input(stdin, limit) if found == STANDARD_INPUT else _file(found, limit, seen)
        if read is None:
            continue
        count += 1
        if count > most:
            yield Unreadable(read.origin, f"more than {most} files; judge them in parts")
            return
        yield read


def _found(paths: Iterable[str]) -> Iterator[str | Unreadable]:
    for path in paths:
        if path == STANDARD_INPUT or not os.path.isdir(path):
            yield path
        else:
            yield from _walked(path, ())


def _walked(folder: str, above: tuple[Identity, ...]) -> Iterator[str | Unreadable]:
    """The manifests under ``folder``; ``above`` are the folders that led here, to end where a link leads back."""
    try:
        status = os.stat(folder)
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            yield Unreadable(_shown(folder), "a link that leads back to a folder it stands in")
            return
        if len(above) >= MAX_DEPTH:
            yield Unreadable(_shown(folder), f"more than {MAX_DEPTH} folders deep")
            return
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Unreadable(_shown(folder), _said(error))
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = entry.path.removeprefix(f".{os.sep}")
        try:
            is_folder = entry.is_dir()
        except OSError:
            is_folder = False
        if is_folder:
            yield from _walked(path, (*above, identity))
        elif entry.name.lower().endswith(SUFFIXES):
            # Opening a pipe would wait for ever; a link to nothing is for the reading to say.
            if entry.is_file() or not os.path.exists(path):
                yield path
            else:
                yield Unreadable(_shown(path), "not a regular file")


def _file(path: str, limit: int, seen: set[Identity]) -> Manifest | Unreadable | None:
    """The file's text; None where it was read before under another name."""
    try:
        with Path(path).open("rb") as stream:
            status = os.fstat(stream.fileno())
            identity = (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None
            if identity in seen:
                return None
            raw = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        broken = isinstance(error, FileNotFoundError) and os.path.islink(path)
        return Unreadable(_shown(path), "a link to a file that is not there" if broken else _said(error))
    if identity is not None:
        seen.add(identity)
    return _text(_shown(path), raw, limit, identity)


def _standard_input(stdin: BinaryIO, limit: int) -> Manifest | Unreadable:
    try:
        raw = stdin.read(limit + 1)
    except (OSError, ValueError) as error:
        return Unreadable(STANDARD_INPUT, _said(error))
    return _text(STANDARD_INPUT, raw, limit, None)


def _text(origin: str, raw: bytes, limit: int, identity: Identity | None) -> Manifest | Unreadable:
    if len(raw) > limit:
        return Unreadable(origin, f"larger than {limit // 2**20} MiB; split it")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Unreadable(origin, "UTF-16; save it as UTF-8", 1)
    try:
        return Manifest(origin, raw.decode("utf-8-sig"), identity)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Unreadable(origin, f"not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}", line)


def _shown(path: str) -> str:
    """The path as text: bytes of a name that are not UTF-8 become visible escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _said(error: OSError | ValueError) -> str:
    """The system's own words, without the path, which is said already."""
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{text[:1].lower()}{text[1:]}"
