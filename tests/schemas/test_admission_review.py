"""AdmissionReview on the wire: every body is a question or a reason, every answer one that the API server accepts."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from plimsoll.admission.request import AdmissionRequest
from plimsoll.admission.response import AdmissionResponse, Cause, Trace, Verdict
from plimsoll.errors import MalformedReview
from plimsoll.objects.read import escaped
from plimsoll.policy.patch import Operation
from plimsoll.schemas.admission_review import decode_review, encode_response

Json = Any

REVIEW: Json = {
    "apiVersion": "admission.k8s.io/v1",
    "kind": "AdmissionReview",
    "request": {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
        "resource": {"group": "apps", "version": "v1", "resource": "deployments"},
        "subResource": "scale",
        "requestKind": {"group": "apps", "version": "v1beta1", "kind": "Deployment"},
        "name": "web",
        "namespace": "shop",
        "operation": "UPDATE",
        "userInfo": {"username": "alice", "groups": ["a"], "extra": {"k": ["v"]}},
        "object": {"kind": "Deployment", "spec": {"x": [1, 2, {"y": None}]}},
        "oldObject": {"kind": "Deployment"},
        "dryRun": True,
        "options": {"kind": "UpdateOptions"},
    },
}


def body(review: Json = REVIEW, **request: Json) -> bytes:
    changed = json.loads(json.dumps(review))
    changed["request"] |= request
    return json.dumps(changed).encode()


def without(*path: str) -> bytes:
    changed = json.loads(json.dumps(REVIEW))
    inside = changed
    for step in path[:-1]:
        inside = inside[step]
    del inside[path[-1]]
    return json.dumps(changed).encode()


def test_a_question_is_read_whole() -> None:
    asked = decode_review(body())
    assert (asked.uid, asked.api_version, asked.kind) == (REVIEW["request"]["uid"], "apps/v1", "Deployment")
    assert (asked.sub_resource, asked.operation, asked.dry_run) == ("scale", "UPDATE", True)
    assert (asked.name, asked.namespace, asked.username) == ("web", "shop", "alice")
    assert asked.object is not None
    assert json.loads(bytes(asked.object)) == REVIEW["request"]["object"]
    assert asked.old_object is not None
    assert json.loads(bytes(asked.old_object)) == REVIEW["request"]["oldObject"]


@pytest.mark.parametrize(
    ("group", "version", "api_version"),
    [("", "v1", "v1"), ("apps", "v1", "apps/v1"), (None, "v1", "v1"), ("a", None, "a/")],
)
def test_the_kind_is_what_the_object_was_converted_to(group: str, version: str, api_version: str) -> None:
    asked = decode_review(body(kind={"group": group, "version": version, "kind": "Pod"}))
    assert (asked.api_version, asked.kind) == (api_version, "Pod")


def test_what_need_not_be_there_need_not_be_there() -> None:
    bare = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {"uid": "1", "operation": "CREATE", "kind": {"version": "v1", "kind": "Pod"}},
    }
    assert decode_review(json.dumps(bare).encode()) == AdmissionRequest(
        "1", "v1", "Pod", "", "CREATE", "", "", "", False, None, None
    )
    nulls = dict.fromkeys(("subResource", "name", "namespace", "userInfo", "dryRun", "object", "oldObject"))
    assert decode_review(body(bare, **nulls)) == decode_review(json.dumps(bare).encode())
    assert decode_review(body(bare, userInfo={"username": None})).username == ""


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"hello", "the body is not JSON"),
        (b'{"kind": NaN}', "the body is not JSON"),
        (b'{"kind": "\xff"}', "the body is not JSON"),
        (b"\xef\xbb\xbf{}", "the body is not JSON"),
        (b"[" * 100_000, "at /: Expected object, got array"),
        (b'{"x": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"request": {"object": ' + b'{"a":' * 100_000, "nested too deeply"),
        (b"[]", "at /: Expected object, got array"),
        (b"null", "at /: Expected object, got null"),
        (b"{}", "apiVersion and kind are 'nothing' 'nothing'; admission.k8s.io/v1 AdmissionReview is accepted"),
        (
            json.dumps({**REVIEW, "apiVersion": "admission.k8s.io/v1beta1"}).encode(),
            "apiVersion and kind are 'admission.k8s.io/v1beta1' 'AdmissionReview'; admission.k8s.io/v1 AdmissionReview",
        ),
        (json.dumps({**REVIEW, "kind": "Review"}).encode(), "apiVersion and kind are 'admission.k8s.io/v1' 'Review'"),
        (json.dumps({**REVIEW, "kind": "a\nb" * 100}).encode(), "'a\\nba\\nb"),
        (json.dumps({**REVIEW, "kind": 5}).encode(), "at /kind: Expected str | null, got int"),
        (json.dumps({**REVIEW, "request": None}).encode(), "at /request: missing"),
        (json.dumps({**REVIEW, "request": []}).encode(), "at /request: Expected object | null, got array"),
        (without("request"), "at /request: missing"),
        (without("request", "uid"), "at /request/uid: missing; the answer must echo it"),
        (body(uid=""), "at /request/uid: missing; the answer must echo it"),
        (body(uid=7), "at /request/uid: Expected str | null, got int"),
        (without("request", "kind"), "at /request/kind: missing; group, version and kind of the object are needed"),
        (body(kind={"group": "", "version": "v1"}), "at /request/kind: missing"),
        (body(kind="Pod"), "at /request/kind: Expected object | null, got str"),
        (
            without("request", "operation"),
            "at /request/operation: missing; CREATE, UPDATE, DELETE or CONNECT is accepted",
        ),
        (body(dryRun="true"), "at /request/dryRun: Expected bool | null, got str"),
        (body(userInfo={"username": {}}), "at /request/userInfo/username: Expected str | null, got object"),
    ],
)
def test_what_is_no_review_is_refused_with_a_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(MalformedReview) as raised:
        decode_review(raw)
    assert reason in raised.value.reason
    assert raised.value.reason.isprintable()
    assert len(raised.value.reason) < 1000


def places(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


@pytest.mark.parametrize("path", list(places(REVIEW)), ids=lambda path: "/".join(map(str, path)))
def test_whatever_stands_at_any_place_of_a_review_is_read_or_refused(path: tuple[str | int, ...]) -> None:
    for value in (None, True, 0, 1.5, "text", [], [None], {}, {"x": None}):
        changed = {"": json.loads(json.dumps(REVIEW))}
        inside: Json = changed
        for step in ("", *path)[:-1]:
            inside = inside[step]
        inside[("", *path)[-1]] = value
        try:
            asked = decode_review(json.dumps(changed[""]).encode())
        except MalformedReview as error:
            reason = error.reason
        else:
            assert encode_response(asked, AdmissionResponse(allowed=True, trace=Trace(Verdict.ALLOWED)))
            continue
        pointer = "".join(f"/{escaped(str(step))}" for step in path)
        parent = pointer.rpartition("/")[0]
        assert "admission.k8s.io/v1" in reason or reason.startswith((f"at {pointer or '/'}", f"at {parent}:")), reason


# Answers

ASKED = decode_review(body())
ALLOWED = Trace(Verdict.ALLOWED)


def answered(response: AdmissionResponse, asked: AdmissionRequest = ASKED) -> Json:
    decoded: Json = json.loads(encode_response(asked, response))
    assert (decoded["apiVersion"], decoded["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    assert set(decoded) == {"apiVersion", "kind", "response"}
    return decoded["response"]


def test_an_answer_without_a_word_is_short() -> None:
    assert answered(AdmissionResponse(allowed=True, trace=ALLOWED)) == {"uid": ASKED.uid, "allowed": True}


@pytest.mark.parametrize("uid", ["1", "ё🦔", 'quote"\\', "\n\u0000", "x" * 100_000])
def test_the_uid_is_echoed_exactly(uid: str) -> None:
    assert answered(AdmissionResponse(allowed=True, trace=ALLOWED), decode_review(body(uid=uid)))["uid"] == uid


def test_a_patch_is_base64_of_a_json_array_and_names_its_type() -> None:
    operations = (
        Operation("add", "/spec/containers/0/resources/limits", {"memory": "1Gi"}),
        Operation("remove", "/spec/containers/0/resources/limits/cpu"),
    )
    answer = answered(AdmissionResponse(allowed=True, trace=ALLOWED, patch=operations))
    assert answer["patchType"] == "JSONPatch"
    assert json.loads(base64.b64decode(answer["patch"], validate=True)) == [
        {"op": "add", "path": "/spec/containers/0/resources/limits", "value": {"memory": "1Gi"}},
        {"op": "remove", "path": "/spec/containers/0/resources/limits/cpu"},
    ]


def test_warnings_and_audit_annotations_come_along() -> None:
    answer = answered(
        AdmissionResponse(allowed=True, trace=ALLOWED, warnings=("one", "two"), audit_annotations={"policy": "guard"})
    )
    assert answer["warnings"] == ["one", "two"]
    assert answer["auditAnnotations"] == {"policy": "guard"}


@pytest.mark.parametrize(("code", "reason"), [(403, "Forbidden"), (400, "BadRequest"), (0, "Forbidden")])
def test_a_refusal_says_its_code_reason_message_and_causes(code: int, reason: str) -> None:
    """Never `Invalid`: kubectl throws the message away then."""
    cause = Cause("memory.limit.required", "container a: missing", "spec.containers[0].resources.limits.memory")
    response = AdmissionResponse(allowed=False, trace=Trace(Verdict.DENIED), code=code, message="a\nb", causes=(cause,))
    assert answered(response) == {
        "uid": ASKED.uid,
        "allowed": False,
        "status": {
            "code": code,
            "reason": reason,
            "message": "a\nb",
            "details": {
                "causes": [
                    {
                        "reason": "memory.limit.required",
                        "message": "container a: missing",
                        "field": "spec.containers[0].resources.limits.memory",
                    }
                ]
            },
        },
    }
    bare = answered(msgspec.structs.replace(response, causes=()))
    assert "details" not in bare["status"]
