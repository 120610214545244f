"""What a terminal gets and a pipe does not."""

from __future__ import annotations

import io

import pytest
from plimsoll.cli.terminal import Progress, wants_colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("choice", "stream", "environ", "answer"),
    [
        ("auto", Terminal(), {}, True),
        ("auto", io.StringIO(), {}, False),
        ("auto", Terminal(), {"TERM": "dumb"}, False),
        ("auto", Terminal(), {"NO_COLOR": "1"}, False),
        ("auto", Terminal(), {"NO_COLOR": ""}, True),
        ("auto", io.StringIO(), {"FORCE_COLOR": "1"}, True),
        ("auto", io.StringIO(), {"FORCE_COLOR": ""}, False),
        ("auto", io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("always", io.StringIO(), {"NO_COLOR": "1"}, True),
        ("never", Terminal(), {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_follows_the_flag_then_the_environment_then_the_terminal(
    choice: str, stream: io.StringIO, environ: dict[str, str], *, answer: bool
) -> None:
    assert wants_colour(choice, stream, environ) is answer


def told(stream: io.StringIO, *, quiet: bool = False, environ: dict[str, str] | None = None) -> str:
    clock = Clock()
    progress = Progress(stream, quiet=quiet, environ=environ or {}, clock=clock)
    for clock.now in (0.5, 1.0, 1.1, 1.3):
        progress.tell(f"{clock.now} s")
    progress.clear()
    progress.clear()
    return stream.getvalue()


def test_progress_waits_then_tells_now_and_then_and_leaves_the_line_clear() -> None:
    assert told(Terminal()) == "\r1.0 s\x1b[K\r1.3 s\x1b[K\r\x1b[K"


@pytest.mark.parametrize(
    ("stream", "quiet", "environ"),
    [
        (io.StringIO(), False, {}),
        (Terminal(), True, {}),
        (Terminal(), False, {"CI": "true"}),
        (Terminal(), False, {"TERM": "dumb"}),
    ],
)
def test_there_is_no_progress_in_a_pipe_in_ci_or_when_quiet(
    stream: io.StringIO, environ: dict[str, str], *, quiet: bool
) -> None:
    assert told(stream, quiet=quiet, environ=environ) == ""


def test_a_short_run_has_no_progress() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(stream, quiet=False, environ={}, clock=clock)
    progress.tell("1 file")
    progress.clear()
    assert stream.getvalue() == ""
