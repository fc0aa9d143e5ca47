"""Changes of basis: a firm that heads a group one day reports for the whole of it (合并报表).

Its money then jumps by what the group adds, which is no growth; heads and rights stay those of the
firm. Some restate the year before on the new basis, as a later delivery of that year.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.accounts import MONEY
from city.parameters import Floats, Stream
from city.state import Bools, Ints, World

__all__ = ["Basis", "basis_of", "consolidated", "restated"]

OWN = frozenset({"share_capital", "retained_earnings"})
"""The capital of a group is that of its head; what it has retained follows from it."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Per firm: the first year on the group's basis (0 = never), what it adds, and restating."""

    since: Ints
    factor: Floats
    restates: Bools

    def group_in(self, year: int, rows: NDArray[np.int64]) -> Bools:
        """Who of ``rows`` reports for the group in ``year``."""
        return np.asarray((self.since[rows] > 0) & (self.since[rows] <= year))


def basis_of(world: World, stream: Stream) -> Basis:
    """Draw which heads of groups change the basis, and when: some in their first accounts here."""
    b, rng, n = world.parameters.section("basis"), stream("basis"), world.firms
    first, last = (world.parameters.whole("time", name) for name in ("first_accounts", "last"))
    traits = world.traits
    size = np.bincount(traits.head, minlength=n)
    changes = (traits.head == np.arange(n)) & (size > 1) & (rng.random(n) < b["consolidating"])
    begun = np.maximum(traits.first_year, first)
    always = rng.random(n) < b["always"]
    since = np.where(always, begun, rng.integers(begun + 1, np.maximum(last, begun + 1) + 1))
    mean, sd = b["adds"]
    return Basis(
        since=np.where(changes, since, 0),
        factor=1.0 + np.maximum(np.exp(rng.normal(np.log(mean), sd, n)), b["adds_least"]),
        restates=rng.random(n) < b["restated"],
    )


def consolidated(frame: pd.DataFrame, rows: Bools, factor: Floats) -> pd.DataFrame:
    """Return the statements with those in ``rows`` for the whole group, ``factor`` times the head.

    ``factor`` has one value per row of ``frame``.
    """
    made = frame.copy()
    times = np.where(rows, factor, 1.0)[:, None]
    scaled = sorted(MONEY - OWN)
    made[scaled] = np.where(rows[:, None], np.round(made[scaled] * times, 2), made[scaled])
    net, capital = made["net_assets"], made["share_capital"]
    kept = rows & made["retained_earnings"].notna().to_numpy()
    made["retained_earnings"] = made["retained_earnings"].mask(kept, np.round(net - capital, 2))
    per_share = np.round(net / np.maximum(capital, 1.0), 2)
    made["net_assets_per_share"] = made["net_assets_per_share"].mask(rows, per_share)
    return made.assign(
        reporting_basis=made["reporting_basis"].mask(pd.Series(rows, made.index), "consolidated")
    )


def restated(before: pd.DataFrame, now: pd.DataFrame, firms: pd.Series) -> pd.DataFrame:
    """Return last year's statements on this year's basis, known with this year's.

    ``firms`` holds the factor of each firm that restates, by firm_id. A year that was never
    reported is not restated; one that came late is restated after it.
    """
    old = before[before["firm_id"].isin(firms.index) & before["firm_id"].isin(now["firm_id"])]
    factor = firms.reindex(old["firm_id"]).to_numpy(dtype="float64")
    made = consolidated(old, np.ones(len(old), dtype=bool), factor)
    known = now.set_index("firm_id")["known_on"].reindex(old["firm_id"]).to_numpy()
    after = old["known_on"].to_numpy() + np.timedelta64(1, "D")
    return made.assign(known_on=np.maximum(known, after).astype("datetime64[s]"))
