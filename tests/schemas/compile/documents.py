"""Short texts of policies and exemptions for tables, and what loading them says."""

from __future__ import annotations

import textwrap

import pytest
from plimsoll.errors import InvalidPolicy, Problem
from plimsoll.policy.model import Bounds, Exemption, Policy, Rules
from plimsoll.policy.workload import ContainerClass
from plimsoll.schemas.compile import load


def policy_text(spec: str, *, name: str = "policy", namespaces: str = 'include: ["*"]') -> str:
    """A policy with these fields of its spec; the spec begins on line 5, after the namespaces."""
    head = f"apiVersion: plimsoll.dev/v1alpha1\nkind: ClusterLimitPolicy\nmetadata: {{name: {name}}}\nspec:\n"
    governed = f"  namespaces: {{{namespaces}}}\n" if namespaces else ""
    return head + governed + textwrap.indent(textwrap.dedent(spec).strip("\n") + "\n", "  ")


EXEMPTION = {
    "owner": "team-data",
    "reason": "it sizes itself",
    "expires": "2027-01-31",
    "match": "{}",
    "waive": '["memory.limit.required"]',
}


def exemption_text(exemption_name: str = "exemption", /, **fields: str | None) -> str:
    """An exemption with fields of its spec replaced, or left out where None is given."""
    head = (
        f"apiVersion: plimsoll.dev/v1alpha1\nkind: ClusterLimitExemption\nmetadata: {{name: {exemption_name}}}\nspec:\n"
    )
    spec = {**EXEMPTION, **fields}
    return head + "".join(f"  {field}: {value}\n" for field, value in spec.items() if value is not None)


def policy(spec: str, **settings: str) -> Policy:
    """The one policy that these fields make."""
    (found,) = load([("policy.yaml", policy_text(spec, **settings))]).policies.values()
    return found


def exemption(**fields: str | None) -> Exemption:
    """The one exemption that these fields make."""
    (found,) = load([("exemption.yaml", exemption_text(**fields))]).exemptions.values()
    return found


def problems(*texts: str) -> list[Problem]:
    """Everything that is wrong with these texts; they must not load."""
    with pytest.raises(InvalidPolicy) as caught:
        load((f"{number}.yaml", text) for number, text in enumerate(texts, 1))
    return list(caught.value.problems)


def said(*texts: str) -> list[tuple[str, str]]:
    """(pointer, reason) of each problem."""
    return [(each.pointer, each.reason) for each in problems(*texts)]


def bounds(rules: Rules, resource: str) -> Bounds:
    """What the rules say about one resource."""
    return next((each for each in rules.bounds if each.resource == resource), Bounds(resource))


def of_class(found: Policy, container_class: ContainerClass, resource: str = "memory") -> Bounds:
    """What a policy says about one resource of one class."""
    return bounds(found.rules[container_class], resource)
