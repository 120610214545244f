"""What the API server is answered: each sentence of the product's Admission, by `mutate` and `validate` alone."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from plimsoll.admission.response import AdmissionResponse, Verdict
from plimsoll.admission.review import (
    AUDITED,
    IGNORED,
    MAX_ANNOTATION,
    MAX_CAUSES,
    NO_NAMESPACE,
    NO_POLICY,
    NO_TEMPLATE,
    NOT_A_CREATION,
    UNCHANGED,
    mutate,
    validate,
)
from plimsoll.policy.snapshot import Snapshot

from tests.admission.questions import ALICE, KUBELET, REPLICASETS, Json, question, resize
from tests.policy import shorthand
from tests.policy.decision import NOW, deployment_of, snapshot

RULES = "containers: {required: {limits: [memory]}, default: {memory: 256Mi}, max: {memory: 1Gi}}"
APPLY = f"{{mode: Enforce, templates: Enforce, defaulting: Apply, {RULES}}}"
ENFORCE = f"{{mode: Enforce, templates: Enforce, {RULES}}}"
WARN = f"{{mode: Warn, templates: Warn, {RULES}}}"
AUDIT = f"{{mode: Audit, templates: Audit, {RULES}}}"
NOBODY = Snapshot()
MIRROR = {"kubernetes.io/config.mirror": "abc"}


def pod(text: str = "a", **metadata: Any) -> Json:
    obj = shorthand.pod(text)
    obj["metadata"] |= metadata
    return obj


def deployment(text: str = "a", **metadata: Any) -> Json:
    obj = deployment_of(shorthand.pod(text))
    obj["metadata"] |= metadata
    return obj


def checks(answer: AdmissionResponse) -> list[str]:
    return [cause.reason for cause in answer.causes]


def said(answer: AdmissionResponse) -> tuple[bool, str, str]:
    return answer.allowed, answer.trace.verdict.value, answer.trace.reason


# Mutating


@pytest.mark.parametrize("mode", ["Warn", "Enforce"])
def test_a_pod_is_filled_in_on_its_creation(mode: str) -> None:
    answer = mutate(question(pod()), snapshot(f"{{mode: {mode}, defaulting: Apply, {RULES}}}"), NOW)
    assert said(answer) == (True, "patched", "")
    assert [operation.path for operation in answer.patch] == [
        "/spec/containers/0/resources/limits",
        "/metadata/annotations",
    ]
    assert answer.trace.settings == ("a limits.memory=256Mi",)
    assert (answer.trace.policy, answer.trace.mode) == ("guard", mode)
    assert answer.audit_annotations == {}  # a second round may not change them
    assert answer.warnings == ()


def test_a_pod_that_satisfies_its_policy_is_not_patched() -> None:
    answer = mutate(question(pod("a lim memory=1Gi")), snapshot(APPLY), NOW)
    assert said(answer) == (True, "allowed", "")
    assert answer.patch == ()


def test_mutating_refuses_nothing_that_can_be_read() -> None:
    answer = mutate(question(pod("a req memory=2Gi")), snapshot(APPLY), NOW)
    assert said(answer) == (True, "allowed", "")
    assert answer.trace.checks == ("a/memory.limit.required", "a/memory.request.max")


@pytest.mark.parametrize(
    ("asked", "under", "reason"),
    [
        (question(deployment()), APPLY, NOT_A_CREATION),
        (question(pod(), old=pod()), APPLY, NOT_A_CREATION),
        (resize(pod(), pod()), APPLY, NOT_A_CREATION),
        (question(pod(), sub_resource="binding"), APPLY, NOT_A_CREATION),
        (question(pod(), operation="DELETE"), APPLY, NOT_A_CREATION),
        (question(None, kind="Pod"), APPLY, NOT_A_CREATION),
        (question(pod(), namespace=""), APPLY, NO_NAMESPACE),
        (question(pod()), "", NO_POLICY),
        (question(pod()), AUDIT, AUDITED),
        (question(pod(annotations=MIRROR), username=KUBELET), APPLY, "a mirror Pod of a kubelet"),
    ],
)
def test_mutating_says_what_it_leaves_alone_and_why(asked: Any, under: str, reason: str) -> None:
    answer = mutate(asked, snapshot(under) if under else NOBODY, NOW)
    assert said(answer) == (True, "skipped", reason)
    assert answer.patch == ()


def test_under_suggest_only_clamp_patches() -> None:
    clamp = "{mode: Enforce, containers: {outOfRange: Clamp, max: {memory: 1Gi}, default: {memory: 1Gi}}}"
    assert mutate(question(pod("a lim memory=2Gi")), snapshot(clamp), NOW).patch
    assert not mutate(question(pod()), snapshot(clamp), NOW).patch


def test_until_its_date_enforce_fills_in_as_warn_does() -> None:
    policy = APPLY.replace("{mode", "{enforceFrom: '2026-12-01T00:00:00Z', mode", 1)
    assert mutate(question(pod()), snapshot(policy), NOW).trace.mode == "Warn"
    assert mutate(question(pod()), snapshot(policy), NOW).patch


def test_a_dry_run_gets_the_same_answer() -> None:
    for ask in (mutate, validate):
        assert ask(question(pod(), dry_run=True), snapshot(APPLY), NOW) == ask(question(pod()), snapshot(APPLY), NOW)


# Validating, by mode


@pytest.mark.parametrize(
    ("under", "allowed", "verdict", "has_warnings"),
    [(ENFORCE, False, "denied", False), (WARN, True, "warned", True), (AUDIT, True, "audited", False)],
)
@pytest.mark.parametrize("obj", [pod(), deployment()], ids=["pod", "deployment"])
def test_a_violation_is_refused_warned_about_or_recorded(
    obj: Json, under: str, allowed: bool, verdict: str, has_warnings: bool
) -> None:
    answer = validate(question(obj), snapshot(under), NOW)
    assert said(answer) == (allowed, verdict, "")
    assert bool(answer.warnings) is has_warnings
    assert answer.trace.checks == ("a/memory.limit.required",)
    assert answer.patch == ()
    assert answer.audit_annotations == {
        "policy": "guard",
        "mode": answer.trace.mode,
        "verdict": verdict,
        "violations": "a/memory.limit.required",
    }
    if allowed:
        assert (answer.code, answer.message, answer.causes) == (0, "", ())
    else:
        assert answer.code == 403
        assert answer.message.startswith(
            f"{obj['kind']} {obj['metadata']['name']} breaks policy guard of namespace team:"
        )
        assert checks(answer) == ["memory.limit.required"]
        assert answer.causes[0].field.endswith("spec.containers[0].resources.limits.memory")


@pytest.mark.parametrize("under", [ENFORCE, WARN, AUDIT])
def test_what_passes_is_allowed_without_a_word(under: str) -> None:
    answer = validate(question(pod("a lim memory=1Gi")), snapshot(under), NOW)
    assert said(answer) == (True, "allowed", "")
    assert answer.warnings == ()
    assert set(answer.audit_annotations) == {"policy", "mode", "verdict"}


def test_pods_and_templates_have_a_mode_each() -> None:
    """The recommended end state: changes are refused where a person sees them, pods never."""
    given = snapshot(f"{{mode: Warn, templates: Enforce, {RULES}}}")
    assert validate(question(pod()), given, NOW).trace.verdict is Verdict.WARNED
    assert validate(question(deployment()), given, NOW).trace.verdict is Verdict.DENIED
    assert said(validate(question(deployment()), snapshot(f"{{templates: Ignore, {RULES}}}"), NOW)) == (
        True,
        "skipped",
        IGNORED,
    )


def test_enforcement_begins_at_its_instant() -> None:
    given = snapshot(ENFORCE.replace("{mode", "{enforceFrom: '2026-12-01T00:00:00Z', mode", 1))
    begins = datetime(2026, 12, 1, tzinfo=UTC)
    for obj in (pod(), deployment()):
        before = validate(question(obj), given, begins - timedelta(microseconds=1))
        assert before.trace.verdict is Verdict.WARNED
        assert "refused from 2026-12-01T00:00:00Z" in before.warnings[0]
        assert validate(question(obj), given, begins).trace.verdict is Verdict.DENIED


def test_audit_records_what_enforce_would_have_made_of_the_pod() -> None:
    """It patches nothing, so the Pod arrives as it was written."""
    given = snapshot(APPLY.replace("Enforce", "Audit"))
    assert said(validate(question(pod()), given, NOW)) == (True, "allowed", "")
    assert said(validate(question(pod("a lim memory=2Gi")), given, NOW)) == (True, "audited", "")


def test_where_the_mutation_was_lost_the_policy_still_holds() -> None:
    assert validate(question(pod()), snapshot(APPLY), NOW).trace.verdict is Verdict.DENIED
    assert validate(question(deployment()), snapshot(APPLY), NOW).allowed  # its Pods will be filled in


def test_an_exempted_violation_is_allowed_and_recorded() -> None:
    given = snapshot(ENFORCE, "{waive: [memory.limit.required]}")
    answer = validate(question(pod()), given, NOW)
    assert said(answer) == (True, "allowed", "")
    assert answer.trace.exempted == ("a/memory.limit.required (exemption-0)",)
    assert answer.audit_annotations["exempted"] == "a/memory.limit.required by exemption-0"
    assert not validate(question(pod()), given, datetime(2027, 2, 1, tzinfo=UTC)).allowed


@pytest.mark.parametrize(
    ("asked", "under", "reason"),
    [
        (question({"kind": "Service", "apiVersion": "v1"}), ENFORCE, NO_TEMPLATE),
        (question({"kind": "Scale", "apiVersion": "autoscaling/v1"}), ENFORCE, NO_TEMPLATE),
        (question(deployment(), namespace=""), ENFORCE, NO_NAMESPACE),
        (question(deployment()), "", NO_POLICY),
        (question(None, old=deployment(), operation="DELETE"), ENFORCE, "only CREATE and UPDATE are judged"),
        (question(None, kind="Pod"), ENFORCE, "it has no object"),
        (question({"kind": "Deployment", "apiVersion": "apps/v1"}), ENFORCE, NO_TEMPLATE),
        (question(pod(), old=pod("b")), ENFORCE, "a Pod's resources cannot change by UPDATE"),
        (question(pod(annotations=MIRROR), username=KUBELET), ENFORCE, "a mirror Pod of a kubelet"),
        (
            question(deployment(deletionTimestamp="2026-11-24T00:00:00Z"), old=deployment("b")),
            ENFORCE,
            "it is being deleted",
        ),
    ],
)
def test_validating_says_what_it_leaves_alone_and_why(asked: Any, under: str, reason: str) -> None:
    assert said(validate(asked, snapshot(under) if under else NOBODY, NOW)) == (True, "skipped", reason)


# Whose word counts


OWNED: dict[str, Any] = {"ownerReferences": [{"kind": "Job", "name": "loader-29401234", "controller": True}]}
BY_CRONJOB = "{waive: ['*'], match: {workloads: [{kind: CronJob, names: ['loader']}]}}"


@pytest.mark.parametrize(("username", "is_exempt"), [(REPLICASETS, True), (ALICE, False), (KUBELET, False)])
def test_an_owner_is_believed_when_a_controller_names_it(username: str, is_exempt: bool) -> None:
    given = snapshot(ENFORCE, BY_CRONJOB)
    assert validate(question(pod(**OWNED), username=username), given, NOW).allowed is is_exempt
    assert (
        bool(mutate(question(pod(**OWNED), username=username), snapshot(APPLY, BY_CRONJOB), NOW).patch) is not is_exempt
    )
    job = deployment(**OWNED)
    assert validate(question(job, username=username), given, NOW).allowed is is_exempt


def test_a_pod_is_called_by_the_name_that_is_known() -> None:
    obj = pod(name="", generateName="web-5d9f-")
    assert validate(question(obj, name="web-5d9f-x1"), snapshot(ENFORCE), NOW).message.startswith("Pod web-5d9f-x1 ")
    assert validate(question(obj), snapshot(ENFORCE), NOW).message.startswith("Pod web-5d9f-… ")


# Updates


UPDATES = {
    # old, new, (violations refused; None: allowed)
    "an old violation is not refused": ("a", "a; b lim memory=1Gi", None),
    "a new container's is": ("a lim memory=1Gi", "a lim memory=1Gi; b", ["memory.limit.required"]),
    "a new violation of an old container is": ("a lim memory=1Gi", "a req cpu=1", ["memory.limit.required"]),
    "another check of the same container is": ("a", "a req memory=2Gi", ["memory.request.max"]),
    "the same value is old": ("a lim memory=2Gi", "a lim memory=2Gi,cpu=1", None),
    "a better value is old": ("a lim memory=3Gi", "a lim memory=2Gi", None),
    "a worse value is new": ("a lim memory=2Gi", "a lim memory=3Gi", ["memory.limit.max", "memory.request.max"]),
    "a renamed container is new": ("a", "b", ["memory.limit.required"]),
    "one of two containers": ("a; b lim memory=1Gi", "a; b", ["memory.limit.required"]),
    "what is mended is mended": ("a", "a lim memory=1Gi", None),
}


@pytest.mark.parametrize("sentence", UPDATES)
def test_an_update_is_refused_only_for_what_it_makes_worse(sentence: str) -> None:
    old, new, refused = UPDATES[sentence]
    answer = validate(question(deployment(new), old=deployment(old)), snapshot(ENFORCE), NOW)
    assert answer.allowed is (refused is None)
    assert checks(answer) == (refused or [])
    resized = validate(resize(pod(new), pod(old)), snapshot(ENFORCE), NOW)
    assert resized.allowed is (refused is None)
    assert checks(resized) == (refused or [])


def test_what_the_old_object_was_exempted_from_is_new() -> None:
    given = snapshot(ENFORCE, "{waive: ['*'], match: {containers: [a]}}")
    new = deployment("b req cpu=1")
    assert not validate(question(new, old=deployment("a")), given, NOW).allowed


def test_the_worst_of_two_containers_of_one_name_is_the_old_value() -> None:
    for old in ("a lim memory=4Gi; a lim memory=2Gi", "a lim memory=2Gi; a lim memory=4Gi"):
        answer = validate(question(deployment("a lim memory=3Gi"), old=deployment(old)), snapshot(ENFORCE), NOW)
        assert answer.allowed


@pytest.mark.parametrize("under", [ENFORCE, WARN, AUDIT])
def test_a_template_is_spoken_about_whenever_it_changed_and_only_then(under: str) -> None:
    old, scaled = deployment(), deployment()
    scaled["spec"]["replicas"] = 5
    scaled["metadata"]["annotations"] = {"a": "b"}
    same = validate(question(scaled, old=old), snapshot(under), NOW)
    assert said(same) == (True, "allowed", UNCHANGED)
    assert (same.warnings, same.audit_annotations) == ((), {})
    labelled = copy.deepcopy(old)
    labelled["spec"]["template"]["metadata"]["labels"]["new"] = "x"
    changed = validate(question(labelled, old=old), snapshot(under), NOW)
    assert changed.allowed
    assert bool(changed.warnings) is (under is not AUDIT)


def test_a_resize_that_changes_nothing_is_not_spoken_about() -> None:
    new = pod("a")
    new["metadata"]["resourceVersion"] = "2"
    assert said(validate(resize(new, pod("a")), snapshot(ENFORCE), NOW)) == (True, "allowed", UNCHANGED)


def test_an_update_without_its_old_object_is_judged_like_a_new_one() -> None:
    assert not validate(question(deployment(), operation="UPDATE"), snapshot(ENFORCE), NOW).allowed


def test_an_old_object_that_cannot_be_read_excuses_nothing() -> None:
    old = deployment("a lim memory=1Q")
    assert not validate(question(deployment(), old=old), snapshot(ENFORCE), NOW).allowed


# What cannot be read


BROKEN = {
    "an amount": (
        pod("a lim memory=1Q"),
        "spec.containers[0].resources.limits.memory",
        "/spec/containers/0/resources/limits/memory",
    ),
    "a type": (pod() | {"spec": {"containers": 5}}, "spec.containers", "/spec/containers"),
    "no spec": ({"apiVersion": "v1", "kind": "Pod", "metadata": {}}, "spec", "/spec"),
    "the head": (pod() | {"metadata": []}, "metadata", "/metadata"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("ask", [mutate, validate])
def test_a_pod_that_cannot_be_read_is_refused_where_the_policy_enforces(ask: Any, name: str) -> None:
    obj, path, pointer = BROKEN[name]
    asked = question(obj, namespace="team", name="")
    denied = ask(asked, snapshot(ENFORCE), NOW)
    assert (denied.allowed, denied.code, denied.trace.verdict) == (False, 400, Verdict.UNREADABLE)
    assert denied.message.startswith(f"plimsoll: it cannot be judged: {path}: ")
    assert denied.message.endswith(f" (at {pointer}; policy guard enforces)")
    assert [(cause.reason, cause.field) for cause in denied.causes] == [("unreadable", path)]
    assert denied.trace.reason.startswith(pointer)
    warned = ask(asked, snapshot(WARN), NOW)
    assert (warned.allowed, warned.code, warned.trace.verdict) == (True, 0, Verdict.UNREADABLE)
    assert warned.warnings[0].startswith(f"plimsoll: it cannot be judged: {path}: ")


def test_under_audit_it_is_allowed_and_counted() -> None:
    answer = validate(question(pod("a lim memory=1Q")), snapshot(AUDIT), NOW)
    assert (answer.allowed, answer.trace.verdict, answer.warnings) == (True, Verdict.UNREADABLE, ())


def test_an_object_that_is_no_object_is_pointed_at_as_a_whole() -> None:
    nonsense = msgspec.structs.replace(question(pod()), object=Raw(b"[]"))
    assert validate(nonsense, snapshot(ENFORCE), NOW).message == (
        "plimsoll: it cannot be judged: the object: Expected object, got array (at /; policy guard enforces)"
    )


UNREADABLE = "a lim memory=1Q"


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        # what would not have been judged is not refused: a finalizer must come off
        (question(pod(UNREADABLE), old=pod(UNREADABLE)), "skipped"),
        (question(pod(UNREADABLE), old=pod(UNREADABLE), sub_resource="status"), "skipped"),
        (question(deployment(UNREADABLE, deletionTimestamp="2026-11-24T00:00:00Z"), old=deployment()), "skipped"),
        (question(pod(UNREADABLE, annotations=MIRROR), username=KUBELET), "skipped"),
        # nor what an update left as it was
        (question(deployment(UNREADABLE, labels={"a": "b"}), old=deployment(UNREADABLE)), "unreadable"),
        (resize(pod(UNREADABLE), pod(UNREADABLE)), "unreadable"),
    ],
)
def test_what_cannot_be_read_is_refused_only_where_it_would_have_been_judged(asked: Any, verdict: str) -> None:
    answer = validate(asked, snapshot(ENFORCE), NOW)
    assert (answer.allowed, answer.trace.verdict.value) == (True, verdict)
    assert bool(answer.warnings) is (verdict == "unreadable")


@pytest.mark.parametrize(
    "asked",
    [
        question(deployment(UNREADABLE), old=deployment()),
        question(deployment(f"{UNREADABLE}; b"), old=deployment(UNREADABLE)),
        question(deployment(UNREADABLE), operation="UPDATE"),
        question(deployment() | {"spec": "text"}, old=deployment()),
        question(pod(UNREADABLE, deletionTimestamp="2026-11-24T00:00:00Z")),
        question(pod(UNREADABLE, annotations=MIRROR)),
    ],
)
def test_what_an_update_made_unreadable_is_refused(asked: Any) -> None:
    answer = validate(asked, snapshot(ENFORCE), NOW)
    assert (answer.allowed, answer.trace.verdict.value) == (False, "unreadable")


# Bounds


def test_the_traces_of_ten_thousand_containers_are_bounded() -> None:
    obj = pod()
    obj["spec"]["containers"] = [{"name": f"c{index}"} for index in range(10_000)]
    patched = mutate(question(obj), snapshot(APPLY), NOW)
    assert len(patched.trace.settings) <= MAX_CAUSES
    denied = validate(question(obj), snapshot(ENFORCE), NOW)
    assert len(denied.causes) <= MAX_CAUSES
    assert len(denied.trace.checks) <= MAX_CAUSES
    assert len(denied.audit_annotations["violations"]) <= MAX_ANNOTATION
    exempted = validate(question(obj), snapshot(ENFORCE, "{waive: ['*']}"), NOW)
    assert len(exempted.trace.exempted) <= MAX_CAUSES
    assert len(exempted.audit_annotations["exempted"]) <= MAX_ANNOTATION


EVIL = "a\nb\x1b[31m\u202e<script>\u0000" + "🦔" * 5_000


@pytest.mark.parametrize("ask", [mutate, validate])
@pytest.mark.parametrize("under", [APPLY, WARN, AUDIT])
def test_whatever_anybody_wrote_an_answer_is_printable_and_bounded(ask: Any, under: str) -> None:
    amounts = {"limits": {EVIL: "2", "memory": "2Gi"}, "requests": {EVIL: "3"}}
    container = {"name": EVIL, "image": EVIL, "resources": amounts}
    obj = pod(name=EVIL, annotations={EVIL: EVIL, "kubernetes.io/limit-ranger": EVIL})
    obj["spec"] = {"containers": [container, {"name": EVIL}], "initContainers": [container]}
    for asked in (question(obj, namespace="team"), question(deployment_of(obj) | {"metadata": {"name": EVIL}})):
        given = snapshot(under, "{waive: [memory.limit.max]}")
        answer = ask(asked, given, NOW)
        trace = answer.trace
        lines = [*answer.warnings, *trace.checks, *trace.exempted, *trace.settings, trace.reason]
        lines += [text for cause in answer.causes for text in (cause.reason, cause.message, cause.field)]
        lines += [*answer.audit_annotations.values(), *answer.message.split("\n")]
        assert all(line.isprintable() for line in lines)
        assert max(map(len, lines)) < 9000
        assert len(answer.message.encode()) < 64 * 1024


def test_keys_of_audit_annotations_are_ones_the_server_keeps() -> None:
    """It puts the webhook's name and a slash before them, and drops what is no qualified name then."""
    given = snapshot(ENFORCE, "{waive: [memory.limit.max]}")
    annotations = validate(question(pod("a; b lim memory=2Gi req memory=1Gi")), given, NOW).audit_annotations
    assert set(annotations) == {"policy", "mode", "verdict", "violations", "exempted"}
    assert all(re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", key) and len(key) <= 63 for key in annotations)


# Several templates in one object


def ray(head: str, workers: str) -> Json:
    group, worker = (shorthand.pod(text)["spec"] for text in (head, workers))
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": "ray", "namespace": "team"},
        "spec": {
            "headGroupSpec": {"template": {"spec": group}},
            "workerGroupSpecs": [{"template": {"spec": worker}}, {"template": {"spec": worker}}],
        },
    }


def test_every_template_of_an_object_is_judged_and_nothing_is_said_twice() -> None:
    answer = validate(question(ray("head lim memory=1Gi", "worker")), snapshot(WARN), NOW)
    assert answer.trace.checks == ("worker/memory.limit.required",)
    assert len(answer.warnings) == 1
    both = validate(question(ray("head", "worker")), snapshot(WARN), NOW)
    assert [line.split(": ")[2] for line in both.warnings] == ["container head", "container worker"]
    assert not validate(question(ray("head lim memory=1Gi", "worker")), snapshot(ENFORCE), NOW).allowed
    assert validate(question(ray("h lim memory=1Gi", "w lim memory=1Gi")), snapshot(ENFORCE), NOW).allowed
