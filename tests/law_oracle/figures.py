"""Figures by definition: shares, growth, years in the niche; missing as soon as a part is."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

from .completions import Firm

INSTITUTIONS = ("none", "below_muni", "muni", "prov", "nat")
FIELDS = ("sei", "six_bases", "ten_industries", "cyber", "other")


def share(firm: Firm, figure: str, part: str, whole: str) -> Any:
    """Part of whole in percent; nothing can be a share of nothing."""
    a, b = firm.read(part), firm.read(whole)
    return firm.free(figure) if a is None or b is None or b == 0 else Fraction(100) * a / b


def rd_ratio(firm: Firm) -> Any:
    return share(firm, "rd_ratio", "rd_expense", "revenue")


def rd_ratio_before(firm: Firm) -> Any:
    return share(firm, "rd_ratio_before", "rd_expense[-1]", "revenue[-1]")


def main_share(firm: Firm) -> Any:
    return share(firm, "main_share", "main_revenue", "revenue")


def rd_staff_share(firm: Firm) -> Any:
    return share(firm, "rd_staff_share", "rd_staff", "employees")


def debt_ratio(firm: Firm) -> Any:
    """Liabilities to assets; the ratio as stated where one of the two is missing."""
    return _or_stated(firm, "total_liabilities", "total_assets", "debt_ratio_pct")


def net_margin(firm: Firm) -> Any:
    return _or_stated(firm, "net_profit", "revenue", "net_margin_pct")


def _or_stated(firm: Firm, part: str, whole: str, stated: str) -> Any:
    known = firm.inputs.get(part) is not None and firm.inputs.get(whole) not in (None, 0)
    if not known and firm.inputs.get(stated) is not None:
        return firm.inputs[stated]
    return share(firm, stated, part, whole)


def sum_of_two_years(firm: Firm, figure: str, column: str) -> Any:
    """Of amounts that are not negative, so that one year on record bounds the sum."""
    now, before = firm.read(column), firm.read(f"{column}[-1]")
    if now is None or before is None:
        return firm.free(figure, now if before is None else before)
    return now + before


def growth(firm: Firm, column: str, back: int = 0) -> Any:
    """Growth on the year before in percent; None where it cannot be worked out."""
    return _rate(firm, column, back, back + 1)


def main_growth(firm: Firm) -> Any:
    found = growth(firm, "main_revenue")
    return firm.free("main_growth") if found is None else found


def main_growth_two_years(firm: Firm) -> Any:
    """The arithmetic mean of the growth of the last year and of the year before."""
    last, earlier = growth(firm, "main_revenue"), growth(firm, "main_revenue", 1)
    if last is None or earlier is None:
        return firm.free("main_growth_two_years")
    return (last + earlier) / 2


def compound_growth_reaches(firm: Firm, column: str, years: int, bound: int) -> bool:
    """Whether growth a year over some years reaches so many percent, without drawing a root."""
    rate = _rate(firm, column, 0, years)
    if rate is None:
        return bool(firm.free(f"{column} grows") >= bound)
    return bool(1 + rate / 100 >= (1 + Fraction(bound, 100)) ** years)


def _rate(firm: Firm, column: str, later: int, earlier: int) -> Any:
    now, before = firm.read(_back(column, later)), firm.read(_back(column, earlier))
    bases = firm.read(_back("basis", later)), firm.read(_back("basis", earlier))
    if now is None or before is None or before <= 0:
        return None
    if bases[0] is None or bases[0] != bases[1]:  # consolidated against parent: no growth
        return None
    return Fraction(100) * (now - before) / before


def _back(column: str, years: int) -> str:
    return f"{column}[-{years}]" if years else column


def whole_years(start: date, end: date) -> int:
    """Anniversaries up to a day; who began on 29 February has them on the 28th elsewhere."""
    years = end.year - start.year
    return years if anniversary(start, years) <= end else years - 1


def anniversary(start: date, years: int) -> date:
    year = start.year + years
    return date(year, start.month, min(start.day, monthrange(year, start.month)[1]))


def niche_years(firm: Firm) -> Any:
    """Whole years in the niche at the end of the fiscal year, or years as stated."""
    start = firm.known("niche_start_on")
    if start is not None:
        return whole_years(start, date(firm.inputs["fiscal_year"], 12, 31))
    stated = firm.known("years_in_niche")
    return firm.free("niche_years") if stated is None else stated


def institution_from(firm: Firm, level: str) -> bool:
    return INSTITUTIONS.index(firm.need("rd_institution_level")) >= INSTITUTIONS.index(level)


def counts(firm: Firm, column: str, least: int) -> bool:
    """Whether a number of class I IP is reached; no part of it exceeds the whole."""
    if firm.known(column) is None and column != "class1_ip":
        whole = firm.known("class1_ip")
        if whole is not None and whole < least:
            return False
    return bool(firm.need(column) >= least)


def counted_rights(firm: Firm, least: int) -> bool:
    """Whether so many class I rights are own, of a first three owner and in use, all at once.

    Which are is not on record, only how many of each: it is reached if every way to choose them
    reaches it.
    """
    whole = firm.inputs.get("class1_ip")
    parts = [firm.inputs.get(f"class1_ip_{name}") for name in ("effective", "self", "top3_owner")]
    found = ways_to_count(whole, *parts, least)
    if min(found) >= least or max(found) < least:
        return min(found) >= least
    return bool(firm.free("class1_ip_counted", min(found), max(found)) >= least)


@cache
def ways_to_count(whole: Any, used: Any, own: Any, led: Any, least: int) -> frozenset[int]:
    """How many rights may be in all three parts; what nobody counted may be any number."""
    parts = (used, own, led)
    known = [int(part) for part in parts if part is not None]
    enough = range(max(known, default=0), sum(known) + least + 2)
    found = set()
    for total in enough if whole is None else [int(whole)]:
        sizes = [range(total + 1) if part is None else [int(part)] for part in parts]
        for a, b, c in product(*sizes):
            for both in shared(total, a, b):
                found |= set(shared(total, both, c))
    return frozenset(found)


def shared(whole: int, one: int, other: int) -> range:
    """How many of a whole two parts of it may have in common."""
    return range(max(0, one + other - whole), min(one, other) + 1)


def equity_of_two_years(firm: Firm, least: int) -> bool:
    """New equity of two years; it is part of that of three."""
    two, three = "equity_raised_qualified_2y", "equity_raised_qualified_3y"
    if firm.known(two) is None and firm.known(three) is not None and firm.known(three) < least:
        return False
    return bool(firm.need(two) >= least)


def equity_of_three_years(firm: Firm, least: int) -> bool:
    two, three = "equity_raised_qualified_2y", "equity_raised_qualified_3y"
    if firm.known(three) is None and firm.known(two) is not None and firm.known(two) >= least:
        return True
    return bool(firm.need(three) >= least)


def best_contest_rank(firm: Firm, line: int) -> bool:
    """In one of three years up to this place of the final; who was in none has no place."""
    return any(firm.need(_back("maker_contest_rank", back)) <= line for back in range(3))


def falling(value: Any, steps: tuple[tuple[Any, int], ...]) -> int:
    """Points of the first bound that is reached."""
    return next((earned for bound, earned in steps if value >= bound), 0)


def rising(value: Any, steps: tuple[tuple[Any, int], ...]) -> int:
    """Points of the first bound that is not exceeded."""
    return next((earned for bound, earned in steps if value <= bound), 0)
