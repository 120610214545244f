"""What the server tells and takes is documented: every log line, metric and setting, and nothing that is not there."""

import re
from pathlib import Path

import msgspec
import pytest
from plimsoll.logs import LEVELS, event_name
from plimsoll.metrics import Metrics
from plimsoll.observations import Observation
from plimsoll.serving.limits import Limits
from plimsoll.settings import PREFIX, Settings, flag

DOCS = Path(__file__).resolve().parents[2] / "docs"


def table(page: str) -> dict[str, list[str]]:
    """The rows of a page's tables whose first cell is `code`, by that code."""
    rows = {}
    for line in (DOCS / page).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            rows[cells[0].strip("`")] = cells
    return rows


def test_every_observation_has_a_level_and_is_documented_with_its_fields() -> None:
    assert set(LEVELS) == set(Observation.__subclasses__())
    documented = table("logs.md")
    assert set(documented) == {event_name(kind) for kind in LEVELS}
    for kind, level in LEVELS.items():
        cells = documented[event_name(kind)]
        assert cells[1] == level
        named = set(re.findall(r"`([a-z_]+)`", cells[3]))
        assert {field.name for field in msgspec.structs.fields(kind)} <= named, kind


def test_every_metric_is_documented_with_its_type_and_labels() -> None:
    text = Metrics(lambda: 0).text(connections=0).decode()
    types = dict(re.findall(r"^# TYPE (plimsoll_\w+) (\w+)$", text, re.MULTILINE))
    documented = table("metrics.md")
    assert {name: cells[1] for name, cells in documented.items()} == types


def test_every_setting_is_documented_with_its_variable_and_default() -> None:
    documented = {name: cells for name, cells in table("settings.md").items() if name.startswith("--")}
    assert set(documented) == {flag(name) for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        _, variable, default, _ = documented[flag(name)]
        assert variable == f"`{PREFIX}{name.upper()}`"
        if field.default_factory is None and not field.is_required():
            assert default == ("none" if field.default is None else f"`{field.default}`")


@pytest.mark.parametrize(
    ("bound", "documented"),
    [
        (Limits().body_bytes / 2**20, "| body | 8 MiB |"),
        (Limits().head_bytes / 2**10, "| request line and headers | 32 KiB |"),
        (Limits().request_seconds, "| a request, from its first byte to its last | 30 s,"),
        (Limits().idle_seconds, "| an idle connection | 120 s;"),
        (Limits().write_seconds, "| an answer that the client leaves unread | 30 s |"),
        (Limits().handshake_seconds, "| a TLS handshake | 10 s |"),
        (Limits().connections, "| connections | 1,000 |"),
        (Limits().buffered_bytes / 2**20, "| bodies that are arriving, together | 64 MiB |"),
    ],
)
def test_every_bound_is_documented(bound: float, documented: str) -> None:
    assert documented in (DOCS / "settings.md").read_text(encoding="utf-8")
    assert f"{bound:,.0f}" in documented
