"""The words of a difference: one sentence a firm, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model.wording import change
from serving.shortlist.attribution import FACTORS, UNITS
from serving.shortlist.difference import ENTERED, LEFT, STAYED, Move

__all__ = ["FACTOR_WORDS", "KIND_WORDS", "WHY_NOT", "sentence"]

FACTOR_WORDS = {
    "data": ("数据变化", "data"),
    "model": ("模型变化", "model"),
    "rule": ("规则变化", "rule"),
    "quota": ("名额与筛选变化", "quota and filters"),
    "several": ("多个因素相当", "several alike"),
}
KIND_WORDS = {
    ENTERED: ("进入名单", "Entered"),
    LEFT: ("离开名单", "Left"),
    STAYED: ("留在名单", "Stayed"),
}
WHY_NOT = {
    "behind": ("位次在名单长度之后", "it stands behind the end of the list"),
    "not_asked": ("不符合筛选或模式", "filters or mode leave it out"),
    "excluded": ("被指定排除", "it was excluded by name"),
}
"""Why a firm of the cohort is not in a list; of the others the cohort's own words say it."""


def sentence(
    move: Move,
    why: Mapping[str, str] | None,
    figures: Sequence[Mapping[str, Any]] | None,
    lang: str,
) -> str:
    """One firm's move: the parts, greatest first, then why it is not in, then the figures.

    Parts are of membership for who entered or left, of places for who stayed (− is up).
    """
    pick = 0 if lang == "zh" else 1
    colon, stop, comma = ((":", "。", ","), (": ", ". ", ", "))[pick]
    text = KIND_WORDS[move.kind][pick]
    if move.kind == STAYED:
        text += f" {move.before} → {move.after}"
    if move.parts is None:
        text += colon + ("未能归因", "not attributed")[pick]
    elif any(move.parts):
        parts = zip(FACTORS, move.parts, strict=True)
        order = sorted((p for p in parts if p[1]), key=lambda p: (-abs(p[1]), FACTORS.index(p[0])))
        text += colon + comma.join(f"{FACTOR_WORDS[f][pick]} {_signed(u)}" for f, u in order)
    if why is not None:
        side = (("此前", "Before"), ("现在", "Now"))[move.kind == LEFT][pick]
        text += stop + f"{side}{('', ': ')[pick]}{why[lang]}"
    if figures:
        head = ("评分变动最大的指标", "Figures that moved the score most")[pick]
        shown = (f"{f[lang]} {change(f['before'], f['after'], f['unit'])[pick]}" for f in figures)
        text += f"{stop}{head}{colon}" + (";", "; ")[pick].join(shown)
    return text + ("。", ".")[pick]


def _signed(units: int) -> str:
    return f"{units / UNITS:+.2f}".replace("-", "−")
