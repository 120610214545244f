"""The audit API, its OpenAPI document and its page, through the same adapter that the server uses."""

import asyncio
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from plimsoll.api.app import create_app
from plimsoll.api.page import page
from plimsoll.serving.asgi import through
from plimsoll.serving.exchange import HttpRequest, HttpResponse, refusal

Json = dict[str, Any]


class Asked:
    """The API around an audit that only remembers what it was asked."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self._answer = through(create_app(self._audit))

    async def _audit(self, text: str, namespace: str) -> HttpResponse:
        self.texts.append((text, namespace))
        if text == "too much":
            return refusal(413, "send fewer objects at once")
        if text == "broken":
            raise ZeroDivisionError("a defect")
        return HttpResponse(200, b'{"kind":"Report"}')

    def __call__(self, method: str, path: str, body: bytes = b"", query: str = "") -> HttpResponse:
        headers = {b"content-type": b"application/yaml", b"host": b"localhost"}
        return asyncio.run(self._answer(HttpRequest(method.encode(), path.encode(), query.encode(), headers, body)))


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture(scope="module")
def document() -> Json:
    document: Json = json.loads(Asked()("GET", "/openapi.json").body)
    return document


def message(answer: HttpResponse) -> str:
    status = json.loads(answer.body)
    assert (status["kind"], status["code"]) == ("Status", answer.status)
    return str(status["message"])


def test_a_text_is_audited_and_the_report_is_passed_on(asked: Asked) -> None:
    answer = asked("POST", "/v1/audit", "kind: Pöd".encode())
    assert (answer.status, answer.content_type, answer.body) == (200, b"application/json", b'{"kind":"Report"}')
    assert asked.texts == [("kind: Pöd", "default")]


def test_the_namespace_of_objects_without_one_is_asked_for_in_the_query(asked: Asked) -> None:
    asked("POST", "/v1/audit", b"a", "namespace=shop")
    assert asked.texts == [("a", "shop")]


def test_a_byte_order_mark_is_no_text(asked: Asked) -> None:
    asked("POST", "/v1/audit", b"\xef\xbb\xbfa")
    assert asked.texts == [("a", "default")]


def test_a_body_that_is_not_utf_8_is_refused(asked: Asked) -> None:
    answer = asked("POST", "/v1/audit", b"a\xff")
    assert answer.status == 400
    assert message(answer) == "the body is not UTF-8: byte 0xff at offset 1; YAML or JSON in UTF-8 is accepted"


@pytest.mark.parametrize("namespace", ["Shop", "a" * 64, "-a", "", "a/b", "%00"])
def test_a_namespace_that_cannot_be_one_is_refused(asked: Asked, namespace: str) -> None:
    answer = asked("POST", "/v1/audit", b"a", f"namespace={namespace}")
    assert answer.status == 400
    assert message(answer).startswith("?namespace= ")
    assert asked.texts == []


def test_a_refusal_of_the_audit_is_passed_on(asked: Asked) -> None:
    answer = asked("POST", "/v1/audit", b"too much")
    assert (answer.status, message(answer)) == (413, "send fewer objects at once")


def test_a_defect_is_passed_on_to_whoever_answers_for_it(asked: Asked) -> None:
    with pytest.raises(ZeroDivisionError):
        asked("POST", "/v1/audit", b"broken")


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_reference_of_the_document_leads_somewhere(document: Json) -> None:
    found = set(references(document))
    assert "#/components/schemas/Report" in found
    for reference in found:
        assert reference.startswith("#/components/schemas/")
        assert reference.rpartition("/")[2] in document["components"]["schemas"]


def test_the_document_has_every_path_of_the_server_but_its_own(document: Json) -> None:
    assert set(document["paths"]) == {"/v1/audit", "/mutate", "/validate", "/healthz", "/readyz", "/metrics"}
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert "422" not in operation["responses"]


class Page(HTMLParser):
    """What a browser would load and run, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_every_operation_and_loads_nothing(asked: Asked, document: Json) -> None:
    answer = asked("GET", "/docs")
    assert (answer.status, answer.content_type) == (200, b"text/html; charset=utf-8")
    assert dict(answer.headers)[b"content-security-policy"].startswith(b"default-src 'none'")
    shown = Page(answer.body.decode())
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert f"{method.upper()} {path}" in shown.text
            assert operation["summary"].replace("`", "") in shown.text
    assert not {"script", "img", "link", "iframe", "object"} & set(shown.tags)
    assert all(re.fullmatch(r"#\w+|/openapi\.json", link) for link in shown.links)
    assert b"://" not in answer.body.replace(b"https://localhost", b"")


def test_links_of_the_page_lead_to_places_on_it(asked: Asked) -> None:
    html = asked("GET", "/docs").body.decode()
    for link in Page(html).links:
        assert link == "/openapi.json" or f'id="{link[1:]}"' in html


def test_head_of_the_page_is_answered_like_get(asked: Asked) -> None:
    assert asked("HEAD", "/docs").status == 200


def test_markup_in_a_document_is_text_on_the_page() -> None:
    evil = "<script>alert('1')</script>"
    html = page(
        {
            "info": {"title": evil, "version": evil, "description": f"`{evil}`"},
            "paths": {
                evil: {
                    evil: {
                        "summary": evil,
                        "description": evil,
                        "parameters": [{"name": evil, "description": evil}],
                        "requestBody": {"content": {evil: {"example": evil}}},
                        "responses": {evil: {"description": evil, "content": {evil: {"schema": {"$ref": evil}}}}},
                    }
                }
            },
            "components": {"schemas": {evil: {"description": evil}}},
        }
    )
    assert "<script" not in html.lower()
    assert "script" not in Page(html).tags
