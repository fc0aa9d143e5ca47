"""Loans as banks report them: ``credit``, a firm and the end of a year, known early in the next.

Balances follow the books, so they never exceed what the accounts call borrowings; days in arrears
follow the defaults that the events tell of, so nobody is in arrears without one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.accounts import borrowings
from city.parameters import Floats, Stream, score, sigmoid
from city.state import Ints, State, View, World

__all__ = ["credit_table"]

OVERDUE = 90
"""A default is recorded on the day on which a payment has been due for so long."""


@dataclass(frozen=True, slots=True)
class Borrowers:
    """Who has a bank at the end of a year, and what they owe it."""

    world: World
    after: State
    rows: NDArray[np.int64]
    owed: Floats
    rng: np.random.Generator

    @property
    def numbers(self) -> Mapping[str, Any]:
        return self.world.parameters.section("credit")

    @property
    def view(self) -> View:
        return View(self.world, self.after).rows(self.rows)

    @property
    def year(self) -> int:
        return self.after.year - 1

    def share(self, low: float, high: float) -> Floats:
        return self.rng.uniform(low, high, len(self.rows))

    def some(self, share: float | Floats, values: Floats) -> Floats:
        """Return values for a share of the firms, unknown for the others."""
        return np.where(self.rng.random(len(self.rows)) < share, values, np.nan)


def credit_table(
    world: World,
    states: Sequence[State],
    events: pd.DataFrame,
    ended_on: NDArray[np.datetime64],
    stream_of: Mapping[int, Stream],
) -> pd.DataFrame:
    """Return ``credit`` with the firm's row in ``row``; ``events`` names firms by ``row``, too."""
    first = int(world.parameters.raw["credit"]["since"])
    end = np.datetime64(f"{world.parameters.whole('time', 'last') + 1}-06-30")
    defaults = events[(events["kind"] == "default_90d").to_numpy()]
    frames = []
    for before, after in pairwise(states):
        if before.year >= first:
            who = _borrowers(world, after, ended_on, stream_of[before.year]("credit"))
            frame = _loans(who, _arrears(defaults, before.year, world.firms)[who.rows])
            frames.append(frame[(frame["known_on"] <= end).to_numpy()])
    table = pd.concat(frames, ignore_index=True)
    return table.sort_values(["row", "year"]).reset_index(drop=True)


def _borrowers(
    world: World, after: State, ended_on: NDArray[np.datetime64], rng: np.random.Generator
) -> Borrowers:
    """Draw who has a bank: larger firms do; the year's end must have been lived to see."""
    p, year = world.parameters, after.year - 1
    here = (world.traits.first_year <= year) & ~(ended_on <= np.datetime64(f"{year}-12-31"))
    wish = sigmoid(score(p.terms("credit", "banked"), View(world, after), world.firms))
    rows = np.flatnonzero(here & (rng.random(world.firms) < wish))
    return Borrowers(world, after, rows, borrowings(world, after, rows), rng)


def _arrears(defaults: pd.DataFrame, year: int, firms: int) -> Ints:
    """Return the days in arrears on 31 December: the longest of a firm's open defaults."""
    day = np.datetime64(f"{year}-12-31")
    on = defaults["on"].to_numpy().astype("datetime64[D]")
    paid = defaults["ended_on"].to_numpy().astype("datetime64[D]")
    days = (day - on).astype(np.int64) + OVERDUE
    # What nobody has seen paid stays open for as long as the bank keeps it on its books.
    open_ = (days > 0) & (np.isnat(paid) | (paid > day))
    made = np.zeros(firms, dtype=np.int64)
    np.maximum.at(made, defaults["row"].to_numpy()[open_], days[open_])
    return made


def _loans(who: Borrowers, arrears: Ints) -> pd.DataFrame:
    c, view, rng, count = who.numbers, who.view, who.rng, len(who.rows)
    balance = np.floor(who.owed * who.share(*c["of_borrowings"]) * 100) / 100
    trusted = c["unsecured"] * sigmoid(view["finance"]) * (1 + c["unsecured_tier"] * view["tier"])
    unsecured = np.minimum(
        np.round(balance * np.clip(trusted * who.share(0.2, 1.8), 0, 0.9), 2), balance
    )
    secured = np.maximum(np.round(balance - unsecured, 2), 0.0)
    small = view["size"] < c["guaranteed_below"]
    guaranteed = who.some(np.where(small, c["guaranteed"], c["guaranteed"] / 4), secured)
    guaranteed = np.where(
        secured > 0, np.floor(guaranteed * who.share(*c["guaranteed_part"]) * 100) / 100, np.nan
    )
    first, last = c["fee"]
    way = np.clip((who.year - c["since"]) / (2025 - c["since"]), 0.0, 1.0)
    fee = np.round(first + (last - first) * way + rng.normal(0, c["fee_sd"], count), 2)
    day, ahead = np.datetime64(f"{who.year}-12-31"), rng.integers(1, 731, count)
    late = arrears > 0
    due = np.round(balance * who.share(*c["due_part"]), 2)
    known = day + rng.integers(c["known"][0], c["known"][1] + 1, count)
    return pd.DataFrame(
        {
            "row": who.rows,
            "year": np.full(count, float(who.year)),
            "loan_balance": balance,
            "unsecured_balance": unsecured,
            # What is overdue fell due when the arrears began.
            "loan_maturing_on": np.where(late, day - arrears, day + ahead).astype("datetime64[s]"),
            "loan_amount_due": due,
            "arrears_days": arrears.astype(float),
            "five_class": _grade(who, arrears),
            "lenders": 1.0 + rng.poisson(c["lenders"] * np.exp(0.4 * (view["size"] - 8.0)), count),
            "credit_bureau_consent": (rng.random(count) < c["consent"]).astype(float),
            "ip_pledged_value": _pledged(who),
            "guarantee_balance": guaranteed,
            "guarantee_fee_pct": np.where(guaranteed > 0, np.clip(fee, 0.2, 3.0), np.nan),
            "loan_purpose": rng.choice(
                [k for k, _ in c["purposes"]], count, p=[s for _, s in c["purposes"]]
            ),
            "need_type": _needs(who),
            "known_on": known.astype("datetime64[s]"),
        }
    )


def _grade(who: Borrowers, arrears: Ints) -> NDArray[np.str_]:
    """Grade by days in arrears; without any, a weak firm is watched (关注)."""
    names = np.array(["normal", "special_mention", "substandard", "doubtful", "loss"])
    grade = np.digitize(arrears, who.numbers["grades"])
    weak = (who.view["finance"] < who.numbers["watched"]) & (grade == 0)
    return np.asarray(names[np.where(weak, 1, grade)])


def _pledged(who: Borrowers) -> Floats:
    c, rights = who.numbers, who.view["class1"]
    value = np.round(rights * np.exp(who.rng.normal(np.log(c["pledge"]), 0.6, len(rights))), 2)
    return np.where(rights > 0, who.some(c["pledged"], value), np.nan)


def _needs(who: Borrowers) -> NDArray[np.object_]:
    """Join the programmes that a firm asks for, in the order of their codes; None without any."""
    wanted = sorted(who.numbers["needs"].items())
    asks = who.rng.random((len(wanted), len(who.rows))) < np.array([[s] for _, s in wanted])
    made = np.full(len(who.rows), "", dtype=object)
    for (name, _), asked in zip(wanted, asks, strict=True):
        made = np.where(asked, made + np.where(made == "", "", ";") + name, made)
    made[made == ""] = None
    return made
