"""Fairness at fixed K as every report shows it: three questions per dimension, with counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.expr import Array
from model.fairness import Compared, Listing, outcome, recall, selection
from model.fairness_groups import dimensions
from tidu.errors import UsageError

__all__ = ["LEAST_K", "STATES", "Ranked", "fairness", "length"]

LEAST_K = 20

QUESTIONS = {"selection": selection, "recall": recall, "outcome": outcome}

STATES = {
    "disparity": {"zh": "存在差异", "en": "disparity"},
    "none_found": {"zh": "未发现差异", "en": "none found"},
    "insufficient": {"zh": "证据不足", "en": "insufficient evidence"},
}


@dataclass(frozen=True)
class Ranked:
    """One ranked cohort: ids, scores, chances, outcomes (1, 0 or NaN), and the groups of its firms
    by dimension ("" = not known)."""

    firm_ids: Array
    score: Array
    chance: Array
    label: Array
    groups: Mapping[str, Array]

    def selected(self, k: int) -> Array:
        """The K best by score, ties by firm_id, as bool."""
        if k < 1:
            raise UsageError(f"A list must hold at least one firm, found K = {k}.")
        order = np.lexsort((self.firm_ids.astype(str), -self.score))
        chosen = np.zeros(len(self.score), dtype=bool)
        chosen[order[:k]] = True
        return chosen


def length(label: Array) -> int:
    """The fixed K of a date: as many as were promoted, at least 20."""
    return max(LEAST_K, int(np.nansum(label)))


def fairness(lists: Sequence[Ranked], k: int | None = None) -> dict[str, object]:
    """Compare the groups of every dimension over the lists of all dates, each of its own K.

    ``{"k": [per date], "dimensions": {name: {"zh", "en", "unknown", "questions": {…: [rows]}}}}``
    """
    lengths = [k or length(ranked.label) for ranked in lists]
    chosen = [ranked.selected(n) for ranked, n in zip(lists, lengths, strict=True)]
    found: dict[str, object] = {}
    for name, text in dimensions().items():
        listings, unknown = [], 0
        for ranked, selected in zip(lists, chosen, strict=True):
            group = ranked.groups.get(name, np.full(len(selected), "", dtype=object))
            known = group != ""
            unknown += int((~known).sum())
            listings.append(
                Listing(group[known], selected[known], ranked.label[known], ranked.chance[known])
            )
        questions = {
            question: [_row(row, text.get("names", {})) for row in ask(listings)]
            for question, ask in QUESTIONS.items()
        }
        found[name] = {
            "zh": text["zh"],
            "en": text["en"],
            "unknown": unknown,
            "questions": questions,
        }
    return {"k": lengths, "dimensions": found}


def _row(row: Compared, names: Mapping[str, Sequence[str]]) -> dict[str, object]:
    zh, en = names.get(row.group, (row.group, row.group))
    return {**row.as_json(), "zh": zh, "en": en, **_said(row)}


def _said(row: Compared) -> dict[str, object]:
    """The state in words; what could not be found is said with the ratio that could have been."""
    zh, en = STATES[row.state]["zh"], STATES[row.state]["en"]
    if row.state == "insufficient":
        shown = row.as_json()["detectable_ratio"]
        least = "–" if shown is None else f"{shown:.2f}"
        zh, en = f"{zh}(可检出比率 {least})", f"{en} (detectable ratio {least})"
    return {"state_zh": zh, "state_en": en}
