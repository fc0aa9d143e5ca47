"""What-if and scoring on request: firm records in, scores and reasons out, by the same path.

The records are checked like any import of our own template, laid out as a panel of their own with
the home's coverage, and scored by the bundle in use; nothing is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.wording import Reasoned, explain
from serving.workspace import SNAPSHOT, Workspace
from tidu.digest import of_json
from tidu.errors import DataError, NotFound

if TYPE_CHECKING:
    from features.panel import History
    from features.population import Population
    from features.schema import Column
    from model.bundle import Bundle
    from serving.publication import TaskPart

__all__ = ["RecordScorer", "history_of"]

SOURCE = {
    "name": "request",
    "template": True,
    "source": {
        "authority": "the caller",
        "legal_basis": "a question, not kept",
        "purposes": ["what-if"],
        "valid_until": "2999-12-31",
    },
}


class RecordScorer:
    """Scores records with the bundle in use; bundles are loaded once and kept."""

    def __init__(self, home: Path) -> None:
        self._workspace = Workspace(home)
        self._loaded: dict[str, Bundle] = {}
        self._days: dict[str, date] = {}

    def __call__(
        self, task: str, records: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> dict[str, Any]:
        """Return ``{"model_version", "items"}``; all problems of the records at once."""
        from model.scoring import score_rows, seen_by
        from serving.publishing import task_part

        bundle = self._bundle(task)
        day = self._as_of()
        panel = history_of(records, day, self._workspace.vault.population()).as_of(day)
        seen = seen_by(bundle, panel)
        if not len(seen.firm_ids):
            raise DataError(
                f"Scoring needs at least one row of annual accounts, found none known by {day}.",
                cure='Send {"annual": [{"firm_id": …, "year": …, …}]}.',
            )
        book = score_rows(bundle, seen, np.arange(len(seen.firm_ids)))
        part = task_part(book)
        items = [_item(part, i) for i in range(len(book.firm_ids))]
        return {"model_version": bundle.id, "items": items}

    def _bundle(self, task: str) -> Bundle:
        from model.bundle import load

        identity = self._workspace.bundle_in_use(task)
        if identity is None:
            raise NotFound(f"No bundle is in use for {task}.", "GET /v1/models lists the tasks.")
        if identity not in self._loaded:
            self._loaded[identity] = load(self._workspace.bundle_path(identity))
        return self._loaded[identity]

    def _as_of(self) -> date:
        """The date of the published snapshot: a firm's own records give its published score."""
        pointer = self._workspace.store.pointer(SNAPSHOT)
        if pointer is None:
            raise NotFound("Nothing is published yet.", "tidu publish --as-of YYYY-MM-DD")
        if pointer.value not in self._days:
            day = self._workspace.snapshot().as_of
            self._days = {pointer.value: date.fromisoformat(day)}
        return self._days[pointer.value]


def history_of(
    records: Mapping[str, Sequence[Mapping[str, Any]]], day: date, population: Population
) -> History:
    """A history that holds the records alone; rows without ``known_on`` are known on ``day``."""
    import pandas as pd

    from features.mapping_build import rebuilt
    from features.panel import History, Rows
    from features.prepared import checked
    from features.reading import Reading
    from features.schema import register

    given = [_sheet(name, rows, day) for name, rows in records.items() if rows]
    reading = Reading("request", of_json(_plain(records)), tuple(given))
    sent = {header for row in records.get("annual", ()) for header in row}
    extras = {e.name: _extra(e) for e in population.extras if e.name in sent}
    prepared = checked(reading, rebuilt({**SOURCE, "extras": extras}), day)
    tables = {}
    for name, frame in prepared.tables.items():
        # What is asked about is taken as known on the day of the question.
        moment = pd.Timestamp(day)
        latest = frame["known_on"].where(frame["known_on"] <= moment, moment)
        tables[name] = Rows.build(frame.assign(seq=1, known_on=latest), register().tables[name].key)
    return History(
        prepared.content,
        tables,
        population.extras,
        population.coverage,
        population.defaults,
        population.outcome_task,
    )


def _sheet(name: str, rows: Sequence[Mapping[str, Any]], day: date) -> Any:
    import pandas as pd

    from features.sheet import Sheet

    headers = list(dict.fromkeys(header for row in rows for header in row))
    cells = pd.DataFrame(
        {
            i: pd.Series([_text(row.get(h)) for row in rows], dtype="str")
            for i, h in enumerate(headers)
        }
    )
    if "known_on" not in headers and name != "firms":
        headers.append("known_on")
        cells[len(headers) - 1] = pd.Series([day.isoformat()] * len(rows), dtype="str")
    return Sheet(name, tuple(headers), cells, np.arange(1, len(rows) + 1), "json")


def _extra(column: Column) -> dict[str, object]:
    """A further column of the home, as a mapping would declare it."""
    said: dict[str, object] = {"column": column.name, "zh": column.zh, "en": column.en}
    return said | ({"ordered": list(column.codes)} if column.ordinal else {"type": column.dtype})


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _plain(records: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    return {
        name: [{k: _text(v) for k, v in row.items()} for row in rows]
        for name, rows in records.items()
    }


def _item(part: TaskPart, i: int) -> dict[str, Any]:
    row = part.scores.iloc[i]
    chance = float(row["probability"])
    reasoned = Reasoned(
        score=float(row["score"]),
        probability=chance,
        base=part.base,
        base_probability=part.base_probability,
        slope=part.base_slope,
        contributions=part.contributions[i, :-1],
        values=part.values[i],
        peers=None if part.peers is None else part.peers[i],
    )
    return {
        "firm_id": str(row["firm_id"]),
        "score": float(row["score"]),
        "probability": chance,
        "p_low": float(row["p_low"]),
        "p_high": float(row["p_high"]),
        "stale": bool(row["stale"]),
        **explain(part.features, reasoned),
    }
