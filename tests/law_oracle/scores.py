"""The score tables of 63号, annexes 1 and 2: one function per line, points as they are printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .completions import Bounds, Firm, points
from .figures import (
    INSTITUTIONS,
    counts,
    debt_ratio,
    falling,
    main_growth,
    main_growth_two_years,
    main_share,
    net_margin,
    niche_years,
    rd_ratio,
    rd_staff_share,
    rising,
)

Line = Callable[[Firm], Any]

# ------------------------------------------------------------------------------ annex 1, 100 points


def ip_1(firm: Firm) -> int:
    if counts(firm, "class1_ip_high_value", 1):
        return 20
    if counts(firm, "class1_ip_self", 1):
        return 15
    if counts(firm, "class1_ip", 1):
        return 10
    return 5 if firm.need("class2_ip") >= 1 else 0


def rd_1(firm: Firm) -> int:
    return falling(rd_ratio(firm), ((5, 20), (3, 15), (2, 10), (1, 5)))


def growth_1(firm: Firm) -> int:
    return falling(main_growth(firm), ((15, 20), (10, 15), (5, 10), (0, 5)))


def debt_1(firm: Firm) -> int:
    return rising(debt_ratio(firm), ((55, 10), (75, 5)))


def field_1(firm: Firm) -> int:
    return 10 if firm.need("main_product_field") == "sei" else 5


def main_share_1(firm: Firm) -> int:
    return falling(main_share(firm), ((70, 20), (60, 15), (55, 10), (50, 5)))


ANNEX_1: Mapping[str, tuple[Line, ...]] = {
    "innovation": (ip_1, rd_1),
    "growth": (growth_1, debt_1),
    "specialisation": (field_1, main_share_1),
}

# ------------------------------------------------------------------------------ annex 2, 100 points


def main_share_2(firm: Firm) -> int:
    return falling(main_share(firm), ((80, 5), (70, 3), (60, 1)))


def growth_2(firm: Firm) -> int:
    return falling(main_growth_two_years(firm), ((10, 10), (8, 8), (6, 6), (4, 4), (0, 2)))


def niche_2(firm: Firm) -> int:
    return max(0, min(5, niche_years(firm) // 2))


def field_2(firm: Firm) -> int:
    if firm.need("fills_gap_flag"):
        return 5
    six_bases = firm.need("main_product_field") == "six_bases"
    third = six_bases or firm.need("time_honored_brand") or firm.need("supplies_chain_leader")
    return 3 if third else 0


def digital_2(firm: Firm) -> int:
    return falling(firm.need("digital_level"), ((3, 5), (2, 3)))


def quality_2(firm: Firm) -> int:
    items = (
        firm.need("quality_award_level") in ("prov", "nat"),
        bool(firm.need("iso_cert")),
        bool(firm.need("own_brand")),
        firm.need("standards_led") >= 1 or firm.need("standards_joined") >= 1,
    )
    return min(5, 3 * sum(items))


def margin_2(firm: Firm) -> int:
    return falling(net_margin(firm), ((10, 10), (8, 8), (6, 6), (4, 4), (2, 2)))


def debt_2(firm: Firm) -> int:
    return rising(debt_ratio(firm), ((50, 5), (60, 3), (70, 1)))


def provincial_2(firm: Firm) -> Any:
    return firm.need("provincial_feature_score")


def ip_2(firm: Firm) -> int:
    if counts(firm, "class1_ip_high_value", 1):
        return 10
    if counts(firm, "class1_ip_self", 1):
        return 8
    if counts(firm, "class1_ip", 1):
        return 6
    return 2 if firm.need("class2_ip") >= 1 else 0


def rd_2(firm: Firm) -> int:
    """By amount or by share, whichever brings more."""
    by_amount = ((500, 10), (400, 8), (300, 6), (200, 4), (100, 2))
    by_share = ((10, 10), (8, 8), (6, 6), (4, 4), (3, 2))
    return max(falling(firm.need("rd_expense"), by_amount), falling(rd_ratio(firm), by_share))


def rd_staff_2(firm: Firm) -> int:
    return falling(rd_staff_share(firm), ((20, 5), (10, 3), (5, 1)))


def institution_2(firm: Firm) -> int:
    return dict(zip(INSTITUTIONS, (0, 2, 4, 8, 10), strict=True))[firm.need("rd_institution_level")]


ANNEX_2: Mapping[str, tuple[Line, ...]] = {
    "specialised": (main_share_2, growth_2, niche_2, field_2),
    "refined": (digital_2, quality_2, margin_2, debt_2),
    "distinctive": (provincial_2,),
    "innovative": (ip_2, rd_2, rd_staff_2, institution_2),
}

# ------------------------------------------------------------------------------ totals and lines


def ranges(firm: Firm, table: Mapping[str, tuple[Line, ...]], bounds: Bounds) -> dict[str, Any]:
    """The least and the most points of each group and in ``total``."""
    if "ranges" not in firm.memo:
        found = {}
        for group, lines in table.items():
            parts = [points(line, firm, bounds) for line in lines]
            found[group] = sum(low for low, _ in parts), sum(high for _, high in parts)
        low, high = (sum(part[side] for part in found.values()) for side in (0, 1))
        firm.memo["ranges"] = {**found, "total": (low, high)}
    return dict(firm.memo["ranges"])


def reaches(firm: Firm, scored: Mapping[str, Any], group: str, line: int) -> bool:
    """Whether points reach a line; between the least and the most either may be true."""
    low, high = scored[group]
    if low >= line or high < line:
        return bool(low >= line)
    return bool(firm.free(f"{group} reaches {line}"))
