"""Errors over HTTP: one table from class to status, one shape of body (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from serving.access import Forbidden
from serving.keys import KeyBusy, KeyReused
from tidu.errors import (
    Conflict,
    DataError,
    NotAvailable,
    NotFound,
    Refused,
    TiduError,
    Unready,
    UsageError,
)

__all__ = ["MEDIA_TYPE", "STATUS", "TITLES", "install", "of_error", "respond", "status_of"]

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[TiduError], int] = {
    TiduError: 500,
    UsageError: 400,
    DataError: 422,
    NotAvailable: 422,
    NotFound: 404,
    Refused: 409,
    Conflict: 409,
    Unready: 503,
    Forbidden: 403,
    KeyReused: 422,
    KeyBusy: 409,
}
"""Every class of the tree stands here by itself; a test compares."""

TITLES: Mapping[str, tuple[str, str]] = {
    "tidu": ("Error", "出错"),
    "usage": ("The request is malformed", "请求格式有误"),
    "data": ("The records break the contract", "数据不符合要求"),
    "not_available": ("The data cannot support this", "数据不足,无法提供"),
    "not_found": ("Nothing under that name", "未找到"),
    "refused": ("Refused", "已拒绝"),
    "conflict": ("The state has moved", "状态冲突"),
    "unready": ("Not available now", "暂不可用"),
    "forbidden": ("Not allowed", "无权访问"),
    "idempotency_key_reused": ("Idempotency-Key of another request", "幂等键已用于另一请求"),
    "idempotency_key_busy": ("The first request is under way", "同一幂等键的请求仍在处理"),
    "invalid_request": ("The request does not fit", "请求内容不符合要求"),
    "invalid_json": ("The body is not JSON", "请求体不是有效的 JSON"),
    "no_route": ("No such address", "地址不存在"),
    "method_not_allowed": ("Method not allowed here", "不支持该请求方法"),
    "body_too_large": ("The body is too large", "请求体过大"),
    "http": ("The request failed", "请求失败"),
    "internal": ("An error of ours", "内部错误"),
}
"""Stable codes with their titles in English and Chinese."""

_HTTP_CODES = {404: "no_route", 405: "method_not_allowed", 413: "body_too_large"}
_HTTP_CURES = {
    400: "Send the body as it is described at /docs.",
    404: "The routes are listed at /docs.",
    405: "The methods of every route are listed at /docs.",
    413: "Send fewer records a request.",
}
_RETRY_SECONDS = "2"
_log = logging.getLogger("tidu.serving")


def status_of(error: TiduError) -> int:
    """Return the status of an error: its own row, else that of its nearest ancestor."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def respond(status: int, code: str, detail: str, cure: str = "", **more: Any) -> Response:
    """Return a problem body: ``more`` adds members of its own (issues, alternatives)."""
    title, title_zh = TITLES[code]
    body = {
        "type": f"urn:tidu:problem:{code}",
        "code": code,
        "status": status,
        "title": title,
        "title_zh": title_zh,
        "detail": detail,
        "cure": cure,
        **more,
    }
    headers = {"Retry-After": _RETRY_SECONDS} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return Response(_written(body), status, headers, MEDIA_TYPE)


def _written(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY, default=str)
    except TypeError:  # half a character (a lone surrogate) was sent, and is told of
        return json.dumps(body, ensure_ascii=False, default=str).encode("utf-8", "replace")


def of_error(error: TiduError) -> Response:
    """Return the problem for one of our errors."""
    return respond(status_of(error), error.code, error.message, error.cure, **error.details)


def install(app: FastAPI) -> None:
    """Make every failure of ``app`` a problem body."""
    app.add_exception_handler(TiduError, _tidu)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _ours)


async def _tidu(_: Request, error: Exception) -> Response:
    assert isinstance(error, TiduError)
    if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, Unready):
        _log.error("unmapped error", exc_info=error)
    return of_error(error)


async def _invalid(_: Request, error: Exception) -> Response:
    """All problems of a query or body at once, each with its place, rule and what was found."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(e["type"] == "json_invalid" for e in found):
        return respond(400, "invalid_json", "The body must be JSON.", "Check commas and quotes.")
    issues = [
        {
            "level": "error",
            "rule": e["type"],
            "place": ".".join(str(part) for part in e["loc"]),
            "message": e["msg"],
            "value": _shown(e.get("input")),
        }
        for e in found
    ]
    count = f"{len(issues)} problem{'s' if len(issues) > 1 else ''}"
    detail = f"The request must fit the description at /docs, found {count}: " + "; ".join(
        f"{i['place']}: {i['message']}" for i in issues[:5]
    )
    return respond(422, "invalid_request", detail, "Mend every issue listed.", issues=issues)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    code = _HTTP_CODES.get(status, "http")
    what = f"{request.method} {request.url.path}"
    detail = f"{what}: {error.detail}."
    response = respond(status, code, detail, _HTTP_CURES.get(status, ""))
    response.headers.update(error.headers or {})
    return response


async def _ours(_: Request, error: Exception) -> Response:
    _log.error("unexpected error", exc_info=error)
    return respond(
        500, "internal", "The service failed to answer.", "Try again; if it stays, tell us when."
    )


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
