"""Generated firms whose figures stand just below, at and just above the bounds of an edition.

The engine judges them in one batch, the second reading (``law_oracle``) one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from law_oracle.boards import BSE_RECORDS, NEEQ_RECORDS
from law_oracle.completions import EXEMPT, FINDINGS, Firm, outcomes
from law_oracle.entry import MEASURES, SIZES
from law_oracle.readings import PURPOSES, Reading, tier

from policy.calendar import day_number
from policy.law import Law
from policy.logic import MET, NAMES, UNKNOWN, UNMET
from policy.metrics import column_of
from policy.sizes import size_range
from policy.values import Inputs, Values
from policy.verdict import Verdict, judge

DAY, FISCAL_YEAR = date(2026, 6, 30), 2025
CODES = {"met": MET, "unmet": UNMET, "unknown": UNKNOWN}
RECORDS = ("open(abnormal_list)", "open(dishonest_list)", "recent(accident_major, 36)",
           "recent(tax_evasion, 36)", "recent(data_fraud, 36)", "banned()", "prohibited_product",
           "held(single_champion)", "held(single_champion_product)")  # fmt: skip
AWARDS = ("award(prov, 0, 3)", "award(prov, 3, 3)", "award(nat, 5, 3)", "award(nat, 3, 3)")
TITLES = ("held(high_tech)", "held(tech_innovation_demo)", "held(ip_advantage)", "held(ip_demo)")
GOOD = ("info_system_core", "iso_cert", "product_cert_overseas", "own_brand", "fills_gap_flag",
        "registered_in_city", "held(innovative_sme)", "held(tech_sme)",
        "held(srdi_provincial)")  # fmt: skip


class Draw:
    """Draws one firm. ``luck`` is how often a figure passes; money is in hundredths."""

    def __init__(self, rng: np.random.Generator, reading: Reading) -> None:
        self.rng, self.bounds = rng, reading.bounds
        self.plain = bool(rng.random() < 0.6)
        """Without any direct route, so that the general one is looked at."""
        self.luck = float(rng.choice([0.4, 0.85, 0.98, 1.0]))

    def lucky(self) -> bool:
        return bool(self.rng.random() < self.luck)

    def pick(self, options: Sequence[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def around(self, name: str, scale: int = 100, otherwise: Sequence[int] = (10,)) -> int:
        """A count of 1/scale near a bound of a figure that should be high."""
        edge = self.pick([int(b) for b in self.bounds.get(name, otherwise)]) * scale
        if self.lucky():
            return int(edge + self.pick([0, 1, 1, scale * int(self.rng.integers(50))]))
        return int(max(0, edge - self.pick([1, 1, scale * int(self.rng.integers(1, 9))])))

    def part(self, figure: str, whole: int, high: bool = True) -> int:
        """A part whose share of the whole stands near a bound."""
        edges = sorted(int(b) for b in self.bounds.get(figure, (5, 20)))
        lucky = self.lucky()
        if lucky and self.rng.random() < 0.6:
            edges = edges[-1:] if high else edges[:1]
        exact, rest = divmod(self.pick(edges) * whole, 100)
        at = exact + (rest > 0 and high)  # the least that reaches it, the most that keeps to it
        more = self.pick([0, 0, 1, whole // 50]) if lucky else -self.pick([1, 1, whole // 40 + 1])
        return int(max(0, at + (more if high else -more)))

    def money(self) -> int:
        return int(np.exp(self.rng.uniform(2, 14)) * 100)


def firm(rng: np.random.Generator, reading: Reading) -> dict[str, Any]:
    """One firm's inputs as the second reading takes them; some are missing."""
    draw = Draw(rng, reading)
    cents, plain = _accounts(draw), _qualities(draw)
    if "tech_staff_share" in reading.bounds:
        _technology(draw, cents, plain)
    if "full_years" in reading.bounds:
        _quotation(draw, cents, plain)
    if "roe_mean" in reading.bounds:
        _listing(draw, cents, plain)
    if "main_revenue_mean" in reading.bounds:
        _champion(draw, cents, plain)
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


def _technology(draw: Draw, cents: dict[str, int], plain: dict[str, Any]) -> None:
    """What 115号 asks beyond the ladder: gates of size, technical staff, costs, other rights."""
    off = [-1, 0, 0, 1] if not draw.lucky() else [-1, 0]
    for name, edge in (("revenue", 20_000), ("total_assets", 20_000)):
        cents[name] = edge * 100 + draw.pick(off) if draw.rng.random() < 0.5 else draw.money() // 50
    staff = draw.pick([500 + draw.pick(off), 100, 20, 10_000])
    edge = draw.pick(draw.bounds["tech_staff_share"])
    plain["employees"] = Fraction(staff)
    plain["tech_staff"] = Fraction(staff * edge // 100 + draw.pick([-1, 0, 0, 1]))
    costs = ("cost_of_sales", "selling_expense", "admin_expense", "financial_expense")
    for name in costs:
        cents[name] = draw.money() // 100 if draw.rng.random() < 0.9 else 0
    whole = sum(cents[name] for name in costs) + draw.pick([0, 0, draw.money() // 100])
    cents["cost_expense_total"] = whole // 100 * 100 if draw.rng.random() < 0.7 else whole
    if cents["cost_expense_total"] < sum(cents[name] for name in costs):
        cents["cost_expense_total"] = whole
    cents["rd_expense"] = (
        draw.part("rd_to_cost", cents["cost_expense_total"])
        if draw.rng.random() < 0.5
        else draw.part("rd_ratio", cents["revenue"])
    )
    if draw.rng.random() < 0.2:
        cents.pop("cost_expense_total")
    plain["class1_ip"] = Fraction(int(draw.rng.random() < 0.3))
    plain["class2_ip_any"] = Fraction(int(draw.rng.integers(0, 6)))
    plain["standards_led_5y"] = Fraction(0 if draw.plain else int(draw.rng.integers(0, 3)))
    plain["award(nat, 3, 5)"] = not draw.plain and bool(draw.rng.random() < 0.2)
    for name in ("since_new_year(accident_major, 1)", "since_new_year(data_fraud, 1)",
                 "banned(tech_sme)"):  # fmt: skip
        plain[name] = not draw.lucky() and bool(draw.rng.random() < 0.3)


def _listing(draw: Draw, cents: dict[str, int], plain: dict[str, Any]) -> None:
    """What 北交所 asks: profits, returns, R&D invested, market value; what bars a firm."""
    near = [-1, 0, 1]
    cents["market_cap_est"] = draw.pick(draw.bounds["market_cap_est"]) * 100 + draw.pick(near)
    cents["revenue"] = draw.pick([20_000, 20_000, 12_000]) * 100 + draw.pick([*near, 1])
    before = 2_000_000 - cents["revenue"] + draw.pick(near)
    cents["revenue[-1]"] = before if before > 100 else draw.money() // 50 + 100
    if draw.rng.random() < 0.3:
        times = cents["revenue"] // 130
        cents["revenue"], cents["revenue[-1]"] = times * 130, times * 100 + draw.pick(near)
    sales = cents["revenue"] + cents["revenue[-1]"]
    total = -(-8 * sales // 100) if draw.rng.random() < 0.7 else 500_000
    first = int(draw.rng.uniform(0.2, 0.8) * total)
    cents["rd_invest"], cents["rd_invest[-1]"] = first, max(0, total - first + draw.pick(near))
    for back in ("", "[-1]"):
        whole = cents[f"rd_invest{back}"]
        cents[f"rd_expense{back}"] = whole if draw.rng.random() < 0.5 else whole * 9 // 10
        edge = draw.pick([1500, 1500, 2500]) * 100 + draw.pick(near)
        if not draw.lucky() and draw.rng.random() < 0.3:
            edge = -edge
        lower = draw.pick(["net_profit", "net_profit_adj"])
        other = "net_profit" if lower == "net_profit_adj" else "net_profit_adj"
        cents[f"{lower}{back}"] = edge
        # What is deducted is mostly a gain; where it is a loss, the figure after is the lower.
        cents[f"{other}{back}"] = edge + (0 if lower == "net_profit" else draw.pick([0, 5000]))
    roe = 800 + draw.pick([*near, 0, 300])
    cents["weighted_roe_pct"] = roe
    cents["weighted_roe_pct[-1]"] = 1600 - roe + draw.pick(near)
    cents["operating_cash_flow"] = draw.pick([-1, 0, 1, 100])
    cents["share_capital"] = 300_000 + draw.pick(near)
    cents["total_assets"] = draw.money() // 10 + 500_000
    cents["net_assets"] = 500_000 + draw.pick([*near, 0, 100])
    cents["total_liabilities"] = cents["total_assets"] - cents["net_assets"]
    if draw.rng.random() < 0.3:
        cents.pop("net_assets")
    plain["months_on(neeq_base, neeq_innov)"] = Fraction(draw.pick([11, 12, 12, 13, 24]))
    plain["on_board(neeq_innov)"] = draw.lucky()
    for back in ("", "[-1]", "[-2]"):
        opinions = draw.bounds["audit_opinion"]
        plain[f"audit_opinion{back}"] = draw.pick(opinions[:2] if draw.lucky() else opinions)
    for name in BSE_RECORDS:
        plain[name] = not draw.lucky() and bool(draw.rng.random() < 0.2)


def _quotation(draw: Draw, cents: dict[str, int], plain: dict[str, Any]) -> None:
    """What 新三板 asks; half of the firms have no profit and stand on another set."""
    near, rng = [-1, 0, 1], draw.rng
    cents["share_capital"] = 50_000 + draw.pick(near)
    cents["net_assets"] = cents["share_capital"] + draw.pick(near)
    cents["net_assets_per_share"] = 100 + draw.pick(near)
    edge = draw.pick([60_000, 0, 30_000, 39_999]) + draw.pick(near)
    loss = rng.random() < 0.6
    for back, amount in (("", edge), ("[-1]", 80_000 - edge + draw.pick(near))):
        lower = -100 if loss else amount if rng.random() < 0.8 else draw.pick(near)
        cents[f"net_profit_adj{back}"] = lower
        cents[f"net_profit{back}"] = lower + draw.pick([0, 5000])
    mean = draw.pick([3000, 5000]) * 100
    times = mean * 2 // 220 + draw.pick([0, 0, 1])
    cents["revenue"], cents["revenue[-1]"] = times * 120, times * 100 + draw.pick(near)
    if rng.random() < 0.6:
        cents["revenue"] = draw.pick([300_000, mean]) + draw.pick(near)
        cents["revenue[-1]"] = mean * 2 - cents["revenue"] + draw.pick(near)
    for back in ("", "[-1]"):
        cents[f"operating_cash_flow{back}"] = draw.pick([-1, 0, 1, 100])
    total = draw.pick([-(-5 * (cents["revenue"] + cents["revenue[-1]"]) // 100), 100_000])
    first = 100_000 if rng.random() < 0.3 else int(rng.uniform(0.2, 0.8) * total)
    cents["rd_invest"], cents["rd_invest[-1]"] = first, max(0, total - first + draw.pick(near))
    if rng.random() < 0.3:
        cents["rd_invest"] += draw.pick(near)
    for back in ("", "[-1]"):
        whole = cents[f"rd_invest{back}"]
        cents[f"rd_expense{back}"] = whole if rng.random() < 0.5 else whole * 9 // 10
    year = 200_000 + draw.pick(near) if rng.random() < 0.4 else 0
    cents["prof_equity_12m"] = year
    cents["prof_equity_24m"] = max(year, 200_000 + draw.pick(near) if rng.random() < 0.4 else 0)
    cents["market_cap_est"] = 100 + draw.pick(near)
    plain["market_makers"] = Fraction(draw.pick([0, 0, 0, 3, 4, 5]))
    plain["legal_form"] = "joint_stock" if draw.lucky() else "limited"
    start = date(FISCAL_YEAR - draw.pick([0, 1, 1, 2]), 1, 1)
    plain["founded_on"] = start + timedelta(days=draw.pick([*near, 0, -400]))
    for back in ("", "[-1]"):
        opinions = draw.bounds["audit_opinion"]
        plain[f"audit_opinion{back}"] = draw.pick(opinions[:2] if draw.lucky() else opinions)
    for name in (*BSE_RECORDS, *NEEQ_RECORDS):
        plain[name] = not draw.lucky() and bool(rng.random() < 0.2)


def _champion(draw: Draw, cents: dict[str, int], plain: dict[str, Any]) -> None:
    """What 138号 asks: a mean of three years, a rank in the world, manufacturing, new products."""
    edge = draw.pick(draw.bounds["main_revenue_mean"]) * 300
    one, two = (int(draw.rng.uniform(0, 0.6) * edge) for _ in range(2))
    rest = edge - one - two + draw.pick([0, 0, 1, -1, -1, 1000])
    cents["main_revenue"], cents["main_revenue[-1]"] = max(0, rest), one
    cents["main_revenue[-2]"] = two
    plain["niche_rank_global"] = Fraction(draw.pick([1, 3] if draw.lucky() else [3, 4, 9]))
    plain["is_manufacturing"] = draw.lucky()
    plain["main_product_new"] = bool(draw.rng.random() < 0.5)
    plain["held(little_giant)"] = bool(draw.rng.random() < 0.3)
    barred = "banned(single_champion, single_champion_product)"
    plain[barred] = not draw.lucky() and bool(draw.rng.random() < 0.3)


def _niche(draw: Draw) -> dict[str, Any]:
    years = int(draw.pick(list(draw.bounds.get("niche_years", (2, 3)))))
    found: dict[str, Any] = {}
    if draw.rng.random() < 0.6:
        off = draw.pick([0, -1, -400] if draw.lucky() else [1, 1, 300])
        found["niche_start_on"] = date(FISCAL_YEAR - years, 12, 31) + timedelta(days=off)
    if draw.rng.random() < 0.6:
        found["years_in_niche"] = years + Fraction(draw.pick([0, 1] if draw.lucky() else [-1]), 100)
    return found


# ---------------------------------------------------------------------------------- to the engine


def batch(law: Law, reading: Reading, firms: Sequence[Mapping[str, Any]]) -> Inputs:
    """The same firms as the engine takes them."""
    names = sorted({n for f in firms for n in f if not n.startswith((FINDINGS, "fiscal"))})
    columns = {n: np.array([_number(n, f.get(n)) for f in firms], dtype=float) for n in names}
    measures = pd.DataFrame({m: columns[m] for m in MEASURES.values()})
    measures["industry"] = [f.get("industry_300") for f in firms]
    columns["size_low()"], columns["size_high()"] = size_range(law, measures)
    return Inputs(
        np.array([f"F{i:06d}" for i in range(len(firms))], dtype=object),
        DAY,
        FISCAL_YEAR,
        columns,
        {n: np.array([_finding(f, n) for f in firms], dtype=np.int8) for n in reading.findings},
    )


def _number(name: str, value: Any) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, date):
        return day_number(value)
    if isinstance(value, str):
        column = column_of(name)
        assert column is not None
        return float(list(column.codes).index(value))
    return float(value)


def _finding(inputs: Mapping[str, Any], name: str) -> int:
    found = inputs.get(FINDINGS + name)
    return NAMES.index("manual") if found is None else CODES[found]


# ---------------------------------------------------------------------------------- compared


@dataclass
class Tally:
    """What was compared: statuses seen by the engine, and every difference with the firm."""

    firms: int = 0
    statuses: int = 0
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    different: list[tuple[str, Any, Any, Mapping[str, Any]]] = field(default_factory=list)


def compare(law: Law, edition: str, reading: Reading, firms: Sequence[Mapping[str, Any]]) -> Tally:
    """Judge all firms both ways, half of them for review."""
    values, tally = Values(law, batch(law, reading, firms)), Tally()
    verdicts = {p: judge(law.edition(edition), values, p) for p in PURPOSES}  # type: ignore[arg-type]
    names = [criterion.id for criterion in law.edition(edition).criteria]
    assert set(names) == set(reading.names), set(names) ^ set(reading.names)
    for row, inputs in enumerate(firms):
        purpose = PURPOSES[row % 2]
        read = Firm(inputs)
        wanted: dict[str, Any] = dict(reading.statuses(read, purpose))
        wanted["tier"] = tier(wanted)
        wanted |= {f"score {name}": pair for name, pair in reading.scores(read).items()}
        found = _found(verdicts[purpose], names, row)
        tally.firms += 1
        tally.statuses += len(found)
        tally.seen.update((n, s) for n, s in found.items() if isinstance(s, str))
        tally.different += [
            (n, found[n], wanted[n], inputs) for n in found if found[n] != wanted[n]
        ]
    return tally


def _found(verdict: Verdict, names: Sequence[str], row: int) -> dict[str, Any]:
    """What the engine says of a firm: statuses, the tier, least and most points."""
    found: dict[str, Any] = {
        name: NAMES[code] for name, code in zip(names, verdict.criteria[row], strict=True)
    }
    found["tier"] = NAMES[verdict.status[row]]
    for name, scored in verdict.scores.items():
        found[f"score {name}"] = float(scored.low[row]), float(scored.high[row])
    return found


def overruled(
    law: Law, edition: str, reading: Reading, firms: Sequence[Mapping[str, Any]]
) -> tuple[int, list[tuple[str, str, Mapping[str, Any]]]]:
    """How many decisions of the engine rest on missing inputs, and those that one value upsets."""
    values = Values(law, batch(law, reading, firms))
    verdict = judge(law.edition(edition), values, "new")
    names = [criterion.id for criterion in law.edition(edition).criteria]
    upset, decided = [], 0
    rules = {**reading.rules, **reading.only.get("new", {})}
    for row, inputs in enumerate(firms):
        for name, code in zip(names, verdict.criteria[row], strict=True):
            if name not in rules or code not in (MET, UNMET) or inputs.get("foreign"):
                continue
            read = Firm(inputs, by_input=True)
            found = outcomes(rules[name], read, reading.bounds, truth=True)
            decided += 1
            allowed = {False} if code == UNMET else {True, EXEMPT}
            if not found <= allowed:
                upset.append((name, NAMES[code], inputs))
    return decided, upset
