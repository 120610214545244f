"""Which policy governs a namespace, and what else does: one picture, looked up by name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from plimsoll.policy import snapshot as module
from plimsoll.policy.limit_range import LimitRange
from plimsoll.policy.matching import Globs, LabelSelector, Requirement
from plimsoll.policy.model import Exemption, Matcher, Namespace, NamespaceMatch, Policy
from plimsoll.policy.snapshot import Snapshot


def policy(name: str, *include: str, priority: int = 0) -> Policy:
    return Policy(name, NamespaceMatch(include=Globs.of(include)), priority=priority)


def exemption(name: str, *namespaces: str) -> Exemption:
    return Exemption(
        name,
        "team",
        "why",
        datetime(2020, 1, 1, tzinfo=UTC),
        "2020-01-01",
        Matcher(),
        Globs.of(namespaces) if namespaces else None,
        frozenset({"*"}),
    )


@pytest.mark.parametrize(
    ("policies", "namespace", "governs", "others"),
    [
        ([], "shop", None, ()),
        ([policy("a", "team")], "shop", None, ()),
        ([policy("a", "*")], "shop", "a", ()),
        ([policy("a", "*"), policy("b", "shop", priority=1)], "shop", "b", ()),
        ([policy("a", "*"), policy("b", "shop", priority=1)], "team", "a", ()),
        ([policy("a", "*", priority=-1), policy("b", "*")], "shop", "b", ()),
        # at equal priority the first name governs, and the others are told of
        ([policy("c", "*"), policy("a", "shop"), policy("b", "sh*")], "shop", "a", ("b", "c")),
        ([policy("c", "*"), policy("a", "team"), policy("b", "sh*")], "shop", "b", ("c",)),
        ([policy("a", "shop", priority=5), policy("b", "*", priority=5), policy("z", "*")], "shop", "a", ("b",)),
        ([policy("a", "team", priority=5), policy("b", "*", priority=1), policy("z", "*")], "shop", "b", ()),
    ],
)
def test_the_highest_policy_that_matches_governs(
    policies: list[Policy], namespace: str, governs: str | None, others: tuple[str, ...]
) -> None:
    for order in (policies, policies[::-1]):
        answer = Snapshot(order).governance_for(namespace)
        assert (answer.policy.name if answer.policy else None) == governs
        assert answer.others == others


def test_a_namespace_has_the_labels_of_its_description_and_else_its_name_alone() -> None:
    ops = Policy("ops", NamespaceMatch(selector=LabelSelector((Requirement("tier", "In", frozenset({"ops"})),))))
    given = Snapshot([ops], namespaces=[Namespace("logging", {"tier": "ops"})])
    assert given.governance_for("logging").policy is ops
    assert given.governance_for("logging").namespace.labels == {"tier": "ops"}
    assert given.governance_for("shop").policy is None
    assert given.governance_for("shop").namespace == Namespace("shop", {"kubernetes.io/metadata.name": "shop"})


def test_exemptions_of_the_namespace_come_along_in_the_order_of_their_names() -> None:
    """Expired ones, too: only a request knows the time."""
    given = Snapshot([policy("a", "*")], [exemption("z"), exemption("b", "shop*"), exemption("c", "team")])
    assert [each.name for each in given.governance_for("shop-1").exemptions] == ["b", "z"]
    assert [each.name for each in given.governance_for("team").exemptions] == ["c", "z"]


def test_limit_ranges_of_the_namespace_come_along_in_the_order_of_their_names() -> None:
    given = Snapshot(limit_ranges={"shop": [LimitRange("b"), LimitRange("a")]})
    assert [each.name for each in given.governance_for("shop").limit_ranges] == ["a", "b"]
    assert given.governance_for("team").limit_ranges == ()


def test_an_answer_is_worked_out_once_and_the_memory_is_bounded() -> None:
    given = Snapshot([policy("a", "*")])
    first = given.governance_for("shop")
    assert given.governance_for("shop") is first
    for number in range(module.REMEMBERED_NAMESPACES):
        given.governance_for(f"team-{number}")
    again = given.governance_for("shop")
    assert again is not first
    assert again == first
