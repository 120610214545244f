"""What the audit API answers: what admission would do, whatever the text holds."""

from __future__ import annotations

import msgspec
import pytest
from plimsoll.audit.answer import report
from plimsoll.schemas.compile import Loaded, load
from plimsoll.schemas.report import Report

from tests.audit.material import INCIDENT, NOW

GUARD = """\
apiVersion: plimsoll.dev/v1alpha1
kind: ClusterLimitPolicy
metadata: {name: guard}
spec:
  namespaces: {selector: {matchLabels: {tier: ops}}, include: [quiet]}
  mode: Enforce
  containers: {required: {limits: [memory]}}
"""
OPS = "apiVersion: v1\nkind: Namespace\nmetadata: {name: logging, labels: {tier: ops}}\n"


@pytest.fixture
def loaded() -> Loaded:
    return load([("guard.yaml", GUARD)])


def answered(loaded: Loaded, *texts: str, namespace: str = "default") -> Report:
    answer = report("---\n".join(texts), loaded, NOW, sources=("guard.yaml",), namespace=namespace)
    return msgspec.json.decode(answer, type=Report)


def test_the_answer_is_a_report_by_what_is_in_force(loaded: Loaded) -> None:
    report = answered(loaded, INCIDENT.replace("logging", "quiet"))
    assert [row.result for row in report.rows] == ["fail"]
    assert (report.sources, report.input.documents) == (("guard.yaml",), 1)


def test_namespaces_in_the_text_count(loaded: Loaded) -> None:
    assert [row.result for row in answered(loaded, INCIDENT).rows] == ["skip"]
    assert [row.result for row in answered(loaded, OPS, INCIDENT).rows] == ["fail"]


def test_limit_ranges_in_the_text_count(loaded: Loaded) -> None:
    own = (
        "apiVersion: v1\nkind: LimitRange\nmetadata: {name: own, namespace: logging}\n"
        "spec: {limits: [{type: Container, default: {memory: 64Mi}}]}\n"
    )
    assert [row.result for row in answered(loaded, OPS, own, INCIDENT).rows] == ["pass"]


def test_what_is_wrong_with_the_context_is_an_error(loaded: Loaded) -> None:
    bad = "apiVersion: v1\nkind: LimitRange\nmetadata: {name: own}\nspec: {limits: [{type: Pot}]}\n"
    [error] = answered(loaded, bad).rows
    assert error.error is not None
    assert error.error.message.startswith("/spec/limits/0/type: the API server would refuse this LimitRange")
    assert error.error.line == 4


def test_policies_and_exemptions_in_the_text_are_not_in_force(loaded: Loaded) -> None:
    exemption = """\
apiVersion: plimsoll.dev/v1alpha1
kind: ClusterLimitExemption
metadata: {name: me}
spec: {owner: me, reason: me, expires: 2999-01-01, match: {}, waive: ["*"]}
"""
    laxer = GUARD.replace("containers: {required: {limits: [memory]}}", "containers: {}")
    report = answered(loaded, OPS, exemption, laxer, INCIDENT)
    assert [row.result for row in report.rows] == ["fail"]
    assert report.input.without_template == 3


def test_the_namespace_of_the_request_is_that_of_objects_without_one(loaded: Loaded) -> None:
    bare = INCIDENT.replace("  namespace: logging\n", "")
    assert [row.result for row in answered(loaded, bare, namespace="quiet").rows] == ["fail"]


@pytest.mark.parametrize("text", ["", "{", "[1]", "a: *b", "\x00", "kind: [", "---\n---\n", "null", "{}{}{}"])
def test_any_text_is_answered_with_a_report(loaded: Loaded, text: str) -> None:
    assert answered(loaded, text).kind == "Report"
