"""Objects of a text: Lists taken apart, and each told what it is for."""

import json

from plimsoll.schemas.manifests import ManifestObject, Role, read_objects
from plimsoll.schemas.yaml import UnreadableDocument

LIST = """\
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Namespace
    metadata: {name: team}
  -
  - apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
  - apiVersion: v1
    kind: List
    items:
      - apiVersion: v1
        kind: Pod
        metadata: {name: inner}
"""


def objects(text: str) -> list[ManifestObject]:
    found = list(read_objects(text, "file.yaml"))
    assert all(isinstance(each, ManifestObject) for each in found), [str(each) for each in found]
    return [each for each in found if isinstance(each, ManifestObject)]


def role(api_version: str, kind: str) -> Role:
    (found,) = objects(json.dumps({"apiVersion": api_version, "kind": kind}))
    return found.role


def test_an_object_is_told_what_it_is_for() -> None:
    assert role("plimsoll.dev/v1alpha1", "ClusterLimitPolicy") is Role.POLICY
    assert role("plimsoll.dev/v1alpha1", "ClusterLimitExemption") is Role.EXEMPTION
    assert role("v1", "Namespace") is Role.NAMESPACE
    assert role("v1", "LimitRange") is Role.LIMIT_RANGE
    assert role("apps/v1", "Deployment") is Role.OTHER


def test_another_version_or_group_is_another_kind() -> None:
    assert role("plimsoll.dev/v1", "ClusterLimitPolicy") is Role.OTHER
    assert role("example.com/v1", "Namespace") is Role.OTHER


def test_items_of_lists_are_objects_of_their_own_with_their_pointers_and_lines() -> None:
    found = objects(LIST)
    assert [(each.kind, each.pointer, each.line) for each in found] == [
        ("Namespace", "/items/0", 4),
        ("Deployment", "/items/2", 8),
        ("Pod", "/items/3/items/0", 15),
    ]
    assert json.loads(found[1].json)["metadata"] == {"name": "web"}
    assert found[1].line_of("/metadata/name") == 11
    assert found[1].position("/spec").column == 5


def test_an_object_outside_a_list_knows_its_line_without_a_search() -> None:
    first, second = objects("apiVersion: v1\nkind: Pod\n---\n\nkind: Pod\n")
    assert (first.line, second.line) == (1, 5)
    assert second.line_of("/kind") == 5


def test_items_of_a_typed_list_are_of_its_type() -> None:
    text = '{"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "a"}}, {"kind": "Other"}]}'
    first, second = objects(text)
    assert (first.api_version, first.kind) == ("v1", "Pod")
    assert json.loads(first.json) == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    assert (second.api_version, second.kind) == ("", "Other")


def test_lists_of_policies_and_context_are_taken_apart_too() -> None:
    for kind in ("NamespaceList", "LimitRangeList"):
        assert objects(json.dumps({"apiVersion": "v1", "kind": kind, "items": [{}]}))[0].kind == kind[:-4]
    policies = {"apiVersion": "plimsoll.dev/v1alpha1", "kind": "ClusterLimitPolicyList", "items": [{}]}
    assert objects(json.dumps(policies))[0].role is Role.POLICY


def test_a_kind_that_only_ends_like_a_list_is_an_object() -> None:
    assert [each.kind for each in objects("apiVersion: example.com/v1\nkind: WaitingList\nitems: [{}]\n")] == [
        "WaitingList"
    ]
    assert [each.kind for each in objects("apiVersion: example.com/v1\nkind: List\n")] == ["List"]


def test_an_empty_list_holds_nothing() -> None:
    assert objects("apiVersion: v1\nkind: List\n") == []
    assert objects("apiVersion: v1\nkind: List\nitems: []\n") == []


def test_a_document_without_kind_is_an_object_of_nobody() -> None:
    (found,) = objects("image: {tag: 1}\n")
    assert (found.api_version, found.kind, found.role) == ("", "", Role.OTHER)


def test_what_is_no_object_is_unreadable_and_stops_nothing() -> None:
    items = "apiVersion: v1\nkind: List\nitems:\n  - just text\n  - {apiVersion: v1, kind: Pod}\n"
    text = "---\n".join(("- 1\n", "kind: [a]\n", items, "kind: Pod\n"))
    found = list(read_objects(text, "file.yaml"))
    reasons = [(each.line, each.reason) for each in found if isinstance(each, UnreadableDocument)]
    assert [line for line, _ in reasons] == [1, 3, 8]
    assert all("an object with apiVersion and kind is needed" in reason for _, reason in reasons)
    assert "/items/0" in reasons[2][1]
    assert [each.kind for each in found if isinstance(each, ManifestObject)] == ["Pod", "Pod"]


def test_items_that_are_no_list_are_unreadable() -> None:
    (found,) = read_objects("apiVersion: v1\nkind: List\nitems: {}\n", "file.yaml")
    assert isinstance(found, UnreadableDocument)
    assert (found.line, "/items" in found.reason) == (3, True)


def test_an_unreadable_document_is_passed_on() -> None:
    (found,) = read_objects("a: [\n", "file.yaml")
    assert isinstance(found, UnreadableDocument)


def test_the_source_of_a_rendered_object_is_its_documents() -> None:
    (found,) = objects("---\n# Source: chart/templates/web.yaml\napiVersion: v1\nkind: Pod\n")
    assert found.document.source == "chart/templates/web.yaml"
