"""Editions in what is learned: which decided an outcome, what a list must say, what is off."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from test_titles import ALL, DAY, END, applied, history, title

from features.catalogue import BUILT_IN
from model.editions import (
    blanked,
    counted,
    enough,
    in_force,
    routes,
    routes_off,
    statements,
    superseded,
    year_of,
)
from model.examples import cohort_at, editions_of, fitted_profile
from model.tasks import find
from policy.inputs import MADE
from policy.loading import standing

LITTLE = find("promotion:little_giant", ())


# Names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2022", "2022"),
        ("63-2022/annex3", "2022"),
        ("工信部企业〔2026〕2号", "2026"),
        ("105-2016/enterprise-2018", "2018"),
        ("市定标准", "市定标准"),
    ],
)
def test_an_edition_is_named_by_its_year(text: str, name: str) -> None:
    assert year_of(text) == name


@pytest.mark.parametrize(
    ("task", "day", "name"),
    [
        ("promotion:little_giant", date(2022, 7, 31), ""),
        ("promotion:little_giant", date(2022, 8, 1), "2022"),
        ("promotion:little_giant", date(2026, 3, 31), "2022"),
        ("promotion:little_giant", date(2026, 4, 1), "2026"),
        ("lapse:little_giant", date(2026, 12, 31), "2022"),  # reviews follow later
        ("lapse:little_giant", date(2027, 1, 1), "2026"),
        ("promotion:innovative_sme", date(2026, 6, 30), "2022"),
        ("promotion:srdi_municipal", date(2026, 6, 30), "2022"),
        ("application:single_champion", date(2020, 1, 1), "2018"),
        ("application:single_champion", date(2024, 1, 1), "2023"),
    ],
)
def test_the_edition_in_force_is_that_of_tier_purpose_and_day(
    task: str, day: date, name: str
) -> None:
    assert in_force(find(task, ()), day) == name


# Of each outcome


def test_an_outcome_carries_the_edition_that_decided_it() -> None:
    tier = "innovative_sme"
    seen = history(
        "said other bare idle",
        titles=[
            title("said", tier, "2025-01-01", rule_edition="工信部企业〔2022〕63号"),
            title("other", tier, "2025-01-01", rule_edition="2026"),
            title("bare", tier, "2025-01-01"),
        ],
    )
    part = cohort_at(seen, find(f"promotion:{tier}", ()), DAY, seen.as_of(END))
    found = dict(zip(part.firm_ids, part.edition, strict=True))
    assert found == {"said": "2022", "other": "2026", "bare": "2022", "idle": ""}
    assert editions_of(find(f"promotion:{tier}", ()), [part]) == {"2022": 2, "2026": 1}


def test_before_any_edition_an_outcome_has_none() -> None:
    seen = history("a b", titles=[title("a", "innovative_sme", "2022-07-01")])
    frame = seen.rows["annual"].frame.assign(known_on="2020-01-01")
    early = replace(
        seen, rows={**seen.rows, "annual": type(seen.rows["annual"]).build(
            frame.astype({"known_on": "datetime64[s]"}), ("firm_id", "year")
        )}
    )  # fmt: skip
    task = find("promotion:innovative_sme", ())
    part = cohort_at(early, task, date(2022, 1, 1), early.as_of(END))
    assert editions_of(task, [part]) == {"none": 1}


def test_an_application_carries_the_edition_of_its_batch() -> None:
    tier = "innovative_sme"
    seen = history(
        "a b c winner",
        applications=[
            applied("a", tier, "2024-08-01", batch="moved"),
            applied("winner", tier, "2024-08-01", batch="moved"),
            applied("b", tier, "2024-08-01", batch="plain"),
        ],
        titles=[title("winner", tier, "2024-12-01", batch="moved", rule_edition="2026")],
    )
    part = cohort_at(seen, find(f"application:{tier}", ()), DAY, seen.as_of(END))
    found = dict(zip(part.firm_ids, part.edition, strict=True))
    assert found == {"a": "2026", "winner": "2026", "b": "2022", "c": ""}


def test_a_lapse_carries_the_edition_of_reviews_on_the_day_it_falls_due() -> None:
    tier = "srdi_provincial"
    ends = {"early": "2026-03-31", "late": "2026-04-01"}
    seen = history(
        "early late kept",
        titles=[title(f, tier, "2023-05-01", until) for f, until in ends.items()]
        + [
            title("kept", tier, "2023-05-01", "2026-05-01"),
            title("kept", tier, "2026-05-02", "2029-05-02", purpose="review"),
        ],
    )
    task = find(f"lapse:{tier}", ())
    part = cohort_at(seen, task, END, seen.as_of(date(2026, 6, 30)))
    found = dict(zip(part.firm_ids, part.edition, strict=True))
    assert found == {"early": "2022", "late": "2026", "kept": ""}


def test_outcomes_are_counted_per_edition() -> None:
    edition = np.array(["2022", "2026", "2022", "", "2022"], dtype=object)
    label = np.array([1.0, 1.0, 1.0, 1.0, 0.0])
    assert counted(edition, label) == {"2022": 2, "2026": 1, "none": 1}


# What a list must say


def test_a_chance_learned_under_a_superseded_edition_says_so_until_enough() -> None:
    for own, said in ((0, True), (enough() - 1, True), (enough(), False)):
        found = superseded({"2022": 300, "2026": own}, "2026")
        assert (found is not None) == said, own
    said_ = superseded({"2022": 300}, "2026")
    assert said_ is not None
    assert (said_.code, said_.zh) == ("edition_2022", "模型基于2022版标准样本")


@pytest.mark.parametrize(
    ("counts", "current", "code"),
    [
        ({"2022": 10, "2026": 10}, "2026", None),  # not most
        ({"2022": 11, "2026": 10}, "2026", "edition_2022"),
        ({"2022": 40, "none": 100}, "2026", "edition_2022"),
        ({"2022": 40, "none": 100}, "2022", "edition_none"),
        ({"2016": 9, "2018": 9}, "2023", "edition_2018"),
        ({"2022": 40}, "", None),  # no edition in force judges
        ({}, "2026", None),
    ],
)
def test_the_statement_names_the_edition_of_most_outcomes(
    counts: dict[str, int], current: str, code: str | None
) -> None:
    found = superseded(counts, current)
    assert (found.code if found else None) == code


def test_without_applications_a_promotion_says_that_it_includes_the_will_to_apply() -> None:
    bare = history("a", tuple(k for k in ALL if not k.startswith("application"))).as_of(DAY)
    full = history("a").as_of(DAY)
    report = {"editions": {"2022": 90}}
    assert [s.zh for s in statements(LITTLE, report, bare)] == ["估计概率含申报意愿"]
    assert statements(LITTLE, report, full) == ()
    assert statements(find("recognition:little_giant", ()), report, bare) == ()
    assert statements(find("growth@12", ()), {}, bare) == ()


def test_the_statement_depends_on_the_day_of_scoring() -> None:
    seen, report = history("a"), {"editions": {"2022": 90}}
    codes = [
        [s.code for s in statements(LITTLE, report, seen.as_of(day))]
        for day in (date(2026, 3, 31), date(2026, 4, 1))
    ]
    assert codes == [[], ["edition_2022"]]


# Abolished routes


def off(task: str, day: date) -> set[str]:
    flags = routes_off(find(task, ()), BUILT_IN, day)
    return {spec.name for spec, is_off in zip(BUILT_IN, flags, strict=True) if is_off}


def test_features_of_abolished_routes_are_off_from_the_day_of_the_edition() -> None:
    assert off("promotion:srdi_provincial", date(2026, 3, 31)) == set()
    assert off("promotion:srdi_provincial", date(2026, 4, 1)) == {
        "provincial_score", "contest_rank",
    }  # fmt: skip
    assert off("promotion:little_giant", date(2026, 4, 1)) == {"contest_rank"}
    assert off("promotion:innovative_sme", date(2026, 4, 1)) == set()
    assert off("promotion:srdi_provincial", date(2020, 1, 1)) == set()
    assert off("growth@12", date(2026, 4, 1)) == set()


def test_an_abolished_route_is_unknown_of_everybody_in_scores() -> None:
    task, values = find("promotion:srdi_provincial", ()), np.ones((2, len(BUILT_IN)))
    for day, gone in (
        (date(2026, 3, 31), set()),
        (date(2026, 4, 1), off(str(task.name), date(2026, 4, 1))),
    ):
        found = blanked(task, BUILT_IN, values, day)
        unknown = {s.name for s, v in zip(BUILT_IN, found.T, strict=True) if np.isnan(v).all()}
        assert unknown == gone
        assert np.nansum(found) == 2 * (len(BUILT_IN) - len(gone))


def test_a_declared_route_is_read_by_its_own_edition_and_by_none_in_force() -> None:
    law, today = standing(), date(2026, 6, 30)

    def inputs(edition: str) -> set[str]:
        read = law.editions[edition].metrics
        names = set().union(*(law.metrics[m].inputs for m in read)) - MADE
        return {name.partition("[")[0] for name in names}

    for route in routes():
        current = law.select(route.tier, today)
        assert current.id != route.edition
        assert route.columns <= inputs(route.edition), route
        assert not route.columns & inputs(current.id), route


def test_every_feature_that_only_an_abolished_standard_reads_is_declared_or_no_route() -> None:
    """Columns that 2号 reads no more: a route of its own, or a figure of the firm as such."""
    law, today = standing(), date(2026, 6, 30)
    figures = {
        "digital_level", "fills_gap_flag", "supplies_chain_leader", "own_brand", "iso_cert",
        "info_system_core", "product_cert_overseas", "quality_award_level", "class1_ip",
        "class2_ip", "rd_staff", "rd_institution_level", "net_profit", "time_honored_brand",
        "employees", "net_margin_pct", "class1_ip_self", "class1_ip_high_value",
        "standards_led", "standards_joined", "equity_raised_qualified_3y",
    }  # fmt: skip
    sources = set().union(*(spec.expr.sources for spec in BUILT_IN))
    for tier, old in (("srdi_provincial", "63-2022/annex2"), ("little_giant", "63-2022/annex3")):

        def read(edition: str) -> set[str]:
            names = set().union(*(law.metrics[m].inputs for m in law.editions[edition].metrics))
            return {name.partition("[")[0] for name in names}

        gone = (read(old) - read(law.select(tier, today).id)) & sources
        declared = set().union(*(r.columns for r in routes() if r.tier == tier))
        assert gone - declared <= figures, gone - declared - figures


def test_routes_are_off_in_training_too() -> None:
    """The newest cohort stands before the day on which the model is made: the day decides."""
    seen = history("a b")
    frame = seen.rows["annual"].frame.assign(provincial_feature_score=[1.0, 2, 3, 4, 5, 6])
    rows = {**seen.rows, "annual": type(seen.rows["annual"]).build(frame, ("firm_id", "year"))}
    scored = replace(seen, rows=rows)
    task = find("promotion:srdi_provincial", ())
    part = cohort_at(scored, task, END)
    for day, there in ((date(2026, 3, 31), True), (date(2026, 4, 1), False)):
        names = fitted_profile(task, [part], day).names
        assert ("provincial_score" in names) == there
