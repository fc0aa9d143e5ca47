"""A saved list by hand: one firm with every sort of ground, one with none."""

from __future__ import annotations

from typing import Any

__all__ = ["BODY", "CLAUSE", "ROW"]

CLAUSE = {"zh": "研发费用", "en": "R&D", "clause": "附件2 第三项", "document": "2号"}
ROW: dict[str, Any] = {
    "firm_id": "F1",
    "verdict": {
        "unmet": [
            {"id": "rd_amount", **CLAUSE, "exclusion": False},
            {"id": "not_dishonest", **CLAUSE, "exclusion": True},
        ],
        "unknown": [{"id": "revenue", **CLAUSE}],
        "manual": [{"id": "reputation", **CLAUSE}],
    },
    "papers": {
        "missing": [
            {"paper": "audit_report", "zh": "审计报告", "en": "Audit", "asked": "required"},
            {"paper": "award", "zh": "奖励", "en": "Award", "asked": "optional"},
        ],
        "expired": [{"paper": "licence", "zh": "执照", "en": "Licence", "asked": "required"}],
    },
    "conflicts": [
        {"kind": "control", "excludes": False, "zh": "同组", "en": "same group"},
        {"kind": "product", "excludes": True, "zh": "相近", "en": "similar", "clause": "117号 二",
         "document": "117号"},
    ],
}  # fmt: skip
BODY: dict[str, Any] = {
    "snapshot_id": "s1",
    "task": "promotion:little_giant@12",
    "items": [ROW, {"firm_id": "F2", "verdict": None, "papers": None, "conflicts": []}],
}
