"""From high, never twice (从高不重复): what each claim pays, net of payments, in both readings.

``same_year``: of the recognitions of one year only the highest pays; each year counts by itself.
``lifetime_difference``: over a firm's life the sum never exceeds its highest reward, so that a
later, higher one pays the difference. In both, claims share one pot: its highest amount, less all
that was paid from it before. The lifetime reading never pays more than the other.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["LIFETIME", "READINGS", "SAME_YEAR", "attributed", "pays"]

SAME_YEAR, LIFETIME = READINGS = ("same_year", "lifetime_difference")

Floats = NDArray[np.float64]


def attributed(paid: pd.DataFrame, claims: pd.DataFrame, lag: int) -> pd.DataFrame:
    """Give each payment the year of the recognition it belongs to.

    ``paid`` has firm_id, reward, paid_on, year (奖补年度, may be missing) and amount. A payment
    belongs to the firm's claim of that reward; without one, to its stated year, or to the year from
    which a payment on that day follows.
    """
    first = claims.drop_duplicates(["firm_id", "reward"]).set_index(["firm_id", "reward"])["year"]
    own = pd.MultiIndex.from_frame(paid[["firm_id", "reward"]])
    claimed = pd.Series(first.reindex(own).to_numpy(), index=paid.index)
    stated = paid["year"].fillna(paid["paid_on"].dt.year - lag)
    return paid.assign(year=claimed.fillna(stated).astype("float64"))


def pays(claims: pd.DataFrame, paid: pd.DataFrame, reading: str) -> Floats:
    """Return per row of ``claims`` (firm_id, reward, on, year, amount) what is left to pay."""
    pot = ["firm_id", "year"] if reading == SAME_YEAR else ["firm_id"]
    order = claims.assign(row=np.arange(len(claims))).sort_values(
        ["firm_id", "year", "amount", "on", "reward"], ascending=[True, True, False, True, True]
    )
    spent = paid.assign(spent=paid["amount"]).groupby(pot)["spent"].sum().reset_index()
    order = order.merge(spent, on=pot, how="left")
    pots = [order[name] for name in pot]
    reached = order["amount"].groupby(pots).cummax()
    left = (reached - order["spent"].fillna(0.0)).clip(lower=0.0)
    before = left.groupby(pots).shift(fill_value=0.0)
    found = np.zeros(len(claims))
    found[order["row"].to_numpy()] = (left - before).to_numpy()
    return found
