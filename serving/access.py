"""Who may see what: the viewer of a request and the one table of routes.

A route without a row, or a row without a route, fails start-up; an answer shows only the fields of
its row. Today there is one local viewer; roles and tokens will only change who comes in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from tidu.errors import Refused, TiduError

__all__ = [
    "ENVELOPE",
    "LOCAL",
    "ROUTES",
    "Forbidden",
    "Role",
    "Row",
    "Viewer",
    "allow",
    "bound",
    "open_to_others",
]

Role = Literal["official", "bank", "analyst", "admin", "public"]
Scope = Literal["none", "firms"]


class Forbidden(TiduError):
    """The viewer's roles do not reach this route."""

    code = "forbidden"
    zh = "无权访问"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. ``districts`` limits which firms are seen (None: all), ``bank`` names the bank."""

    name: str
    roles: frozenset[Role]
    districts: frozenset[str] | None = None
    bank: str | None = None


LOCAL = Viewer("local", frozenset({"official", "analyst"}))
"""Whoever sits at this machine."""

ENVELOPE = ("snapshot_id", "as_of", "model_version", "policy_edition")
"""What every answer carries."""


@dataclass(frozen=True, slots=True)
class Row:
    """One route: who may call it, whether it shows firms, and the fields of its answer."""

    route: str
    roles: frozenset[Role]
    scope: Scope
    fields: tuple[str, ...]


_PUBLIC: frozenset[Role] = frozenset({"public"})
_OFFICIAL: frozenset[Role] = frozenset({"official"})
_BOTH: frozenset[Role] = frozenset({"official", "analyst"})
_ANALYST: frozenset[Role] = frozenset({"analyst", "admin"})
_PAGE = (*ENVELOPE, "items", "total", "next_cursor")
_STANDING = ("rank", "of", "score", "probability", "p_low", "p_high", "stale")
_EDITION = ("tier", "purpose", "edition", "edition_zh", "edition_en", "document", "document_zh",
            "document_en", "confidence", "batch", "day", "data_year")  # fmt: skip
_CHANGES = ("task", "before", "after", "factors", "missing", "summary", "entered", "left", "stayed")
_REASONS = ("dimensions", "positive", "negative", "rest", "residual")
_LIST = ("shortlist_id", "number", "hash", "saved_by", "saved_at", "hidden", "task", "task_zh",
         "task_en", "tier", "question", "mode_zh", "edition", "batch", "line", "counts",
         "districts", "statements", "notes", "items")  # fmt: skip

ROUTES: tuple[Row, ...] = (
    Row("GET /v1/firms", _OFFICIAL, "firms", _PAGE),
    Row("GET /v1/firms/{firm_id}", _OFFICIAL, "firms", (*ENVELOPE, "firm", "scores", "profile")),
    Row("GET /v1/rankings/{task}", _OFFICIAL, "firms", (*_PAGE, "task")),
    Row(
        "GET /v1/firms/{firm_id}/explanations/{task}",
        _OFFICIAL,
        "firms",
        (*ENVELOPE, "task", "firm", *_STANDING, "base", "base_probability", *_REASONS),
    ),
    Row(
        "GET /v1/firms/{firm_id}/criteria/{tier}",
        _OFFICIAL,
        "firms",
        (*ENVELOPE, "firm", *_EDITION, "audited", "status", "criteria", "score", "parameters"),
    ),
    Row(
        "GET /v1/firms/{firm_id}/materials/{tier}",
        _OFFICIAL,
        "firms",
        (*ENVELOPE, "firm", *_EDITION, "papers", "open_points"),
    ),
    Row("GET /v1/firms/{firm_id}/materials/{tier}/letter", _OFFICIAL, "firms", ()),
    Row(
        "GET /v1/firms/{firm_id}/path/{tier}",
        _OFFICIAL,
        "firms",
        (*ENVELOPE, "firm", *_EDITION, "path", "model"),
    ),
    Row(
        "GET /v1/firms/{firm_id}/history", _OFFICIAL, "firms", (*ENVELOPE, "task", "firm", "items")
    ),
    Row(
        "GET /v1/compare",
        _OFFICIAL,
        "firms",
        (*ENVELOPE, "task", "a", "b", "score_difference", "probability_difference", *_REASONS),
    ),
    Row(
        "GET /v1/firms/{firm_id}/measures",
        _OFFICIAL,
        "firms",
        (*ENVELOPE, "firm", "plan", "tier", "items"),
    ),
    Row("GET /v1/targets", _OFFICIAL, "none", (*ENVELOPE, "plan", "plan_zh", "plan_en", "items")),
    Row("GET /v1/policy", _BOTH, "none", (*ENVELOPE, "editions", "parameters")),
    Row("GET /v1/policy/diff", _BOTH, "firms", (*ENVELOPE, "a", "b", "clauses", "firms")),
    Row(
        "POST /v1/policy/simulate",
        _OFFICIAL,
        "firms",
        (*ENVELOPE, "plan", "scenario", "tiers", "budget", "rewards", "targets", "notes"),
    ),
    Row("POST /v1/shortlists", _OFFICIAL, "firms", (*ENVELOPE, *_LIST)),
    Row("GET /v1/shortlists", _OFFICIAL, "none", _PAGE),
    Row("GET /v1/shortlists/{shortlist_id}", _OFFICIAL, "firms", (*ENVELOPE, *_LIST)),
    Row(
        "GET /v1/shortlists/{shortlist_id}/diff/{other}", _OFFICIAL, "firms", (*ENVELOPE, *_CHANGES)
    ),
    Row("GET /v1/shortlists/{shortlist_id}/export", _OFFICIAL, "firms", ()),
    Row(
        "POST /v1/shortlists/{shortlist_id}/decisions",
        _OFFICIAL,
        "firms",
        (*ENVELOPE, "shortlist_id", "decision"),
    ),
    Row(
        "GET /v1/shortlists/{shortlist_id}/decisions",
        _OFFICIAL,
        "firms",
        (*ENVELOPE, "shortlist_id", "items", "latest", "undecided"),
    ),
    Row("GET /v1/snapshots", _ANALYST, "none", (*ENVELOPE, "items")),
    Row("GET /v1/snapshots/current", _BOTH, "none", (*ENVELOPE, "inputs", "tasks", "parts")),
    Row("GET /v1/models", _ANALYST, "none", (*ENVELOPE, "items")),
    Row("POST /v1/score", _BOTH, "none", (*ENVELOPE, "task", "items")),
    Row("GET /healthz", _PUBLIC, "none", ("status",)),
    Row("GET /readyz", _PUBLIC, "none", (*ENVELOPE, "status", "problem")),
    Row("GET /metrics", _PUBLIC, "none", ()),
    Row("GET /openapi.json", _PUBLIC, "none", ()),
    Row("GET /docs", _PUBLIC, "none", ()),
    Row("GET /docs/{file}", _PUBLIC, "none", ()),
)


def bound(found: Iterable[str], table: Iterable[Row] = ROUTES) -> dict[str, Row]:
    """Pair the routes of an app with their rows; one without the other is refused."""
    rows = {row.route: row for row in table}
    routes = set(found)
    problems = [f"route {route} has no row" for route in sorted(routes - rows.keys())]
    problems += [f"row {route} has no route" for route in sorted(rows.keys() - routes)]
    if problems:
        raise Refused(
            f"Every route must be a row of the route table: {'; '.join(problems)}.",
            "Add or remove the row in serving/access.py.",
        )
    return rows


def allow(row: Row, viewer: Viewer) -> None:
    """Let the viewer in, or say which role is needed."""
    if "public" not in row.roles and not row.roles & viewer.roles:
        raise Forbidden(
            f"{row.route} must be called as {' or '.join(sorted(row.roles))}, found"
            f" {viewer.name!r} as {', '.join(sorted(viewer.roles)) or 'nobody'}.",
            "Ask the administrator for the role.",
        )


def open_to_others(host: str) -> bool:
    """Whether an address can be reached from other machines, where nobody checks roles yet."""
    if host == "localhost":
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return True
