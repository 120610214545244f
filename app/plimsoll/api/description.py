"""What OpenAPI says beyond the audit: the endpoints for machines, which FastAPI does not serve, and shared schemas.

Values alone.
"""

from __future__ import annotations

from typing import Any

DESCRIPTION = """\
Gives every container a load line: memory and CPU limits, by a policy per namespace. `/mutate` and `/validate` are for
the Kubernetes API server; `/v1/audit` is for people and pipelines, and says what those two would do.
"""

_STATUS = {
    "type": "object",
    "description": "A Kubernetes Status: why a request was refused, and what would be accepted.",
    "required": ["kind", "apiVersion", "status", "message", "reason", "code"],
    "properties": {
        "kind": {"const": "Status"},
        "apiVersion": {"const": "v1"},
        "metadata": {"type": "object"},
        "status": {"const": "Failure"},
        "message": {"type": "string"},
        "reason": {"type": "string"},
        "code": {"type": "integer"},
    },
}
_REVIEW = {
    "type": "object",
    "description": "An AdmissionReview of admission.k8s.io/v1, as the Kubernetes documentation describes it.",
    "required": ["apiVersion", "kind"],
    "properties": {
        "apiVersion": {"const": "admission.k8s.io/v1"},
        "kind": {"const": "AdmissionReview"},
        "request": {"type": "object"},
        "response": {"type": "object"},
    },
}


def with_everything_else(document: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document of the audit, with the other endpoints and the Report's definitions."""
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)  # FastAPI's own word for a wrong query; ours is 400
    paths = {
        **document["paths"],
        "/mutate": _review("Fill in what a policy defaults, on the creation of a Pod", "with a JSON Patch, or without"),
        "/validate": _review("Judge a Pod, a resize or an object with a pod template", "allowed, warned or denied"),
        "/healthz": _text("Liveness", "The process answers."),
        "/readyz": _text("Readiness; `?verbose` lists each condition", "Policies and certificate are in force."),
        "/metrics": _text("Metrics for Prometheus", "Prometheus' text format."),
    }
    components = {"schemas": {"Status": _STATUS, "AdmissionReview": _REVIEW, **definitions}}
    return {**document, "paths": paths, "components": components}


def _review(summary: str, answered: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/AdmissionReview"}}}
    refused = {"application/json": {"schema": {"$ref": "#/components/schemas/Status"}}}
    timeout = {
        "name": "timeout",
        "in": "query",
        "description": "How long the API server waits, as `10s`.",
        "schema": {"type": "string"},
    }
    return {
        "post": {
            "summary": summary,
            "parameters": [timeout],
            "requestBody": {"required": True, "content": content},
            "responses": {
                "200": {"description": f"The review, {answered}.", "content": content},
                "400": {"description": "The review cannot be read.", "content": refused},
                "413": {"description": "The body is too long.", "content": refused},
                "415": {"description": "The body is not JSON, or it is compressed.", "content": refused},
            },
        }
    }


def _text(summary: str, description: str) -> dict[str, Any]:
    answered = {"description": description, "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {"get": {"summary": summary, "responses": {"200": answered}}}
