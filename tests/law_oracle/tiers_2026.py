"""工信部企业〔2026〕2号 in force from 2026-04-01: SRDI (annex 1), little giant (annex 2), 117号."""

from __future__ import annotations

from .completions import EXEMPT, Bounds, Firm, Rule
from .entry import ENTRY_2
from .figures import (
    compound_growth_reaches,
    counted_rights,
    debt_ratio,
    equity_of_two_years,
    institution_from,
    main_share,
    niche_years,
    rd_ratio,
    rd_ratio_before,
    sum_of_two_years,
)
from .tiers_2022 import CODES

# ------------------------------------------------------------------------------ annex 1

SRDI_BOUNDS: Bounds = {
    **CODES,
    "niche_years": (3,), "revenue": (1500,), "equity_raised_qualified_2y": (2000,),
    "main_share": (80,), "debt_ratio_pct": (80,), "rd_expense": (100,), "rd_expense[-1]": (100,),
    "rd_ratio": (3,), "rd_ratio_before": (3,), "class1_ip": (1,), "class1_ip_counted": (1,),
    "srdi_platform_score": (50,), "srdi_platform_score[-1]": (50,),
}  # fmt: skip


def srdi_revenue(firm: Firm) -> bool:
    if firm.need("revenue") >= 1500:
        return True
    return equity_of_two_years(firm, 2000)


def srdi_ip(firm: Firm) -> object:
    """Not examined of who won a science award or has an institution of province level."""
    if firm.need("award(prov, 3, 3)") or institution_from(firm, "prov"):
        return EXEMPT
    return counted_rights(firm, 1)


def rd_share_of_both_years(firm: Firm) -> bool:
    return bool(rd_ratio(firm) >= 3 and rd_ratio_before(firm) >= 3)


SRDI: dict[str, Rule] = {
    **ENTRY_2,
    "lower_title": lambda firm: bool(
        firm.need("held(innovative_sme)") or firm.need("held(tech_sme)")
    ),
    "niche_years": lambda firm: niche_years(firm) >= 3,
    "revenue": srdi_revenue,
    "main_share": lambda firm: main_share(firm) >= 80,
    "debt": lambda firm: debt_ratio(firm) <= 80,
    "rd_amount": lambda firm: firm.need("rd_expense") >= 100 and firm.need("rd_expense[-1]") >= 100,
    "rd_ratio": rd_share_of_both_years,
    "ip": srdi_ip,
    "niche_position": lambda firm: firm.finding("niche_position"),
}


def score_this_year(line: int) -> Rule:
    return lambda firm: firm.need("srdi_platform_score") >= line


def score_of_either_year(line: int) -> Rule:
    return lambda firm: (
        firm.need("srdi_platform_score") >= line or firm.need("srdi_platform_score[-1]") >= line
    )


SRDI_NEW: dict[str, Rule] = {"platform_score": score_this_year(50)}
SRDI_REVIEW: dict[str, Rule] = {"platform_score_review": score_of_either_year(50)}

# ------------------------------------------------------------------------------ annex 2

LITTLE_GIANT_BOUNDS: Bounds = {
    **CODES,
    "niche_years": (3,), "revenue": (5000,), "main_share": (90,), "revenue grows": (5,),
    "debt_ratio_pct": (75,), "rd_two_years": (1200,), "rd_ratio": (3,), "rd_ratio_before": (3,),
    "class1_ip": (4,), "class1_ip_counted": (4,), "niche_share_national_pct": (10,),
    "niche_rank_national": (3,), "srdi_platform_score": (60,), "srdi_platform_score[-1]": (60,),
}  # fmt: skip


def giant_ip(firm: Firm) -> object:
    return EXEMPT if firm.need("award(nat, 3, 3)") else counted_rights(firm, 4)


def giant_field(firm: Firm) -> bool:
    return firm.need("main_product_field") == "six_bases" or firm.finding("key_link")


LITTLE_GIANT: dict[str, Rule] = {
    **ENTRY_2,
    "lower_title": lambda firm: bool(firm.need("held(srdi_provincial)")),
    "niche_years": lambda firm: niche_years(firm) >= 3,
    "revenue": lambda firm: firm.need("revenue") >= 5000,
    "main_share": lambda firm: main_share(firm) >= 90,
    "debt": lambda firm: debt_ratio(firm) <= 75,
    "rd_amount": lambda firm: sum_of_two_years(firm, "rd_two_years", "rd_expense") >= 1200,
    "rd_ratio": rd_share_of_both_years,
    "ip": giant_ip,
    "niche_share": lambda firm: (
        firm.need("niche_share_national_pct") >= 10 or firm.need("niche_rank_national") <= 3
    ),
    "reputation": lambda firm: firm.finding("reputation"),
    "field": giant_field,
}
LITTLE_GIANT_NEW: dict[str, Rule] = {
    "revenue_growth": lambda firm: compound_growth_reaches(firm, "revenue", 2, 5),
    "platform_score": score_this_year(60),
    "not_champion": lambda firm: (
        not (firm.need("held(single_champion)") or firm.need("held(single_champion_product)"))
    ),
    "no_group_conflict": lambda firm: firm.finding("no_group_conflict"),
}
LITTLE_GIANT_REVIEW: dict[str, Rule] = {"platform_score_review": score_of_either_year(60)}
