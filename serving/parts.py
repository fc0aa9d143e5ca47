"""The parts of a snapshot, each one registered function: a publication in, an Arrow table out.

To add a part, write its function here and its view in ``serving.views``. When the layout of a part
changes, raise its version and keep the old view: old snapshots stay readable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from serving.judging import Judged, VerdictPart
from serving.publication import FIRM_COLUMNS, Publication, TaskPart
from tidu.digest import canonical_json

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "Kind", "file_name", "tables"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of part: its name, the version of its layout, and what builds it."""

    name: str
    version: int
    build: Callable[[Publication], pa.Table | None] | None = None
    build_task: Callable[[Publication, TaskPart], pa.Table] | None = None
    build_each: Callable[[Publication, Judged], dict[str, pa.Table]] | None = None


KINDS: dict[str, Kind] = {}


def _whole(name: str, version: int) -> Callable[[Callable[[Publication], Any]], Any]:
    def register(build: Callable[[Publication], Any]) -> Any:
        KINDS[name] = Kind(name, version, build=build)
        return build

    return register


def _per_task(name: str, version: int) -> Callable[[Callable[[Publication, TaskPart], Any]], Any]:
    def register(build: Callable[[Publication, TaskPart], Any]) -> Any:
        KINDS[name] = Kind(name, version, build_task=build)
        return build

    return register


def _of_law(name: str, version: int) -> Callable[[Callable[[Publication, Judged], Any]], Any]:
    def register(build: Callable[[Publication, Judged], Any]) -> Any:
        KINDS[name] = Kind(name, version, build_each=build)
        return build

    return register


def tables(publication: Publication) -> dict[str, tuple[Kind, pa.Table]]:
    """Return every part of a publication: ``firms``, ``profile``, ``scores:<task>`` …"""
    made: dict[str, tuple[Kind, pa.Table]] = {}
    for kind in KINDS.values():
        if kind.build is not None and (table := kind.build(publication)) is not None:
            made[kind.name] = (kind, table)
        if kind.build_task is not None:
            for name in sorted(publication.tasks):
                part = kind.build_task(publication, publication.tasks[name])
                made[f"{kind.name}:{name}"] = (kind, part)
        if kind.build_each is not None and publication.judged is not None:
            for name, part in kind.build_each(publication, publication.judged).items():
                made[f"{kind.name}:{name}"] = (kind, part)
    return made


def file_name(part: str) -> str:
    """Return a portable file name for a part; task addresses hold no dot, so names stay apart."""
    return part.replace(":", ".") + ".arrow"


@_whole("firms", 1)
def firms(publication: Publication) -> pa.Table:
    """The firms by rising firm_id, whose place here is their number in every other part."""
    frame = _sorted(publication)
    names = [*FIRM_COLUMNS, *(c for c in frame.columns if c not in FIRM_COLUMNS)]
    columns = {name: _column(frame[name], name in FIRM_COLUMNS) for name in names}
    for name in FIRM_COLUMNS[2:]:
        columns[name] = columns[name].dictionary_encode()
    return pa.table(columns)


@_whole("profile", 1)
def profile(publication: Publication) -> pa.Table | None:
    """The growth profile: values and peer positions, one fixed-size list a firm."""
    if publication.profile is None:
        return None
    order = _sorted(publication).index.to_numpy()
    given = publication.profile
    return pa.table({"values": _rows(given.values[order]), "peers": _peers(given.peers, order)})


@_per_task("scores", 1)
def scores(publication: Publication, task: TaskPart) -> pa.Table:
    """Scores in rank order: row i is rank i + 1; ``firm`` is the firm's number.

    How far ranks may move stands in the table's own description, where the bundle says it.
    """
    frame = task.scores.iloc[_by_rank(task)]
    places = {firm: i for i, firm in enumerate(_sorted(publication)["firm_id"])}
    number = np.array([places[firm] for firm in frame["firm_id"]], dtype=np.int32)
    columns = {"firm": pa.array(number)}
    for name in ("score", "probability", "p_low", "p_high"):
        columns[name] = pa.array(frame[name].to_numpy(dtype="float64"))
    columns["stale"] = pa.array(frame["stale"].to_numpy(dtype="uint8"))
    table = pa.table(columns)
    if task.rank_law is None:
        return table
    return table.replace_schema_metadata({"rank_law": canonical_json(task.rank_law.as_json())})


@_per_task("reasons", 1)
def reasons(_: Publication, task: TaskPart) -> pa.Table:
    """Exact contributions with the base last, values and peer positions, rows in rank order."""
    order = _by_rank(task)
    return pa.table(
        {
            "contributions": _rows(task.contributions[order]),
            "values": _rows(task.values[order]),
            "peers": _peers(task.peers, order),
        }
    )


@_whole("law", 1)
def law(publication: Publication) -> pa.Table | None:
    """The files of the law that judged, by name."""
    if publication.judged is None:
        return None
    content = sorted(publication.judged.content.items())
    return pa.table(
        {"file": [name for name, _ in content], "content": pa.array([c for _, c in content])}
    )


@_of_law("verdicts", 1)
def verdicts(publication: Publication, judged: Judged) -> dict[str, pa.Table]:
    """A tier's verdicts, rows as the firms: status, a status a line, and the score's ranges.

    The sheet that says what each line is stands in the table's own description.
    """
    order = _sorted(publication).index.to_numpy()
    return {name: _verdict(part, order) for name, part in sorted(judged.parts.items())}


@_of_law("figures", 1)
def figures(publication: Publication, judged: Judged) -> dict[str, pa.Table]:
    """What the verdicts of a fiscal year rest on: metrics and gaps, a column each."""
    order = _sorted(publication).index.to_numpy()
    return {
        str(year): pa.table({name: pa.array(values[order]) for name, values in shown.items()})
        for year, shown in judged.figures.items()
    }


@_whole("plan", 1)
def plan(publication: Publication) -> pa.Table | None:
    """Pages of the plan and the law for the whole city, by name, as JSON."""
    if publication.planned is None:
        return None
    pages = sorted(publication.planned.pages.items())
    content = pa.array([canonical_json(page) for _, page in pages], pa.binary())
    return pa.table({"page": [name for name, _ in pages], "content": content})


@_whole("fits", 1)
def fits(publication: Publication) -> pa.Table | None:
    """Who each support fits, rows as the firms: a status each, the next tier, own deadlines."""
    if publication.planned is None:
        return None
    order, given = _sorted(publication).index.to_numpy(), publication.planned.fits
    status = np.ascontiguousarray(given.status[order])
    columns = {
        "status": pa.FixedSizeListArray.from_arrays(pa.array(status.ravel()), status.shape[1]),
        "rung": pa.array(given.rung[order]),
    }
    for place, days in given.deadlines.items():
        columns[f"deadline {place}"] = pa.array(days[order].astype("int64"))
    return pa.table(columns)


@_whole("standing", 1)
def standing(publication: Publication) -> pa.Table | None:
    """Size, control group and niche of each firm, rows as the firms; what shortlists ask for."""
    if publication.standing is None:
        return None
    order, given = _sorted(publication).index.to_numpy(), publication.standing
    columns = {"size": given.size, "group": given.group, "niche": given.niche}
    texts = {name: pa.array(list(column[order]), pa.string()) for name, column in columns.items()}
    return pa.table({name: text.dictionary_encode() for name, text in texts.items()})


@_of_law("rungs", 1)
def rungs(publication: Publication, _: Judged) -> dict[str, pa.Table]:
    """A tier's places on the ladder, rows as the firms; the table's description says the batch."""
    if publication.standing is None:
        return {}
    order, made = _sorted(publication).index.to_numpy(), {}
    for tier, rung in sorted(publication.standing.rungs.items()):
        names = ("outside", "applied", "stage", "open")
        table = pa.table({name: pa.array(getattr(rung, name)[order]) for name in names})
        made[tier] = table.replace_schema_metadata({"about": canonical_json(dict(rung.about))})
    return made


def _verdict(part: VerdictPart, order: NDArray[np.intp]) -> pa.Table:
    marks = part.marks
    lines = np.ascontiguousarray(marks.lines[order])
    table = pa.table(
        {
            "status": pa.array(marks.status[order]),
            "lines": pa.FixedSizeListArray.from_arrays(pa.array(lines.ravel()), lines.shape[1]),
            "points": _points(marks.points[order]),
        }
    )
    return table.replace_schema_metadata({"sheet": canonical_json(part.sheet.as_json())})


def _sorted(publication: Publication) -> pd.DataFrame:
    frame = publication.firms.reset_index(drop=True)
    # By Unicode code point, as the lookups search it.
    return frame.iloc[np.argsort(frame["firm_id"].to_numpy(dtype=object), kind="stable")]


def _by_rank(task: TaskPart) -> NDArray[np.intp]:
    return np.argsort(task.scores["rank"].to_numpy(dtype="float64"), kind="stable")


def _column(series: pd.Series[Any], text: bool) -> pa.Array:
    """Numbers and truth as they are unless ``text``; days as ISO text; missing stays missing."""
    if series.dtype.kind == "M":
        series = series.dt.strftime("%Y-%m-%d")
    if series.dtype.kind in "fiub" and not text:
        return pa.array(series.to_numpy(), from_pandas=True)
    missing = series.isna().to_numpy()
    values = [None if m else str(v) for v, m in zip(series, missing, strict=True)]
    return pa.array(values, pa.string())


def _rows(values: NDArray[np.float64]) -> pa.Array:
    flat = np.ascontiguousarray(values, dtype=np.float64).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), values.shape[1])


def _points(points: NDArray[np.float64]) -> pa.Array:
    """Low and high of each range in turn; an edition without a score has none."""
    if not points.shape[1]:
        return pa.nulls(len(points))
    return _rows(points.reshape(len(points), 2 * points.shape[1]))


def _peers(peers: NDArray[np.float64] | None, order: NDArray[np.intp]) -> pa.Array:
    """Positions need no more than three digits: float32; unknown as a list of no width."""
    if peers is None:
        return pa.nulls(len(order))
    flat = np.ascontiguousarray(peers[order], dtype=np.float32).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), peers.shape[1])
