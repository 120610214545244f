"""Whatever a text holds, reading it gives values and compiling it gives a Snapshot or InvalidPolicy: nothing else."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from plimsoll.errors import InvalidPolicy, Problem
from plimsoll.schemas.compile import load
from plimsoll.schemas.manifests import ManifestObject, read_objects
from plimsoll.schemas.policy_document import ClusterLimitExemption, ClusterLimitPolicy
from plimsoll.schemas.yaml import Document, read_documents

PIECES = st.sampled_from(
    [
        *(
            "a",
            "b: ",
            ": ",
            "- ",
            "? ",
            "\n",
            "\n  ",
            "\t",
            "---\n",
            "\n---\n",
            "...\n",
            "%YAML 1.1\n",
            "#",
            " # Source: x\n",
        ),
        *(
            "[",
            "]",
            "{",
            "}",
            ",",
            '"',
            "'",
            "|\n",
            ">-\n",
            "&x ",
            "*x",
            "<<: ",
            "!!str ",
            "!!binary ",
            "!<",
            "010",
            "1e999",
        ),
        *(
            ".inf",
            "~",
            "yes",
            "\\",
            "\\ud800",
            "\x00",
            "\x85",
            "\u2028",
            "\ufeff",
            "\ud800",
            "é",
            "{{ x }}",
            "\r",
            "null",
        ),
    ]
)


def field_names() -> list[str]:
    names = {"none", "*", "memory", "cpu", "nvidia.com/gpu", "qqq"}
    for document in (ClusterLimitPolicy, ClusterLimitExemption):
        schema = document.model_json_schema()
        for part in (schema, *schema["$defs"].values()):
            names.update(part["properties"])
    return sorted(names)


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        ["none", "*", "1Gi", "0", "-1", "memory", "Enforce", "2027-01-31", "2026-12-01T00:00:00Z", "In", "a-*"]
    ),
)
NAMES = st.one_of(st.sampled_from(field_names()), st.text(max_size=5))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=30
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    for found in read_documents(text, "text"):
        assert found.line >= 1
        if isinstance(found, Document):
            json.loads(found.json)
            assert found.line_of("/a/0/b") >= 1
        else:
            assert found.reason


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    compiled_or_refused(f"kind: Pod\n---\n{text}")


@given(
    st.sampled_from(["ClusterLimitPolicy", "ClusterLimitExemption"]),
    VALUES,
    st.dictionaries(NAMES, VALUES, max_size=8),
)
def test_any_document_is_compiled_or_refused(kind: str, metadata: Any, spec: dict[str, Any]) -> None:
    document = {"apiVersion": "plimsoll.dev/v1alpha1", "kind": kind, "metadata": {"name": "a"}, "spec": spec}
    compiled_or_refused(json.dumps(document))
    compiled_or_refused(json.dumps({**document, "metadata": metadata}))


@given(
    st.sampled_from(["Namespace", "LimitRange", "List", "PodList"]), st.dictionaries(NAMES | st.just("items"), VALUES)
)
def test_any_context_is_read_or_refused(kind: str, fields: dict[str, Any]) -> None:
    compiled_or_refused(json.dumps({**fields, "apiVersion": "v1", "kind": kind}))


def compiled_or_refused(text: str) -> None:
    """Loads it; a refusal has problems whose texts can be printed and whose places are in the text."""
    lines = text.count("\n") + 1
    for found in read_objects(text, "text"):
        if isinstance(found, ManifestObject):
            assert found.line_of("/spec") >= 1
    problems: tuple[Problem, ...] | None = None
    try:
        load([("text", text)])
    except InvalidPolicy as error:
        problems = error.problems
    assert problems is None or problems
    for problem in problems or ():
        assert problem.reason.isprintable(), problem.reason
        assert problem.line is not None
        # Lone carriage returns and the like count as lines for libyaml.
        assert 1 <= problem.line <= lines + sum(map(text.count, "\r\x85\u2028\u2029"))
