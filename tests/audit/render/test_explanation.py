"""The drawn explanation: 80 columns, everything in it, and nothing that acts on a terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
from plimsoll.audit.explain import explanation_of
from plimsoll.audit.render.explanation import WIDTH, explained, explained_error
from plimsoll.audit.run import Judged, judge
from plimsoll.policy.limit_range import LimitRange, LimitRangeItem
from plimsoll.policy.model import Bounds, Defaulting, Mode, Rules
from plimsoll.policy.quantity import parse
from plimsoll.policy.snapshot import Snapshot

from tests.audit.material import INCIDENT, MEMORY, NOW, exemption, pod, policy, rows, subjects

HOSTILE = "x\x1b[31m\n::error::[bold]<b>\u202e"


def drawn(text: str, snapshot: Snapshot, *, colour: bool = False) -> str:
    [judged] = judge(subjects(text), snapshot, NOW)
    assert isinstance(judged, Judged)
    return explained(explanation_of(judged, snapshot, NOW), colour=colour)


def test_everything_is_said_on_one_screen() -> None:
    governing = policy(MEMORY, defaulting=Defaulting.APPLY, origin="guard.yaml:1")
    own = LimitRange("own", (LimitRangeItem("Container", default={"cpu": parse("1")}),))
    snapshot = Snapshot([governing, policy(name="zone")], limit_ranges={"logging": [own]})
    assert (
        drawn(INCIDENT, snapshot)
        == """\
PASS Deployment logging/elastalert (web.yaml:1)

  policy      guard (guard.yaml:1): include "*", priority 0
  also match  zone (priority 0)
  Pods        Enforce: a violation is refused
  object      Warn: a violation is answered with a warning
  defaulting  Apply: missing values that have a default are filled in
  LimitRange  own
  QoS class   Burstable

  container elastalert (regular, rules of containers)
    field            amount  from            the policy says
    requests.cpu     1       API default
    limits.cpu       1       LimitRange own
    requests.memory  128Mi   policy default  required, at most 1Gi, default
                                             128Mi
    limits.memory    256Mi   policy default  required, at most 1Gi, default
                                             256Mi
"""
    )


def test_no_line_is_wider_than_a_terminal() -> None:
    resource = f"example.com/{'long-' * 12}name"
    wide = policy(MEMORY, Bounds(resource, limit_required=True, min=parse("1"), max=parse("4")))
    text = pod({"name": "c" * 63, "image": "i" * 200}, metadata={})
    shown = drawn(text, Snapshot([wide], [exemption(reason="because " * 40)]))
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert not any(line.endswith(" ") for line in shown.splitlines())


def test_modes_say_what_happens_and_when() -> None:
    coming = policy(enforce_from=datetime(2026, 12, 1, tzinfo=UTC))
    assert "Warn: a violation is answered with a warning; Enforce from" in drawn(INCIDENT, Snapshot([coming]))
    past = policy(enforce_from=datetime(2026, 1, 1, tzinfo=UTC))
    assert "Enforce: a violation is refused; since 2026-01-01T00:00:00Z" in drawn(INCIDENT, Snapshot([past]))
    audited = policy(mode=Mode.AUDIT, templates=None)
    assert "Audit: nothing is refused or changed" in drawn(INCIDENT, Snapshot([audited]))


def test_findings_exemptions_and_doubts_are_listed() -> None:
    waived = exemption(waive=frozenset(["memory.limit.required"]), expires_text="2027-01-31")
    ended = exemption(name="old", expires=datetime(2026, 1, 1, tzinfo=UTC), expires_text="2026-01-01")
    text = INCIDENT.replace("{}", "{requests: {memory: 512m}}")
    governing = policy(MEMORY, Bounds("cpu", limit_required=True), pod=Rules((Bounds("memory", max=parse("8Gi")),)))
    shown = " ".join(drawn(text, Snapshot([governing], [waived, ended])).split())
    assert "exempted container elastalert" in shown
    assert "fail container elastalert" in shown
    assert "note container elastalert" in shown
    assert "legacy, until 2027-01-31: memory.limit.required of elastalert (team-data: sizes itself)" in shown
    assert "old, ended 2026-01-01, waives nothing: every check" in shown
    assert "pod total requests.memory: at most 8Gi" in shown


def test_a_change_of_the_class_of_service_is_said() -> None:
    shown = drawn(INCIDENT, Snapshot([policy(defaulting=Defaulting.APPLY)]))
    assert "QoS class   BestEffort → Burstable: no longer the first to be evicted" in shown


def test_a_refusal_by_the_limit_range_is_said() -> None:
    strict = LimitRange("strict", (LimitRangeItem("Container", max={"memory": parse("64Mi")}),))
    text = INCIDENT.replace("{}", "{limits: {memory: 256Mi}}")
    shown = drawn(text, Snapshot([policy()], limit_ranges={"logging": [strict]}))
    assert "LimitRange strict will refuse its Pods" in " ".join(shown.split())


def test_what_no_policy_governs_says_so() -> None:
    shown = drawn(pod({"name": "a"}, ephemeralContainers=[{"name": "e"}]), Snapshot())
    assert "none governs the namespace; Kubernetes alone decides" in shown
    assert "container a (regular): nothing is written, nothing is said" in shown
    assert "container e (ephemeral): cannot have resources, never judged" in shown


def test_colour_is_added_and_changes_no_word() -> None:
    snapshot = Snapshot([policy(defaulting=Defaulting.APPLY)])
    coloured = drawn(INCIDENT, snapshot, colour=True)
    assert "\x1b[32m" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in plain.splitlines()] == drawn(INCIDENT, snapshot).splitlines()


def test_an_error_is_drawn_with_its_place() -> None:
    [row] = rows(INCIDENT.replace("{}", "{limits: {memory: 1GB}}"))
    shown = " ".join(explained_error(row, colour=False).split())
    assert shown.startswith("ERROR Deployment logging/elastalert (web.yaml:1)")
    assert 'line 12: /spec/template/spec/containers/0/resources/limits/memory: "1GB" is not a quantity' in shown
    assert explained_error(rows(INCIDENT)[0], colour=False) == ""


def test_nothing_in_a_manifest_acts_on_the_terminal() -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": HOSTILE, "namespace": HOSTILE},
        "spec": {"containers": [{"name": HOSTILE, "image": HOSTILE, "resources": {"limits": {HOSTILE: "1"}}}]},
    }
    shown = drawn(msgspec.json.encode(body).decode(), Snapshot([policy(Bounds(HOSTILE, limit_forbidden=True))]))
    assert all(line.isprintable() for line in shown.splitlines())
