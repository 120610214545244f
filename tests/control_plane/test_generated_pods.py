"""Hundreds of generated pods, beside LimitRanges of every kind, against a real API server that asks us.

What the server takes without us it must take with us; and what is said of a manifest, of a Pod and of the Deployment
that would make it, must be what then happens.
"""

import copy
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from plimsoll.policy.evaluation import Stage, evaluate
from plimsoll.policy.outcome import Evaluation
from plimsoll.policy.snapshot import Governance
from plimsoll.policy.workload import read_workloads
from plimsoll.schemas.compile import load

from tests.cases.case import POD, Object
from tests.cases.manifests import all_amounts, deployment_of
from tests.cases.verdicts import OURS, warned_about
from tests.control_plane.control_plane import ControlPlane
from tests.control_plane.generated import LIMIT_RANGES, generated_pod, policies
from tests.control_plane.governed import Cluster, governing, limit_range

PODS = 800
SEED = 20260901
MANAGED = {"app.kubernetes.io/managed-by": "plimsoll"}


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with governing(control_plane, tmp_path_factory.mktemp("governed")) as running:
        yield running


def test_every_patch_makes_a_pod_that_the_api_server_takes(cluster: Cluster) -> None:
    chance = random.Random(SEED)
    pairs = []
    for number, spec in enumerate(policies(chance)):
        item = LIMIT_RANGES[number % len(LIMIT_RANGES)]
        free, governed = (cluster.control_plane.namespace("generated") for _ in range(2))
        for namespace in (free, governed):
            if item:
                cluster.admin.create(limit_range(namespace, item)).expect_ok()
        cluster.write(governed, spec, *([limit_range(governed, item)] if item else []))
        pairs.append((free, governed, spec, item))
    cluster.wait_for({governed for _, governed, _, _ in pairs})

    taken = patched = 0
    for _ in range(PODS):
        free, governed, spec, item = chance.choice(pairs)
        asked = generated_pod(chance, free, pod_level=cluster.control_plane.minor >= (1, 34))
        alone = cluster.admin.create(asked, dry_run=True)
        if not alone.ok:
            continue
        with_us = copy.deepcopy(asked)
        with_us["metadata"]["namespace"] = governed
        reply = cluster.admin.create(with_us, dry_run=True)
        assert reply.ok, f"{reply.message}\n{json.dumps(asked)}\n{json.dumps(spec)}\n{json.dumps(item)}"
        taken += 1
        patched += all_amounts(reply.body) != all_amounts(alone.body)

    assert taken > PODS / 4
    assert patched > taken / 2


def test_what_is_said_of_a_manifest_is_what_happens_to_its_pod(cluster: Cluster) -> None:
    chance = random.Random(SEED + 1)
    governed: dict[str, Governance] = {}
    texts = {}
    for number, spec in enumerate(policies(chance)):
        namespace, item = cluster.control_plane.namespace("generated"), LIMIT_RANGES[number % len(LIMIT_RANGES)]
        if number % 3 == 0:
            spec["pod"] = {"max": {"memory": "2Gi"}, "required": {"limits": ["memory"]}}
        context = [limit_range(namespace, item)] if item else []
        for each in context:
            if number % 2 and "default" in item:
                each["metadata"]["labels"] = MANAGED
            cluster.admin.create(each).expect_ok()
        texts[namespace] = cluster.write(namespace, spec, *context)
        governed[namespace] = load([(namespace, texts[namespace])]).snapshot.governance_for(namespace)
    cluster.wait_for(set(governed))

    compared = 0
    for _ in range(PODS):
        namespace = chance.choice(sorted(governed))
        asked = generated_pod(chance, namespace, pod_level=False)
        reply = cluster.admin.create(asked, dry_run=True)
        if not reply.ok:
            continue
        compared += 1
        warned = warned_about(line for line in reply.warnings if line.startswith(f"{OURS}policy "))
        for manifest in (asked, deployment_of(asked)):
            found = judged(manifest, governed[namespace])
            because = f"{json.dumps(manifest)}\n{texts[namespace]}"
            assert amounts_of(found) == all_amounts(reply.body), because
            assert broken_by(found) == warned, because
            assert [evaluation.predictions for evaluation in found] == [()], because
    assert compared > PODS / 4


def judged(manifest: Object, governance: Governance) -> list[Evaluation]:
    """What `check` would make of it."""
    now = datetime.now(UTC)
    workloads = read_workloads(json.dumps(manifest).encode())
    return [evaluate(workload, governance, now, Stage.WRITTEN) for workload in workloads]


def broken_by(found: list[Evaluation]) -> set[str]:
    return {violation.container or POD for evaluation in found for violation in evaluation.violations}


def amounts_of(found: list[Evaluation]) -> dict[str, Any]:
    """Container → the amounts that it is said to end with."""
    amounts = {}
    for evaluation in found:
        for container, outcome in zip(evaluation.workload.containers, evaluation.outcomes, strict=True):
            sides = {"requests": outcome.resources.requests, "limits": outcome.resources.limits}
            if kept := {side: dict(given) for side, given in sides.items() if given}:
                amounts[container.name] = kept
    return amounts
