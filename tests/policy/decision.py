"""Decisions in one line, for tables: a policy's spec in YAML, a pod as `shorthand` writes it, and what came of it.

Amounts: `a req cpu=50m lim memory=1Gi; b`. Checks: `a memory.limit.max; pod pod.cpu.ratio`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import yaml
from plimsoll.policy.evaluation import Stage, evaluate
from plimsoll.policy.outcome import Evaluation, Violation
from plimsoll.policy.quantity import Quantity
from plimsoll.policy.snapshot import Governance, Snapshot
from plimsoll.policy.workload import Workload, read_workloads
from plimsoll.schemas.compile import load

from tests.policy import shorthand

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
API = "plimsoll.dev/v1alpha1"


def policy_document(spec: str, name: str = "guard") -> dict[str, Any]:
    """A policy for every namespace; ``spec`` is flow-style YAML."""
    given = {"namespaces": {"include": ["*"]}, "mode": "Enforce", "templates": "Enforce", **yaml.safe_load(spec)}
    return {"apiVersion": API, "kind": "ClusterLimitPolicy", "metadata": {"name": name}, "spec": given}


def exemption_document(spec: str, name: str = "legacy") -> dict[str, Any]:
    """An exemption; ``spec`` is flow-style YAML and may leave out owner, reason, expires and match."""
    given = {"owner": "team-data", "reason": "sizes itself", "expires": "2027-01-31", "match": {}}
    given |= yaml.safe_load(spec)
    return {"apiVersion": API, "kind": "ClusterLimitExemption", "metadata": {"name": name}, "spec": given}


def snapshot(policy: str, *exemptions: str, ranges: str = "", managed: bool = False) -> Snapshot:
    """``ranges``: LimitRanges of namespace ``team`` as `shorthand.limit_ranges` reads them; ``managed``: by us."""
    documents = [policy_document(policy)]
    documents += [exemption_document(text, f"exemption-{index}") for index, text in enumerate(exemptions)]
    for index, text in enumerate(ranges.split(" | ") if ranges else ()):
        limit_range = shorthand.limit_range(text, f"limits-{index}")
        if managed:
            limit_range["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "plimsoll"}
        documents.append(limit_range)
    return load([("test.yaml", yaml.safe_dump_all(documents))]).snapshot


def governance(policy: str, *exemptions: str, ranges: str = "", managed: bool = False) -> Governance:
    """What governs namespace ``team``."""
    return snapshot(policy, *exemptions, ranges=ranges, managed=managed).governance_for("team")


def workload_of(obj: Mapping[str, Any]) -> Workload:
    """The only workload of the object."""
    (workload,) = read_workloads(json.dumps(obj).encode())
    return workload


def deployment_of(pod: Mapping[str, Any]) -> dict[str, Any]:
    """A Deployment with the spec of this Pod."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "team"},
        "spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": pod["spec"]}},
    }


def judged(
    pod: str, governs: Governance, stage: str = Stage.WRITTEN, now: datetime = NOW, note: str = ""
) -> Evaluation:
    """The Pod judged; ``note`` is LimitRanger's annotation."""
    obj = shorthand.pod(pod)
    if note:
        obj["metadata"]["annotations"] = {"kubernetes.io/limit-ranger": f"LimitRanger plugin set: {note}"}
    return evaluate(workload_of(obj), governs, now, stage)


def amounts(evaluation: Evaluation) -> str:
    """What the containers will have in the end."""
    shown = []
    for container, outcome in zip(evaluation.workload.containers, evaluation.outcomes, strict=True):
        sides = [("req", outcome.resources.requests), ("lim", outcome.resources.limits)]
        shown.append(" ".join([container.name, *(f"{side} {_written(given)}" for side, given in sides if given)]))
    return "; ".join(shown)


def set_values(evaluation: Evaluation) -> str:
    """What was set: `a limits.memory 64Mi→1Gi`."""
    return "; ".join(
        f"{each.container} {each.side.field}.{each.resource} {_text(each.before)}→{_text(each.after)}"
        for each in evaluation.settings
    )


def checks(violations: Iterable[Violation]) -> str:
    """Which checks found something, by container."""
    return "; ".join(f"{violation.container or 'pod'} {violation.check}" for violation in violations)


def violated(evaluation: Evaluation) -> str:
    """The checks of all violations."""
    return checks(evaluation.violations)


def exempted(evaluation: Evaluation) -> str:
    """The checks of all violations that are waived."""
    return checks(each.violation for each in evaluation.exempted)


def _written(given: Mapping[str, Quantity]) -> str:
    return ",".join(f"{name}={given[name].canonical}" for name in sorted(given))


def _text(amount: Quantity | None) -> str:
    return "-" if amount is None else amount.canonical
