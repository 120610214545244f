"""Standard output is data, standard error everything else: colour or none, progress or none, a reader that left.

Reads the few variables that every program on a terminal honours (NO_COLOR, FORCE_COLOR, TERM, CI); they are no
settings. Styles are click's: rich would take longer to load than a file takes to be judged.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, TextIO

import click

BROKEN_PIPE: Final = 141
"""128 and the number of SIGPIPE, as shells report it."""
INTERRUPTED: Final = 130
"""128 and the number of SIGINT."""

_CLEAR: Final = "\x1b[K"
_STYLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "bold": {"bold": True},
    "dim": {"dim": True},
    "green": {"fg": "green"},
    "yellow": {"fg": "yellow"},
    "cyan": {"fg": "cyan"},
    "bold red": {"fg": "red", "bold": True},
    "bold magenta": {"fg": "magenta", "bold": True},
}


def wants_colour(choice: str, stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """``choice`` is what ``--color`` says; under ``auto`` NO_COLOR beats FORCE_COLOR, and both beat the terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in ("", "0", "false"):
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


def write_lines(lines: Iterable[tuple[tuple[str, str], ...]], *, colour: bool) -> None:
    """Spans of text and style to standard output, line by line."""
    for line in lines:
        text = "".join(click.style(span, **_STYLES[style]) if colour and style else span for span, style in line)
        sys.stdout.write(f"{text}\n")


def write_bytes(parts: Iterable[bytes]) -> None:
    """Bytes to standard output as they are."""
    sys.stdout.flush()
    for part in parts:
        sys.stdout.buffer.write(part)


@contextmanager
def standard_output() -> Iterator[None]:
    """What is written inside reaches the reader whole; a reader that went away ends the program without a word."""
    with suppress(AttributeError):  # an encoding that lacks a character must not end a report half way
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes standard output once more at its end, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)


class Progress:
    """One line on standard error that says how far a long run has come; silent in a pipe, in CI and for short runs."""

    PATIENCE = 1.0
    """Seconds before the first word."""
    PERIOD = 0.2

    def __init__(
        self,
        stream: TextIO,
        *,
        quiet: bool,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``stream`` is standard error; ``clock`` counts seconds."""
        self._stream = stream
        self._clock = clock
        self._shown = stream.isatty() and not quiet and not environ.get("CI") and environ.get("TERM") != "dumb"
        self._next = clock() + self.PATIENCE
        self._dirty = False

    def tell(self, text: str) -> None:
        """Say ``text`` in place of what was said before."""
        if self._shown and (now := self._clock()) >= self._next:
            self._next = now + self.PERIOD
            self._dirty = True
            self._stream.write(f"\r{text}{_CLEAR}")
            self._stream.flush()

    def clear(self) -> None:
        """Leave the line as it was found."""
        if self._dirty:
            self._dirty = False
            self._stream.write(f"\r{_CLEAR}")
            self._stream.flush()
