"""Texts become documents with positions, and what cannot be read is a value with a line and a reason."""

import json

import pytest
from plimsoll.schemas.yaml import (
    MAX_DEPTH,
    MAX_EXPANSION,
    MAX_TEXT,
    Document,
    UnreadableDocument,
    read_documents,
)

DEPLOYMENT = """\
# a comment
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {"app.kubernetes.io/name": web}
spec:
  template:
    spec:
      containers:
        - name: web
          resources:
            limits: {memory: 1Gi}
        -
          name: side
"""


def documents(text: str) -> list[Document]:
    found = list(read_documents(text, "file.yaml"))
    assert all(isinstance(each, Document) for each in found), [str(each) for each in found]
    return [each for each in found if isinstance(each, Document)]


def values(text: str) -> list[object]:
    return [json.loads(each.json) for each in documents(text)]


def unreadable(text: str) -> UnreadableDocument:
    (found,) = (each for each in read_documents(text, "file.yaml") if isinstance(each, UnreadableDocument))
    return found


def test_a_document_is_given_as_json_with_its_origin_and_number() -> None:
    one, two = documents("a: 010\n---\nb: [on, ~, 1.5]\n")
    assert (one.origin, one.index, one.line, one.json) == ("file.yaml", 1, 1, b'{"a":8}')
    assert (two.origin, two.index, two.line, two.json) == ("file.yaml", 2, 3, b'{"b":[true,null,1.5]}')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---",
        "---\n---\n",
        "# nothing\n",
        "\n \n",
        "--- # c\n# d\n",
        "null\n",
        "~",
        "...\n",
        "---\n...\n",
        "\u2028\n",
    ],
)
def test_an_empty_document_is_left_out(text: str) -> None:
    assert values(text) == []


def test_empty_documents_do_not_count() -> None:
    assert [each.index for each in documents("---\n# none\n---\na: 1\n---\n---\nb: 1\n")] == [1, 2]


def test_documents_after_an_unreadable_one_are_still_read() -> None:
    one, bad, three = read_documents("a: 1\n---\nb: [\n---\nc: 3\n", "file.yaml")
    assert isinstance(one, Document)
    assert isinstance(bad, UnreadableDocument)
    assert (bad.index, bad.line) == (2, 3)
    assert isinstance(three, Document)
    assert (three.index, three.line, three.json) == (3, 5, b'{"c":3}')


def test_a_directive_stays_with_the_document_it_precedes() -> None:
    assert values("%YAML 1.1\n---\na: 1\n---\nb: 1\n") == [{"a": 1}, {"b": 1}]


def test_a_document_may_begin_on_its_document_line() -> None:
    assert values("--- {a: 1}\n--- |\n  text\n--- # c\nb: 1\n") == [{"a": 1}, "text\n", {"b": 1}]


def test_dashes_inside_a_scalar_are_no_document_line() -> None:
    assert values("a: |\n  ---\n  b\nc: x---y\n---d: 1\n") == [{"a": "---\nb\n", "c": "x---y", "---d": 1}]


def test_carriage_returns_and_a_byte_order_mark_do_no_harm() -> None:
    found = documents("\ufeffa: 1\r\n---\r\nb: 1\r\n")
    assert [each.json for each in found] == [b'{"a":1}', b'{"b":1}']
    assert found[1].line_of("/b") == 3


def test_a_second_document_without_a_document_line_is_refused() -> None:
    assert "did not find expected <document start>" in unreadable("a: 1\n...\nb: 1\n").reason


@pytest.mark.parametrize(
    ("pointer", "line", "column"),
    [
        ("", 2, 1),
        ("/kind", 3, 1),
        ("/metadata/labels/app.kubernetes.io~1name", 6, 12),
        ("/spec/template/spec/containers", 10, 7),
        ("/spec/template/spec/containers/0", 11, 11),
        ("/spec/template/spec/containers/0/resources/limits/memory", 13, 22),
        ("/spec/template/spec/containers/0/resources/limits/cpu", 13, 13),
        ("/spec/template/spec/containers/0/resources/requests/cpu", 12, 11),
        ("/spec/template/spec/containers/1", 15, 11),
        ("/spec/template/spec/containers/7", 10, 7),
        ("/nowhere", 2, 1),
    ],
)
def test_a_field_or_its_nearest_parent_has_a_position(pointer: str, line: int, column: int) -> None:
    (document,) = documents(DEPLOYMENT)
    found = document.position(pointer)
    assert (found.line, found.column) == (line, column)
    assert document.line_of(pointer) == line


def test_positions_count_from_the_beginning_of_the_text() -> None:
    assert documents("a: 1\n---\n\nb:\n  c: 1\n")[1].line_of("/b/c") == 5


def test_a_value_behind_an_alias_stands_where_the_alias_does() -> None:
    (document,) = documents("a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n  e: 2\n")
    assert [document.line_of(pointer) for pointer in ("/a/b", "/c/b", "/d/b", "/d/e")] == [2, 3, 4, 6]


def test_fields_of_an_inline_merge_have_positions() -> None:
    (document,) = documents("a:\n  <<: {b: 1}\n  c: 2\n")
    assert [document.line_of(pointer) for pointer in ("/a/b", "/a/c")] == [2, 3]


def test_an_alias_can_be_a_key() -> None:
    (document,) = documents("k: &k name\nm:\n  *k : 2\n  z: 1\n")
    assert json.loads(document.json) == {"k": "name", "m": {"name": 2, "z": 1}}
    assert document.line_of("/m/z") == 4


def test_keys_that_are_no_text_are_found_by_the_text_they_become() -> None:
    (document,) = documents("a: 1\non: 1\n010: 2\n")
    assert [document.line_of(pointer) for pointer in ("/true", "/8")] == [2, 3]


def test_json_is_read_exactly_and_one_value_after_the_other() -> None:
    text = '\n{"a": 12345678901234567890123,\n "b": 1.50}\n\n{"c": "\\/"} null [1]'
    one, two, three = documents(text)
    assert one.json == b'{"a": 12345678901234567890123,\n "b": 1.50}'
    assert (one.line, one.line_of("/b")) == (2, 3)
    assert (two.json, two.line, two.index) == (b'{"c": "\\/"}', 5, 2)
    assert three.json == b"[1]"


def test_json_with_document_lines_is_read_exactly_too() -> None:
    one, two = documents('---\n{"a": 1e500}\n---\n{"b": 100000000000000000000000001}\n')
    assert (one.json, two.json) == (b'{"a": 1e500}', b'{"b": 100000000000000000000000001}')
    assert two.line_of("/b") == 4


def test_flow_style_yaml_that_begins_like_json_is_yaml() -> None:
    assert values("{a: 010}") == [{"a": 8}]
    assert values('{"a": 010} # c\n') == [{"a": 8}]
    assert values("[a]\n") == [["a"]]


def test_json_keeps_its_positions_where_libyaml_cannot_read_an_escape() -> None:
    (document,) = documents('{"emoji": "\\ud83d\\ude00 \\\\ud83d",\n "b": 1}')
    assert document.line_of("/b") == 2


def test_positions_of_json_that_is_no_yaml_fall_back_to_what_is_known() -> None:
    (document,) = documents('{"lone": "\\ud83d",\n "b": 1}')
    assert document.line_of("/b") == 1
    (document,) = documents("[" * 150 + "]" * 150)
    assert document.line_of("/0") == 1


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("---\n# Source: chart/templates/a.yaml\na: 1\n", "chart/templates/a.yaml"),
        ("# Source: chart/templates/a.yaml\r\na: 1\n", "chart/templates/a.yaml"),
        ("---\n\n# a comment\n# Source: x.yaml  \na: 1\n", "x.yaml"),
        ("---\na: 1\n# Source: x.yaml\n", None),
        ('---\n# Source: x.yaml\n{"a": 1}\n', "x.yaml"),
        ("a: 1\n", None),
        ("a: '# Source: x'\n", None),
    ],
)
def test_the_template_that_helm_names_is_the_source(text: str, source: str | None) -> None:
    assert documents(text)[0].source == source


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\na: 2\n", 2, 'the key "a" stands twice in one map; one of the two would be lost'),
        ("on: 1\nyes: 2\n", 2, 'the key "true" stands twice in one map (yes without quotes is read as true)'),
        ('{"a": 1,\n "a": 2}', 1, 'the key "a" stands twice in one object'),
        ('{"b": {"x": 1, "a": 1, "a": 2}}', 1, 'the key "a" stands twice in one object'),
        ("a:\n\tb: 1\n", 2, "indented with a tab; YAML takes spaces"),
        ("a: [1\n", 1, "this is not YAML: while parsing a flow sequence, did not find expected ',' or ']'"),
        ('a:\n  b: "open\nc: 1\n\n', 2, "while scanning a quoted scalar, found unexpected end of stream"),
        ("[", 1, "while parsing a flow node, did not find expected node content"),
        ("a: 1\n b: 2\n\n\n", 2, "mapping values are not allowed"),
        ("a: b: c\n", 1, "this is not YAML: mapping values are not allowed in this context"),
        ("a: 1\nb: \x01\n", 2, "the character U+0001 is not allowed"),
        ("a: \ud800\n", 1, "the character U+D800 is not allowed"),
        ('{"a": "\ud800"}', 1, "the character U+D800 is not allowed"),
        ("a: *x\n", 1, 'the alias "x" is used, but no anchor of this name stands before it'),
        ("a: &x [*x]\n", 1, 'the alias "x" stands inside its anchor'),
        ("a: &x {<<: *x}\n", 1, 'the alias "x" stands inside its anchor'),
        ("a:\n  <<: 1\n", 2, "<< takes a map, or a list of maps"),
        ("a:\n  <<: [1]\n", 2, "<< takes a map, or a list of maps"),
        ("? [a]\n: 1\n", 1, "a list is used as a key"),
        ("~: 1\n", 1, "nothing is used as a key"),
        ("a: !!int x\n", 1, "it is no int, though its tag !!int says so"),
        ("a: .inf\n", 1, "no number that JSON knows"),
        ("a: {{ .Values.a }}\n", 1, "this looks like a Helm template; render it first"),
        ("{{- if .Values.a }}\na: 1\n{{ end }}\n", 1, "this looks like a Helm template; render it first"),
        ("a: [NaN]\nb: {}}\n", 2, "this is not YAML"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: str, line: int, reason: str) -> None:
    found = unreadable(text)
    assert reason in found.reason
    assert found.line == line
    assert str(found).startswith(f"file.yaml:{line}: ")


def test_nan_is_not_taken_for_json() -> None:
    assert values('{"a": NaN}') == [{"a": "NaN"}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("b: &x {p: 1}\nc:\n  p: 9\n  <<: *x\n", {"p": 1}),
        ("b: &x {p: 1}\nc:\n  <<: *x\n  p: 9\n", {"p": 9}),
        ("b: &x {p: 1}\nd: &y {p: 2, r: 3}\nc:\n  <<: [*x, *y]\n", {"p": 1, "r": 3}),
        ("c: {<<: {b: 1}, b: 2}\n", {"b": 2}),
        ('c: {"<<": 1}\n', {"<<": 1}),
        ("c: {!!merge <<: {b: 1}}\n", {"b": 1}),
    ],
)
def test_merge_keys_are_read_as_kubernetes_does(text: str, value: object) -> None:
    (found,) = values(text)
    assert isinstance(found, dict)
    assert found["c"] == value


def test_a_key_below_a_merge_may_be_written_once_only() -> None:
    assert "stands twice" in unreadable("c:\n  <<: {b: 1}\n  b: 2\n  b: 3\n").reason


def test_an_anchor_holds_its_newest_value() -> None:
    assert values("a: &a 1\nb: &a 2\nc: *a\n") == [{"a": 1, "b": 2, "c": 2}]
    assert values("a: &a {x: &a 1, z: *a}\nb: *a\n") == [{"a": {"x": 1, "z": 1}, "b": 1}]


def test_anchors_end_with_their_document() -> None:
    assert unreadable("a: &x 1\n---\nb: *x\n").index == 2


LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        'a: &a "' + "x" * 1_000_000 + '"\nb: [' + ",".join(["*a"] * 10_000) + "]\n",
        "a: &a {" + ",".join(f"{'k' * 500}{index}: ~" for index in range(100)) + "}\nb: [" + "*a," * 1000 + "]\n",
        "a: &a {x: 1}\nb: [" + "{<<: *a}, " * 400_000 + "]\n",
    ],
    ids=["laughs", "long text", "long keys", "merges"],
)
def test_aliases_cannot_blow_a_document_up(text: str) -> None:
    assert f"more than {MAX_EXPANSION} characters" in unreadable(text).reason


def test_ordinary_use_of_anchors_is_fine() -> None:
    text = "d: &d {cpu: 1, memory: 1Gi}\nall: [" + ",".join(["*d"] * 10_000) + "]\n"
    assert len(documents(text)[0].json) > 100_000


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "a: " + "[" * 50_000 + "]" * 50_000,
        "- " * 100_000 + "a",
        "{a: " * 100_000,
        "? " * 100_000,
        "".join(" " * level + "a:\n" for level in range(500)),
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        "{" * 1_000_000,
    ],
    ids=["[", "[]", "-", "{a:", "?", "blocks", "json", "{"],
)
def test_deep_nesting_is_refused(text: str) -> None:
    assert "nest" in unreadable(text).reason


def test_nesting_up_to_the_bound_is_read() -> None:
    assert len(documents("- " * MAX_DEPTH + "a")) == 1
    assert f"more than {MAX_DEPTH} deep" in unreadable("- " * (MAX_DEPTH + 1) + "a").reason


@pytest.mark.parametrize(
    "text",
    [
        "---\n" * 200_000,
        "# Source: x\n" * 200_000,
        "%a\n" * 200_000,
        " " * 3_000_000,
        "\n" * 1_000_000,
        "# x\n" * 500_000,
    ],
    ids=["lines", "sources", "directives", "spaces", "breaks", "comments"],
)
def test_a_long_text_of_nothing_is_nothing(text: str) -> None:
    assert values(text) == []


def test_a_text_beyond_the_bound_is_not_read_at_all() -> None:
    found = unreadable(" " * (MAX_TEXT + 1))
    assert f"at most {MAX_TEXT} are read" in found.reason


def test_names_in_a_reason_are_short_and_printable() -> None:
    reason = unreadable('"a\\e[31m' + "x" * 1000 + '": 1\n"a\\e[31m' + "x" * 1000 + '": 1\n').reason
    assert reason.isprintable()
    assert len(reason) < 200
