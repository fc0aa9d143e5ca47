"""All editions that are read twice, and the verdict of a tier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import boards, tiers_2022, tiers_2026, tiers_neighbours
from .completions import Bounds, Firm, Rule, status
from .scores import ANNEX_1, ANNEX_2, Line, ranges

PURPOSES = ("new", "review")


@dataclass(frozen=True)
class Reading:
    """An edition by its id: its rules by criterion, some for one purpose alone."""

    rules: Mapping[str, Rule]
    bounds: Bounds
    only: Mapping[str, Mapping[str, Rule]]
    score: Mapping[str, tuple[Line, ...]] | None = None
    findings: tuple[str, ...] = ("reputation", "niche_position", "key_link", "no_group_conflict")
    """What an official may find of its firms."""

    def scores(self, firm: Firm) -> dict[str, tuple[Any, Any]]:
        """The least and the most points of each group and in total."""
        return ranges(firm, self.score, self.bounds) if self.score is not None else {}

    def statuses(self, firm: Firm, purpose: str) -> dict[str, str]:
        """The status of every criterion."""
        if firm.inputs.get("foreign"):  # amounts of the law are in CNY
            return dict.fromkeys(self.names, "not_applicable")
        asked = {**self.rules, **self.only.get(purpose, {})}
        return {
            name: status(asked[name], firm, self.bounds) if name in asked else "not_applicable"
            for name in self.names
        }

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.rules, *(name for rules in self.only.values() for name in rules))


def tier(statuses: Mapping[str, str]) -> str:
    """The tier: one unmet criterion decides; something met and nothing unmet is pending."""
    found = set(statuses.values())
    if found == {"not_applicable"}:
        return "not_applicable"
    if "unmet" in found:
        return "unmet"
    if not found & {"unknown", "manual"}:
        return "met"
    return "met_pending" if "met" in found else "unknown"


def readings(parameters: Mapping[str, Any]) -> dict[str, Reading]:
    """Every edition that has a second reading; the city's numbers are given."""
    line = int(parameters["municipal_score_line"])
    return {
        "63-2022/annex1": Reading(tiers_2022.INNOVATIVE, tiers_2022.INNOVATIVE_BOUNDS, {}, ANNEX_1),
        "63-2022/annex2": Reading(tiers_2022.SRDI, tiers_2022.SRDI_BOUNDS, {}, ANNEX_2),
        "63-2022/annex3": Reading(tiers_2022.LITTLE_GIANT, tiers_2022.LITTLE_GIANT_BOUNDS, {}),
        "city/srdi_municipal": Reading(
            tiers_2022.MUNICIPAL(line), tiers_2022.SRDI_BOUNDS, {}, ANNEX_2
        ),
        "2-2026/annex1": Reading(
            tiers_2026.SRDI,
            tiers_2026.SRDI_BOUNDS,
            {"new": tiers_2026.SRDI_NEW, "review": tiers_2026.SRDI_REVIEW},
        ),
        "2-2026/annex2": Reading(
            tiers_2026.LITTLE_GIANT,
            tiers_2026.LITTLE_GIANT_BOUNDS,
            {"new": tiers_2026.LITTLE_GIANT_NEW, "review": tiers_2026.LITTLE_GIANT_REVIEW},
        ),
        "115-2017": Reading(
            tiers_neighbours.TECH, tiers_neighbours.TECH_BOUNDS, {}, tiers_neighbours.TECH_SCORE
        ),
        "138-2023/annex1": Reading(
            tiers_neighbours.CHAMPION,
            tiers_neighbours.CHAMPION_BOUNDS,
            {},
            findings=("productive_service", *tiers_neighbours.CHAMPION_FINDINGS),
        ),
        "bse-listing/2.1": Reading(boards.BSE, boards.BSE_BOUNDS, {}, findings=boards.BSE_FINDINGS),
        "neeq-2023/base": Reading(
            boards.NEEQ, boards.NEEQ_BOUNDS, {}, findings=boards.NEEQ_FINDINGS
        ),
    }
