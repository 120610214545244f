"""How a command's error becomes a message and an exit code."""

import click
import pytest
from click.testing import CliRunner
from plimsoll.cli import Commands
from plimsoll.errors import (
    CertificateError,
    InvalidPolicy,
    InvalidSettings,
    MalformedObject,
    PolicyUnavailable,
    Problem,
)


def ended(error: Exception) -> tuple[int, str]:
    """Exit code and standard error of a command that raises this."""

    @click.group(cls=Commands)
    def group() -> None:
        pass

    @group.command()
    def fail() -> None:
        raise error

    result = CliRunner().invoke(group, ["fail"])
    assert result.stdout == ""
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            InvalidPolicy([Problem("a.yaml", 3, "/spec", "x"), Problem("b.yaml", None, "", "y")]),
            2,
            "a.yaml:3: /spec: x\nb.yaml: y\n",
        ),
        (InvalidSettings({"--port": "too high", "--host": "odd"}), 2, "--port: too high\n--host: odd\n"),
        (CertificateError("no key"), 2, "no key\n"),
        (MalformedObject("/spec", "a list"), 3, "/spec: a list\n"),
        (PolicyUnavailable("shop", "not synced"), 3, "no policy can be known for namespace 'shop': not synced\n"),
        (click.UsageError("wrong"), 2, "Usage: group fail"),
        (click.exceptions.Exit(7), 7, ""),
        (click.Abort(), 1, "Aborted!\n"),
    ],
)
def test_an_error_has_its_message_and_its_code(error: Exception, code: int, said: str) -> None:
    found = ended(error)
    assert found[0] == code
    assert found[1].startswith(said)
    assert "Traceback" not in found[1]


def test_a_defect_is_code_3_with_a_traceback_and_whose_fault_it_is() -> None:
    code, said = ended(ZeroDivisionError("a defect"))
    assert code == 3
    assert "Traceback" in said
    assert "ZeroDivisionError: a defect" in said
    assert said.endswith("This is a defect of plimsoll, not of your input. Please report it.\n")
