"""工信部企业〔2022〕63号: innovative SME (annex 1), SRDI (annex 2), little giant (annex 3).

The municipal tier has no national text: annex 2 with the city's own line of points.
"""

from __future__ import annotations

from collections.abc import Callable

from .completions import Bounds, Firm, Rule
from .entry import ENTRY_63
from .figures import (
    FIELDS,
    INSTITUTIONS,
    best_contest_rank,
    counts,
    debt_ratio,
    equity_of_three_years,
    equity_of_two_years,
    institution_from,
    main_growth_two_years,
    main_share,
    niche_years,
    rd_ratio,
    rd_ratio_before,
    rd_staff_share,
    sum_of_two_years,
)
from .scores import ANNEX_1, ANNEX_2, ranges, reaches

CODES: Bounds = {
    "rd_institution_level": INSTITUTIONS,
    "main_product_field": FIELDS,
    "quality_award_level": ("none", "city", "prov", "nat"),
}

# ------------------------------------------------------------------------------ annex 1

INNOVATIVE_BOUNDS: Bounds = {
    **CODES,
    "class1_ip_high_value": (1,), "class1_ip_self": (1,), "class1_ip": (1,), "class2_ip": (1,),
    "rd_ratio": (1, 2, 3, 5), "main_growth": (0, 5, 10, 15), "debt_ratio_pct": (55, 75),
    "main_share": (50, 55, 60, 70), "equity_raised_qualified_3y": (500,),
}  # fmt: skip


def innovative_score(firm: Firm) -> bool:
    scored = ranges(firm, ANNEX_1, INNOVATIVE_BOUNDS)
    return (
        reaches(firm, scored, "total", 60)
        and reaches(firm, scored, "innovation", 20)
        and reaches(firm, scored, "growth", 15)
        and reaches(firm, scored, "specialisation", 15)
    )


def innovative_direct(firm: Firm) -> bool:
    return (
        bool(firm.need("award(prov, 0, 3)"))
        or bool(firm.need("held(high_tech)"))
        or bool(firm.need("held(tech_innovation_demo)"))
        or bool(firm.need("held(ip_advantage)"))
        or bool(firm.need("held(ip_demo)"))
        or institution_from(firm, "prov")
        or equity_of_three_years(firm, 500)
    )


INNOVATIVE: dict[str, Rule] = {
    **ENTRY_63,
    "score_or_direct": lambda firm: innovative_score(firm) or innovative_direct(firm),
}

# ------------------------------------------------------------------------------ annex 2

SRDI_BOUNDS: Bounds = {
    **CODES,
    "niche_years": (2, 4, 6, 8, 10), "rd_expense": (100, 200, 300, 400, 500),
    "rd_ratio": (3, 4, 6, 8, 10), "revenue": (1000,),
    "equity_raised_qualified_2y": (2000, 6000), "rd_two_years": (2000,),
    "main_share": (60, 70, 80), "main_growth_two_years": (0, 4, 6, 8, 10),
    "digital_level": (2, 3), "standards_led": (1,), "standards_joined": (1,),
    "net_margin_pct": (2, 4, 6, 8, 10), "debt_ratio_pct": (50, 60, 70),
    "provincial_feature_score": (1, 14),
    "class1_ip_high_value": (1,), "class1_ip_self": (1,), "class1_ip": (1,), "class2_ip": (1,),
    "rd_staff_share": (5, 10, 20),
    "maker_contest_rank": (500,), "maker_contest_rank[-1]": (500,),
    "maker_contest_rank[-2]": (500,),
}  # fmt: skip


def srdi_rd(firm: Firm) -> bool:
    return bool(firm.need("rd_expense") >= 100 and rd_ratio(firm) >= 3)


def srdi_revenue(firm: Firm) -> bool:
    if firm.need("revenue") >= 1000:
        return True
    return equity_of_two_years(firm, 2000)


def srdi_direct(firm: Firm) -> bool:
    return (
        bool(firm.need("award(prov, 3, 3)"))
        or bool(firm.need("award(nat, 5, 3)"))
        or bool(sum_of_two_years(firm, "rd_two_years", "rd_expense") >= 2 * 1000)
        or equity_of_two_years(firm, 6000)
        or best_contest_rank(firm, 500)
    )


def srdi(line: int) -> dict[str, Rule]:
    """Annex 2 with a line of points."""

    def score_or_direct(firm: Firm) -> bool:
        scored = ranges(firm, ANNEX_2, SRDI_BOUNDS)
        return reaches(firm, scored, "total", line) or srdi_direct(firm)

    return {
        **ENTRY_63,
        "niche_years": lambda firm: niche_years(firm) >= 2,
        "rd": srdi_rd,
        "revenue": srdi_revenue,
        "score_or_direct": score_or_direct,
    }


SRDI = srdi(60)
MUNICIPAL: Callable[[int], dict[str, Rule]] = srdi

# ------------------------------------------------------------------------------ annex 3

LITTLE_GIANT_BOUNDS: Bounds = {
    **CODES,
    "niche_years": (3,), "main_share": (70,), "main_growth_two_years": (5,),
    "debt_ratio_pct": (70,),
    "niche_share_national_pct": (10,), "revenue": (5000, 10_000), "rd_ratio": (3, 6),
    "rd_ratio_before": (3, 6), "equity_raised_qualified_2y": (8000,), "rd_expense": (3000,),
    "rd_staff_share": (50,), "class1_ip": (2,), "class1_ip_effective": (2,),
    "maker_contest_rank": (50,), "maker_contest_rank[-1]": (50,), "maker_contest_rank[-2]": (50,),
}  # fmt: skip


def giant_rd(firm: Firm) -> bool:
    """By revenue: 3 % of each year, 6 % of each year, or equity, amount and staff."""
    revenue = firm.need("revenue")
    if revenue >= 10_000:
        return bool(rd_ratio(firm) >= 3 and rd_ratio_before(firm) >= 3)
    if revenue >= 5000:
        return bool(rd_ratio(firm) >= 6 and rd_ratio_before(firm) >= 6)
    return bool(
        equity_of_two_years(firm, 8000)
        and firm.need("rd_expense") >= 3000
        and rd_staff_share(firm) >= 50
    )


def giant_innovation(firm: Firm) -> bool:
    general = (
        institution_from(firm, "below_muni")
        and counts(firm, "class1_ip_effective", 2)
        and giant_rd(firm)
    )
    return general or bool(firm.need("award(nat, 3, 3)")) or best_contest_rank(firm, 50)


LITTLE_GIANT: dict[str, Rule] = {
    **ENTRY_63,
    "niche_years": lambda firm: niche_years(firm) >= 3,
    "main_share": lambda firm: main_share(firm) >= 70,
    "main_growth": lambda firm: main_growth_two_years(firm) >= 5,
    "information_system": lambda firm: bool(firm.need("info_system_core")),
    "certificates": lambda firm: bool(firm.need("iso_cert") or firm.need("product_cert_overseas")),
    "debt": lambda firm: debt_ratio(firm) <= 70,
    "niche_share": lambda firm: firm.need("niche_share_national_pct") >= 10,
    "reputation": lambda firm: firm.finding("reputation"),
    "own_brand": lambda firm: bool(firm.need("own_brand")),
    "innovation": giant_innovation,
    "chain": lambda firm: bool(firm.need("fills_gap_flag")),
    "field": lambda firm: (
        firm.need("main_product_field") in ("six_bases", "ten_industries", "cyber")
    ),
}
