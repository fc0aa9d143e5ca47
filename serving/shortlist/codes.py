"""Codes: of what is said of a firm by its place on the ladder, with their words; of a task."""

from __future__ import annotations

import re

__all__ = ["INSIDE", "NO", "OUTSIDE", "STAGES", "TASK_ADDRESS", "UNKNOWN", "WHY_OUTSIDE", "YES"]

TASK_ADDRESS = re.compile(r"[a-z][a-z0-9_]*(:[a-z0-9_]+)?@[1-9][0-9]{0,3}")
"""``name[:variant]@months``, as in ``distress:bankruptcy@24``."""

UNKNOWN, NO, YES = -1, 0, 1
"""What is said of a firm where it may be unknown."""

STAGES = ("none", "reserve", "cultivate", "upgrade")
"""By code, the same as ``policy.plan.stages`` has them (a test compares)."""

WHY_OUTSIDE = {
    "": ("", ""),
    "not_scored": ("不在该任务的评分范围内", "outside the cohort of this task"),
    "holds_title": ("已持有该层级的有效称号", "it holds a valid title of this tier"),
    "holds_higher": ("已持有更高层级的有效称号", "it holds a valid title of a higher tier"),
    "no_lower_title": ("没有所需的下一层级有效称号", "it lacks the valid title of the tier below"),
    "banned": ("在禁止申报期内", "it is barred from applying"),
    "not_sme": ("划型为大型企业,不属于中小企业", "it is a large firm, no SME"),
    "gone": ("已注销、破产或停业", "it is closed, dissolved or bankrupt"),
    "moved_out": ("已迁出本市", "it has moved out of the city"),
    "not_there": ("快照中没有该企业", "no such firm in the snapshot"),
}
"""Why a firm is outside a cohort, in Chinese and English; the first: it is inside."""

OUTSIDE = tuple(WHY_OUTSIDE)
INSIDE = 0
