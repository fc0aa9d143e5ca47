"""The description of the API and its page, without any network but ours."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from pydantic import BaseModel

from serving import problems
from serving.access import ROUTES
from serving.wire import ANSWERS, Problem
from tidu import __version__
from tidu.errors import NotFound

__all__ = ["described", "router"]

router = APIRouter(include_in_schema=False)

FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}

# The page loads from here alone; Swagger UI sets styles on its elements.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"

PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>Tidu 梯度 API</title>
<link rel="icon" href="/docs/favicon.png"><link rel="stylesheet" href="/docs/swagger-ui.css">
</head><body><div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>
</body></html>
"""

START = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#page", deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis], validatorUrl: null
});
"""

INTRODUCTION = """Scores, order and reasons of a city's firms. Every answer names the snapshot it \
comes from.

A task is addressed `name[:variant]@months`, e.g. `growth@36` or `distress:bankruptcy@24`. \
A chance (估计概率) is advice: no administrative act is decided by it. Errors are \
`application/problem+json` with a stable `code`, a Chinese title and a `cure`.
"""


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The description of this API (OpenAPI 3.1)."""
    return Response(request.app.state.openapi(), media_type="application/json")


@router.get("/docs")
async def docs() -> Response:
    """The description as a page."""
    return Response(PAGE, 200, {"Content-Security-Policy": POLICY}, "text/html; charset=utf-8")


@router.get("/docs/{file}")
async def docs_file(file: str) -> Response:
    """A file of the page."""
    headers = {"Cache-Control": "max-age=3600"}
    return Response(_file(file), 200, headers, FILES.get(file, "text/javascript"))


@cache
def _file(name: str) -> bytes:
    if name == "start.js":
        return START.encode()
    if name not in FILES:
        raise NotFound(f"The page has no file {name!r}.", "Open /docs.")
    return files("fastapi_offline").joinpath("static", name).read_bytes()


def described(app: FastAPI) -> bytes:
    """Return the OpenAPI description, with our answers, problems and one example a route."""
    schema = get_openapi(
        title="Tidu 梯度", version=__version__, description=INTRODUCTION, routes=app.routes
    )
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        components.pop(unused, None)
    models: list[type[BaseModel]] = [*ANSWERS.values(), Problem]
    for model in models:
        _add(components, model.model_json_schema(ref_template="#/components/schemas/{model}"))
    examples = json.loads(files("serving").joinpath("examples.json").read_text("utf-8"))
    for row in ROUTES:
        method, path = row.route.split(" ", 1)
        operation = schema["paths"].get(path, {}).get(method.lower())
        if operation is not None:
            _describe(operation, row.route, sorted(row.roles), examples.get(row.route, {}))
    return orjson.dumps(schema)


def _describe(
    operation: dict[str, Any], route: str, roles: list[str], example: dict[str, Any]
) -> None:
    operation["description"] = f"{operation.get('description', '')}\n\nRoles: {', '.join(roles)}."
    answers: dict[str, Any] = {"default": {"description": "A problem", "content": _problem()}}
    if route in ANSWERS:
        media = {"schema": {"$ref": f"#/components/schemas/{ANSWERS[route].__name__}"}}
        media |= {"example": example["answer"]} if "answer" in example else {}
        answers["200"] = {"description": "The answer", "content": {"application/json": media}}
    operation["responses"] = answers
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in example.get("parameters", {}):
            parameter["example"] = example["parameters"][parameter["name"]]
    if "body" in example:
        operation["requestBody"]["content"]["application/json"]["example"] = example["body"]


def _problem() -> dict[str, Any]:
    return {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _add(components: dict[str, Any], schema: dict[str, Any]) -> None:
    components.update(schema.pop("$defs", {}))
    components[schema["title"]] = schema
