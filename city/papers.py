"""The papers on file: what firms handed in with their applications, and certificates of titles."""

from __future__ import annotations

import numpy as np
import pandas as pd

from city.parameters import Parameters, Stream

__all__ = ["materials_table"]


def materials_table(
    p: Parameters, applications: pd.DataFrame, titles: pd.DataFrame, stream: Stream
) -> pd.DataFrame:
    """Return ``materials``: some papers of each application are there, others were never asked for.

    A paper of a year is of the last complete one before the application.
    """
    rng = stream("papers")
    since = pd.Timestamp(f"{p.whole('papers', 'since')}-01-01")
    asked = applications[applications["submitted_on"] >= since]
    frames = []
    for name, rule in p.section("papers")["handed_in"].items():
        there = asked[rng.random(len(asked)) < rule["share"]]
        age = rng.integers(rule["age"][0], rule["age"][1] + 1, len(there))
        issued = there["submitted_on"] - pd.to_timedelta(age, unit="D")
        frame = pd.DataFrame({"firm_id": there["firm_id"], "paper": name, "issued_on": issued})
        if "years" in rule:
            frame["valid_until"] = issued + pd.DateOffset(years=rule["years"])
        if rule.get("yearly"):
            frame["fiscal_year"] = there["submitted_on"].dt.year.astype("float64") - 1
        frames.append(frame.assign(known_on=there["submitted_on"]))
    granted = titles[titles["issued_on"] >= since]
    frames.append(
        pd.DataFrame(
            {
                "firm_id": granted["firm_id"],
                "paper": "title_certificate",
                "issued_on": granted["issued_on"],
                "valid_until": granted["expires_on"],
                "document": granted["certificate_no"],
                "known_on": granted["issued_on"],
            }
        )
    )
    table = pd.concat(frames, ignore_index=True)
    order = ["firm_id", "paper", "issued_on", "known_on"]
    table = table.sort_values(order).drop_duplicates(order[:3])
    return table.assign(known_on=np.maximum(table["known_on"], table["issued_on"])).reset_index(
        drop=True
    )
