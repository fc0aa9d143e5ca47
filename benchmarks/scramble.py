"""What may be seen at a day, as digests, for tests and proofs that scramble what comes after it.

:func:`fingerprint` and :func:`by_the_law` digest what is seen, :func:`later_rows` scrambles rows of
a foreign file; canonical tables are scrambled by ``features.scrambling``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import numpy as np
import pandas as pd

from features.mapping import Coverage
from features.panel import HAPPENS_ON, History, Rows
from features.profile import Profile, observe, specs_for
from features.schema import FAMILIES, register
from model.examples import cohorts, examples, yearly
from model.labels import cohort, fresh, label
from model.tasks import Task, find
from policy.loading import standing
from policy.logic import UNMET
from policy.papers.dossier import dossier
from policy.path.finding import paths
from policy.situation import Situation
from serving.judging import judged
from tidu import digest
from tidu.clock import add_months
from tidu.errors import NotAvailable

__all__ = [
    "TASKS",
    "by_the_law",
    "fingerprint",
    "history",
    "later_rows",
    "random_tables",
    "tasks",
]

TASKS = (
    "growth@12",
    "growth@36",
    "distress@24",
    "distress:bankruptcy@12",
    "listing@24",
    "quotation@12",
    "promotion:innovative_sme@12",
    "promotion:little_giant@24",
)
Tables = Mapping[str, pd.DataFrame]


def history(tables: Tables, head: str = "0" * 64) -> History:
    """A history of canonical tables with clocks, every event and title covered throughout."""
    kinds = [
        *register().column("events", "kind").codes,
        *(f"title:{tier}" for tier in register().column("titles", "tier").codes),
    ]
    covered = tuple(Coverage(kind, date(1990, 1, 1), date(2090, 1, 1)) for kind in kinds)
    rows = {}
    for name, frame in tables.items():
        whole = frame if "seq" in frame else frame.assign(seq=1)
        rows[name] = Rows.build(whole, register().tables[name].key)
    return History(head, rows, (), covered, (), None)


def tasks(seen: History, names: tuple[str, ...] = TASKS) -> list[Task]:
    """The tasks by name, with the defaults of the population."""
    return [find(name, seen.defaults, outcome_task=seen.outcome_task) for name in names]


# What may be seen


def fingerprint(seen: History, day: date, asked: list[Task]) -> dict[str, str]:
    """Digests of all that ``day`` may see: panel, profiles, cohorts, labels and a training set.

    The training set is that of the first task asked about.
    """
    days = yearly(day, seen)
    panels = {d: seen.as_of(d) for d in {day, add_months(day, -12), *days}}
    views = {d: observe(panel) for d, panel in panels.items()}
    found = {
        f"panel {name}": _digest(frame, [*register().tables[name].columns, "known_on"])
        for name, frame in panels[day].tables.items()
    }
    now, before = views[day], views[add_months(day, -12)]
    for family in FAMILIES:
        profile = Profile.fit(specs_for(panels[day], family), [now, before])
        matrix = profile.matrix(now)
        found[f"{family} firms"] = digest.of_json([str(f) for f in matrix.firm_ids])
        found[f"{family} positions"] = _bits(profile.positions(now))
        for j, name in enumerate(matrix.names):
            found[f"{family} {name}"] = _bits(matrix.values[:, j])
    for task in asked:
        found[f"{task.name} cohort"] = _bits(cohort(task, now))
        labels = [label(task, views[d], panels[day]) for d in days]
        found[f"{task.name} labels"] = _bits(np.concatenate([[0.0], *labels]))
    found["fresh"] = _bits(fresh(now))
    return found | _learned(seen, day, asked[0])


def by_the_law(
    seen: History, day: date, tiers: tuple[str, ...], paths_of: int = 5
) -> dict[str, str]:
    """Digests of all that the law says at ``day``: verdicts, gaps, papers, and some paths.

    Verdicts and gaps are of every edition in force, papers and paths of these tiers; a path is
    looked for from each of the first ``paths_of`` firms that it is not met for.
    """
    situation = Situation(standing(), seen.as_of(day))
    stored = judged(situation)
    found = {"firms": digest.of_json([str(firm) for firm in situation.panel.firm_ids])}
    for name, part in stored.parts.items():
        marks = part.marks
        found[f"{name} verdict"] = _bits(marks.status)
        found[f"{name} criteria"] = _bits(marks.lines)
        found[f"{name} score"] = _bits(marks.points)
    for year, figures in stored.figures.items():
        found |= {f"{year} {name}": _bits(values) for name, values in figures.items()}
    for tier in tiers:
        papers = dossier(situation, tier)
        found[f"{tier} papers asked"] = _bits(papers.asked)
        found[f"{tier} papers held"] = _bits(papers.materials.slot_states)
        prepared = paths(situation, tier)
        unmet = np.flatnonzero(situation.verdict(tier).status == UNMET)
        for row in unmet[:paths_of].tolist():
            answer = prepared.of(row).as_json()
            found[f"{tier} path {answer['firm_id']}"] = digest.of_json(answer)
    return found


def _learned(seen: History, day: date, task: Task) -> dict[str, str]:
    try:
        parts = cohorts(seen, task, yearly(day, seen), day)
    except NotAvailable as missing:
        return {f"{task.name} examples": missing.message}
    if not parts:
        return {f"{task.name} examples": "none"}
    profile = Profile.fit(specs_for(parts[0].seen.cube.panel, task.family), [p.seen for p in parts])
    rows = examples(task, parts, profile)
    parts_of = {
        "values": _bits(rows.values),
        "label": _bits(rows.label),
        "groups": digest.of_json([str(g) for g in rows.groups]),
        "dates": digest.of_json([str(d) for d in rows.dates]),
        "peers": digest.of_json(profile.reference.as_json()),
    }
    return {f"{task.name} examples": digest.of_parts(parts_of)}


def _bits(values: np.ndarray) -> str:
    return digest.of_bytes(np.ascontiguousarray(values).tobytes())


def _digest(frame: pd.DataFrame, columns: list[str]) -> str:
    known = [c for c in columns if c in frame and frame[c].notna().any()]
    return digest.of_frame(frame, known)


# Scrambling the rows of a foreign file


def later_rows(
    rows: pd.DataFrame,
    late: np.ndarray,
    rng: np.random.Generator,
    fixed: tuple[str, ...],
    renewed: Mapping[str, Callable[[int], np.ndarray]] | None = None,
) -> pd.DataFrame:
    """Text rows of a file, those of ``late`` changed: a third gone, the others' cells shuffled.

    ``fixed`` columns keep their cells; ``renewed`` gives columns new ones. A part comes back once
    more as firms nobody has heard of.
    """
    early, changed = rows[~late], rows[late].copy()
    for column in changed.columns.difference(fixed):
        changed[column] = changed[column].to_numpy()[rng.permutation(len(changed))]
    for column, cells in (renewed or {}).items():
        changed[column] = cells(len(changed))
    changed = changed[rng.random(len(changed)) < 2 / 3]
    strangers = changed[rng.random(len(changed)) < 1 / 4].copy()
    strangers["firm_id"] = "Z" + strangers["firm_id"]
    whole = pd.concat([early, changed, strangers], ignore_index=True)
    return whole.sample(frac=1.0, random_state=rng.integers(1 << 31)).reset_index(drop=True)


# Histories without hypothesis


def random_tables(rng: np.random.Generator, firms: int = 60) -> dict[str, pd.DataFrame]:
    """A small city of noise: accounts with gaps, late rows and corrections, titles, events."""
    ids = np.array([f"F{i:04d}" for i in range(firms)], dtype=object)
    years = np.arange(2014, 2024)
    annual = pd.DataFrame({"firm_id": np.repeat(ids, len(years)), "year": np.tile(years, firms)})
    annual = annual[rng.random(len(annual)) < 0.8].reset_index(drop=True)
    n = len(annual)
    for name in ("revenue", "net_profit", "total_assets", "total_liabilities", "rd_expense"):
        values = np.exp(rng.normal(8, 1.5, n)) * np.where(
            name == "net_profit", rng.normal(0, 1, n), 1
        )
        annual[name] = np.where(rng.random(n) < 0.15, np.nan, values)
    annual["reporting_basis"] = pd.Series(rng.choice(["consolidated", "parent"], n), dtype="str")
    annual["currency"] = pd.Series(["CNY"] * n, dtype="str")
    filed = pd.to_datetime(annual["year"].astype(str) + "-12-31").to_numpy().astype("datetime64[D]")
    lag = rng.choice([120, 181, 181, 181, 546, 900], n)
    tables = {"annual": _clocked(annual, filed + lag)}
    tables["firms"] = _firms(ids, rng)
    for name in ("events", "titles"):
        tables[name] = _happenings(name, ids, rng)
    return tables


def _clocked(frame: pd.DataFrame, known: np.ndarray) -> pd.DataFrame:
    return frame.assign(known_on=known.astype("datetime64[s]"), known_inferred=False)


def _some_days(n: int, rng: np.random.Generator, missing: float) -> np.ndarray:
    days = np.datetime64("2013-01-01", "D") + rng.integers(0, 4200, n)
    days[rng.random(n) < missing] = np.datetime64("NaT")
    return np.asarray(days.astype("datetime64[s]"))


def _firms(ids: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    n = len(ids)
    frame = pd.DataFrame({"firm_id": ids}).astype("str")
    frame["founded_on"] = _some_days(n, rng, 0.1)
    frame["city_out_on"] = _some_days(n, rng, 0.9)
    frame["shareholding_reform_on"] = _some_days(n, rng, 0.6)
    frame["legal_form"] = pd.Series(rng.choice(["limited", "joint_stock"], n), dtype="str")
    frame["sector"] = pd.Series(rng.choice(["a", "b"], n), dtype="str")
    return _clocked(frame, np.full(n, np.datetime64("1900-01-01")))


def _happenings(name: str, ids: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    table = register().tables[name]
    n = 3 * len(ids)
    frame = pd.DataFrame({"firm_id": rng.choice(ids, n)}).astype("str")
    for column in table.columns.values():
        if column.dtype == "code":
            frame[column.name] = pd.Series(rng.choice(list(column.codes), n), dtype="str")
        if column.dtype == "date":
            frame[column.name] = _some_days(n, rng, 0.0 if column.key else 0.6)
    for text in ("cancelled_reason",):
        if text in table.columns:
            frame[text] = pd.Series(rng.choice(["x", "y"], n), dtype="str")
    frame = frame.drop_duplicates(list(table.key)).reset_index(drop=True)
    happens = frame[HAPPENS_ON[name]].to_numpy().astype("datetime64[D]")
    return _clocked(frame, happens + rng.choice([0, 0, 0, 40, 400], len(frame)))
