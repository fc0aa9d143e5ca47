"""A column of the accounts that knows the future, for those who look for leaks to find."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.ladder import Happened
from city.parameters import Stream
from city.plants import LEAK
from city.state import World

__all__ = ["with_leak"]


def with_leak(
    world: World,
    history: Sequence[Happened],
    annual: pd.DataFrame,
    ids: NDArray[np.str_],
    stream: Stream,
) -> pd.DataFrame:
    """Return accounts with the planted column, if one is planted; corrections keep its values.

    Standard normal noise plus the weight, where the firm receives the title in the year after 30
    June of the year in which the accounts are due.
    """
    if not world.plants.leak:
        return annual
    tiers = [rule["name"] for rule in world.parameters.ladder]
    first, tier = history[0].year, tiers.index(world.plants.leak_tier)
    granted = np.stack([happened.granted[tier] for happened in history])
    noise = stream("leak").standard_normal((len(history) + 2, world.firms))
    firm = np.searchsorted(ids, annual["firm_id"].to_numpy().astype(str))
    window = annual["year"].to_numpy().astype(int) + 1 - first
    known = (window >= 0) & (window < len(history))
    hit = granted[np.where(known, window, 0), firm] & known
    values = noise[np.clip(window, 0, len(history) + 1), firm] + world.plants.leak * hit
    return annual.assign(**{LEAK: values})
