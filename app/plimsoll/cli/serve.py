"""``plimsoll serve``: the options, and what a person at a terminal reads when the server starts.

Every option is also a setting in the environment, so values are handed on as text and judged there, all at once.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from plimsoll.wiring.serve import Server


@click.command(short_help="Serve the admission webhook and the audit API over HTTPS.")
@click.option("--policies", metavar="PATH", help="File or folder with policies, exemptions, Namespaces, LimitRanges.")
@click.option("--host", metavar="HOST", help="Address to listen on; a name of our own certificate too.  [127.0.0.1]")
@click.option("--port", metavar="PORT", help="Port to listen on; 0 takes a free one.  [8443]")
@click.option("--tls-cert-file", metavar="FILE", help="PEM certificate chain, in place of our own.")
@click.option("--tls-private-key-file", metavar="FILE", help="PEM key without a password, to go with it.")
@click.option("--state-dir", metavar="DIR", help="Our certificate, the last good policies.  [~/.local/state/plimsoll]")
@click.option("--failure-mode", metavar="MODE", help="Allow or Deny what cannot be decided.  [Allow]")
@click.option("--poll-seconds", metavar="SECONDS", help="How often policies and certificates are looked at.  [1]")
@click.option("--drain-accept-seconds", metavar="SECONDS", help="After SIGTERM, go on accepting this long.  [0]")
@click.option("--drain-finish-seconds", metavar="SECONDS", help="Then wait this long for what is in flight.  [30]")
@click.option("--log-format", metavar="FORMAT", help="json, text, or auto: text on a terminal.  [auto]")
def serve(**flags: str | None) -> None:
    """Serve /mutate and /validate for the API server, the audit API and its documentation, on one HTTPS port.

    Policies are read again when their files change; an invalid version is refused and the last good one stays in
    force. Each option is also a variable: --state-dir is PLIMSOLL_STATE_DIR.
    """
    began = time.monotonic()
    from plimsoll.settings import read_settings

    settings = read_settings(**flags)
    from plimsoll.wiring.serve import Server, run

    server = Server(settings, began)

    def ready(address: str) -> None:
        if sys.stderr.isatty() and settings.log_format != "json":
            click.echo(start_up(server, address), err=True)

    run(server, ready)


def start_up(server: Server, address: str) -> str:
    """What is loaded, where it listens, what clients trust."""
    policies = server.policies.in_force.compiled.snapshot.policies
    names = ", ".join(policy.name for policy in policies[:8]) + (", …" if len(policies) > 8 else "")
    rows = [
        ("listening on", click.style(address, bold=True)),
        ("paths", " ".join(server.paths)),
        ("policies", f"{len(policies)} from {server.origin}: {names}"),
    ]
    if server.clients is not None:
        rows.append(("clients trust", str(server.clients)))
    lines = [click.style("Plimsoll is ready", fg="green", bold=True) + "  (^C stops it)"]
    lines += [f"  {name:<14}{text}" for name, text in rows]
    rejected = server.policies.rejected
    if rejected is not None:
        warning = "NOT in force: the newest version is invalid; the last good one is served instead"
        lines.append("  " + click.style(warning, fg="yellow", bold=True))
        lines += [f"    {problem}" for problem in rejected.problems]
    return "\n".join(lines)
