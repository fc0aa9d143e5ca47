"""What the city has paid for titles: ``awards``, some months after each, the highest of a year."""

from __future__ import annotations

import numpy as np
import pandas as pd

from city.parameters import Parameters, Stream

__all__ = ["awards_table"]


def awards_table(
    p: Parameters, titles: pd.DataFrame, ended_on: pd.Series, stream: Stream
) -> pd.DataFrame:
    """Return ``awards``; ``ended_on`` gives the last day of firms that ended, by firm_id.

    Amounts and items are examples of the parameters, in the form of the plan: one amount a tier for
    a title newly granted, only the highest of one year. Some are still unpaid at the end.
    """
    a, rng = p.section("awards"), stream("awards")
    new = titles[(titles["purpose"] == "new").to_numpy() & titles["tier"].isin(a["tiers"])]
    new = new[(new["issued_on"] >= pd.Timestamp(f"{a['since']}-01-01")).to_numpy()]
    amount = new["tier"].map({tier: float(rule["amount"]) for tier, rule in a["tiers"].items()})
    claims = new[["firm_id", "tier", "issued_on"]].assign(
        amount=amount, year=new["issued_on"].dt.year.astype("float64")
    )
    claims = claims.sort_values(["firm_id", "year", "amount", "issued_on"])
    claims = claims.drop_duplicates(["firm_id", "year"], keep="last").reset_index(drop=True)
    first, last = a["days"]
    wait = pd.to_timedelta(rng.integers(first, last + 1, len(claims)), unit="D")
    paid = claims["issued_on"] + wait
    end = pd.Timestamp(f"{p.whole('time', 'last') + 1}-06-30")
    gone = claims["firm_id"].map(ended_on)
    done = (rng.random(len(claims)) < a["paid"]) & (paid <= end) & ~(gone <= paid)
    table = pd.DataFrame(
        {
            "firm_id": claims["firm_id"],
            "item": claims["tier"].map({t: rule["item"] for t, rule in a["tiers"].items()}),
            "paid_on": paid,
            "amount": claims["amount"],
            "year": claims["year"],
            "payer": np.full(len(claims), f"{p.raw['place']['city']}市财政局"),
        }
    )[np.asarray(done, dtype=bool)]
    return table.sort_values(["firm_id", "paid_on", "item"]).reset_index(drop=True)
