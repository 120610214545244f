"""Many texts become one Snapshot; every problem of all of them is said at once."""

import json

import pytest
from plimsoll.errors import InvalidPolicy
from plimsoll.policy.workload import ContainerClass
from plimsoll.schemas.compile import Loaded, compile_exemption, compile_policy, load
from plimsoll.schemas.compile.loading import NOTHING
from plimsoll.schemas.manifests import ManifestObject, read_objects
from plimsoll.schemas.yaml import UnreadableDocument

from tests.schemas.compile.documents import exemption_text, policy_text, problems, said

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: team\n  labels: {tier: ops, empty: ~}\n"
LIMIT_RANGE = """\
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec:
  limits:
    - type: Container
      max: {memory: 1Gi}
"""


def objects(text: str) -> list[ManifestObject | UnreadableDocument]:
    return list(read_objects(text, "input.yaml"))


def with_context(loaded: Loaded, text: str) -> Loaded:
    found, wrong = loaded.with_context(objects(text))
    assert wrong == ()
    return found


def test_texts_become_one_snapshot() -> None:
    loaded = load(
        [
            ("a.yaml", policy_text("priority: 1", name="low") + "---\n" + policy_text("priority: 2", name="high")),
            ("b.yaml", exemption_text(match="{namespaces: [team]}")),
            ("c.yaml", f"{NAMESPACE}---\n{LIMIT_RANGE}".replace("{name: limits}", "{name: limits, namespace: team}")),
        ]
    )
    governance = loaded.snapshot.governance_for("team")
    assert governance.policy is not None
    assert (governance.policy.name, governance.policy.origin) == ("high", "a.yaml:8")
    assert [each.name for each in governance.exemptions] == ["exemption"]
    assert [each.name for each in governance.limit_ranges] == ["limits"]
    assert governance.limit_ranges[0].items[0].default["memory"].text == "1Gi"
    assert governance.namespace.labels == {"tier": "ops", "empty": "", "kubernetes.io/metadata.name": "team"}
    assert loaded.snapshot is loaded.snapshot


def test_counts_are_the_lengths_of_what_was_loaded() -> None:
    loaded = load([("a.yaml", policy_text("mode: Audit")), ("b.yaml", NAMESPACE)])
    found = (loaded.policies, loaded.exemptions, loaded.namespaces, loaded.limit_ranges)
    assert [len(each) for each in found] == [1, 0, 1, 0]


def test_nothing_at_all_governs_nothing() -> None:
    assert load([]).snapshot.governance_for("a").policy is None
    assert load([("empty.yaml", "# nothing\n")]).policies == {}


def test_policies_in_a_list_are_found() -> None:
    items = [
        {
            "apiVersion": "plimsoll.dev/v1alpha1",
            "kind": "ClusterLimitPolicy",
            "metadata": {"name": name},
            "spec": {"namespaces": {"include": ["*"]}},
        }
        for name in ("a", "b")
    ]
    loaded = load([("list.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))])
    assert set(loaded.policies) == {"a", "b"}


def test_a_problem_in_a_list_points_into_the_document() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- " + policy_text("mode: x").replace("\n", "\n  ")
    (problem,) = problems(text)
    assert (problem.pointer, problem.line) == ("/items/0/spec/mode", 9)


def test_a_limit_range_without_a_namespace_belongs_where_the_caller_says() -> None:
    assert set(load([("a", LIMIT_RANGE)]).limit_ranges) == {("default", "limits")}
    assert set(load([("a", LIMIT_RANGE)], namespace="team").limit_ranges) == {("team", "limits")}


def test_all_problems_of_all_documents_come_in_the_order_of_the_text() -> None:
    found = problems(
        policy_text("priority: high\nmode: x") + "---\na: [\n---\n" + exemption_text(waive="[]", owner="''"),
        "apiVersion: v1\nkind: Pod\n",
        policy_text("mode: Audit"),
    )
    assert [(each.origin, each.line) for each in found] == [
        ("1.yaml", 6),
        ("1.yaml", 7),
        ("1.yaml", 9),
        ("1.yaml", 15),
        ("1.yaml", 19),
        ("2.yaml", 2),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "apiVersion: v1\nkind: Pod\n",
            'found "Pod" of "v1"; accepted: ClusterLimitPolicy and ClusterLimitExempt',
        ),
        ("kind: Pod\n", 'found "Pod" without apiVersion; accepted'),
        ("image: x\n", "has no kind, so it is no object of Kubernetes; accepted: ClusterLimitPolicy and"),
        (
            "apiVersion: plimsoll.dev/v1\nkind: ClusterLimitPolicy\n",
            'found "plimsoll.dev/v1"; accepted: plimsoll.dev/v1alpha1',
        ),
        ("kind: ClusterLimitExemption\n", 'found ""; accepted: plimsoll.dev/v1alpha1'),
        ("apiVersion: plimsoll.dev/v1alpha1\nkind: ClusterLimitPolcy\n", "(did you mean ClusterLimitPolicy?)"),
        ("- a\n", "an object with apiVersion and kind is needed"),
        ("apiVersion: v1\nkind: Namespace\n", "cannot be the name of an object"),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: [a]}\n", "Expected str"),
        ("apiVersion: v1\nkind: LimitRange\nspec: {limits: 1}\n", "Expected array"),
        (
            "apiVersion: v1\nkind: LimitRange\nspec: {limits: [{type: Container, min: {cpu: 2}, max: {cpu: 1}}]}\n",
            "the API server would refuse this LimitRange: ",
        ),
        ("a: [\n", "this is not YAML"),
    ],
)
def test_anything_else_in_a_policy_folder_is_a_problem(text: str, reason: str) -> None:
    assert any(reason in each.reason for each in problems(text)), [str(each) for each in problems(text)]


def test_a_name_that_stands_twice_is_a_problem_that_names_both_places() -> None:
    ((pointer, reason),) = said(policy_text("mode: Audit"), policy_text("mode: Warn"))
    assert pointer == "/metadata/name"
    assert reason == (
        "a ClusterLimitPolicy named policy stands already at 1.yaml:1; accepted: one document for each name"
    )
    (problem,) = problems(policy_text("mode: Audit"), policy_text("mode: Warn"))
    assert (problem.origin, problem.line) == ("2.yaml", 3)
    ((_, reason),) = said(exemption_text() + "---\n" + exemption_text())
    assert "stands already at 1.yaml:1" in reason


def test_a_policy_and_an_exemption_may_share_a_name() -> None:
    assert load([("a", policy_text("mode: Audit", name="x")), ("b", exemption_text("x"))])


def test_the_last_manifest_of_a_namespace_wins_as_with_kubectl() -> None:
    loaded = load([("a", NAMESPACE), ("b", NAMESPACE.replace("ops", "dev"))])
    assert loaded.namespaces["team"].labels["tier"] == "dev"


def test_one_document_can_be_compiled_alone() -> None:
    (found,) = objects(policy_text("mode: Warn"))
    assert isinstance(found, ManifestObject)
    assert compile_policy(found).name == "policy"
    (found,) = objects(exemption_text())
    assert isinstance(found, ManifestObject)
    assert compile_exemption(found).owner == "team-data"


def test_one_document_alone_says_all_its_problems() -> None:
    (found,) = objects(exemption_text(waive="[]", expires="never"))
    assert isinstance(found, ManifestObject)
    with pytest.raises(InvalidPolicy) as caught:
        compile_exemption(found)
    assert len(caught.value.problems) == 2


def test_what_is_found_among_manifests_is_laid_over_what_was_loaded() -> None:
    loaded = load([("a", policy_text("mode: Audit")), ("b", NAMESPACE)])
    found = with_context(
        loaded,
        "---\n".join(
            (
                policy_text("mode: Enforce\ncontainers: {max: {cpu: 1}}"),
                policy_text("mode: Audit", name="another"),
                exemption_text(),
                NAMESPACE.replace("ops", "dev"),
                LIMIT_RANGE,
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
                "a: [\n",
            )
        ),
    )
    assert set(found.policies) == {"policy", "another"}
    assert found.policies["policy"].rules[ContainerClass.INIT].bounds
    assert set(found.exemptions) == {"exemption"}
    assert found.namespaces["team"].labels["tier"] == "dev"
    assert set(found.limit_ranges) == {("default", "limits")}
    assert loaded.policies["policy"].rules[ContainerClass.INIT].bounds == ()
    assert loaded.namespaces["team"].labels["tier"] == "ops"


def test_context_with_problems_is_left_out_and_the_rest_applies() -> None:
    text = "---\n".join(
        (
            policy_text("mode: x", name="bad"),
            policy_text("mode: Audit", name="good"),
            "apiVersion: plimsoll.dev/v1alpha1\nkind: ClusterLimitPolicies\n",
            policy_text("mode: Audit", name="good"),
        )
    )
    found, wrong = NOTHING.with_context(objects(text))
    assert set(found.policies) == {"good"}
    assert [each.pointer for each in wrong] == ["/spec/mode", "/kind", "/metadata/name"]


def test_a_limit_range_among_manifests_belongs_where_the_caller_says() -> None:
    found, _ = NOTHING.with_context(objects(LIMIT_RANGE), namespace="team")
    assert set(found.limit_ranges) == {("team", "limits")}
