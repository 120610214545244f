"""The OpenAPI document as one plain page of HTML: no script, nothing from another host.

FastAPI's own page loads its scripts from a content delivery network, which a cluster may not reach and should not
trust. Every text is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}
_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:54rem;margin:2rem auto;padding:0 1rem}
h1{margin-bottom:0}h2{margin-top:2.5rem;border-bottom:1px solid #8886;font-size:1.1rem}
code,pre{font:14px/1.45 ui-monospace,monospace}
pre{overflow:auto;padding:.75rem;border:1px solid #8886;border-radius:4px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0}
summary{cursor:pointer}.method{font-weight:700}
"""


def page(document: dict[str, Any]) -> str:
    """The whole page."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: dict[str, Any]) -> Iterator[str]:
    info = document["info"]
    title = f"{info['title']} {info['version']}"
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{escape(title)}</h1><p>{_prose(info['description'])}</p>"
    yield '<p>The same for machines: <a href="/openapi.json">/openapi.json</a></p>'
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield from _operation(path, method, operation)
    yield "<h2>Schemas</h2>"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield f"<pre>{_json(schema)}</pre></details>"
    yield "</body></html>"


def _operation(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f'<h2><span class="method">{escape(method.upper())}</span> <code>{escape(path)}</code></h2>'
    yield f"<p>{_prose(operation.get('summary', ''))}</p>"
    if "description" in operation:
        yield f"<p>{_prose(operation['description'])}</p>"
    if operation.get("parameters"):
        yield "<table><tr><th>Query</th><th>Means</th></tr>"
        for parameter in operation["parameters"]:
            yield f"<tr><td><code>{escape(parameter['name'])}</code></td>"
            yield f"<td>{_prose(parameter.get('description', ''))}</td></tr>"
        yield "</table>"
    contents = operation.get("requestBody", {}).get("content", {})
    if contents:
        yield f"<p>Body: {', '.join(f'<code>{escape(media)}</code>' for media in contents)}</p>"
        example = next((content["example"] for content in contents.values() if "example" in content), "")
        if example:
            yield f"<pre>{escape(example)}</pre>"
    yield "<table><tr><th>Answer</th><th>Means</th><th>Schema</th></tr>"
    for status, response in operation["responses"].items():
        yield f"<tr><td><code>{escape(str(status))}</code></td><td>{_prose(response['description'])}</td>"
        yield f"<td>{_schema_links(response)}</td></tr>"
    yield "</table>"


def _schema_links(response: dict[str, Any]) -> str:
    references = (content.get("schema", {}).get("$ref", "") for content in response.get("content", {}).values())
    names = [escape(reference.rpartition("/")[2]) for reference in references if reference]
    return ", ".join(f'<a href="#{name}"><code>{name}</code></a>' for name in names)


def _prose(text: str) -> str:
    """Text with `code` in backticks."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


def _json(value: Any) -> str:
    return escape(json.dumps(value, indent=2))
