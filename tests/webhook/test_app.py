"""The two endpoints as functions: a body in, an answer out, and one observation for each; whatever happens."""

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
from plimsoll.errors import PolicyUnavailable
from plimsoll.observations import FailureModeAnswered, Fault, Observation, RequestRefused, Reviewed
from plimsoll.policy.snapshot import Governance, Snapshot
from plimsoll.serving.exchange import Endpoint, HttpRequest, HttpResponse
from plimsoll.webhook.app import Webhook

from tests.webhook.reviews import Json, body, pod, review, snapshot

UID = "705ab4f5-6393-11e8-b7cc-42010a800002"


class Broken(Snapshot):
    """A snapshot with a defect, or one that does not know."""

    def __init__(self, problem: BaseException) -> None:
        super().__init__()
        self._problem = problem

    def governance_for(self, namespace: str) -> Governance:
        raise self._problem


class Asked:
    """Endpoints of one webhook, called the way the server calls them."""

    def __init__(self, current: Callable[[], Snapshot] = snapshot, *, fail_open: bool = True) -> None:
        self.observed: list[Observation] = []
        made = current()
        webhook = Webhook(lambda: made, lambda: datetime.now(UTC), self.observed.append, fail_open=fail_open)
        self.endpoints: dict[bytes, Endpoint] = webhook.endpoints(1000)

    def __call__(self, path: str, sent: bytes) -> HttpResponse:
        endpoint = self.endpoints[path.encode()]
        request = HttpRequest(b"POST", path.encode(), b"timeout=10s", {}, sent)
        try:
            answer = endpoint.answer(request)
        except Exception as fault:  # noqa: BLE001 - as the server does
            answer = endpoint.after_fault(request, fault)
        if not isinstance(answer, HttpResponse):
            answer = asyncio.run(self._later(endpoint, request, answer))
        return answer

    async def _later(
        self, endpoint: Endpoint, request: HttpRequest, answer: Coroutine[Any, Any, HttpResponse]
    ) -> HttpResponse:
        try:
            return await answer
        except Exception as fault:  # noqa: BLE001 - as the server does
            return endpoint.after_fault(request, fault)

    def response(self, path: str, document: Json) -> Json:
        answer = self(path, body(document))
        assert (answer.status, answer.content_type) == (200, b"application/json")
        decoded = json.loads(answer.body)
        assert (decoded["apiVersion"], decoded["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        assert decoded["response"]["uid"] == document["request"]["uid"]
        response: Json = decoded["response"]
        return response

    def only(self, kind: type[Any]) -> Any:
        [told] = [each for each in self.observed if isinstance(each, kind)]
        return told


def test_a_pod_without_a_limit_is_patched_and_the_patch_is_told() -> None:
    asked = Asked()
    response = asked.response("/mutate", review())
    assert response["allowed"] is True
    operations = json.loads(base64.b64decode(response["patch"]))
    assert {"op": "add", "path": "/spec/containers/0/resources/limits", "value": {"memory": "64Mi"}} in operations
    told = asked.only(Reviewed)
    assert (told.path, told.uid, told.operation, told.kind) == ("mutate", UID, "CREATE", "Pod")
    assert (told.namespace, told.name, told.dry_run) == ("enforced", "web", False)
    assert (told.policy, told.mode, told.verdict, told.allowed) == ("guard", "Enforce", "patched", True)
    assert "web limits.memory=64Mi" in told.settings
    assert told.seconds > 0


def test_a_pod_that_reaches_validate_without_a_limit_is_denied_and_the_checks_are_told() -> None:
    asked = Asked()
    response = asked.response("/validate", review())
    assert response["allowed"] is False
    assert response["status"]["code"] == 403
    assert "memory" in response["status"]["message"]
    told = asked.only(Reviewed)
    assert (told.path, told.verdict, told.allowed) == ("validate", "denied", False)
    assert told.checks == ("web/memory.limit.required",)


def test_a_pod_that_satisfies_its_policy_is_answered_without_a_patch_on_both_paths() -> None:
    asked = Asked()
    good = review(pod(limits={"memory": "64Mi"}, requests={"memory": "64Mi"}))
    for path in ("/mutate", "/validate"):
        response = asked.response(path, good)
        assert response["allowed"] is True
        assert "patch" not in response


def test_dry_run_is_judged_the_same_and_told_apart() -> None:
    asked = Asked()
    assert "patch" in asked.response("/mutate", review(dryRun=True))
    assert asked.only(Reviewed).dry_run is True


def test_what_nobody_governs_is_allowed_and_told_as_skipped() -> None:
    asked = Asked()
    assert asked.response("/validate", review(namespace="elsewhere")) == {"uid": UID, "allowed": True}
    told = asked.only(Reviewed)
    assert (told.verdict, told.policy) == ("skipped", "")
    assert told.reason != ""


@pytest.mark.parametrize("path", ["/mutate", "/validate"])
@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"[]", "Expected `object`"),
        (b"\xff\xfe", "the body is not JSON"),
        (b"{}", "admission.k8s.io/v1 AdmissionReview is accepted"),
        (b'{"request":{"object":' + b'{"a":' * 100_000, "nested too deeply"),
        (body({**review(), "apiVersion": "admission.k8s.io/v1beta1"}), "admission.k8s.io/v1beta1"),
        (body({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}), "at /request: missing"),
        (body(review(uid="")), "at /request/uid: missing"),
        (body(review(uid=7)), "/request/uid"),
        (body(review(dryRun="yes")), "/request/dryRun"),
        (body(review(kind=None)), "at /request/kind: missing"),
        (body(review())[:-20], "the body is not JSON"),
        (body(review()).replace(b'"CREATE"', b"NaN"), "the body is not JSON"),
    ],
)
def test_a_body_that_is_no_review_is_refused_with_a_reason(path: str, sent: bytes, said: str) -> None:
    asked = Asked()
    answer = asked(path, sent)
    status = json.loads(answer.body)
    assert (answer.status, status["kind"], status["code"]) == (400, "Status", 400)
    assert said.replace("`", "") in status["message"].replace("`", "")
    told = asked.only(RequestRefused)
    assert (told.path, told.status) == (path, 400)
    assert len(asked.observed) == 1


@pytest.mark.parametrize(
    "obj",
    [
        {"spec": 7},
        {"spec": {"containers": "none"}},
        {"spec": {"containers": [7]}},
        {"spec": {"containers": [{"name": "a", "resources": {"limits": {"memory": "1e999999999"}}}]}},
        {"spec": {"containers": [{"name": "a", "resources": {"limits": {"memory": []}}}]}},
        [],
        "pod",
    ],
)
def test_a_pod_that_cannot_be_read_is_denied_where_the_policy_enforces_and_allowed_elsewhere(obj: Any) -> None:
    asked = Asked()
    response = asked.response("/validate", review(obj))
    assert (response["allowed"], response["status"]["code"]) == (False, 400)
    assert asked.only(Reviewed).verdict == "unreadable"
    response = asked.response("/validate", review(obj, namespace="warned"))
    assert response["allowed"] is True
    assert response["warnings"]


def test_what_is_told_of_a_hostile_review_is_bounded() -> None:
    asked = Asked()
    asked.response("/mutate", review(uid="u" * 10_000, name="n" * 10_000, namespace="s" * 10_000, operation="o" * 99))
    told = asked.only(Reviewed)
    assert (len(told.uid), len(told.name), len(told.namespace), len(told.operation)) == (64, 256, 64, 16)


def test_a_large_review_is_judged_beside_the_others_and_answered_the_same() -> None:
    containers = [{"name": f"c{number}", "image": "x"} for number in range(4000)]
    large = review({"metadata": {"name": "large"}, "spec": {"containers": containers}})
    asked = Asked()
    endpoint = asked.endpoints[b"/validate"]
    answer = endpoint.answer(HttpRequest(b"POST", b"/validate", b"", {}, body(large)))
    assert asyncio.iscoroutine(answer)
    answer.close()
    assert asked.response("/validate", large)["allowed"] is False
    assert asked.only(Reviewed).verdict == "denied"


def test_a_defect_in_a_large_review_is_answered_by_the_failure_mode_too() -> None:
    asked = Asked(lambda: Broken(ZeroDivisionError("a defect")))
    large = review({"metadata": {"name": "n" * 100_000}})
    assert asked.response("/mutate", large)["allowed"] is True
    assert asked.only(Fault).error == "ZeroDivisionError"


# No decision


@pytest.mark.parametrize("path", ["/mutate", "/validate"])
@pytest.mark.parametrize(("fail_open", "allowed"), [(True, True), (False, False)])
@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (PolicyUnavailable("enforced", "not synced"), "no policy can be known for namespace 'enforced': not synced"),
        (ZeroDivisionError("a defect"), "an unforeseen error; the log has the traceback"),
        (RecursionError("deep"), "an unforeseen error; the log has the traceback"),
    ],
)
def test_what_cannot_be_decided_is_answered_by_the_failure_mode_with_the_uid_and_told(
    path: str, *, fail_open: bool, allowed: bool, problem: Exception, reason: str
) -> None:
    asked = Asked(lambda: Broken(problem), fail_open=fail_open)
    response = asked.response(path, review())
    assert response["allowed"] is allowed
    if allowed:
        assert response["warnings"] == [f"plimsoll: not judged, allowed by the failure mode: {reason}"]
    else:
        assert response["status"]["message"] == f"plimsoll: not judged, refused by the failure mode: {reason}"
    told = asked.only(FailureModeAnswered)
    assert (told.path, told.uid, told.allowed, told.reason) == (path[1:], UID, allowed, reason)


def test_a_defect_is_told_with_its_traceback_and_never_to_the_client() -> None:
    asked = Asked(lambda: Broken(ZeroDivisionError("a defect")))
    answer = asked("/mutate", body(review()))
    told = asked.only(Fault)
    assert (told.where, told.error) == ("/mutate", "ZeroDivisionError")
    assert "governance_for" in told.traceback
    assert b"Traceback" not in answer.body
    assert b"a defect" not in answer.body


def test_after_a_defect_a_body_whose_uid_cannot_be_read_is_a_bad_request() -> None:
    asked = Asked()
    endpoint = asked.endpoints[b"/mutate"]
    for sent in (b"{", b"{}", b"[" * 100_000, b"\xff"):
        answer = endpoint.after_fault(HttpRequest(b"POST", b"/mutate", b"", {}, sent), RecursionError())
        assert answer.status == 400
        assert json.loads(answer.body)["message"].startswith("at /request/uid: it cannot be read")
