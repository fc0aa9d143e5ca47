"""Facts: one number per firm at the as-of date, made from firm records, titles and events.

Absence counts as zero only where the panel's coverage says so; elsewhere it is unknown.
To add a fact, add a function and its line in :data:`FACTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.expr import Array
from features.panel import Panel
from features.schema import FAMILIES
from tidu.clock import add_months

__all__ = ["ADVERSE", "FACTS", "LADDER", "Fact", "facts", "valid_titles"]

LADDER = ("innovative_sme", "srdi_municipal", "srdi_provincial", "little_giant", "single_champion")
"""The tiers of the plan, lowest first."""

ADVERSE = (
    "abnormal_list",
    "dishonest_list",
    "judgment_debtor",
    "accident_major",
    "tax_evasion",
    "data_fraud",
    "penalty",
    "lawsuit",
)
MARKET_STEPS = ("reform", "guidance", "accepted", "approved", "registered", "quoted")
ADVERSE_YEARS = 3
DAYS_IN_YEAR = 365.25


@dataclass(frozen=True)
class Fact:
    """A named function of a panel; ``families`` as for a column."""

    name: str
    families: tuple[str, ...]
    compute: Callable[[Panel, Array], Array]


def facts(panel: Panel, firm_ids: Array) -> dict[str, Array]:
    """Compute all facts for ``firm_ids``; NaN = unknown."""
    return {fact.name: fact.compute(panel, firm_ids) for fact in FACTS}


def covered(panel: Panel, kind: str, years: int = 0) -> bool:
    """Whether absence of events of ``kind`` in the last ``years`` means: did not happen."""
    since = add_months(panel.as_of, -12 * years)
    return any(c.kind == kind and c.start <= since for c in panel.coverage)


def valid_titles(panel: Panel) -> pd.DataFrame:
    """Titles in force at the as-of date: issued, not revoked or cancelled, not expired."""
    titles = panel.tables["titles"]
    moment = pd.Timestamp(panel.as_of)
    running = titles["expires_on"].isna() | (titles["expires_on"] >= moment)
    return titles[(running & titles["revoked_on"].isna()).to_numpy()]


def _per_firm(series: pd.Series, firm_ids: Array, missing: float) -> Array:
    return series.reindex(firm_ids).fillna(missing).to_numpy(dtype="float64")


def _age(panel: Panel, firm_ids: Array) -> Array:
    founded = panel.firms["founded_on"].reindex(firm_ids)
    days = (pd.Timestamp(panel.as_of) - founded).dt.days
    return np.asarray(days.to_numpy(dtype="float64") / DAYS_IN_YEAR)


def _tier_rank(panel: Panel) -> pd.Series:
    titles = valid_titles(panel)
    return _ranks(titles["tier"]).groupby(titles["firm_id"]).max()


def _ranks(tiers: pd.Series) -> pd.Series:
    """1 for the lowest tier of the plan; NaN for a title off the ladder (a float even if empty)."""
    return tiers.map({tier: i + 1.0 for i, tier in enumerate(LADDER)}).astype("float64")


def _has_titles(panel: Panel) -> bool:
    return any(covered(panel, f"title:{tier}") for tier in LADDER)


def _tier_held(panel: Panel, firm_ids: Array) -> Array:
    missing = 0.0 if _has_titles(panel) else np.nan
    return _per_firm(_tier_rank(panel), firm_ids, missing)


def _titles_held(panel: Panel, firm_ids: Array) -> Array:
    missing = 0.0 if _has_titles(panel) else np.nan
    count = valid_titles(panel).groupby("firm_id")["tier"].nunique()
    return _per_firm(count, firm_ids, missing)


def _years_in_tier(panel: Panel, firm_ids: Array) -> Array:
    titles = valid_titles(panel)
    best = titles["firm_id"].map(_tier_rank(panel)).astype("float64")
    own = _ranks(titles["tier"])
    first = panel.tables["titles"].groupby(["firm_id", "tier"])["issued_on"].min()
    held = titles[(own == best).to_numpy()].drop_duplicates("firm_id")
    index = pd.MultiIndex.from_frame(held[["firm_id", "tier"]])
    since = pd.Series(first.reindex(index).to_numpy(), index=held["firm_id"])
    years = (pd.Timestamp(panel.as_of) - since).dt.days / DAYS_IN_YEAR
    return np.asarray(years.reindex(firm_ids).to_numpy(dtype="float64"))


def _adverse(panel: Panel, firm_ids: Array) -> Array:
    kinds = [kind for kind in ADVERSE if covered(panel, kind, ADVERSE_YEARS)]
    if not kinds:
        return np.full(len(firm_ids), np.nan)
    events = panel.tables["events"]
    recent = events["on"] > pd.Timestamp(panel.as_of) - pd.DateOffset(years=ADVERSE_YEARS)
    # Repaired and exempt records stand nowhere (plan L5; 信用修复).
    clean = events["repaired_on"].isna() & (events["exempt_minor"].fillna(0) != 1)
    chosen = events[(events["kind"].isin(kinds) & recent & clean).to_numpy()]
    return _per_firm(chosen.groupby("firm_id").size(), firm_ids, 0.0)


def _market_steps(panel: Panel, firm_ids: Array) -> Array:
    kinds = [kind for kind in MARKET_STEPS if covered(panel, kind)]
    if not kinds:
        return np.full(len(firm_ids), np.nan)
    events = panel.tables["events"]
    chosen = events[events["kind"].isin(kinds).to_numpy()]
    return _per_firm(chosen.groupby("firm_id")["kind"].nunique(), firm_ids, 0.0)


def _joint_stock(panel: Panel, firm_ids: Array) -> Array:
    form = panel.firms["legal_form"].reindex(firm_ids)
    return np.where(form.isna(), np.nan, (form == "joint_stock").to_numpy(dtype="float64"))


NOT_DISTRESS = tuple(family for family in FAMILIES if family != "distress")

FACTS = (
    Fact("age_years", FAMILIES, _age),
    # Title status never drives distress: a white list must not change a risk figure.
    Fact("tier_held", NOT_DISTRESS, _tier_held),
    Fact("titles_held", NOT_DISTRESS, _titles_held),
    Fact("years_in_tier", NOT_DISTRESS, _years_in_tier),
    Fact("adverse_3y", FAMILIES, _adverse),
    Fact("market_steps", ("listing", "promotion", "growth"), _market_steps),
    Fact("joint_stock", NOT_DISTRESS, _joint_stock),
)
