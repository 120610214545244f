"""The text a person reads: grouped, with lines and YAML, and nothing of a manifest acts on the terminal."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from plimsoll.audit.render.text import compacted, text_lines
from plimsoll.audit.run import report_rows
from plimsoll.audit.tally import Tally
from plimsoll.policy.matching import Globs
from plimsoll.policy.model import Bounds, Mode, NamespaceMatch, Policy
from plimsoll.policy.snapshot import Snapshot

from tests.audit.material import INCIDENT, NOW, exemption, pod, policy, subjects

HOSTILE = "x\x1b[31m\n::error::[bold]<b>\u202e"


def text(manifests: str, snapshot: Snapshot | None = None, *, quiet: bool = False, documents: int = 1) -> str:
    tally = Tally(("guard.yaml",), documents=documents)
    rows = report_rows(subjects(manifests), snapshot or Snapshot([policy()]), NOW, tally)
    return "\n".join("".join(span for span, _ in line) for line in text_lines(rows, tally, quiet=quiet))


def one(governing: Policy) -> Snapshot:
    return Snapshot([governing])


def test_a_failing_workload_is_shown_with_lines_and_the_yaml_that_would_pass() -> None:
    assert (
        text(INCIDENT)
        == """\
policies: guard.yaml

web.yaml
  FAIL  Deployment logging/elastalert, line 1: its Pods are refused (policy guard, mode Enforce, templates Warn)
    line 12   container elastalert: spec.template.spec.containers[0].resources.limits.memory: missing, required \
[memory.limit.required]
    line 12   container elastalert: spec.template.spec.containers[0].resources.requests.memory: missing, required \
[memory.request.required]
    This would pass:
      spec:
        template:
          spec:
            containers:
            - name: elastalert
              resources:
                requests:
                  memory: 128Mi
                limits:
                  memory: 256Mi

1 fail; policy guard"""
    )


def test_objects_are_grouped_by_file_and_by_the_template_that_made_them() -> None:
    texts = [INCIDENT, INCIDENT, f"# Source: chart/templates/deploy.yaml\n{INCIDENT}"]
    shown = text("---\n".join(texts))
    assert shown.count("\nweb.yaml\n") == 1
    assert "\nchart/templates/deploy.yaml (in web.yaml)\n" in shown


def test_containers_that_are_to_be_written_alike_are_spelled_out_once() -> None:
    shown = text(pod({"name": "a"}, {"name": "b"}, initContainers=[{"name": "c"}]))
    assert "- name: b  # resources as for a" in shown
    assert "- name: c  # resources as for a" in shown
    assert shown.count("memory: 256Mi") == 1


def test_compacting_keeps_what_differs() -> None:
    yaml = """\
spec:
  containers:
  - name: a
    resources:
      limits:
        memory: 1Gi
  - name: b
    resources:
      limits:
        memory: 2Gi"""
    assert "\n".join(compacted(yaml)) == yaml


def test_an_amount_that_nothing_names_is_left_to_the_author() -> None:
    shown = text(INCIDENT, one(policy(Bounds("memory", limit_required=True))))
    assert "This would pass, with an amount of your choice for <amount>:" in shown


def test_workloads_that_pass_are_counted_and_not_listed() -> None:
    sized = INCIDENT.replace("{}", "{requests: {memory: 1Mi}, limits: {memory: 1Mi}}")
    assert text(sized) == "policies: guard.yaml\n\n1 pass; policy guard"


def test_a_passing_workload_with_a_slip_of_the_pen_is_listed() -> None:
    shown = text(INCIDENT.replace("{}", "{requests: {memory: 512m}, limits: {memory: 512m}}"))
    assert "  PASS  Deployment logging/elastalert" in shown
    assert "512Mi was probably meant" in shown


def test_exempted_findings_are_listed_with_owner_reason_and_end() -> None:
    shown = text(INCIDENT, Snapshot([policy()], [exemption()]))
    assert "  SKIP  Deployment logging/elastalert" in shown
    assert "exempted by legacy until 2027-01-31 (team-data: sizes itself)" in shown
    assert "This would pass" not in shown


def test_quiet_leaves_out_what_is_not_wrong() -> None:
    shown = text(INCIDENT, Snapshot([policy()], [exemption()]), quiet=True)
    assert shown == "policies: guard.yaml\n\n1 skip; policy guard"


def test_what_no_policy_governs_is_said_by_namespace() -> None:
    other = INCIDENT.replace("logging", "shop")
    shown = text(
        "---\n".join([INCIDENT, INCIDENT, other]), one(policy(namespaces=NamespaceMatch(include=Globs.of([]))))
    )
    assert "skip  2 workloads: no policy governs namespace logging\n" in shown
    assert "skip  1 workload: no policy governs namespace shop\n" in shown
    assert shown.endswith("\n3 skip")


def test_an_error_says_where_and_what() -> None:
    shown = text("a: [\n---\n" + INCIDENT.replace("{}", "{limits: {memory: 1GB}}"))
    assert "  ERROR this document\n    line 1    this is not YAML" in shown
    assert "  ERROR Deployment logging/elastalert, line 3" in shown
    assert '    line 14   /spec/template/spec/containers/0/resources/limits/memory: "1GB" is not a quantity' in shown


def test_an_input_without_workloads_says_so_with_what_was_read() -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    assert text(service, documents=3).endswith("nothing to audit: 3 documents read, 1 object without a pod template")


def test_the_mode_that_is_still_to_come_is_announced() -> None:
    shown = text(INCIDENT, one(policy(enforce_from=datetime(2026, 12, 1, tzinfo=UTC))))
    assert "(policy guard, mode Warn, Enforce from 2026-12-01T00:00:00Z)" in shown


def test_audit_and_warn_are_told_apart() -> None:
    assert "WARN  Deployment logging/elastalert, line 1: mode Audit" in text(
        INCIDENT, one(policy(mode=Mode.AUDIT, templates=Mode.AUDIT))
    )


def test_an_incomplete_report_says_so() -> None:
    tally = Tally(())
    tally.incomplete = "interrupted"
    assert list(text_lines([], tally))[-1] == (("incomplete", "bold magenta"), (": interrupted", ""))


def test_nothing_in_a_manifest_acts_on_the_terminal() -> None:
    body = msgspec.json.encode(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": HOSTILE, "namespace": HOSTILE},
            "spec": {"containers": [{"name": HOSTILE, "resources": {"limits": {HOSTILE: "1"}}}]},
        }
    ).decode()
    shown = text(body, one(policy(Bounds(HOSTILE, limit_forbidden=True), Bounds("memory", limit_required=True))))
    assert all(line.isprintable() for line in shown.split("\n"))
    assert not any(line.lstrip().startswith("::") for line in shown.split("\n"))
