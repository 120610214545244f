"""The documents as readers see them: the example of the docs loads, and the schema says everything."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from plimsoll.policy.model import Mode
from plimsoll.policy.quantity import QuantityError, parse_strict
from plimsoll.schemas.compile import load
from plimsoll.schemas.policy_document import ClusterLimitExemption, ClusterLimitPolicy
from pydantic import BaseModel

EXAMPLE = """\
apiVersion: plimsoll.dev/v1alpha1
kind: ClusterLimitPolicy
metadata:
  name: ops-tools
spec:
  priority: 100
  namespaces:
    selector: {matchLabels: {tier: ops}}
    include: ["monitoring", "logging-*"]
    exclude: ["kube-*"]
  mode: Enforce
  enforceFrom: 2026-12-01T00:00:00Z
  defaulting: Apply
  templates: Warn
  containers:
    required:  {requests: [cpu, memory], limits: [memory]}
    forbidden: {limits: [cpu]}
    default:        {memory: 256Mi}
    defaultRequest: {cpu: 50m, memory: 128Mi}
    min: {memory: 16Mi}
    max: {memory: 4Gi}
    maxLimitRequestRatio: {memory: "4"}
    equal: []
    outOfRange: Deny
  initContainers: {}
  sidecarContainers: {}
  pod:
    max: {memory: 8Gi}
  overrides:
    - match: {containers: ["istio-proxy"], images: ["*/istio/proxyv2*"]}
      containers: {default: {memory: 1Gi}, defaultRequest: {memory: 256Mi}}
  limitRange: Managed
  resourceQuota: {hard: {limits.memory: 64Gi}}
---
apiVersion: plimsoll.dev/v1alpha1
kind: ClusterLimitExemption
metadata:
  name: legacy-batch
spec:
  owner: team-data
  reason: the nightly loader sizes itself
  expires: 2027-01-31
  ticket: OPS-123
  match:
    namespaces: ["batch"]
    workloads: [{kind: CronJob, names: ["loader-*"]}]
    containers: ["loader"]
    images: []
    podLabels: {}
  waive: ["memory.limit.required"]
"""

DOCUMENTS: tuple[type[BaseModel], ...] = (ClusterLimitPolicy, ClusterLimitExemption)


def parts(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object type of a JSON Schema with its name."""
    yield str(schema["title"]), schema
    yield from schema["$defs"].items()


def test_the_example_of_the_docs_loads() -> None:
    loaded = load([("example.yaml", EXAMPLE)])
    policy = loaded.policies["ops-tools"]
    assert (policy.priority, policy.mode, policy.templates) == (100, Mode.ENFORCE, Mode.WARN)
    assert loaded.exemptions["legacy-batch"].ticket == "OPS-123"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_field_is_described(document: type[BaseModel]) -> None:
    for name, part in parts(document.model_json_schema()):
        assert part["description"], name
        for field, schema in part["properties"].items():
            assert schema.get("description"), f"{name}.{field}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_part_but_metadata_takes_unknown_fields(document: type[BaseModel]) -> None:
    for name, part in parts(document.model_json_schema()):
        assert part["additionalProperties"] is (name == "Metadata"), name


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_list_and_map_is_bounded(document: type[BaseModel]) -> None:
    for name, part in parts(document.model_json_schema()):
        for field, schema in part["properties"].items():
            if name == "Metadata":
                continue
            for each in schema.get("anyOf", [schema]):
                bound = {"array": "maxItems", "object": "maxProperties"}.get(each.get("type"), "")
                assert not bound or bound in each, f"{name}.{field}"


def amounts(document: type[BaseModel], part: str) -> dict[str, Any]:
    schema: dict[str, Any] = document.model_json_schema()["$defs"][part]["properties"]["max"]["additionalProperties"]
    return schema


@pytest.mark.parametrize(
    "text", ["1", "1.5Gi", ".5", "1e3", "-1", "+5", "1.", "1K", "Ki", "", "1 ", "none", "1e", "0x1", "nonesuch"]
)
def test_the_pattern_of_amounts_accepts_what_compiling_accepts(text: str) -> None:
    try:
        parse_strict(text)
        is_amount = True
    except QuantityError:
        is_amount = False
    in_containers = re.search(amounts(ClusterLimitPolicy, "ContainerRules")["pattern"], text)
    in_classes = re.search(amounts(ClusterLimitPolicy, "ClassRules")["pattern"], text)
    assert (in_containers is not None) is is_amount
    assert (in_classes is not None) is (is_amount or text == "none")


def test_amounts_are_numbers_or_texts_to_the_api_server() -> None:
    for part in ("ContainerRules", "ClassRules", "PodRules"):
        assert amounts(ClusterLimitPolicy, part)["x-kubernetes-int-or-string"] is True
