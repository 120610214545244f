"""Every case through the two endpoints of a running `plimsoll serve`, in each mode, as the API server would ask.

A Pod goes through /mutate, its patch is applied by the letter, and the result through /validate; a template through
/validate. Cases that say what time it is are asked of the same endpoints in this process, with that clock.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from plimsoll.schemas.compile import load
from plimsoll.serving.exchange import HttpRequest, HttpResponse
from plimsoll.webhook.app import Webhook

from tests.cases.case import Object, cases, containers
from tests.cases.manifests import all_amounts, as_it_arrives, expected_amounts, is_registered
from tests.cases.reviews import Answer, answer, patched, review
from tests.cases.scene import Scene, scenes, stream, write_policies
from tests.cases.serving import PlimsollServer
from tests.cases.verdicts import assert_said

ANNOTATION = "plimsoll.dev/set"
# Other kinds never reach the endpoints: no webhook is registered for them.
CASES = [case for case in cases() if is_registered(case)]
ALL = [*scenes(CASES, datetime.now(UTC)), *scenes(case for case in CASES if case.now)]

Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    policies = tmp_path_factory.mktemp("policies")
    write_policies([each for each in ALL if each.now is None], policies)
    with PlimsollServer(policies, tmp_path_factory.mktemp("served")) as server, server.client() as client:
        yield client


@pytest.fixture
def ask(request: pytest.FixtureRequest) -> Ask:
    """`ask("/mutate", object)`, with `old` and `user` as `review` takes them."""
    staged: Scene = request.node.callspec.params["staged"]
    if staged.now is None:
        client: httpx.Client = request.getfixturevalue("served")

        def post(path: str, asked: Object) -> bytes:
            reply = client.post(f"{path}?timeout=10s", json=asked)
            assert reply.status_code == 200
            return reply.content
    else:
        now = staged.now
        snapshot = load([("case", stream([*staged.documents, *staged.context]))]).snapshot
        webhook = Webhook(lambda: snapshot, lambda: now, lambda observed: None, fail_open=False)
        endpoints = webhook.endpoints(2**23)

        def post(path: str, asked: Object) -> bytes:
            body = json.dumps(asked).encode()
            reply = endpoints[path.encode()].answer(HttpRequest(b"POST", path.encode(), b"", {}, body))
            assert isinstance(reply, HttpResponse)
            return reply.body

    def asked(path: str, obj: Object, old: Object | None = None) -> Answer:
        question = review(obj, user=staged.case.user, old=old, phase=path.removeprefix("/"))
        return answer(question, post(path, question))

    return asked


@pytest.mark.parametrize("staged", [pytest.param(each, id=str(each)) for each in ALL if each.object["kind"] == "Pod"])
def test_a_pod_is_answered_as_expected(staged: Scene, ask: Ask) -> None:
    expect = staged.case.expect
    if staged.old is not None:
        assert ask("/mutate", staged.object, staged.old).patch == ()
        assert_answered(staged, ask("/validate", staged.object, staged.old))
        return
    if staged.verdict == "error":
        for path in ("/mutate", "/validate"):
            assert_unreadable(staged, ask(path, staged.object))
        return
    arrives = as_it_arrives(staged.case, staged.object)

    mutated = ask("/mutate", arrives)
    assert mutated.allowed
    assert mutated.warnings == ()
    stored = patched(arrives, mutated)
    assert all_amounts(stored) == (
        all_amounts(arrives) if staged.mode_of_pods == "Audit" else expected_amounts(expect.resources)
    )
    assert without_resources(stored) == without_resources(arrives)
    assert bool(mutated.patch) is (all_amounts(stored) != all_amounts(arrives))
    assert ask("/mutate", stored).patch == ()

    assert_answered(staged, ask("/validate", stored))


@pytest.mark.parametrize("staged", [pytest.param(each, id=str(each)) for each in ALL if each.object["kind"] != "Pod"])
def test_an_object_with_a_template_is_answered_as_expected(staged: Scene, ask: Ask) -> None:
    mutated = ask("/mutate", staged.object, staged.old)
    assert mutated.allowed
    assert mutated.patch == ()

    assert_answered(staged, ask("/validate", staged.object, staged.old), also=staged.case.expect.server_says)


@pytest.mark.parametrize("staged", [pytest.param(each, id=str(each)) for each in ALL if each.deployment is not None])
def test_its_deployment_is_answered_like_the_pod(staged: Scene, ask: Ask) -> None:
    assert staged.deployment is not None
    judged = ask("/validate", staged.deployment)

    if staged.verdict == "error":
        assert_unreadable(staged, judged)
        return
    assert_answered(staged, judged, also=staged.case.expect.server_says)
    if staged.refused_by == "limitranger" and staged.mode == "Warn" and not staged.case.expect.checks:
        assert [says for says in staged.case.expect.server_says if says not in "\n".join(judged.warnings)] == []


UNMUTATED = [each for each in ALL if each.case.expect.unmutated and each.mode_of_pods != "Audit"]


@pytest.mark.parametrize("staged", [pytest.param(each, id=str(each)) for each in UNMUTATED])
def test_without_its_patch_a_pod_is_judged_as_it_stands(staged: Scene, ask: Ask) -> None:
    unmutated = staged.case.expect.unmutated
    assert unmutated is not None

    judged = ask("/validate", as_it_arrives(staged.case, staged.object))

    assert judged.allowed is (staged.mode_of_pods == "Warn")
    assert noted(judged, "violations") == unmutated


def assert_answered(staged: Scene, judged: Answer, *, also: tuple[str, ...] = ()) -> None:
    """What /validate says to the user, and what it leaves in the API server's audit log."""
    expect = staged.case.expect
    assert judged.patch == ()
    assert_said(staged, judged, also=also)
    if not expect.reason:
        assert noted(judged, "exempted") == expect.exempted
        if staged.old is None:
            assert noted(judged, "violations") == expect.checks


def assert_unreadable(staged: Scene, answered: Answer) -> None:
    enforced = staged.mode_of_pods == "Enforce"
    said = answered.message if enforced else "\n".join(answered.warnings)
    assert answered.allowed is not enforced
    assert answered.code == (400 if enforced else 0)
    assert answered.patch == ()
    if staged.mode_of_pods == "Audit":
        assert said == ""
    else:
        assert [phrase for phrase in staged.case.expect.message if phrase not in said] == []


def noted(judged: Answer, note: str) -> dict[str, set[str]]:
    """Container → check ids of an audit annotation: `app/memory.limit.required, pod/… by legacy`."""
    found: dict[str, set[str]] = defaultdict(set)
    for entry in filter(None, judged.audit.get(note, "").split(", ")):
        container, _, check = entry.partition(" by ")[0].partition("/")
        found[container].add(check)
    return dict(found)


def without_resources(pod: Object) -> dict[str, Any]:
    """The Pod without amounts and without our annotation."""
    rest: Object = json.loads(json.dumps(pod))
    for _, container in containers(rest["spec"]):
        container.pop("resources", None)
    annotations = rest["metadata"].get("annotations", {})
    annotations.pop(ANNOTATION, None)
    if not annotations:
        rest["metadata"].pop("annotations", None)
    return rest
