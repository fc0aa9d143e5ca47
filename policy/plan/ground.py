"""The ground that supports stand on: firms, settings, how conditions hold, what tiers lack.

Everything is in the order of ``panel.firm_ids``. Measures and products ask nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.facts import LADDER, covered, valid_titles
from features.panel import Panel
from policy.logic import MANUAL, MET, UNKNOWN, UNMET, Status, every
from policy.plan.claims import gone, here
from policy.plan.result import PlanRow
from policy.plan.scopes import among, in_scope
from policy.plan.settings import Settings
from policy.values import Values
from tidu.clock import add_months

__all__ = [
    "GONE",
    "Gaps",
    "Ground",
    "attested",
    "eligible",
    "newest_credit",
    "next_tier",
    "support",
]

GONE = ("closure", "dissolved")
"""Events after which a firm is none."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gaps:
    """One tier's criteria per firm: status (firms, criteria), and the tags of each criterion.

    A tag is a metric that the criterion tests, a finding that it needs, or its own id.
    """

    criteria: NDArray[np.int8]
    names: tuple[str, ...]
    tags: tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Ground:
    """``holds`` judges a condition as the data writes it, ``number`` reads a metric.

    ``gaps`` and ``status`` are a tier's criteria and verdict, None where no edition is in force.
    ``values`` are the figures that ``holds`` and ``number`` read, where the law's engine does.
    """

    panel: Panel
    settings: Settings
    holds: Callable[[Mapping[str, Any]], Status]
    number: Callable[[str], Floats]
    gaps: Callable[[str], Gaps | None]
    status: Callable[[str], Status | None]
    values: Values | None = None

    @cached_property
    def present(self) -> Status:
        """Firms of the city that exist; nobody else qualifies for anything."""
        ids = pd.Series(self.panel.firm_ids, dtype=object)
        masks = [*here(self.panel, ids).values(), gone(self.panel, ids, GONE)]
        return np.where(np.logical_or.reduce(masks), UNMET, MET).astype(np.int8)

    @cached_property
    def _scopes(self) -> dict[str, Status]:
        return {}

    def scope(self, name: str) -> Status:
        """The firms of a scope, looked up once."""
        if name not in self._scopes:
            self._scopes[name] = in_scope(self.panel, name)
        return self._scopes[name]


def support(row: PlanRow) -> Mapping[str, Any] | None:
    """What a row offers to firms: its measure or product; None for a row that offers nothing."""
    return row.details.get("measure") or row.details.get("product")


def eligible(row: PlanRow, ground: Ground) -> Status:
    """Who a support is for; what is not on record is unknown, what an official finds is manual."""
    panel = ground.panel
    detail = support(row) or {}
    parts = [ground.present, ground.scope(detail.get("reach", row.scope))]
    if "who" in detail:
        parts.append(ground.holds(detail["who"]))
    if "maturing" in detail:
        parts.append(_maturing(panel, int(ground.settings.number(detail["maturing"]) or 0)))
    if detail.get("manual"):
        parts.append(attested(panel, row.id))
    if detail.get("unlisted"):
        parts.append(_without(panel, "listed"))
    return every(parts)


def newest_credit(panel: Panel, column: str) -> pd.Series:
    """A column of each firm's newest credit record, one value per ``panel.firm_ids``."""
    credit = panel.tables["credit"].sort_values("year").drop_duplicates("firm_id", keep="last")
    return credit.set_index("firm_id")[column].reindex(panel.firm_ids)


def attested(panel: Panel, criterion: str) -> Status:
    """An official's newest valid finding on a criterion; manual where there is none."""
    findings = panel.tables["attestations"]
    moment = pd.Timestamp(panel.as_of)
    valid = findings["valid_until"].isna() | (findings["valid_until"] >= moment)
    own = findings[(valid & (findings["criterion"] == criterion)).to_numpy()]
    newest = own.sort_values(["firm_id", "attested_on", "batch"], na_position="first")
    found = newest.drop_duplicates("firm_id", keep="last").set_index("firm_id")["finding"]
    own_finding = found.reindex(panel.firm_ids)
    met, unmet = (own_finding == "met").to_numpy(), (own_finding == "unmet").to_numpy()
    return np.where(met, MET, np.where(unmet, UNMET, MANUAL)).astype(np.int8)


def _maturing(panel: Panel, months: int) -> Status:
    """Whether a loan falls due within so many months; loans that are not on record are unknown."""
    due = newest_credit(panel, "loan_maturing_on")
    first, last = pd.Timestamp(panel.as_of), pd.Timestamp(add_months(panel.as_of, months))
    soon = ((due >= first) & (due <= last)).to_numpy()
    return np.where(due.isna(), UNKNOWN, np.where(soon, MET, UNMET)).astype(np.int8)


def _without(panel: Panel, kind: str) -> Status:
    """Whether an event has not happened, as far as the records reach."""
    events = panel.tables["events"]
    happened = among(panel.firm_ids, events.loc[(events["kind"] == kind).to_numpy(), "firm_id"])
    otherwise = MET if covered(panel, kind) else UNKNOWN
    return np.where(happened, UNMET, otherwise).astype(np.int8)


def next_tier(panel: Panel, tiers: Sequence[str] = LADDER) -> NDArray[np.int64]:
    """The rung above the highest valid title of each firm; ``len(tiers)`` at the top."""
    titles = valid_titles(panel)
    rank = titles["tier"].map({tier: i + 1.0 for i, tier in enumerate(tiers)}).astype("float64")
    best = rank.groupby(titles["firm_id"]).max().reindex(panel.firm_ids)
    return best.fillna(0.0).to_numpy().astype("int64")
