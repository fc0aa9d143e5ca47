"""Generated firms of an edition: accounts, qualities, records and findings; some are missing."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
from law_oracle.completions import FINDINGS
from law_oracle.entry import SIZES
from law_oracle.readings import Reading
from oracle_draw import FISCAL_YEAR, Draw, champion, listing, quotation, technology

RECORDS = ("open(abnormal_list)", "open(dishonest_list)", "recent(accident_major, 36)",
           "recent(tax_evasion, 36)", "recent(data_fraud, 36)", "banned()", "prohibited_product",
           "held(single_champion)", "held(single_champion_product)")  # fmt: skip
AWARDS = ("award(prov, 0, 3)", "award(prov, 3, 3)", "award(nat, 5, 3)", "award(nat, 3, 3)")
TITLES = ("held(high_tech)", "held(tech_innovation_demo)", "held(ip_advantage)", "held(ip_demo)")
GOOD = ("info_system_core", "iso_cert", "product_cert_overseas", "own_brand", "fills_gap_flag",
        "registered_in_city", "held(innovative_sme)", "held(tech_sme)",
        "held(srdi_provincial)")  # fmt: skip


def firm(rng: np.random.Generator, reading: Reading) -> dict[str, Any]:
    """One firm's inputs as the second reading takes them; some are missing."""
    draw = Draw(rng, reading)
    cents, plain = _accounts(draw), _qualities(draw)
    if "tech_staff_share" in reading.bounds:
        technology(draw, cents, plain)
    if "full_years" in reading.bounds:
        quotation(draw, cents, plain)
    if "roe_mean" in reading.bounds:
        listing(draw, cents, plain)
    if "main_revenue_mean" in reading.bounds:
        champion(draw, cents, plain)
    found: dict[str, Any] = {name: Fraction(value, 100) for name, value in cents.items()}
    found |= plain
    lost = float(rng.choice([0.0, 0.04, 0.35]))
    for name in list(found):
        if rng.random() < lost:
            del found[name]
    for name in reading.findings:
        finding = draw.pick(["met", "met", "met", "unmet", "unknown", None])
        finding = "met" if draw.luck == 1.0 and rng.random() < 0.9 else finding
        if finding is not None and (draw.luck < 0.9 or rng.random() < 0.3 or finding == "met"):
            found[FINDINGS + name] = finding
    found["fiscal_year"] = FISCAL_YEAR
    if rng.random() < 0.005:
        found["foreign"] = True
    return found


def _accounts(draw: Draw) -> dict[str, int]:
    """Money in hundredths of 万元."""
    rng = draw.rng
    edges = draw.bounds.get("revenue", (500, 3000, 20_000))
    several = len(edges) > 1  # no route is better than the other
    revenue = draw.pick(edges) * 100 + draw.pick([-1, 0, 1]) if several else draw.around("revenue")
    if rng.random() < 0.4:
        revenue = max(100, revenue // 100 * 100)
    if rng.random() < 0.15:
        revenue = draw.pick([4000, 15_000, 60_000]) * 100
    if rng.random() < 0.05:
        revenue = draw.pick([0, 1, draw.money()])
    cents = {"revenue": revenue}
    _grown(draw, cents, "revenue", "revenue grows")
    cents["revenue[-1]"] = draw.pick(
        [cents["revenue[-2]"], revenue, draw.money(), revenue * 9 // 10]
    )
    cents["main_revenue"] = min(draw.part("main_share", cents["revenue"]), cents["revenue"])
    _grown(draw, cents, "main_revenue", "main_growth_two_years")
    for back in ("", "[-1]"):
        shares = draw.part("rd_ratio", cents[f"revenue{back}"])
        amount = draw.around("rd_expense", otherwise=(100, 1000))
        choose = draw.pick([max, max, min]) if draw.lucky() else min
        cents[f"rd_expense{back}"] = amount if rng.random() < 0.2 else choose(shares, amount)
    if "rd_two_years" in draw.bounds and rng.random() < 0.4:
        rest = draw.around("rd_two_years") - cents["rd_expense"]
        cents["rd_expense[-1]"] = max(rest, 0)
    cents["total_assets"] = draw.pick([0, 1, 100]) if rng.random() < 0.02 else draw.money() * 100
    cents["total_liabilities"] = draw.part("debt_ratio_pct", cents["total_assets"], high=False)
    cents["net_profit"] = draw.part("net_margin_pct", cents["revenue"]) - (
        draw.money() if rng.random() < 0.05 else 0
    )
    for name in ("equity_raised_qualified_2y", "equity_raised_qualified_3y"):
        cents[name] = draw.around(name) if rng.random() < 0.5 else 0
    most = max(cents["equity_raised_qualified_2y"], cents["equity_raised_qualified_3y"])
    cents["equity_raised_qualified_3y"] = most
    cents["niche_share_national_pct"] = draw.around("niche_share_national_pct")
    if rng.random() < 0.3:
        lost = draw.pick(["total_liabilities", "total_assets", "none"])
        cents.pop(lost, None)
        edge = draw.pick([int(b) for b in draw.bounds.get("debt_ratio_pct", (50,))])
        cents["debt_ratio_pct"] = edge * 100 + int(rng.integers(-1, 2))
        edge = draw.pick([int(b) for b in draw.bounds.get("net_margin_pct", (2,))])
        cents["net_margin_pct"] = edge * 100 + int(rng.integers(-1, 2))
    cents["provincial_feature_score"] = int(rng.integers(0, 31)) * 50
    for back in ("", "[-1]"):
        cents[f"srdi_platform_score{back}"] = draw.around("srdi_platform_score", otherwise=(50,))
    return cents


def _grown(draw: Draw, cents: dict[str, int], column: str, figure: str) -> None:
    """The two years before, so that mean or compound growth is at a bound or a hundredth off."""
    edges = draw.bounds.get(figure) or draw.bounds.get("main_growth", (5,))
    bound = int(draw.pick(list(edges)))
    if figure == "revenue grows":
        last, earlier = bound, bound
    elif figure in draw.bounds:
        last = bound + int(draw.rng.integers(-20, 21))
        earlier = 2 * bound - last
    else:
        last, earlier = bound, int(draw.rng.integers(-5, 20))
    steps = (100 + last) * (100 + earlier)
    times = max(1, cents[column] // steps)
    more = 0 if draw.lucky() else draw.pick([1, 1, times * 300])
    if draw.rng.random() < 0.5:  # growth exact, the share of it no longer
        cents[column] = times * steps
    off = draw.pick([0, 0, 1, -1]) if figure not in draw.bounds else 0
    cents[f"{column}[-1]"] = times * 100 * (100 + earlier) + off
    cents[f"{column}[-2]"] = max(0, times * 10_000 + more - draw.pick([0, 0, 1]))
    if draw.rng.random() < 0.03:
        cents[f"{column}{draw.pick(['[-1]', '[-2]'])}"] = 0


def _qualities(draw: Draw) -> dict[str, Any]:
    """Counts, codes, dates and truths."""
    rng, plain = draw.rng, {}
    industry = draw.pick(list(SIZES))
    staff = SIZES[industry].get("X", (10, 100, 300))
    plain["industry_300"] = industry
    many = 30_000 if rng.random() < 0.2 else draw.pick(staff)
    plain["employees"] = Fraction(max(0, many + int(rng.integers(-1, 2))))
    edge = draw.pick(draw.bounds.get("rd_staff_share", (10,)))
    near = int(plain["employees"]) * edge // 100 + draw.pick([-1, 0, 1])
    plain["rd_staff"] = Fraction(max(0, near))
    for name, edge in (("class2_ip", 1), ("standards_led", 1), ("standards_joined", 1)):
        plain[name] = Fraction(draw.pick([0, edge, edge + 1] if draw.lucky() else [0]))
    edge = int(draw.bounds.get("class1_ip", (1,))[0])
    whole = draw.pick([edge, edge + 1]) if draw.lucky() else draw.pick([0, 0, edge - 1])
    plain["class1_ip"] = Fraction(whole)
    for name in ("class1_ip_self", "class1_ip_high_value", "class1_ip_effective"):
        plain[name] = Fraction(whole if draw.lucky() else int(rng.integers(0, whole + 1)))
    if "class1_ip_counted" in draw.bounds:
        first = whole if draw.lucky() else int(rng.integers(0, whole + 1))
        plain["class1_ip_top3_owner"] = Fraction(first)
    plain["digital_level"] = Fraction(int(rng.integers(1, 5)))
    plain["niche_rank_national"] = Fraction(int(rng.integers(2, 6)))
    for back in ("", "[-1]", "[-2]"):
        line = int(draw.bounds.get("maker_contest_rank", (50,))[0])
        places = (
            [line - 1, line] if not draw.plain and rng.random() < 0.2 else [line + 1, line + 400]
        )
        plain[f"maker_contest_rank{back}"] = Fraction(draw.pick(places))
        plain[f"basis{back}"] = Fraction(int(rng.random() < 0.02))
    plain |= _niche(draw)
    for name in ("rd_institution_level", "main_product_field", "quality_award_level"):
        if name in draw.bounds:
            plain[name] = draw.pick(list(draw.bounds[name]))
    plain |= {name: not draw.lucky() and rng.random() < 0.3 for name in RECORDS}
    plain |= {n: not draw.plain and bool(rng.random() < 0.2) for n in (*AWARDS, *TITLES)}
    plain |= {name: draw.lucky() for name in GOOD}
    plain |= {n: bool(rng.random() < 0.3) for n in ("supplies_chain_leader", "time_honored_brand")}
    return plain


def _niche(draw: Draw) -> dict[str, Any]:
    years = int(draw.pick(list(draw.bounds.get("niche_years", (2, 3)))))
    found: dict[str, Any] = {}
    if draw.rng.random() < 0.6:
        off = draw.pick([0, -1, -400] if draw.lucky() else [1, 1, 300])
        found["niche_start_on"] = date(FISCAL_YEAR - years, 12, 31) + timedelta(days=off)
    if draw.rng.random() < 0.6:
        found["years_in_niche"] = years + Fraction(draw.pick([0, 1] if draw.lucky() else [-1]), 100)
    return found
