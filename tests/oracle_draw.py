"""Draws figures that stand just below, at and just above the bounds of an edition."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
from law_oracle.boards import BSE_RECORDS, NEEQ_RECORDS
from law_oracle.readings import Reading

FISCAL_YEAR = 2025


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


def technology(draw: Draw, cents: dict[str, int], plain: dict[str, Any]) -> None:
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


def listing(draw: Draw, cents: dict[str, int], plain: dict[str, Any]) -> None:
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


def quotation(draw: Draw, cents: dict[str, int], plain: dict[str, Any]) -> None:
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


def champion(draw: Draw, cents: dict[str, int], plain: dict[str, Any]) -> None:
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
