"""Pods that look the same get the answer given before; whatever a judgement reads tells them apart."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plimsoll.admission.likeness import MOST_BYTES, MOST_CONTAINERS, MOST_REMEMBERED
from plimsoll.admission.request import AdmissionRequest
from plimsoll.admission.response import AdmissionResponse, Verdict
from plimsoll.admission.review import mutate, validate
from plimsoll.policy.snapshot import Snapshot
from plimsoll.schemas.admission_review import decode_review, encode_response
from plimsoll.schemas.compile import load

Review = Callable[[AdmissionRequest, Snapshot, datetime], AdmissionResponse]
Json = dict[str, Any]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
POLICY = """
apiVersion: plimsoll.dev/v1alpha1
kind: ClusterLimitPolicy
metadata: {name: guard}
spec:
  namespaces: {include: ["*"]}
  mode: Enforce
  defaulting: Apply
  containers:
    required: {limits: [memory]}
    default: {memory: 256Mi}
    max: {memory: 1Gi}
"""
EXEMPTION = """
apiVersion: plimsoll.dev/v1alpha1
kind: ClusterLimitExemption
metadata: {name: legacy}
spec:
  owner: team-data
  reason: sizes itself
  expires: 2026-11-24T12:00:00Z
  match: MATCH
  waive: ["memory.limit.required"]
"""


def snapshot(*texts: str) -> Snapshot:
    return load((f"policy-{index}", text) for index, text in enumerate(texts or (POLICY,))).snapshot


def pod(*memory: str | None, **metadata: Any) -> Json:
    containers = [
        {"name": f"c{index}", "image": "app:1", **({"resources": {"limits": {"memory": limit}}} if limit else {})}
        for index, limit in enumerate(memory or (None,))
    ]
    return {"metadata": {"generateName": "web-", **metadata}, "spec": {"containers": containers}}


def request(made: Json, *, uid: str = "1", namespace: str = "shop") -> AdmissionRequest:
    kind = {"group": "", "version": "v1", "kind": "Pod"}
    asked = {"uid": uid, "kind": kind, "operation": "CREATE", "namespace": namespace, "object": made}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": asked}
    return decode_review(json.dumps(review).encode())


@pytest.mark.parametrize(("review", "made"), [(mutate, pod()), (mutate, pod("64Mi")), (validate, pod("64Mi"))])
def test_the_next_pod_of_a_template_gets_the_very_answer_of_the_first(review: Review, made: Json) -> None:
    known = snapshot()
    first = review(request(made, uid="1"), known, NOW)

    named = {**made, "metadata": {**made["metadata"], "name": "web-x7k2p"}}
    second = request(named, uid="2")

    assert review(second, known, NOW) is first
    assert json.loads(encode_response(second, first))["response"]["uid"] == "2"


def test_the_two_reviews_do_not_take_each_others_answers() -> None:
    known = snapshot(POLICY.replace("mode: Enforce", "mode: Warn"))

    patched, warned = (review(request(pod()), known, NOW) for review in (mutate, validate))

    assert (patched.trace.verdict, warned.trace.verdict) == (Verdict.PATCHED, Verdict.WARNED)
    assert warned.warnings


def test_a_refusal_names_its_pod_so_each_gets_its_own() -> None:
    known = snapshot()

    first, second = (
        validate(request(pod("2Gi", name=name)), known, NOW).message.splitlines()[0] for name in ("web-1", "web-2")
    )

    assert "web-1" in first
    assert "web-2" in second


def test_a_new_policy_never_meets_an_answer_given_under_the_old() -> None:
    answers = [
        mutate(request(pod()), snapshot(POLICY.replace("256Mi", amount)), NOW).trace.settings
        for amount in ("256Mi", "512Mi")
    ]

    assert answers == [("c0 limits.memory=256Mi",), ("c0 limits.memory=512Mi",)]


def test_a_second_after_its_end_an_exemption_is_not_remembered() -> None:
    known = snapshot(POLICY, EXEMPTION.replace("MATCH", "{}"))

    exempted, judged = (mutate(request(pod()), known, NOW + timedelta(seconds=late)) for late in (0, 1))

    assert exempted.trace.verdict is Verdict.ALLOWED
    assert judged.trace.verdict is Verdict.PATCHED


def test_a_pod_made_when_enforcement_begins_is_not_taken_for_one_made_before() -> None:
    known = snapshot(POLICY.replace("mode: Enforce", "mode: Enforce\n  enforceFrom: 2026-11-24T12:00:00Z"))

    warned, denied = (validate(request(pod("2Gi")), known, NOW + timedelta(seconds=late)) for late in (-1, 0))

    assert (warned.trace.verdict, denied.trace.verdict) == (Verdict.WARNED, Verdict.DENIED)


OVERRIDE = """  overrides:
  - match: MATCH
    containers: {default: {memory: 512Mi}}
"""


@pytest.mark.parametrize(
    ("match", "other"),
    [
        pytest.param('{podLabels: {tier: ops}}', pod(labels={"tier": "ops"}), id="a label"),
        pytest.param('{workloads: [{names: ["web-1"]}]}', pod(name="web-1"), id="its name, where somebody looks at it"),
        pytest.param('{containers: ["c1"]}', pod("64Mi", None), id="another container"),
    ],
)
def test_what_an_override_looks_at_tells_pods_apart(match: str, other: Json) -> None:
    known = snapshot(POLICY + OVERRIDE.replace("MATCH", match))

    plain, overridden = (mutate(request(made), known, NOW).trace.settings for made in (pod(), other))

    assert plain == ("c0 limits.memory=256Mi",)
    assert overridden[0].endswith("limits.memory=512Mi")


def test_a_name_that_an_exemption_looks_at_tells_pods_apart() -> None:
    known = snapshot(POLICY, EXEMPTION.replace("MATCH", '{workloads: [{names: ["web-1"]}]}'))

    verdicts = [mutate(request(pod(name=name)), known, NOW).trace.verdict for name in ("web-2", "web-1")]

    assert verdicts == [Verdict.PATCHED, Verdict.ALLOWED]


def test_namespaces_are_told_apart() -> None:
    known = snapshot(POLICY.replace('["*"]', '["shop"]'), POLICY.replace("guard", "other").replace("256Mi", "512Mi"))
    by_first_name = mutate(request(pod(), namespace="shop"), known, NOW)
    elsewhere = mutate(request(pod(), namespace="bank"), known, NOW)

    assert (by_first_name.trace.policy, elsewhere.trace.policy) == ("guard", "other")


def test_annotations_that_are_empty_and_those_that_are_absent_need_other_patches() -> None:
    known = snapshot()

    absent, empty = (mutate(request(made), known, NOW).patch[-1].path for made in (pod(), pod(annotations={})))

    assert absent == "/metadata/annotations"
    assert empty == "/metadata/annotations/plimsoll.dev~1set"


def test_the_memory_is_bounded_and_forgets_the_oldest() -> None:
    known = snapshot()
    first = mutate(request(pod("1Mi")), known, NOW)

    for index in range(MOST_REMEMBERED):
        mutate(request(pod(f"{index + 2}Mi")), known, NOW)

    assert len(known.remembered) == MOST_REMEMBERED
    assert mutate(request(pod("1Mi")), known, NOW) is not first


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(pod(annotations={"note": "x" * MOST_BYTES}), id="much text"),
        pytest.param(pod(*["64Mi"] * (MOST_CONTAINERS + 1)), id="many containers"),
        pytest.param({"metadata": {"generateName": "web-"}}, id="no spec"),
    ],
)
def test_what_would_fill_the_memory_is_not_kept(made: Json) -> None:
    known = snapshot()

    mutate(request(made), known, NOW)

    assert known.remembered == {}


LIMITS = st.sampled_from([None, "16Mi", "64Mi", "1Gi", "2Gi", "1", 1, 1.0, "0"])
PODS = st.builds(
    lambda limits, labels, annotations: pod(*limits, **labels, **annotations),
    st.lists(LIMITS, min_size=1, max_size=3),
    st.sampled_from([{}, {"labels": {}}, {"labels": {"tier": "ops"}}]),
    st.sampled_from([{}, {"annotations": {}}, {"annotations": {"plimsoll.dev/set": "earlier"}}]),
)


@given(st.lists(PODS, max_size=12), st.sampled_from(["Audit", "Warn", "Enforce"]))
def test_nobody_can_see_that_answers_are_remembered(made: list[Json], mode: str) -> None:
    policy = POLICY.replace("mode: Enforce", f"mode: {mode}")
    policy += OVERRIDE.replace("MATCH", '{podLabels: {tier: ops}}')
    remembering = snapshot(policy)

    for asked in [request(each) for each in (*made, *made)]:
        for review in (mutate, validate):
            fresh = review(asked, snapshot(policy), NOW)
            assert encode_response(asked, review(asked, remembering, NOW)) == encode_response(asked, fresh)
