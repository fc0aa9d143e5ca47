"""The papers on file: rows of the table ``materials``, and rows of other tables that prove a paper.

One row a paper seen, as arrays: which firm, which paper, from when, until when, for which fiscal
year, and where it was seen. Nothing is judged here; :mod:`policy.papers.materials` does that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.facts import covered
from features.panel import Panel
from policy.papers.catalogue import Paper, Proof

__all__ = ["Asked", "Filed", "filed"]

Days = NDArray[np.datetime64]
Asked = Callable[[str, Sequence[str]], frozenset[str]]
"""What the criteria of a paper ask for: paper id and look-ups to the look-ups' first arguments."""

ON_FILE = "materials"
NO_DAY = np.datetime64("NaT", "D")


@dataclass(frozen=True)
class Filed:
    """Papers seen; all arrays have one entry a row. NaT and NaN: not stated.

    ``source`` is the table in which it was seen, ``document`` its number where one is on record.
    """

    firm: NDArray[np.int64]
    paper: NDArray[np.int64]
    issued: Days
    until: Days
    year: NDArray[np.float64]
    source: NDArray[np.object_]
    document: NDArray[np.object_]

    def of_firm(self, firm: int) -> NDArray[np.int64]:
        """The rows of one firm."""
        return np.flatnonzero(self.firm == firm)


def filed(
    panel: Panel, firm_ids: NDArray[np.object_], papers: Mapping[str, Paper], asked: Asked
) -> Filed:
    """Collect the papers of these firms as the panel knows them."""
    firms = pd.Index(firm_ids)
    place = {name: i for i, name in enumerate(papers)}
    parts = [_on_file(panel.tables[ON_FILE], firms, place)]
    for paper in papers.values():
        claims = [_Claim(paper, proof, asked) for proof in paper.proofs]
        parts += [_proved(panel, firms, place[paper.id], claim) for claim in claims]
    joined = pd.concat(parts, ignore_index=True)
    joined = joined[(joined["firm"] >= 0) & (joined["paper"] >= 0)]
    return Filed(
        joined["firm"].to_numpy(dtype="int64"),
        joined["paper"].to_numpy(dtype="int64"),
        joined["issued"].to_numpy(dtype="datetime64[D]"),
        joined["until"].to_numpy(dtype="datetime64[D]"),
        joined["year"].to_numpy(dtype="float64"),
        joined["source"].to_numpy(dtype=object),
        joined["document"].to_numpy(dtype=object),
    )


@dataclass(frozen=True)
class _Claim:
    paper: Paper
    proof: Proof
    asked: Asked


def _on_file(rows: pd.DataFrame, firms: pd.Index, place: Mapping[str, int]) -> pd.DataFrame:
    paper = rows["paper"].map(place).fillna(-1).to_numpy(dtype="int64")
    columns = {
        "issued": _days(rows, "issued_on"),
        "until": _days(rows, "valid_until"),
        "year": rows["fiscal_year"].to_numpy(dtype="float64"),
        "document": rows["document"].fillna("").to_numpy(dtype=object),
    }
    return _frame(_place(firms, rows), paper, ON_FILE, columns)


def _proved(panel: Panel, firms: pd.Index, paper: int, claim: _Claim) -> pd.DataFrame:
    proof = claim.proof
    if proof.covered:
        whole = all(covered(panel, kind, proof.years) for kind in proof.covered)
        everyone = np.arange(len(firms) if whole else 0, dtype="int64")
        return _frame(everyone, np.full(len(everyone), paper, dtype="int64"), "events", {})
    rows = panel.tables[proof.table]
    at = np.flatnonzero(np.logical_and.reduce([*_chosen(rows, claim, panel.as_of)]))
    read = ["firm_id", *filter(None, (proof.on, proof.until, proof.year))]
    rows = rows[list(dict.fromkeys(read))].iloc[at]
    firm = _place(firms, rows)
    columns = {
        "issued": _days(rows, proof.on),
        "until": _days(rows, proof.until),
        "year": rows[proof.year].to_numpy(dtype="float64") if proof.year else _unstated(rows),
    }
    return _frame(firm, np.full(len(firm), paper), proof.table, columns)


def _chosen(rows: pd.DataFrame, claim: _Claim, day: date) -> Iterator[NDArray[np.bool_]]:
    proof = claim.proof
    yield np.ones(len(rows), dtype=bool)
    for name, values in proof.where:
        yield rows[name].isin([float(v) if isinstance(v, bool) else v for v in values]).to_numpy()
    for name in proof.filled:
        yield (rows[name].notna() & (rows[name] != "")).to_numpy(dtype=bool)
    if proof.ended:
        over = rows[proof.ended] <= pd.Timestamp(day)
        if proof.on:  # what ended before it began anew has not ended
            over &= ~(rows[proof.ended] < rows[proof.on])
        yield ~over.to_numpy(dtype=bool)
    if proof.named_by:
        column, *calls = proof.named_by
        yield rows[column].isin(claim.asked(claim.paper.id, calls)).to_numpy()


def _place(firms: pd.Index, rows: pd.DataFrame) -> NDArray[np.int64]:
    return firms.get_indexer(pd.Index(rows["firm_id"])).astype("int64")


def _days(rows: pd.DataFrame, column: str) -> Days:
    if not column:
        return np.full(len(rows), NO_DAY)
    return rows[column].to_numpy(dtype="datetime64[D]")


def _unstated(rows: pd.DataFrame) -> NDArray[np.float64]:
    return np.full(len(rows), np.nan)


def _frame(
    firm: NDArray[np.integer[Any]],
    paper: NDArray[np.integer[Any]],
    source: str,
    columns: Mapping[str, NDArray[np.generic]],
) -> pd.DataFrame:
    frame = pd.DataFrame({"firm": firm, "paper": paper})
    for name, blank in (("issued", NO_DAY), ("until", NO_DAY), ("year", np.nan), ("document", "")):
        frame[name] = columns[name] if name in columns else np.full(len(frame), blank)
        if name in ("issued", "until"):
            frame[name] = frame[name].astype("datetime64[s]")
    return frame.assign(source=source)
