"""Neighbouring titles: technology SME (115号, 2017) and single champion (138号, 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from .completions import Bounds, Firm, Rule
from .entry import free_of, registered
from .figures import falling, institution_from, niche_years, rd_ratio, share
from .scores import Line, ranges, reaches
from .tiers_2022 import CODES

# ------------------------------------------------------------------------------ 115号

TECH_BOUNDS: Bounds = {
    **CODES,
    "employees": (500,), "revenue": (20_000,), "total_assets": (20_000,),
    "tech_staff_share": (10, 15, 20, 25, 30), "rd_ratio": (2, 3, 4, 5, 6),
    "rd_to_cost": (10, 15, 20, 25, 30), "class1_ip": (1,), "class2_ip_any": (1, 2, 3, 4),
    "standards_led_5y": (1,),
}  # fmt: skip
COSTS = ("cost_of_sales", "selling_expense", "admin_expense", "financial_expense")


def tech_staff(firm: Firm) -> int:
    found = share(firm, "tech_staff_share", "tech_staff", "employees")
    return falling(found, ((30, 20), (25, 16), (20, 12), (15, 8), (10, 4)))


def rd_to_cost(firm: Firm) -> Any:
    """R&D to all costs and expenses; those on record are a part of them."""
    spent, whole = firm.read("rd_expense"), firm.inputs.get("cost_expense_total")
    if spent is not None and whole not in (None, 0):
        return Fraction(100) * spent / whole
    parts = [firm.inputs.get(name) for name in COSTS]
    most = None
    if spent is not None and None not in parts and sum(parts) > 0:
        most = Fraction(100) * spent / sum(parts)
    return firm.free("rd_to_cost", Fraction(0), most)


def tech_rd(firm: Firm) -> int:
    """By sales or by costs, as the firm chooses."""
    by_sales = ((6, 50), (5, 40), (4, 30), (3, 20), (2, 10))
    by_cost = ((30, 50), (25, 40), (20, 30), (15, 20), (10, 10))
    return max(falling(rd_ratio(firm), by_sales), falling(rd_to_cost(firm), by_cost))


def tech_ip(firm: Firm) -> int:
    """Class II without the two years of maintenance that 63号 asks."""
    if firm.need("class1_ip") >= 1:
        return 30
    return falling(firm.need("class2_ip_any"), ((4, 24), (3, 18), (2, 12), (1, 6)))


TECH_SCORE: Mapping[str, tuple[Line, ...]] = {
    "tech_staff": (tech_staff,),
    "rd": (tech_rd,),
    "ip": (tech_ip,),
}


def tech_score(firm: Firm) -> bool:
    """60 points, and some for technical staff (第六条(五)); a direct condition waives both."""
    scored = ranges(firm, TECH_SCORE, TECH_BOUNDS)
    return reaches(firm, scored, "total", 60) and reaches(firm, scored, "tech_staff", 4)


def tech_direct(firm: Firm) -> bool:
    return (
        bool(firm.need("held(high_tech)"))
        or bool(firm.need("award(nat, 3, 5)"))
        or institution_from(firm, "prov")
        or bool(firm.need("standards_led_5y") >= 1)
    )


TECH: dict[str, Rule] = {
    "registered": registered,
    "permitted_product": free_of("prohibited_product"),
    "no_major_accident": free_of("since_new_year(accident_major, 1)"),
    "no_research_dishonesty": free_of("since_new_year(data_fraud, 1)"),
    "not_abnormal": free_of("open(abnormal_list)"),
    "not_dishonest": free_of("open(dishonest_list)"),
    "not_barred": free_of("banned(tech_sme)"),
    "employees": lambda firm: firm.need("employees") <= 500,
    "revenue": lambda firm: firm.need("revenue") <= 20_000,
    "assets": lambda firm: firm.need("total_assets") <= 20_000,
    "score_or_direct": lambda firm: tech_score(firm) or tech_direct(firm),
}

# ------------------------------------------------------------------------------ 138号

CHAMPION_BOUNDS: Bounds = {
    **CODES,
    "niche_years": (5, 10), "main_revenue_mean": (20_000, 40_000), "niche_rank_global": (3,),
}  # fmt: skip
CHAMPION_FINDINGS = ("no_harm", "technology", "energy", "international", "rd_institution",
                     "rd_leading", "results")  # fmt: skip


def main_revenue_mean(firm: Firm) -> Any:
    """Of three years; those on record bound it from below, for no revenue is negative."""
    years = [firm.inputs.get(f"main_revenue{back}") for back in ("", "[-1]", "[-2]")]
    known = [year for year in years if year is not None]
    if len(known) == len(years):
        return sum(known) / Fraction(3)
    return firm.free("main_revenue_mean", sum(known) / Fraction(3) if known else Fraction(0))


def champion_revenue(firm: Firm) -> bool:
    mean = main_revenue_mean(firm)
    if mean >= 40_000:
        return True
    srdi = firm.need("held(srdi_provincial)") or firm.need("held(little_giant)")
    return bool(srdi and mean >= 20_000)


def champion_years(firm: Firm) -> bool:
    years = niche_years(firm)
    return bool(years >= 10 or (firm.need("main_product_new") and years >= 5))


CHAMPION: dict[str, Rule] = {
    "registered": registered,
    "not_abnormal": free_of("open(abnormal_list)"),
    "not_dishonest": free_of("open(dishonest_list)"),
    "permitted_product": free_of("prohibited_product"),
    "no_major_accident_3y": free_of("recent(accident_major, 36)"),
    "no_tax_evasion_3y": free_of("recent(tax_evasion, 36)"),
    "no_data_fraud_3y": free_of("recent(data_fraud, 36)"),
    "not_barred": free_of("banned(single_champion, single_champion_product)"),
    "manufacturing": lambda firm: (
        bool(firm.need("is_manufacturing")) or firm.finding("productive_service")
    ),
    "niche_years": champion_years,
    "main_revenue": champion_revenue,
    "global_rank": lambda firm: firm.need("niche_rank_global") <= 3,
    **{name: (lambda firm, name=name: firm.finding(name)) for name in CHAMPION_FINDINGS},
}
