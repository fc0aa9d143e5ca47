"""What the known-truth benchmark learns from and tests on: cohorts of a city, with true hazards.

Three inputs of the same firms: Tidu's *profile*; the *raw* columns with lags and differences, as
the rivals get them; and the *wide* input of the observable oracle, all that a file shows at the
date: profile, raw columns, firm record, and the history of titles, applications and events.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.proofs_city import history_of
from city import City, build
from features.facts import LADDER
from features.panel import History, Panel
from features.profile import Observation, Profile
from model.examples import Cohort, cohort_at
from model.tasks import Task, find

__all__ = ["TIERS", "Town", "raw", "task_of", "town", "wide"]

TIERS = LADDER
CLOCKS = ("known_on", "known_inferred", "seq", "withdrawn")
KEYS = ("firm_id", "year")
DAY = np.timedelta64(1, "D")
YEAR = 365.25  # days
RECENT = 3.0  # years
CODES = ("district", "legal_form", "ownership", "tech_field", "chain_position")
DATES = ("founded_on", "niche_start_on", "shareholding_reform_on", "city_in_on")
NUMBERS = ("is_manufacturing", "local_feature_tag", "irreplaceable_ip", "main_product_new")


@dataclass(frozen=True)
class Town:
    """A city as a user imports it, beside its truth."""

    seed: int
    city: City
    history: History

    def task(self, tier: str) -> Task:
        return task_of(self.history, tier)

    def hazard(self, tier: str, day: date, firm_ids: np.ndarray) -> np.ndarray:
        """The true chance of each firm at a date; NaN where the truth has none."""
        known = self.city.truth
        name = f"promotion:{tier}@12"
        here = (known["task"] == name) & (known["as_of"] == pd.Timestamp(day))
        chance = known[here].set_index("firm_id")["probability"].astype("float64")
        return np.asarray(chance.reindex(firm_ids.astype(str)).to_numpy())

    def outcome(self, tier: str, day: date, last: date) -> Cohort:
        """The cohort of a date with what came of it as known on ``last``; fresh firms only."""
        part = cohort_at(self.history, self.task(tier), day, self.history.as_of(last))
        return part.kept(part.fresh)


def task_of(history: History, tier: str) -> Task:
    return find(f"promotion:{tier}@12", history.defaults)


def town(firms: int, seed: int) -> Town:
    """Build a city and import its files; the truth holds 12-month chances."""
    city = build(firms, seed, draws=0)
    with tempfile.TemporaryDirectory() as folder:
        return Town(seed, city, history_of(city, Path(folder)))


def raw(seen: Observation) -> np.ndarray:
    """The file's own columns: level, two calendar lags, two differences; and the industry."""
    columns = []
    for now, last, before in _levels(seen):
        columns += [now, last, before, now - last, last - before]
    return np.column_stack([*columns, _industry(seen)])


def wide(seen: Observation, profile: Profile) -> np.ndarray:
    """All that a file shows at the date, as numbers: (firms, columns), NaN = unknown."""
    levels = [column for three in _levels(seen) for column in three]
    panel, ids = seen.cube.panel, seen.firm_ids
    facts = [np.asarray(values, dtype="float64") for values in seen.window.facts.values()]
    year = np.full(len(ids), float(panel.as_of.year))
    age_of_accounts = panel.as_of.year - seen.cube.newest_year.astype("float64")
    columns = [*levels, *facts, _industry(seen), year, age_of_accounts, *_record(panel, ids)]
    columns += [*_titles(panel, ids), *_applications(panel, ids), *_events(panel, ids)]
    columns += _findings(panel, ids)
    return np.column_stack([profile.matrix(seen).values, *columns]).astype("float32")


def _levels(seen: Observation) -> list[tuple[np.ndarray, ...]]:
    """Every numeric column of the accounts: the newest year and the two before."""
    cube, window = seen.cube, seen.window
    names = [n for n in sorted(cube.annual.columns) if n not in CLOCKS and n not in KEYS]
    numeric = [name for name in names if cube.panel.column(name).numeric]
    return [tuple(window.lag(name, k) for k in range(3)) for name in numeric]


def _industry(seen: Observation) -> np.ndarray:
    code = seen.cube.panel.firms["industry_gb4754"].reindex(seen.firm_ids)
    return np.asarray(pd.to_numeric(code, errors="coerce").to_numpy(dtype="float64"))


def _record(panel: Panel, ids: np.ndarray) -> list[np.ndarray]:
    """The firm record: dates as ages, codes as their place among all firms' codes."""
    firms = panel.firms
    today = np.datetime64(panel.as_of)
    found = []
    for name in DATES:
        days = firms[name].reindex(ids).to_numpy(dtype="datetime64[D]")
        found.append((today - days) / DAY / YEAR)
    found += [firms[name].reindex(ids).to_numpy(dtype="float64") for name in NUMBERS]
    for name in CODES:
        values = sorted(firms[name].dropna().unique())
        place = firms[name].map({value: i for i, value in enumerate(values)})
        found.append(place.reindex(ids).to_numpy(dtype="float64"))
    group = firms["control_group_id"]
    found.append(group.map(group.value_counts()).reindex(ids).to_numpy(dtype="float64"))
    return found


@dataclass(frozen=True)
class _Log:
    """Rows of a table that stand at firms: the firm's place, and days as years before the date."""

    rows: pd.DataFrame
    place: np.ndarray
    today: date
    firms: int

    @classmethod
    def of(cls, panel: Panel, table: str, ids: np.ndarray) -> _Log:
        rows = panel.tables[table]
        place = pd.Index(ids).get_indexer(rows["firm_id"])
        return cls(rows[place >= 0], place[place >= 0], panel.as_of, len(ids))

    def count(self, chosen: np.ndarray) -> np.ndarray:
        return np.bincount(self.place[chosen], minlength=self.firms).astype("float64")

    def since(self, column: str, chosen: np.ndarray) -> np.ndarray:
        """Years since the newest of the chosen rows; NaN where a firm has none."""
        days = self.rows[column].to_numpy(dtype="datetime64[D]")[chosen]
        known = ~np.isnat(days)
        age = (np.datetime64(self.today) - days[known]) / DAY / YEAR
        newest = np.full(self.firms, np.inf)
        np.minimum.at(newest, self.place[chosen][known], age)
        return np.where(np.isinf(newest), np.nan, newest)

    def where(self, column: str, value: str) -> np.ndarray:
        return np.asarray((self.rows[column] == value).to_numpy(dtype=bool))


def _titles(panel: Panel, ids: np.ndarray) -> list[np.ndarray]:
    log, found = _Log.of(panel, "titles", ids), []
    review = log.where("purpose", "review")
    for tier in TIERS:
        here = log.where("tier", tier)
        found += [log.count(here), log.count(here & review)]
        found += [log.since(column, here) for column in ("issued_on", "expires_on")]
    return found


def _applications(panel: Panel, ids: np.ndarray) -> list[np.ndarray]:
    """Per tier: how often applied, refused and refused in review, when last, and how many open."""
    log, found = _Log.of(panel, "applications", ids), []
    failed, review = log.where("final_result", "failed"), log.where("purpose", "review")
    undecided = log.rows["decided_on"].isna().to_numpy()
    for tier in TIERS:
        here = log.where("tier", tier)
        for chosen in (here, here & failed & ~review, here & failed & review):
            found += [log.count(chosen), log.since("submitted_on", chosen)]
        found.append(log.count(here & undecided))
        for stage in ("district_result", "city_result", "province_result"):
            found.append(log.count(here & log.where(stage, "failed")))
    found.append(log.count(log.rows["returned_on"].notna().to_numpy()))
    return found


def _findings(panel: Panel, ids: np.ndarray) -> list[np.ndarray]:
    """What officials found, and the newest figures that banks gave."""
    log = _Log.of(panel, "attestations", ids)
    found = [log.count(log.where("finding", value)) for value in ("met", "unmet", "unknown")]
    credit = panel.tables["credit"]
    newest = credit.sort_values("year", kind="stable").drop_duplicates("firm_id", keep="last")
    known = newest.set_index("firm_id").reindex(ids)
    return found + [known[name].to_numpy(dtype="float64") for name in CREDIT]


def _events(panel: Panel, ids: np.ndarray) -> list[np.ndarray]:
    """Per kind: how many in all and in three years, and when last."""
    log, found = _Log.of(panel, "events", ids), []
    since = pd.Timestamp(panel.as_of) - pd.Timedelta(days=RECENT * YEAR)
    recent = (log.rows["on"] > since).to_numpy()
    for kind in KINDS:
        here = log.where("kind", kind)
        found += [log.count(here), log.count(here & recent), log.since("on", here)]
    return found


CREDIT = ("loan_balance", "unsecured_balance", "loan_amount_due", "arrears_days", "lenders")
KINDS = (
    "penalty", "lawsuit", "abnormal_list", "judgment_debtor", "accident_major", "default_90d",
    "reform", "guidance", "accepted", "withdrawn", "quoted", "listed",
)  # fmt: skip
