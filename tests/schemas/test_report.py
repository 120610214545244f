"""The schema of a Report, as OpenAPI shows it."""

from __future__ import annotations

import json

from plimsoll.schemas.report import json_schema


def test_the_schema_names_the_document_and_every_part_of_it() -> None:
    reference, definitions = json_schema()
    assert reference == {"$ref": "#/$defs/Report"}
    named = {part.removesuffix('"') for part in json.dumps(definitions).split("#/$defs/")[1:]}
    assert {name.split('"')[0] for name in named} | {"Report"} == set(definitions)


def test_results_are_the_five_words() -> None:
    _, definitions = json_schema()
    assert definitions["ReportRow"]["properties"]["result"] == {"enum": ["error", "fail", "pass", "skip", "warn"]}
    assert definitions["ReportSummary"]["required"] == ["pass", "fail", "warn", "error", "skip"]


def test_definitions_can_be_placed_where_openapi_wants_them() -> None:
    reference, definitions = json_schema("#/components/schemas/{name}")
    assert reference == {"$ref": "#/components/schemas/Report"}
    assert "#/$defs/" not in json.dumps(definitions)
