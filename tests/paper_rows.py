"""Rows of papers by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

from policy.papers.catalogue import Paper
from policy.papers.materials import Place

__all__ = ["DAY", "PLACE", "T", "paper", "year"]

DAY = date(2026, 5, 10)
T = 2025
PLACE = Place("x:1", "第一项", "条件", "Condition", 0)


def paper(name: str, **more: Any) -> Paper:
    return Paper(name, "材料", "Paper", "单位", "Issuer", "H", "…", **more)


def year(value: int = T, **more: Any) -> dict[str, Any]:
    return {"annual": [{"firm_id": "A", "year": value} | more]}
