"""From objects to rows: order, what is counted, and that one bad object stops nothing."""

from __future__ import annotations

import pytest
from plimsoll.audit.run import report_rows
from plimsoll.audit.tally import Tally
from plimsoll.policy.matching import Globs
from plimsoll.policy.model import Matcher, Mode, NamespaceMatch, WorkloadMatch
from plimsoll.policy.snapshot import Snapshot

from tests.audit.material import INCIDENT, NOW, exemption, policy, rows, subjects

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"


def test_rows_keep_the_order_of_the_input() -> None:
    text = "---\n".join(INCIDENT.replace("name: elastalert\n  name", f"name: {name}\n  name") for name in "zam")
    assert [row.object.name for row in rows(text) if row.object] == ["z", "a", "m"]
    assert [row.origin.document for row in rows(text)] == [1, 2, 3]


def test_the_namespace_that_was_given_is_that_of_objects_without_one() -> None:
    text = INCIDENT.replace("  namespace: logging\n", "")
    own = policy(name="own", namespaces=NamespaceMatch(include=Globs.of(["shop"])))
    tally = Tally(())
    [row] = report_rows(subjects(text), Snapshot([own]), NOW, tally, namespace="shop")
    assert row.object is not None
    assert (row.policy, row.object.namespace) == ("own", "shop")


def test_objects_without_a_pod_template_are_counted_and_not_reported() -> None:
    tally = Tally(())
    unknown = "apiVersion: example.org/v1\nkind: Thing\nspec: {template: {spec: {containers: [{name: a}]}}}\n"
    text = "---\n".join([SERVICE, INCIDENT, unknown])
    assert len(list(report_rows(subjects(text), Snapshot([policy()]), NOW, tally))) == 1
    assert tally.input.without_template == 2


def test_a_kind_whose_template_is_absent_carries_none() -> None:
    tally = Tally(())
    rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {workloadRef: {name: web}}\n"
    assert list(report_rows(subjects(rollout), Snapshot([policy()]), NOW, tally)) == []
    assert tally.input.without_template == 1


def test_an_object_that_cannot_be_read_is_an_error_with_pointer_and_line_and_the_rest_is_judged() -> None:
    bad = INCIDENT.replace("image: elastalert:2", "image: [1]")
    error, judged = rows(f"{bad}---\n{INCIDENT}")
    assert error.result == "error"
    assert error.object is not None
    assert error.object.name == "elastalert"
    assert error.error is not None
    assert (error.error.pointer, error.error.line) == ("/spec/template/spec/containers/0/image", 11)
    assert judged.result == "fail"


def test_an_amount_that_is_no_quantity_is_an_error_that_says_what_would_be_accepted() -> None:
    bad = INCIDENT.replace("resources: {}", "resources: {limits: {memory: 1GB}}")
    [row] = rows(bad)
    assert row.error is not None
    assert row.error.pointer == "/spec/template/spec/containers/0/resources/limits/memory"
    assert '"1GB" is not a quantity' in row.error.message


def test_a_document_that_is_no_yaml_is_an_error_with_its_line() -> None:
    broken, judged = rows(f"a: [\n---\n{INCIDENT}")
    assert (broken.result, broken.object) == ("error", None)
    assert broken.error is not None
    assert judged.result == "fail"


def test_an_object_that_is_no_map_is_an_error() -> None:
    [row] = rows("- 1\n- 2\n")
    assert row.result == "error"


@pytest.mark.parametrize(
    ("text", "pointer"),
    [("kind: Pod\nspec: {containers: [{name: a}]}\n", "/apiVersion"), ("apiVersion: v1\nspec: {}\n", "/kind")],
)
def test_half_an_object_is_an_error(text: str, pointer: str) -> None:
    [row] = rows(text)
    assert row.error is not None
    assert row.error.pointer == pointer


def test_a_document_that_is_no_object_at_all_is_counted_and_not_reported() -> None:
    assert rows("replicaCount: 1\nresources: {}\n") == []


def test_items_of_a_list_point_into_their_document() -> None:
    items = "".join("  - " + line.replace("\n", "\n    ") + "\n" for line in (INCIDENT.rstrip(), INCIDENT.rstrip()))
    first, second = rows(f"apiVersion: v1\nkind: List\nitems:\n{items}")
    assert (first.origin.line, second.origin.line) == (4, 16)
    assert [finding.line for finding in second.results] == [27, 27]
    assert second.results[0].pointer == "/spec/template/spec/containers/0/resources/limits/memory"


def test_owners_are_believed_in_files() -> None:
    pod = """\
apiVersion: v1
kind: Pod
metadata:
  name: loader-29300000-x
  ownerReferences: [{kind: Job, name: loader-29300000, controller: true}]
spec: {containers: [{name: a}]}
"""
    match = Matcher(workloads=(WorkloadMatch("CronJob", Globs.of(["loader"])),))
    [row] = rows(pod, exemptions=[exemption(match=match)])
    assert row.result == "skip"


def test_an_object_with_several_templates_is_several_rows() -> None:
    text = """\
apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata: {name: w}
spec:
  leaderWorkerTemplate:
    leaderTemplate: {spec: {containers: [{name: a}]}}
    workerTemplate: {spec: {containers: [{name: b}]}}
"""
    assert [row.template for row in rows(text)] == [
        "/spec/leaderWorkerTemplate/leaderTemplate",
        "/spec/leaderWorkerTemplate/workerTemplate",
    ]


def test_the_tally_counts_results_policies_and_audited_warnings() -> None:
    audited = policy(
        name="audited", mode=Mode.AUDIT, templates=Mode.AUDIT, namespaces=NamespaceMatch(include=Globs.of(["quiet"]))
    )
    strict = policy(name="strict", namespaces=NamespaceMatch(include=Globs.of(["logging"])), origin="p.yaml:1")
    texts = [INCIDENT, INCIDENT, INCIDENT.replace("logging", "quiet"), INCIDENT.replace("logging", "free"), "a: ["]
    tally = Tally(("p.yaml",), documents=5)
    list(report_rows(subjects("---\n".join(texts)), Snapshot([audited, strict]), NOW, tally))
    summary = tally.summary
    assert (summary.fail, summary.warn, summary.skip, summary.error, summary.passed) == (2, 1, 1, 1, 0)
    assert tally.audited == 1
    assert [(p.name, p.origin, p.workloads) for p in tally.policies] == [("audited", "", 1), ("strict", "p.yaml:1", 2)]
