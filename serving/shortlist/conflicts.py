"""Firms of one group on a list: 控股关系 with a holder or with each other, 主导产品相近.

Which of them keeps a firm from being recommended is said by the edition (117号 二): a control
relation with a firm that holds the title, and a similar main product within the group. What the
records show is a sign to be checked: a control group is whoever shares the actual controller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CRITERION", "Kin", "conflicts"]

CRITERION = "no_group_conflict"
"""The criterion of an edition that rules on groups; an edition without it excludes nobody."""

WORDS = {
    "control": (
        "控股关系:同一实际控制人下另有{with_zh}",
        "control relation: {with_en} under the same actual controller",
    ),
    "product": (
        "同集团主导产品相近:{with_zh}({what_zh}相同)",
        "similar main product in the group: {with_en} (same {what_en})",
    ),
}


@dataclass(frozen=True)
class Kin:
    """Of all firms: codes of group, niche and industry (−1 unknown), and who holds the title."""

    group: NDArray[np.int32]
    niche: NDArray[np.int32]
    industry: NDArray[np.int32]
    holds: NDArray[np.bool_]


def conflicts(
    kin: Kin, listed: Sequence[int], firms: Mapping[int, str], rule: Mapping[str, Any] | None
) -> list[list[dict[str, Any]]]:
    """The conflicts of each listed firm (numbers in the order of the list), by the edition's rule.

    ``firms`` gives the id of any firm by its number. A firm of unknown group has none.
    """
    places = {number: place for place, number in enumerate(listed, 1)}
    found: list[list[dict[str, Any]]] = []
    for number in listed:
        group = kin.group[number]
        others: list[int] = []
        if group >= 0:
            members = np.flatnonzero(kin.group == group).tolist()
            others = [n for n in members if n != number and (n in places or kin.holds[n])]
        own = []
        if others:
            own.append(_conflict("control", others, (kin, number, places), (firms, rule)))
        alike = [n for n in others if _similar(kin, number, n)]
        if alike:
            own.append(_conflict("product", alike, (kin, number, places), (firms, rule)))
        found.append(own)
    return found


def _similar(kin: Kin, a: int, b: int) -> str:
    """By what two main products are taken to be alike; "" where nothing says so."""
    for name, column in (("niche", kin.niche), ("industry", kin.industry)):
        if column[a] >= 0 and column[a] == column[b]:
            return name
    return ""


def _conflict(
    kind: str,
    others: Sequence[int],
    about: tuple[Kin, int, Mapping[int, int]],
    known: tuple[Mapping[int, str], Mapping[str, Any] | None],
) -> dict[str, Any]:
    (kin, number, places), (firms, rule) = about, known
    holders = [n for n in others if kin.holds[n]]
    better = [n for n in others if n in places and places[n] < places[number]]
    # Of two on one list the later yields; whoever holds the title stands before both.
    excludes = bool(rule) and bool(holders or (kind == "product" and better))
    zh, en = WORDS[kind]
    names_zh = "、".join(firms[n] + ("(已持有称号)" if kin.holds[n] else "") for n in others)
    names_en = ", ".join(firms[n] + (" (holds the title)" if kin.holds[n] else "") for n in others)
    same = {_similar(kin, number, n) for n in others} - {""}
    by_niche = same == {"niche"}
    what_zh, what_en = (
        ("细分市场", "niche") if by_niche else ("细分市场或行业", "niche or industry")
    )
    filled = {"with_zh": names_zh, "with_en": names_en, "what_zh": what_zh, "what_en": what_en}
    return {
        "kind": kind,
        "with": [
            {"firm_id": firms[n], "place": places.get(n), "holds": bool(kin.holds[n])}
            for n in others
        ],
        "excludes": excludes,
        "clause": rule["clause"] if rule else None,
        "document": rule["document"] if rule else None,
        "zh": zh.format(**filled),
        "en": en.format(**filled),
    }
