"""What officials find on the criteria that no figure decides, application by application."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.parameters import Parameters, Stream

__all__ = ["attestations_table", "pool_members"]

COLUMNS = ["firm_id", "criterion", "batch", "finding", "evidence", "attested_by", "attested_on"]


def attestations_table(
    p: Parameters, applications: pd.DataFrame, firms: pd.DataFrame, stream: Stream
) -> pd.DataFrame:
    """Return ``attestations``: one finding per manual criterion of an application.

    A finding is made between the application and its decision, under the edition of the decision,
    and agrees with it more often than not. Applications are those of ``new`` titles.
    """
    a, rng = p.section("attestations"), stream("attestations")
    new = applications[(applications["purpose"] == "new").to_numpy()]
    asked = new.merge(
        firms[["firm_id", "district", "control_group_id", "niche_name"]], on="firm_id"
    )
    decided = asked["decided_on"].fillna(asked["submitted_on"])
    end = pd.Timestamp(f"{p.whole('time', 'last') + 1}-06-30")
    frames = []
    for rule in a["criteria"]:
        since, until = (pd.Timestamp(day) for day in rule["editions"])
        inside = (asked["tier"] == rule["tier"]) & (decided >= since) & (decided < until)
        own = asked[inside.to_numpy()].reset_index(drop=True)
        if len(own):
            frame = _findings(p, own, rule["criterion"], rng)
            years = pd.DateOffset(years=rule["years"])
            frames.append(frame.assign(valid_until=frame["attested_on"] + years))
    if not frames:
        return pd.DataFrame(columns=[*COLUMNS, "valid_until"])
    table = pd.concat(frames, ignore_index=True)
    table = table[(table["attested_on"] <= end).to_numpy()]
    order = ["firm_id", "criterion", "batch"]
    return table.sort_values(order).drop_duplicates(order).reset_index(drop=True)


def pool_members(
    p: Parameters, events: pd.DataFrame, firms: pd.DataFrame, stream: Stream
) -> pd.DataFrame:
    """Return findings that put firms into the pool of those that may list, after their reform."""
    rule, rng = p.section("attestations")["pool"], stream("pool")
    reformed = events[(events["kind"] == "reform").to_numpy()]
    reformed = reformed[(reformed["on"] >= pd.Timestamp(f"{rule['since']}-01-01")).to_numpy()]
    chosen = reformed[rng.random(len(reformed)) < rule["share"]].merge(
        firms[["firm_id", "district"]], on="firm_id"
    )
    wait = rng.integers(rule["days"][0], rule["days"][1] + 1, len(chosen))
    on = chosen["on"] + pd.to_timedelta(wait, unit="D")
    table: pd.DataFrame = pd.DataFrame(
        {
            "firm_id": chosen["firm_id"],
            "criterion": rule["criterion"],
            "batch": on.dt.year.astype("str"),
            "finding": "met",
            "evidence": "股改完成证明",
            "attested_by": chosen["district"] + "金融工作部门",
            "attested_on": on,
            "valid_until": on + pd.DateOffset(years=rule["years"]),
        }
    )
    table = table[(on <= pd.Timestamp(f"{p.whole('time', 'last') + 1}-06-30")).to_numpy()]
    order = ["firm_id", "criterion", "batch"]
    return table.sort_values([*order, "attested_on"]).drop_duplicates(order).reset_index(drop=True)


def _findings(
    p: Parameters, own: pd.DataFrame, criterion: str, rng: np.random.Generator
) -> pd.DataFrame:
    a, count = p.section("attestations"), len(own)
    names = np.array(["met", "unmet", "unknown"])
    chances = np.array([a["findings"][_result(r)] for r in own["final_result"]])
    finding = names[(rng.random(count)[:, None] > np.cumsum(chances, axis=1)[:, :2]).sum(axis=1)]
    if criterion == a["group_criterion"]:
        finding = _of_groups(own)
    first, last = a["days"]
    wait = rng.integers(first, last + 1, count).astype("timedelta64[D]")
    on = own["submitted_on"].to_numpy().astype("datetime64[D]") + wait
    decided = own["decided_on"].to_numpy().astype("datetime64[D]")
    on = np.where(np.isnat(decided), on, np.minimum(on, decided))
    city = rng.random(count) < a["by_city"]
    office = np.where(city, p.raw["place"]["city"] + "市", own["district"].to_numpy(dtype=str))
    return pd.DataFrame(
        {
            "firm_id": own["firm_id"],
            "criterion": criterion,
            "batch": own["batch"],
            "finding": finding,
            "evidence": rng.choice(a["evidence"], count),
            "attested_by": np.char.add(office.astype(str), "工信部门"),
            "attested_on": on.astype("datetime64[s]"),
        }
    )


def _result(result: object) -> str:
    return str(result) if result in ("passed", "failed") else "open"


def _of_groups(own: pd.DataFrame) -> NDArray[np.str_]:
    """Kin with one product in one batch are in conflict; who passed all the same is to be seen."""
    key = ["control_group_id", "niche_name", "batch"]
    kin = own.groupby(key, dropna=True)["firm_id"].transform("count").fillna(1.0) > 1
    passed = own["final_result"] == "passed"
    return np.where(kin & passed, "unknown", np.where(kin, "unmet", "met"))
