"""The FastAPI application: ``POST /v1/audit``, ``/openapi.json`` and ``/docs``.

Says what admission would do, without doing it and without storing anything. Judges nothing itself: it is given
``audit``. Nothing it serves loads anything from another host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError

from plimsoll import __version__
from plimsoll.api.description import DESCRIPTION, with_everything_else
from plimsoll.api.page import PAGE_HEADERS, page
from plimsoll.schemas.report import json_schema
from plimsoll.serving.exchange import HttpResponse, refusal

YAML_MEDIA = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
JSON_MEDIA = "application/json"
REFERENCE = "#/components/schemas/{name}"

Audit = Callable[[str, str], Awaitable[HttpResponse]]
"""A text of manifests, and the namespace of objects that name none → the Report in JSON, or a refusal."""


def create_app(audit: Audit) -> FastAPI:
    """The application around ``audit``."""
    app = FastAPI(title="Plimsoll", version=__version__, description=DESCRIPTION, docs_url=None, redoc_url=None)
    report, definitions = json_schema(REFERENCE)
    content = {media: {"schema": {"type": "string"}, "example": EXAMPLE} for media in (*YAML_MEDIA, JSON_MEDIA)}

    @app.post(
        "/v1/audit",
        summary="What admission would do with these manifests",
        response_class=Response,
        responses={
            200: {"description": "A Report.", "content": {JSON_MEDIA: {"schema": report}}},
            **{status: {"description": text, **_STATUS} for status, text in REFUSALS.items()},
        },
        openapi_extra={"requestBody": {"required": True, "content": content}},
    )
    async def audit_manifests(
        request: Request,
        namespace: Annotated[
            str,
            Query(
                max_length=63,
                pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
                description="Where objects belong that name no namespace.",
            ),
        ] = "default",
    ) -> Response:
        """Judge manifests: YAML or JSON, many documents, `List`. Nothing is stored.

        Namespaces and LimitRanges in the text are taken as context. What cannot be read is a row of the report.
        """
        body = await request.body()
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            found = f"byte 0x{body[error.start]:02x} at offset {error.start}"
            return _response(refusal(400, f"the body is not UTF-8: {found}; YAML or JSON in UTF-8 is accepted"))
        return _response(await audit(text, namespace))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(page(app.openapi()), media_type="text/html; charset=utf-8", headers=PAGE_HEADERS)

    @app.exception_handler(RequestValidationError)
    async def wrong_query(request: Request, error: RequestValidationError) -> Response:
        wrong = "; ".join(f"?{each['loc'][-1]}= {each['msg']}" for each in error.errors())
        return _response(refusal(400, f"{wrong}; a namespace's name is accepted"))

    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = with_everything_else(generate(), definitions)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
    return app


EXAMPLE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: nginx:1.29}
"""
REFUSALS: dict[int | str, str] = {
    400: "The body is not UTF-8, or the query is wrong.",
    413: "The body is too long, or judging it would take too long.",
    415: "The body is neither YAML nor JSON, or it is compressed.",
    429: "Too many audits are waiting already.",
}
_STATUS = {"content": {JSON_MEDIA: {"schema": {"$ref": "#/components/schemas/Status"}}}}


def _response(answer: HttpResponse) -> Response:
    return Response(answer.body, answer.status, media_type=answer.content_type.decode())
