"""Who lives in the city: traits of every firm and the table ``firms``."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.groups import drawn, group_ids, shared_names
from city.names import credit_codes, firm_ids, firm_names, person_names
from city.parameters import Floats, Parameters, Stream, sigmoid
from city.state import TASTES, Bools, Ints, Traits

__all__ = ["firms_table", "populate"]


def populate(p: Parameters, firms: int, stream: Stream) -> Traits:
    """Draw the traits of ``firms`` firms: those there at the start, and those founded later."""
    rng = stream("traits")
    rows = p.raw["industries"]["rows"]
    share = np.array([row[2] for row in rows], dtype=float)
    alone = rng.choice(len(rows), firms, p=share / share.sum()).astype(np.int64)
    groups = drawn(p, alone, _districts(p, firms, stream("districts")), stream)
    industry = groups.industry
    columns = {name: np.array([row[i] for row in rows]) for name, i in _COLUMNS.items()}
    sectors = np.unique(columns["sector"], return_inverse=True)[1]
    founded, initial = _founded(p, firms, rng)
    year = founded.astype("datetime64[Y]").astype(int) + 1970
    # A firm founded in the last quarter closes its first books a year later.
    late = founded >= (founded.astype("datetime64[Y]") + 1).astype("datetime64[D]") - 92
    size = _start_size(p, initial, rng)
    s = p.section("statement")
    return Traits(
        founded_on=founded,
        first_year=np.where(initial, p.whole("time", "burn_in") - 1, year + late),
        initial=initial,
        industry=industry,
        sector=sectors[industry],
        manufacturing=(np.array([row[0] for row in rows])[industry] < "5").astype(float),
        district=groups.district,
        group=groups.number,
        head=groups.head,
        niche=groups.niche,
        gross=np.clip(columns["gross"][industry] + rng.normal(0, 0.05, firms), 0.03, 0.8),
        rd=columns["rd"][industry] * np.exp(rng.normal(0, 0.45, firms)),
        intensity=np.log(columns["assets"][industry]) + rng.normal(0, 0.35, firms),
        main_ratio=sigmoid(rng.normal(s["main_ratio"], s["main_ratio_sd"], firms)),
        niche_year=np.minimum(
            year + rng.exponential(s["niche_wait"], firms).astype(int), year + 6.0
        ),
        ambition=rng.standard_normal(firms),
        productivity=s["productivity"] + rng.normal(0, s["productivity_sd"], firms),
        current_share=np.clip(
            rng.normal(s["current_share"], s["current_share_sd"], firms), 0.2, 0.9
        ),
        taste=stream("taste").standard_normal((TASTES, firms)),
        start_size=size,
    )


_COLUMNS = {
    "code": 0,
    "word": 1,
    "sector": 3,
    "size_class": 4,
    "gross": 5,
    "rd": 6,
    "assets": 7,
    "field": 8,
}


def _districts(p: Parameters, firms: int, rng: np.random.Generator) -> Ints:
    weight = np.array([place["weight"] for place in p.raw["place"]["districts"]])
    return np.asarray(rng.choice(len(weight), firms, p=weight / weight.sum()), dtype=np.int64)


def _founded(
    p: Parameters, firms: int, rng: np.random.Generator
) -> tuple[NDArray[np.datetime64], Bools]:
    """Return founding days, and who was there at the start."""
    start, last = p.whole("time", "burn_in"), p.whole("time", "last")
    initial = np.arange(firms) < round(firms * p.number("population", "initial_share"))
    age = np.minimum(rng.exponential(p.number("population", "age_mean"), firms), 30.0)
    year = np.where(initial, start - 2 - age.astype(int), rng.integers(start, last + 1, firms))
    day = rng.integers(0, 365, firms)
    founded = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return np.asarray(founded + day, dtype="datetime64[D]"), initial


def _start_size(p: Parameters, initial: Bools, rng: np.random.Generator) -> Floats:
    """Draw log revenue: lognormal, with a Pareto tail among the older firms."""
    s, count = p.section("population"), len(initial)
    young = rng.normal(s["start_mean"], s["start_sd"], count)
    old = rng.normal(s["initial_mean"], s["initial_sd"], count)
    tail = np.log(s["tail_scale"] * (1.0 + rng.pareto(s["tail_shape"], count)))
    old = np.where(rng.random(count) < s["tail_share"], np.minimum(tail, 13.0), old)
    return np.where(initial, old, young)


def firms_table(
    p: Parameters, traits: Traits, left_city: NDArray[np.datetime64], stream: Stream
) -> pd.DataFrame:
    """Return the table ``firms``; ``left_city`` is NaT for firms that stayed."""
    rng, count = stream("firms"), len(traits.first_year)
    rows = p.raw["industries"]["rows"]
    column = {
        name: np.array([row[i] for row in rows])[traits.industry] for name, i in _COLUMNS.items()
    }
    places, niches = p.raw["place"]["districts"], np.array(p.raw["names"]["niches"])
    joint = rng.random(count) < 0.03
    owners = p.section("ownership")
    zh = {"private": "民营", "state": "国有", "foreign": "外资", "mixed": "混合所有制"}
    held_by = np.array([zh[name] for name in owners])
    own = firm_names(p, column["word"], joint, stream)
    region = np.array([f"{p.raw['place']['region']}{i + 1:02d}" for i in range(len(places))])
    niche = (traits.niche_year.astype(int) - 1970).astype("datetime64[Y]").astype("datetime64[s]")
    begun = traits.niche_year <= p.whole("time", "last")
    return pd.DataFrame(
        {
            "firm_id": firm_ids(count),
            "name": shared_names(p, own, column["word"], joint.astype(np.int64), traits.head),
            "uscc": credit_codes(list(region[traits.district]), stream),
            "legal_representative": person_names(p, count, stream),
            "district": np.array([d["name"] for d in places])[traits.district],
            "registered_in_city": np.ones(count),
            "city_out_on": left_city.astype("datetime64[s]"),
            "ownership": rng.choice(held_by, count, p=list(owners.values())),
            "control_group_id": group_ids(traits.group),
            "founded_on": traits.founded_on.astype("datetime64[s]"),
            "legal_form": np.where(joint, "joint_stock", "limited"),
            "industry_gb4754": column["code"],
            "industry_300": column["size_class"],
            "sector": column["sector"],
            "is_manufacturing": traits.manufacturing,
            "tech_field": column["field"],
            "negative_list": np.full(count, "none"),
            # A firm that has not found its niche yet has no day to tell.
            "niche_start_on": np.where(begun, niche, np.datetime64("NaT", "s")),
            "niche_name": np.char.add(niches[traits.niche], column["word"]),
        }
    )
