"""The harness itself: a real API server answers, with LimitRanges, warnings, refusals, dry runs and several users."""

import itertools
from collections.abc import Iterator

import pytest

from tests.control_plane.api import Object
from tests.control_plane.certificates import ServingCertificate, issue
from tests.control_plane.control_plane import CONTROLLER_MANAGER, DEVELOPER, ControlPlane
from tests.control_plane.tiny_webhook import TinyWebhook, allow, json_patch
from tests.control_plane.webhooks import Registration, register, unregister

REPLICASET_CONTROLLER = "system:serviceaccount:kube-system:replicaset-controller"
_serial = itertools.count(1)


def pod(namespace: str, **resources: dict[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"pod-{next(_serial)}", "namespace": namespace},
        "spec": {"containers": [{"name": "app", "image": "app:1", "resources": resources}]},
    }


def replica_set(namespace: str, *, owned: bool) -> Object:
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "1", "controller": True}
    labels = {"app": "web"}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"web-{next(_serial)}",
            "namespace": namespace,
            "ownerReferences": [owner] if owned else [],
        },
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod(namespace)["spec"]},
        },
    }


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServingCertificate:
    return issue(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def webhook(control_plane: ControlPlane, certificate: ServingCertificate) -> Iterator[TinyWebhook]:
    with TinyWebhook(certificate, {"/mutate": allow, "/validate": allow}) as running:
        register(control_plane, Registration(running.url, running.ca_bundle))
        running.requests.clear()
        yield running
        unregister(control_plane)


def test_the_server_is_the_version_it_was_asked_for(control_plane: ControlPlane) -> None:
    said = control_plane.admin.request("GET", "/version").expect_ok()

    assert said["gitVersion"] == f"v{control_plane.version}"
    assert (int(said["major"]), int(said["minor"])) == control_plane.minor


def test_a_limit_range_fills_in_a_pod_that_is_only_tried(control_plane: ControlPlane) -> None:
    namespace = control_plane.namespace()
    defaults = {"type": "Container", "default": {"memory": "256Mi"}, "defaultRequest": {"memory": "128Mi"}}
    control_plane.admin.create(
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "defaults", "namespace": namespace},
            "spec": {"limits": [defaults]},
        }
    ).expect_ok()

    tried = control_plane.as_user(DEVELOPER).create(pod(namespace), dry_run=True).expect_ok()

    assert tried["spec"]["containers"][0]["resources"] == {
        "limits": {"memory": "256Mi"},
        "requests": {"memory": "128Mi"},
    }
    assert "memory limit for container app" in tried["metadata"]["annotations"]["kubernetes.io/limit-ranger"]
    assert control_plane.admin.listing("v1", "Pod", namespace) == []


def test_an_ordinary_user_may_create_workloads_but_not_change_the_cluster(control_plane: ControlPlane) -> None:
    developer = control_plane.as_user(DEVELOPER)
    namespace = control_plane.namespace()

    assert developer.create(pod(namespace)).status == 201
    refused = developer.delete(
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "admin"}}
    )
    assert refused.status == 403
    assert 'User "developer" cannot delete' in refused.message


def test_objects_are_applied_read_replaced_and_deleted(control_plane: ControlPlane) -> None:
    api, namespace = control_plane.admin, control_plane.namespace()
    wanted = replica_set(namespace, owned=False)
    name = wanted["metadata"]["name"]

    assert api.apply(wanted).status == 201
    stored = api.read("apps/v1", "ReplicaSet", name, namespace).expect_ok()
    stored["spec"]["replicas"] = 3
    assert api.update(stored).expect_ok()["spec"]["replicas"] == 3
    assert api.patch(wanted, {"spec": {"replicas": 4}}, dry_run=True).expect_ok()["spec"]["replicas"] == 4
    assert [found["spec"]["replicas"] for found in api.listing("apps/v1", "ReplicaSet", namespace)] == [3]
    assert api.delete(wanted).ok
    assert api.read("apps/v1", "ReplicaSet", name, namespace).status == 404


def test_an_unknown_kind_is_an_error_that_names_it(control_plane: ControlPlane) -> None:
    with pytest.raises(LookupError, match="no Ghost in apps/v1"):
        control_plane.admin.read("apps/v1", "Ghost", "casper")


def test_a_webhooks_warnings_reach_the_user_as_they_were_written(
    control_plane: ControlPlane, webhook: TinyWebhook
) -> None:
    warning = 'container "app" has no limit; would accept: {limits: {memory: "256Mi"}} \\o/'
    webhook.answers["/validate"] = lambda _: {"allowed": True, "warnings": [warning, "and another"]}

    reply = control_plane.as_user(DEVELOPER).create(pod(control_plane.namespace()), dry_run=True)

    assert reply.status == 201
    assert reply.warnings == (warning, "and another")


def test_a_webhooks_refusal_reaches_the_user_with_its_reason(control_plane: ControlPlane, webhook: TinyWebhook) -> None:
    status = {"code": 403, "message": "container app\nhas no memory limit"}
    webhook.answers["/validate"] = lambda _: {"allowed": False, "status": status}

    reply = control_plane.as_user(DEVELOPER).create(pod(control_plane.namespace()))

    assert reply.status == 403
    assert reply.message == (
        'admission webhook "validate.plimsoll.dev" denied the request: container app\nhas no memory limit'
    )


def test_a_webhooks_patch_is_in_what_is_stored_and_the_question_says_who_asks(
    control_plane: ControlPlane, webhook: TinyWebhook
) -> None:
    limits = {"op": "add", "path": "/spec/containers/0/resources/limits", "value": {"memory": "64Mi"}}
    webhook.answers["/mutate"] = lambda _: json_patch(limits)
    namespace = control_plane.namespace()

    stored = control_plane.as_user(REPLICASET_CONTROLLER).create(pod(namespace), dry_run=True).expect_ok()

    assert stored["spec"]["containers"][0]["resources"]["limits"] == {"memory": "64Mi"}
    mutate, validate = webhook.requests
    assert mutate["userInfo"]["username"] == REPLICASET_CONTROLLER
    assert mutate["dryRun"] is True
    assert mutate["namespace"] == validate["namespace"] == namespace
    assert validate["object"]["spec"]["containers"][0]["resources"]["limits"] == {"memory": "64Mi"}


def test_templates_and_resizes_are_asked_about_but_pod_updates_are_not(
    control_plane: ControlPlane, webhook: TinyWebhook
) -> None:
    api, namespace = control_plane.admin, control_plane.namespace()
    amounts = {"cpu": "1", "memory": "64Mi"}
    original = pod(namespace, requests=amounts, limits={**amounts, "memory": "128Mi"})
    api.create(original).expect_ok()
    webhook.requests.clear()

    changed = api.patch(original, {"metadata": {"labels": {"touched": "yes"}}}).expect_ok()
    assert webhook.requests == []

    changed["spec"]["containers"][0]["resources"]["limits"]["memory"] = "192Mi"
    api.update(changed, subresource="resize").expect_ok()
    api.create(replica_set(namespace, owned=False), dry_run=True).expect_ok()
    asked = [(each["operation"], each["resource"]["resource"], each.get("subResource")) for each in webhook.requests]
    assert asked == [("UPDATE", "pods", "resize"), ("CREATE", "replicasets", None)]


@pytest.mark.parametrize(
    ("user", "owned", "asked"),
    [
        pytest.param(CONTROLLER_MANAGER, True, False, id="the controller manager, for an owner"),
        pytest.param("admin", True, True, id="a person, with an owner written in"),
        pytest.param("admin", False, True, id="a person, without an owner"),
    ],
)
def test_only_what_a_controller_writes_for_its_owner_is_left_out(
    control_plane: ControlPlane, webhook: TinyWebhook, user: str, owned: bool, asked: bool
) -> None:
    grant_everything_to(control_plane, CONTROLLER_MANAGER)

    control_plane.as_user(user).create(replica_set(control_plane.namespace(), owned=owned), dry_run=True).expect_ok()

    assert bool(webhook.requests) is asked


def test_an_object_on_its_way_out_is_left_alone(control_plane: ControlPlane, webhook: TinyWebhook) -> None:
    api, namespace = control_plane.admin, control_plane.namespace()
    doomed = replica_set(namespace, owned=False)
    doomed["metadata"]["finalizers"] = ["plimsoll.dev/test"]
    api.create(doomed).expect_ok()
    api.delete(doomed).expect_ok()
    webhook.requests.clear()

    api.patch(doomed, {"metadata": {"finalizers": []}}).expect_ok()

    assert webhook.requests == []
    assert api.read("apps/v1", "ReplicaSet", doomed["metadata"]["name"], namespace).status == 404


def test_a_webhook_that_is_gone_stops_pods_or_not_as_its_failure_policy_says(
    control_plane: ControlPlane, certificate: ServingCertificate
) -> None:
    with TinyWebhook(certificate, {"/mutate": allow, "/validate": allow}) as gone:
        dead = Registration(gone.url, gone.ca_bundle)
    namespace = control_plane.namespace()
    try:
        register(control_plane, dead)
        refused = control_plane.admin.create(pod(namespace), dry_run=True)
        register(control_plane, Registration(gone.url, gone.ca_bundle, failure_policy="Ignore"))
        let_through = control_plane.admin.create(pod(namespace), dry_run=True)
    finally:
        unregister(control_plane)

    assert refused.status == 500
    assert 'failed calling webhook "mutate.plimsoll.dev"' in refused.message
    assert let_through.status == 201


def grant_everything_to(cluster: ControlPlane, user: str) -> None:
    cluster.admin.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "everything-" + user.replace(":", "-")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        }
    ).expect_ok()
