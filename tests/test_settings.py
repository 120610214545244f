"""Settings: flags over variables over defaults, and everything wrong at once."""

from pathlib import Path
from typing import Any

import pytest
from plimsoll.errors import InvalidSettings
from plimsoll.settings import read_settings


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("PLIMSOLL_", "XDG_STATE_HOME")):
            monkeypatch.delenv(name)


def wrong(**flags: Any) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as refused:
        read_settings(**flags)
    return refused.value.fields


def test_without_anything_but_policies_the_server_is_for_this_machine_alone() -> None:
    settings = read_settings(policies="policies")
    assert (settings.host, settings.port) == ("127.0.0.1", 8443)
    assert settings.policies == Path("policies")
    assert settings.failure_mode == "Allow"
    assert settings.drain_accept_seconds == 0


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLIMSOLL_PORT", "9443")
    monkeypatch.setenv("PLIMSOLL_HOST", "::1")
    monkeypatch.setenv("PLIMSOLL_POLICIES", "from-variable")
    settings = read_settings(port="1", host=None)
    assert (settings.port, settings.host, settings.policies) == (1, "::1", Path("from-variable"))


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLIMSOLL_PORT", "")
    assert read_settings(policies="p").port == 8443


def test_the_state_folder_follows_the_users_convention(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_settings(policies="p").state_dir == tmp_path / ".local/state/plimsoll"
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    assert read_settings(policies="p").state_dir == tmp_path / ".local/state/plimsoll"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert read_settings(policies="p").state_dir == tmp_path / "state/plimsoll"


def test_everything_that_is_wrong_is_said_at_once_with_flag_variable_and_value() -> None:
    assert wrong(port="eighty", host="a b", failure_mode="Maybe", poll_seconds="0", log_format="xml") == {
        "--policies or PLIMSOLL_POLICIES": "nothing is given, and there is no default",
        "--host or PLIMSOLL_HOST": "a host name or an IP address is accepted, without brackets or a port; found 'a b'",
        "--port or PLIMSOLL_PORT": "input should be a valid integer, unable to parse string as an integer; "
        "found 'eighty'",
        "--failure-mode or PLIMSOLL_FAILURE_MODE": "input should be 'Allow' or 'Deny'; found 'Maybe'",
        "--poll-seconds or PLIMSOLL_POLL_SECONDS": "input should be greater than 0; found '0'",
        "--log-format or PLIMSOLL_LOG_FORMAT": "input should be 'auto', 'json' or 'text'; found 'xml'",
    }


@pytest.mark.parametrize("port", ["-1", "65536", "1.5"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    assert list(wrong(policies="p", port=port)) == ["--port or PLIMSOLL_PORT"]


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "3601"])
def test_times_are_bounded(seconds: str) -> None:
    assert list(wrong(policies="p", drain_accept_seconds=seconds)) == [
        "--drain-accept-seconds or PLIMSOLL_DRAIN_ACCEPT_SECONDS"
    ]


def test_half_of_a_certificate_is_refused() -> None:
    assert wrong(policies="p", tls_cert_file="c") == {
        "settings": "--tls-cert-file is given without --tls-private-key-file; both or neither are accepted"
    }
    assert wrong(policies="p", tls_private_key_file="k") == {
        "settings": "--tls-private-key-file is given without --tls-cert-file; both or neither are accepted"
    }


def test_settings_do_not_change() -> None:
    settings = read_settings(policies="p")
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1
