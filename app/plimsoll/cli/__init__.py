"""The commands, their output and their exit codes.

Nothing heavy is imported here or at the top of a command's module: ``plimsoll --help`` must answer at once, and
``check`` must load neither the server nor its settings. Exit codes: 0, 1 by the command, 2 wrong input, 3 a defect.
"""

from __future__ import annotations

import traceback
from typing import IO, Any

import click

from plimsoll import __version__
from plimsoll.cli.check import check
from plimsoll.cli.explain import explain
from plimsoll.cli.serve import serve
from plimsoll.errors import CertificateError, InvalidPolicy, InvalidSettings, PlimsollError


class Failure(click.ClickException):
    """What ends a command; the message stands by itself."""

    def show(self, file: IO[Any] | None = None) -> None:
        """To standard error, without ``Error:`` before a list of problems that begin with a file's name."""
        click.echo(self.format_message(), err=True, file=file)


class WrongInput(Failure):
    """Policies, settings or files that cannot be used."""

    exit_code = 2


class Defect(Failure):
    """Nothing that the person at the keyboard could mend."""

    exit_code = 3


class Commands(click.Group):
    """Turns what a command raised into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except (InvalidPolicy, InvalidSettings, CertificateError) as error:
            raise WrongInput(str(error)) from error
        except PlimsollError as error:
            raise Defect(str(error)) from error
        except Exception as error:
            told = "".join(traceback.format_exception(error))
            raise Defect(f"{told}\nThis is a defect of plimsoll, not of your input. Please report it.") from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="plimsoll")
def main() -> None:
    """A load line for every container: memory and CPU limits, by a policy per namespace."""


main.add_command(check)
main.add_command(explain)
main.add_command(serve)
