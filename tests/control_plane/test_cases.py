"""Every case against a real API server that asks a real `plimsoll serve`: what it stores, refuses and warns about.

All cases stand side by side, each in namespaces of its own. Objects are created with dryRun, so that nothing is left
of them; what is changed or resized must exist before, and is made while no webhook is registered yet.
"""

import ssl
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest

from tests.cases.case import Case, Object, cases, containers
from tests.cases.manifests import all_amounts, as_it_arrives, expected_amounts, is_registered
from tests.cases.reviews import Answer
from tests.cases.scene import Scene, scenes, write_policies
from tests.cases.serving import PlimsollServer
from tests.cases.verdicts import OURS, assert_said
from tests.control_plane.api import Api, Kinds, Reply
from tests.control_plane.control_plane import ADMIN, ControlPlane
from tests.control_plane.webhooks import Registration, register, unregister

ANNOTATION = "plimsoll.dev/set"
LOG_SECONDS = 30.0
DENIED = 'admission webhook "validate.plimsoll.dev" denied the request: '
RUNTIME_CLASS: Object = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "sandboxed"},
    "handler": "sandboxed",
    "overhead": {"podFixed": {"cpu": "50m", "memory": "64Mi"}},
}


def can_be_sent(case: Case) -> bool:
    """Ephemeral containers cannot be created with their Pod."""
    return is_registered(case) and "ephemeralContainers" not in {listed for listed, _ in containers(case.object)}


ALL = scenes(filter(can_be_sent, cases()), datetime.now(UTC))


@dataclass(frozen=True)
class Ground:
    """A control plane in which every namespace, LimitRange and old object is there and our webhook is in force."""

    cluster: ControlPlane
    server: PlimsollServer
    users: dict[str, Api]

    def api_for(self, staged: Scene) -> Api:
        """The calls of the user that the case names."""
        return self.users[staged.case.user]


@pytest.fixture(scope="module")
def ground(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    here = [staged for staged in ALL if staged.case.since <= control_plane.minor]
    policies = tmp_path_factory.mktemp("policies")
    write_policies(here, policies)
    control_plane.admin.apply(RUNTIME_CLASS).expect_ok()
    for staged in here:
        for document in (*staged.context, *filter(None, (staged.old,))):
            control_plane.admin.create(document).expect_ok()
    clients = {user: client_of(control_plane, user) for user in sorted({staged.case.user for staged in here})}
    with PlimsollServer(policies, tmp_path_factory.mktemp("served")) as server:
        register(control_plane, Registration(server.url, server.ca_bundle))
        kinds = Kinds(clients[""])
        yield Ground(control_plane, server, {user: Api(client, kinds) for user, client in clients.items()})
        unregister(control_plane)
    for client in clients.values():
        client.close()


def client_of(cluster: ControlPlane, user: str) -> httpx.Client:
    """A client with all rights and this name: any account can be had, and none needs roles."""
    headers = {"Authorization": f"Bearer {cluster.token(ADMIN)}"}
    if user:
        headers |= {"Impersonate-User": user, "Impersonate-Group": "system:masters"}
    trust = ssl.create_default_context(cafile=cluster.ca)
    return httpx.Client(base_url=cluster.url, verify=trust, headers=headers, timeout=60.0, trust_env=False)


@pytest.fixture
def here(ground: Ground, staged: Scene) -> Ground:
    if staged.case.since > ground.cluster.minor:
        pytest.skip(f"Kubernetes {ground.cluster.version} does not know this yet")
    return ground


def each(chosen: list[Scene]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("staged", [pytest.param(staged, id=str(staged)) for staged in chosen])


@each([staged for staged in ALL if staged.object["kind"] == "Pod" and staged.old is None])
def test_a_pod_is_stored_or_refused_as_expected(here: Ground, staged: Scene) -> None:
    reply = here.api_for(staged).create(staged.object, dry_run=True)

    if staged.refused_by:
        assert_refused_by_others(staged, reply)
        return
    assert_answered(staged, reply)
    if reply.ok:
        arrives = all_amounts(as_it_arrives(staged.case, staged.object))
        stored = all_amounts(reply.body)
        assert stored == (arrives if is_untouched(staged) else expected_amounts(staged.case.expect.resources))
        assert (ANNOTATION in reply.body["metadata"].get("annotations", {})) is (stored != arrives)


def is_untouched(staged: Scene) -> bool:
    return staged.mode_of_pods == "Audit"


@each([staged for staged in ALL if staged.object["kind"] != "Pod" and staged.old is None])
def test_an_object_with_a_template_is_stored_as_written_or_refused(here: Ground, staged: Scene) -> None:
    reply = here.api_for(staged).create(staged.object, dry_run=True)

    assert_answered(staged, reply)
    if reply.ok:
        assert all_amounts(reply.body) == all_amounts(staged.object)


@each([staged for staged in ALL if staged.deployment is not None])
def test_its_deployment_gets_the_verdict_of_the_pod(here: Ground, staged: Scene) -> None:
    assert staged.deployment is not None
    reply = here.api_for(staged).create(staged.deployment, dry_run=True)

    if "server" in staged.case.expect.refused_by.values():
        assert_refused_by_others(staged, reply)
        return
    assert_answered(staged, reply)
    if reply.ok:
        assert all_amounts(reply.body) == all_amounts(staged.deployment)


@each([staged for staged in ALL if staged.old is not None])
def test_a_change_is_stored_or_refused_as_expected(here: Ground, staged: Scene) -> None:
    api = here.api_for(staged)
    wanted = staged.object
    if wanted["kind"] == "Pod":
        wanted = with_amounts_of(wanted, api.read("v1", "Pod", wanted["metadata"]["name"], staged.name).expect_ok())
        reply = api.update(wanted, subresource="resize", dry_run=True)
    else:
        reply = api.update(wanted, dry_run=True)

    assert_answered(staged, reply)
    if reply.ok:
        assert all_amounts(reply.body) == all_amounts(wanted)


def test_what_nobody_is_told_is_recorded_all_the_same(ground: Ground) -> None:
    """Audit says nothing, and neither does an exemption: the log says of each Pod what Enforce would have refused."""
    silent = [
        staged
        for staged in ALL
        if (staged.mode_of_pods == "Audit" or staged.case.expect.exempted)
        and staged.object["kind"] == "Pod"
        and staged.old is None
        and not staged.refused_by
        and staged.verdict != "error"
        and staged.case.since <= ground.cluster.minor
    ]
    for staged in silent:
        ground.api_for(staged).create(staged.object, dry_run=True)

    recorded = recorded_by(ground.server, {staged.name for staged in silent})
    differing = {
        str(staged): recorded[staged.name]
        for staged in silent
        if recorded[staged.name] != (staged.case.expect.checks, staged.case.expect.exempted)
    }
    assert differing == {}


Recorded = tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]
"""Container → ids of the checks that it breaks, and of those that are waived."""


def recorded_by(server: PlimsollServer, namespaces: set[str]) -> dict[str, Recorded]:
    """What the last /validate of a Pod in each namespace was logged with, once all of them are in the log."""
    deadline = time.monotonic() + LOG_SECONDS
    while True:
        lines = [line for line in server.events("reviewed") if (line["path"], line["kind"]) == ("validate", "Pod")]
        found = {str(line["namespace"]): (noted(line["checks"]), noted(line["exempted"])) for line in lines}
        if namespaces <= set(found) or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def noted(entries: object) -> Mapping[str, frozenset[str]]:
    """`app/memory.limit.required`, or `… (legacy)`, by container."""
    assert isinstance(entries, list)
    checks: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        container, _, check = entry.partition(" (")[0].partition("/")
        checks[container].add(check)
    return {container: frozenset(ids) for container, ids in checks.items()}


def with_amounts_of(pod: Object, stored: Object) -> Object:
    """The stored Pod with the amounts of another one: a resize may touch nothing else."""
    amounts = {container["name"]: container["resources"] for _, container in containers(pod)}
    for _, container in containers(stored["spec"]):
        container["resources"] = amounts[container["name"]]
    return stored


def assert_answered(staged: Scene, reply: Reply) -> None:
    details = reply.body.get("details") or {}
    answer = Answer(
        allowed=reply.ok,
        code=0 if reply.ok else reply.status,
        message=reply.message,
        causes=tuple(details.get("causes") or ()),
        warnings=tuple(line for line in reply.warnings if line.startswith(OURS)),
        patch=(),
        audit={},
    )
    assert_said(staged, answer, also=staged.case.expect.server_says)
    assert reply.ok or reply.message.startswith(DENIED)


def assert_refused_by_others(staged: Scene, reply: Reply) -> None:
    """API validation or LimitRanger, in their own words, before our /validate was asked."""
    assert reply.status in (400, 403, 422), reply
    assert DENIED not in reply.message
    assert [says for says in staged.case.expect.server_says if says not in reply.message] == []
