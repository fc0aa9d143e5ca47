"""Products of banks and markets: which firm each fits, with terms that are examples, never offers.

The white list is speed and nothing else: it is computed here, shown, and an input to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.facts import covered
from features.panel import Panel
from policy.logic import MET, NAMES, NOT_APPLICABLE, UNKNOWN, UNMET, Status, every
from policy.plan.ground import Ground, attested, eligible, newest_credit
from policy.plan.result import Note, PlanRow, Result
from policy.plan.scopes import among, holds_any

__all__ = ["EXAMPLES", "run", "white_list"]

EXAMPLES = Note(
    "条款为公开资料示例,以金融机构为准", "Terms are examples from public sources: the bank decides"
)
STATUS = np.array(NAMES, dtype=object)

Floats = NDArray[np.float64]


def run(row: PlanRow, ground: Ground) -> Result:
    """The consequence of a row of kind product."""
    detail = row.details["product"]
    form: Callable[[PlanRow, Ground], Result] = _FORMS.get(detail.get("form", ""), _offers)
    return form(row, ground)


def _notes(row: PlanRow, *more: Note) -> tuple[Note, ...]:
    detail = row.details["product"]
    own = [Note(detail["note_zh"], detail["note_en"])] if "note_zh" in detail else []
    return (*own, *more)


# -------------------------------------------------------------------------------------- offers


def _offers(row: PlanRow, ground: Ground) -> Result:
    """Per offer the firms that it fits, or may fit as far as the records reach."""
    detail = row.details["product"]
    fits = eligible(row, ground)
    frames = [_offer(raw, fits, ground) for raw in detail["offers"]]
    table = pd.concat(frames, ignore_index=True)
    met = (table["status"] == "met").to_numpy()
    counts = table.loc[met, "offer"].value_counts()
    totals: dict[str, float | None] = {
        "firms": float(table.loc[met, "firm_id"].nunique()),
        "open_firms": float(table.loc[~met, "firm_id"].nunique()),
    }
    totals |= {f"firms_{raw['id']}": float(counts.get(raw["id"], 0)) for raw in detail["offers"]}
    used = ground.settings.used(detail)
    return Result(row.id, row.kind, table, totals, _notes(row, EXAMPLES), used)


def _offer(raw: Mapping[str, Any], fits: Status, ground: Ground) -> pd.DataFrame:
    parts = [fits]
    if "tiers" in raw:
        parts.append(holds_any(ground.panel, raw["tiers"]))
    if "who" in raw:
        parts.append(ground.holds(raw["who"]))
    status = every(parts)
    rows = np.flatnonzero((status != UNMET) & (status != NOT_APPLICABLE))
    basis, low, high = _amounts(raw, ground)
    ids = pd.Series(ground.panel.firm_ids[rows], dtype=object)
    table = pd.DataFrame(
        {
            "firm_id": ids,
            "district": ground.panel.firms["district"].reindex(ids).fillna("").to_numpy(),
            "offer": raw["id"],
            "zh": raw["zh"],
            "en": raw["en"],
            "status": STATUS[status[rows]],
            "basis": basis[rows],
            "low": low[rows],
            "high": high[rows],
            "years": float(raw.get("years", np.nan)),
            "fee": raw.get("fee", ""),
            "confidence": raw.get("confidence", ""),
            "source": raw.get("source", ""),
        }
    )
    if "board" in raw:
        board = ground.status(raw["board"])
        codes = np.full(len(status), UNKNOWN) if board is None else board
        table["board"] = raw["board"]
        table["verdict"] = STATUS[codes[rows]]
    return table


def _amounts(raw: Mapping[str, Any], ground: Ground) -> tuple[Floats, Floats, Floats]:
    """The figure that an amount rests on, and its range: shares of that figure, within the cap."""
    settings = ground.settings
    unknown = np.full(len(ground.panel.firm_ids), np.nan)
    basis = _figure(raw["of"], ground) if "of" in raw else unknown
    most, low, high = (settings.number(raw.get(name)) for name in ("most", "low_pct", "high_pct"))
    cap = np.inf if most is None else most
    if "of" not in raw:
        return basis, unknown, unknown if most is None else np.full(len(unknown), most)
    least, highest = (
        unknown if pct is None else np.minimum(basis * pct / 100.0, cap) for pct in (low, high)
    )
    return basis, least, highest


def _figure(name: str, ground: Ground) -> Floats:
    if name in ground.panel.tables["credit"].columns:
        return newest_credit(ground.panel, name).to_numpy(dtype="float64")
    return ground.number(name)


# ------------------------------------------------------------------------------- data families


def _families(row: PlanRow, ground: Ground) -> Result:
    """Per firm which families of data are known, and what share of its loans needs no security."""
    names = row.details["product"]["columns"]
    fits = eligible(row, ground)
    rows = np.flatnonzero(fits == MET)
    panel = ground.panel
    figures = {name: ground.number(name)[rows] for name in names}
    table = pd.DataFrame({"firm_id": panel.firm_ids[rows]} | figures)
    table["known"] = table[names].notna().sum(axis=1)
    loans = newest_credit(panel, "loan_balance").to_numpy(dtype="float64")[rows]
    plain = newest_credit(panel, "unsecured_balance").to_numpy(dtype="float64")[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        table["unsecured_pct"] = np.where(loans > 0, 100.0 * plain / loans, np.nan)
    both = ~np.isnan(loans) & ~np.isnan(plain)
    whole = float(loans[both].sum())
    totals: dict[str, float | None] = {
        "firms": float(len(table)),
        "firms_all_families": float((table["known"] == len(names)).sum()),
        "unsecured_pct": float(100.0 * plain[both].sum() / whole) if whole > 0 else None,
    }
    return Result(row.id, row.kind, table, totals, _notes(row))


# ---------------------------------------------------------------------------------- white list


def white_list(row: PlanRow, panel: Panel) -> pd.DataFrame:
    """Per firm with a valid title: on the list or not, and why not (方案:原则上均纳入).

    State: listed, excluded (by an open record), removed (by an official, with a reason), unknown
    (records do not reach far enough to say that nothing excludes it).
    """
    detail = row.details["product"]
    titled = holds_any(panel, detail["tiers"]) == MET
    excluded, complete = _excluding(panel, detail["excluded_by"])
    removed = attested(panel, detail["removed_by"]) == UNMET
    states = [removed, excluded, np.full(len(titled), not complete)]
    state = np.select(states, ["removed", "excluded", "unknown"], default="listed")
    ids = pd.Series(panel.firm_ids[titled], dtype=object)
    table = pd.DataFrame(
        {
            "firm_id": ids,
            "district": panel.firms["district"].reindex(ids).fillna("").to_numpy(),
            "state": state[titled].astype(object),
        }
    )
    return table.assign(reason=_removal_reasons(panel, detail["removed_by"], table))


def _excluding(panel: Panel, kinds: list[str]) -> tuple[NDArray[np.bool_], bool]:
    """Firms with an open record or a ban, and whether absence of records means none."""
    events, titles = panel.tables["events"], panel.tables["titles"]
    now = (
        events["kind"].isin(kinds)
        & events["ended_on"].isna()
        & events["repaired_on"].isna()
        & (events["exempt_minor"].fillna(0) != 1)
    )
    banned = (titles["ban_until"] >= pd.Timestamp(panel.as_of)).to_numpy()
    firms = [*events.loc[now.to_numpy(), "firm_id"], *titles.loc[banned, "firm_id"]]
    return among(panel.firm_ids, firms), all(covered(panel, kind) for kind in kinds)


def _removal_reasons(panel: Panel, criterion: str, table: pd.DataFrame) -> list[str]:
    findings = panel.tables["attestations"]
    own = findings[
        ((findings["criterion"] == criterion) & (findings["finding"] == "unmet")).to_numpy()
    ]
    newest = own.sort_values("attested_on").drop_duplicates("firm_id", keep="last")
    told = newest.set_index("firm_id")["evidence"].fillna("").to_dict()
    pairs = zip(table["firm_id"], table["state"], strict=True)
    return [str(told.get(firm, "")) if state == "removed" else "" for firm, state in pairs]


def _white_list(row: PlanRow, ground: Ground) -> Result:
    table = white_list(row, ground.panel)
    counts = table["state"].value_counts()
    states = ("listed", "excluded", "removed", "unknown")
    totals: dict[str, float | None] = {name: float(counts.get(name, 0)) for name in states}
    titles = holds_any(ground.panel, row.details["product"]["tiers"])
    totals["title_unknown"] = float((titles == UNKNOWN).sum())
    unexplained = (table["state"] == "removed") & (table["reason"] == "")
    notes = [Note("移出须载明理由", "A removal must state its reason")] if unexplained.any() else []
    return Result(row.id, row.kind, table, totals, _notes(row, *notes))


_FORMS: Mapping[str, Callable[[PlanRow, Ground], Result]] = {
    "families": _families,
    "white_list": _white_list,
}
