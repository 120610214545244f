"""Probes and metrics as functions."""

import json

import pytest
from plimsoll.observations import Fault, Observation
from plimsoll.serving.exchange import HttpRequest, HttpResponse
from plimsoll.serving.probes import Condition, probes

GOOD = Condition("policies", holds=True, detail="3 loaded")
BAD = Condition("serving", holds=False, detail="draining")


def asked(path: str, *conditions: Condition, query: str = "") -> HttpResponse:
    endpoints = probes(lambda: conditions, lambda: b"metrics", lambda observation: None)
    answer = endpoints[path.encode()].answer(HttpRequest(b"GET", path.encode(), query.encode(), {}, b""))
    assert isinstance(answer, HttpResponse)
    return answer


def test_liveness_depends_on_nothing() -> None:
    assert asked("/healthz", BAD).status == 200


def test_readiness_is_short_where_all_is_well() -> None:
    answer = asked("/readyz", GOOD)
    assert (answer.status, answer.body) == (200, b"ok\n")


@pytest.mark.parametrize("query", ["verbose", "verbose=1", "a=b&verbose="])
def test_every_condition_is_listed_when_asked_for(query: str) -> None:
    assert asked("/readyz", GOOD, query=query).body == b"[+]policies: 3 loaded\nready\n"


def test_what_is_not_ready_says_why_without_being_asked() -> None:
    answer = asked("/readyz", GOOD, BAD)
    assert (answer.status, answer.body) == (503, b"[+]policies: 3 loaded\n[-]serving: draining\nnot ready\n")


def test_metrics_are_in_prometheus_format() -> None:
    answer = asked("/metrics")
    assert (answer.body, answer.content_type) == (b"metrics", b"text/plain; version=0.0.4; charset=utf-8")


def test_a_defect_is_told_and_answered_without_its_words() -> None:
    told: list[Observation] = []
    endpoint = probes(lambda: (), lambda: b"", told.append)[b"/readyz"]
    answer = endpoint.after_fault(HttpRequest(b"GET", b"/readyz", b"", {}, b""), ZeroDivisionError("secret"))
    assert answer.status == 500
    assert "secret" not in json.loads(answer.body)["message"]
    [fault] = told
    assert isinstance(fault, Fault)
    assert (fault.where, fault.error) == ("/readyz", "ZeroDivisionError")
