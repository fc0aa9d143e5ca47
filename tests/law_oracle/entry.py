"""What every tier asks first: registration, size, lists, incidents of three years, bars.

Sources: 63号 第九条, 2号 总则, sizes by 工信部联企业〔2011〕300号.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .completions import Firm, Rule

# Lower bounds of small, medium and large: X staff, Y revenue, Z assets (both 万元).
SIZES: Mapping[str, Mapping[str, tuple[int, int, int]]] = {
    "agriculture": {"Y": (50, 500, 20_000)},
    "industry": {"X": (20, 300, 1_000), "Y": (300, 2_000, 40_000)},
    "construction": {"Y": (300, 6_000, 80_000), "Z": (300, 5_000, 80_000)},
    "wholesale": {"X": (5, 20, 200), "Y": (1_000, 5_000, 40_000)},
    "retail": {"X": (10, 50, 300), "Y": (100, 500, 20_000)},
    "transport": {"X": (20, 300, 1_000), "Y": (200, 3_000, 30_000)},
    "warehousing": {"X": (20, 100, 200), "Y": (100, 1_000, 30_000)},
    "post": {"X": (20, 300, 1_000), "Y": (100, 2_000, 30_000)},
    "lodging": {"X": (10, 100, 300), "Y": (100, 2_000, 10_000)},
    "catering": {"X": (10, 100, 300), "Y": (100, 2_000, 10_000)},
    "telecom": {"X": (10, 100, 2_000), "Y": (100, 1_000, 100_000)},
    "software": {"X": (10, 100, 300), "Y": (50, 1_000, 10_000)},
    "real_estate": {"Y": (100, 1_000, 200_000), "Z": (2_000, 5_000, 10_000)},
    "property": {"X": (100, 300, 1_000), "Y": (500, 1_000, 5_000)},
    "leasing_business": {"X": (10, 100, 300), "Z": (100, 8_000, 120_000)},
    "other": {"X": (10, 100, 300)},
}
MEASURES = {"X": "employees", "Y": "revenue", "Z": "total_assets"}
MICRO, SMALL, MEDIUM, LARGE = range(4)


def size_class(industry: str, figures: Mapping[str, Any]) -> int:
    """The class of a firm: large, medium and small ask for all their lower bounds."""
    for size in (LARGE, MEDIUM, SMALL):
        bounds = SIZES[industry]
        if all(figures[MEASURES[m]] >= limits[size - 1] for m, limits in bounds.items()):
            return size
    return MICRO


def sme(firm: Firm) -> bool:
    """Not large; the classes are those of an industry, without one there is none."""
    industry = firm.known("industry_300")
    if industry is None:
        return bool(firm.free("an SME of its industry"))
    figures = {MEASURES[m]: _size_figure(firm, industry, m) for m in SIZES[industry]}
    return size_class(industry, figures) != LARGE


def _size_figure(firm: Firm, industry: str, measure: str) -> Any:
    """A measure of size; a missing one is above or below the bound of this industry."""
    known = firm.known(MEASURES[measure])
    if known is not None:
        return known
    limit = SIZES[industry][measure][2]
    return limit if firm.free(f"{measure} is large") else limit - 1


def registered(firm: Firm) -> bool:
    return bool(firm.need("registered_in_city"))


def free_of(record: str) -> Rule:
    """A rule that a record is not there."""
    return lambda firm: not firm.need(record)


COMMON: dict[str, Rule] = {
    "registered": registered,
    "sme": sme,
    "not_abnormal": free_of("open(abnormal_list)"),
    "not_dishonest": free_of("open(dishonest_list)"),
    "permitted_product": free_of("prohibited_product"),
    "not_barred": free_of("banned()"),
}
ENTRY_63: dict[str, Rule] = {
    **COMMON,
    "no_major_accident_3y": free_of("recent(accident_major, 36)"),
    "no_tax_evasion_3y": free_of("recent(tax_evasion, 36)"),
}
ENTRY_2: dict[str, Rule] = {
    **COMMON,
    "no_serious_event_3y": free_of("recent(accident_major, 36)"),
    "no_data_fraud_3y": free_of("recent(data_fraud, 36)"),
}
