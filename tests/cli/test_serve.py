"""What a person at a terminal sees of `plimsoll serve`, and what the command line costs."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from plimsoll.cli import main
from plimsoll.settings import Settings

from tests.wiring.served import PROGRAM, Served, policy

CODES = re.compile(r"\x1b\[[0-9;]*m")


@contextmanager
def at_a_terminal(*flags: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`plimsoll serve` whose standard error is a terminal, and what can be read from it."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    command = [str(PROGRAM), "serve", "--port", "0", *flags]
    process = subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL, env=environ)
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(terminal: int, text: str) -> str:
    seen = ""
    while text not in seen:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            piece = b""
        assert piece, f"{text!r} never came: {seen}"
        seen += CODES.sub("", piece.decode())
    return seen


@pytest.fixture
def guard(tmp_path: Path) -> Path:
    path = tmp_path / "guard.yaml"
    path.write_text(policy())
    return path


def test_at_a_terminal_the_start_says_where_it_listens_what_is_loaded_and_what_clients_trust(
    guard: Path, tmp_path: Path
) -> None:
    with at_a_terminal("--policies", str(guard), "--state-dir", str(tmp_path / "state")) as (process, terminal):
        seen = read_until(terminal, "ca.crt")
        assert "Plimsoll is ready" in seen
        assert re.search(r"listening on +https://127\.0\.0\.1:\d+", seen)
        assert "/mutate /validate" in seen
        assert f"1 from {guard}: guard" in seen
        assert str(tmp_path / "state/tls/ca.crt") in seen
        process.send_signal(signal.SIGINT)
        assert "stopped" in read_until(terminal, "stopped")
        assert process.wait(30) == 0


def test_at_a_terminal_log_lines_are_text(guard: Path, tmp_path: Path) -> None:
    with at_a_terminal("--policies", str(guard), "--state-dir", str(tmp_path / "state")) as (_, terminal):
        seen = read_until(terminal, "server_ready")
        assert '{"time"' not in seen


def test_json_may_be_asked_for_at_a_terminal(guard: Path, tmp_path: Path) -> None:
    flags = ("--policies", str(guard), "--state-dir", str(tmp_path / "state"), "--log-format", "json")
    with at_a_terminal(*flags) as (_, terminal):
        seen = read_until(terminal, '"event":"server_ready"')
        assert "Plimsoll is ready" not in seen


def test_at_a_terminal_last_good_policies_are_announced_loudly(guard: Path, tmp_path: Path) -> None:
    with Served(tmp_path, "--policies", str(guard)):
        pass
    guard.write_text("nonsense: 1")
    with at_a_terminal("--policies", str(guard), "--state-dir", str(tmp_path / "state")) as (_, terminal):
        seen = read_until(terminal, f"    {guard}:1: ")
        assert "NOT in force: the newest version is invalid; the last good one is served instead" in seen


def test_every_setting_is_an_option_and_every_option_a_setting() -> None:
    options = {option.name for option in main.commands["serve"].params}
    assert options == set(Settings.model_fields)


def test_defaults_in_the_help_are_those_of_the_settings() -> None:
    shown = CliRunner().invoke(main, ["serve", "--help"], terminal_width=200).output
    for name, field in Settings.model_fields.items():
        if field.default is not None and not field.is_required() and field.default_factory is None:
            flag = "--" + name.replace("_", "-")
            [line] = [line for line in shown.splitlines() if line.strip().startswith(flag + " ")]
            assert line.rstrip().endswith(f"[{field.default}]"), line


@pytest.mark.parametrize("command", ["serve", "--help"])
def test_help_is_printed_without_loading_what_the_commands_need(command: str) -> None:
    heavy = "asyncio ssl fastapi pydantic cryptography msgspec yaml rich httptools uvloop structlog prometheus_client"
    program = (
        "import sys\nfrom plimsoll.cli import main\n"
        f"try: main([{command!r}, '--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {heavy.split()} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Usage:" in done.stdout


def test_the_version_is_printed() -> None:
    from plimsoll import __version__

    assert CliRunner().invoke(main, ["--version"]).output == f"plimsoll, version {__version__}\n"


@pytest.mark.parametrize("flags", [["--nonsense"], ["extra"], ["--port"]])
def test_wrong_usage_is_code_2(flags: list[str]) -> None:
    assert CliRunner().invoke(main, ["serve", *flags]).exit_code == 2
