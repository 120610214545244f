"""Settings of ``plimsoll serve``: flags first, then ``PLIMSOLL_…`` variables, then defaults. Documented in
``docs/settings.md``.

The only reader of the environment. Frozen once read; everything that is wrong is reported at once.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from plimsoll.errors import InvalidSettings

PREFIX = "PLIMSOLL_"
Seconds = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]


def _default_state() -> Path:
    home = os.environ.get("XDG_STATE_HOME", "")
    return (Path(home) if os.path.isabs(home) else Path.home() / ".local" / "state") / "plimsoll"


def _host(value: str) -> str:
    if not value or len(value) > 253 or any(character.isspace() or character in "/[]" for character in value):
        raise ValueError("a host name or an IP address is accepted, without brackets or a port")
    return value


class Settings(BaseSettings):
    """How one server runs. Seconds where not said otherwise."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    policies: Path
    """File or folder with policies, exemptions, and Namespaces and LimitRanges as context."""
    host: Annotated[str, AfterValidator(_host)] = "127.0.0.1"
    """Address to listen on; it also becomes a name of our own certificate."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8443
    """0 takes a free one, which the log names."""
    tls_cert_file: Path | None = None
    """PEM certificate chain, in place of our own; read again when it changes."""
    tls_private_key_file: Path | None = None
    """PEM key without a password, to go with it."""
    state_dir: Path = Field(default_factory=_default_state)
    """Where our own certificate and the last good policies are kept."""
    failure_mode: Literal["Allow", "Deny"] = "Allow"
    """What happens to a request about which nothing can be decided."""
    poll_seconds: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 1
    """How often policies and certificates are looked at."""
    drain_accept_seconds: Seconds = 0
    """After SIGTERM go on accepting this long, for API servers that have not heard yet."""
    drain_finish_seconds: Seconds = 30
    """Then wait this long for requests in flight."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """auto is text on a terminal, else json."""

    @model_validator(mode="after")
    def _pair(self) -> Settings:
        if (self.tls_cert_file is None) != (self.tls_private_key_file is None):
            given = "tls_cert_file" if self.tls_cert_file else "tls_private_key_file"
            missing = "tls_private_key_file" if self.tls_cert_file else "tls_cert_file"
            raise ValueError(f"{flag(given)} is given without {flag(missing)}; both or neither are accepted")
        return self


def read_settings(**flags: Any) -> Settings:
    """Settings from flags (those that are not None), the environment and defaults. Raises InvalidSettings."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        wrong: dict[str, str] = {}
        for each in error.errors(include_url=False):
            field = str(each["loc"][0]) if each["loc"] else ""
            text = each["msg"].removeprefix("Value error, ")
            missing = each["type"] == "missing"
            found = "" if missing or not field else f"; found {str(each['input'])[:100]!r}"
            wrong[f"{flag(field)} or {PREFIX}{field.upper()}" if field else "settings"] = (
                "nothing is given, and there is no default" if missing else f"{text[:1].lower()}{text[1:]}{found}"
            )
        raise InvalidSettings(wrong) from None


def flag(field: str) -> str:
    """``state_dir`` → ``--state-dir``."""
    return "--" + field.replace("_", "-")
