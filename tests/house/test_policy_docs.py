"""The reference of policy documents: it names every field and every check, and its examples load."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from plimsoll.policy.checks import SUFFIXES
from plimsoll.schemas.compile import load
from plimsoll.schemas.policy_document import ClusterLimitExemption, ClusterLimitPolicy

PAGE = Path(__file__).resolve().parents[2] / "docs" / "policies.md"
TEXT = PAGE.read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
OF_EVERY_OBJECT = {
    "apiVersion",
    "kind",
    "metadata",
    "spec",
    "status",
    "name",
    "labels",
    "annotations",
    "key",
    "operator",
}


def fields() -> Iterator[str]:
    for document in (ClusterLimitPolicy, ClusterLimitExemption):
        schema = document.model_json_schema()
        for part in (schema, *schema["$defs"].values()):
            yield from part["properties"]


@pytest.mark.parametrize("field", sorted(set(fields()) - OF_EVERY_OBJECT))
def test_every_field_is_named(field: str) -> None:
    assert re.search(rf"`[^`\n]*\b{field}\b[^`\n]*`", TEXT)


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_every_check_is_named(suffix: str) -> None:
    assert f"`memory.{suffix}`" in TEXT


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads(example: str) -> None:
    loaded = load([("docs/policies.md", example)])
    assert loaded.policies or loaded.exemptions


def test_there_are_examples_of_both_kinds() -> None:
    kinds = {kind for example in EXAMPLES for kind in re.findall(r"^kind: (\w+)", example, re.MULTILINE)}
    assert kinds == {"ClusterLimitPolicy", "ClusterLimitExemption"}


def test_the_links_of_the_page_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (PAGE.parent / target).exists(), target
