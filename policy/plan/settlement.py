"""Settlement: all claims to the plan's one-off rewards, and what each still pays.

A claim that lacks a fact, or the city's review, pays nothing yet; what it would pay stands beside
it as ``contingent`` and never enters a total.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.panel import Panel
from features.schema import fold
from policy.plan.claims import DUE, PENDING, UNREVIEWED, Reward, Terms, by_title
from policy.plan.relocation import Relocation, by_relocation
from policy.plan.stacking import LIFETIME, attributed, pays

__all__ = ["Scheme", "if_recognised", "payments", "settle"]


@dataclass(frozen=True)
class Scheme:
    """The rewards that share one pot (从高不重复)."""

    rewards: tuple[Reward, ...]
    relocation: Relocation | None = None

    @property
    def spellings(self) -> dict[str, str]:
        """Which reward a spelling of ``awards.item`` names, folded."""
        owners = [(reward.id, reward.spellings) for reward in self.rewards]
        if self.relocation is not None:
            owners.append((self.relocation.id, self.relocation.spellings))
        return {fold(text): owner for owner, texts in owners for text in (owner, *texts)}


def payments(panel: Panel, spellings: Mapping[str, str]) -> pd.DataFrame:
    """What was paid: firm_id, reward, paid_on, year, amount; other items are left out."""
    awards = panel.tables["awards"]
    items = {item: spellings.get(fold(item)) for item in awards["item"].unique()}
    paid = awards.assign(reward=awards["item"].map(items).astype(object))
    columns = ["firm_id", "reward", "paid_on", "year", "amount"]
    return paid.loc[paid["reward"].notna().to_numpy(), columns].reset_index(drop=True)


def settle(panel: Panel, scheme: Scheme, terms: Terms) -> pd.DataFrame:
    """All claims with payable and contingent (万元) and the year of payment (NaN: nothing is due).

    Sorted by firm, day and reward. A claim that nobody can ever have is here, too, with its reason.
    """
    frames = [by_title(panel, reward, terms) for reward in scheme.rewards]
    if scheme.relocation is not None:
        frames.append(by_relocation(panel, scheme.relocation, scheme.rewards, terms))
    filled = [frame for frame in frames if len(frame)]
    claims = pd.concat(filled, ignore_index=True) if filled else frames[0]
    claims = claims.sort_values(["firm_id", "on", "reward", "tier"], ignore_index=True)
    open_claims = claims[claims["state"].isin([DUE, PENDING, UNREVIEWED]).to_numpy()]
    paid = attributed(payments(panel, scheme.spellings), open_claims, terms.lag)
    claims = _unclear(claims, paid, terms.reading)
    return _with_amounts(claims, paid, panel.as_of, terms)


def _unclear(claims: pd.DataFrame, paid: pd.DataFrame, reading: str) -> pd.DataFrame:
    """Nothing is due from a pot of which a payment without amount was made, until it is known."""
    unknown = paid[paid["amount"].isna().to_numpy()]
    pot = ["firm_id"] if reading == LIFETIME else ["firm_id", "year"]
    touched = pd.MultiIndex.from_frame(claims[["firm_id", "year"]][pot]).isin(
        pd.MultiIndex.from_frame(unknown[pot])
    )
    unclear = touched & (claims["state"] == DUE).to_numpy()
    return claims.assign(
        state=claims["state"].mask(unclear, PENDING),
        reason=claims["reason"].mask(unclear, "paid_unknown"),
    )


def _with_amounts(
    claims: pd.DataFrame, paid: pd.DataFrame, day: date, terms: Terms
) -> pd.DataFrame:
    known = paid[paid["amount"].notna().to_numpy()]
    dated = claims.assign(year=claims["year"].fillna(float(day.year)))
    state = claims["state"].to_numpy()
    due = state == DUE
    maybe = due | (state == PENDING) | (state == UNREVIEWED)
    full = _pays(dated, due, known.iloc[:0], terms.reading)
    payable = _pays(dated, due, known, terms.reading)
    contingent = np.where(due, 0.0, _pays(dated, maybe, known, terms.reading))
    less = due & (payable < claims["amount"].to_numpy(dtype="float64"))
    reason = np.where(less, np.where(payable < full, "settled", "lower"), claims["reason"])
    # What should have been paid before this year can only be paid from now on.
    year = np.maximum(dated["year"].to_numpy() + terms.lag, float(day.year))
    return claims.assign(
        reason=reason.astype(object),
        payable=payable,
        contingent=contingent,
        pay_year=np.where(payable > 0, year, np.nan),
    )


def _pays(
    claims: pd.DataFrame, rows: NDArray[np.bool_], paid: pd.DataFrame, reading: str
) -> NDArray[np.float64]:
    found = np.zeros(len(claims))
    found[rows] = pays(claims[rows], paid, reading)
    return found


def if_recognised(panel: Panel, entrants: Mapping[str, NDArray[np.bool_]], on: date) -> Panel:
    """The panel in which firms (a row per ``panel.firm_ids``) were newly recognised on a day.

    What a simulation settles to learn the budget of its entrants.
    """
    titles = panel.tables["titles"]
    new = [
        pd.DataFrame({"firm_id": panel.firm_ids[rows], "tier": tier})
        for tier, rows in entrants.items()
    ]
    added = pd.concat(new, ignore_index=True).reindex(columns=titles.columns)
    clocks: dict[str, Any] = {"known_on": pd.Timestamp(on), "known_inferred": False, "seq": 0}
    added = added.assign(issued_on=pd.Timestamp(on), purpose="new", **clocks)
    both = pd.concat([titles, added.astype(titles.dtypes)], ignore_index=True)
    return replace(panel, tables={**panel.tables, "titles": both})
