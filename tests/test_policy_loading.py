"""Loading the law: what is wrong is refused, all problems at once, each with file and key."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from policy.loading import DATA, LOCK, digests, load
from tidu.errors import DataError, NotFound

GIANT = "editions/little_giant_2026.toml"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "data"))


def edited(data: Path, file: str, old: str, new: str) -> None:
    """Change a file and release it, so that only its content can be at fault."""
    text = (data / file).read_text(encoding="utf-8")
    assert old in text
    (data / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    lines = [f'"{name}" = "{digest}"' for name, digest in digests(data).items()]
    (data / LOCK).write_text("[files]\n" + "\n".join(lines), encoding="utf-8")


def problems(data: Path, city: Path | None = None) -> list[tuple[str, str, str]]:
    with pytest.raises(DataError, match="All files of the law") as refused:
        load(city, data)
    return [(issue.file, issue.column, issue.rule) for issue in refused.value.issues]


def test_the_law_that_ships_is_released() -> None:
    assert load().digest == load(None, DATA).digest


def test_a_changed_file_is_refused(data: Path) -> None:
    file = data / GIANT
    file.write_text(file.read_text(encoding="utf-8").replace("5000", "4000"), encoding="utf-8")
    assert (GIANT, "", "changed") in problems(data)


def test_a_file_outside_the_lock_is_refused(data: Path) -> None:
    shutil.copy(data / GIANT, data / "editions/other.toml")
    assert ("editions/other.toml", "", "unlocked") in problems(data)


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "rule"),
    [
        (GIANT, '"debt_to_assets_pct"', '"debt"', "criteria[5].test.metric", "unknown_metric"),
        (GIANT, 'clause = "附件2 第一项"', "", "criteria[0].clause", "clause"),
        (GIANT, "at_most = 75", "at_least = 75", "criteria[5].test", "direction"),
        (GIANT, '"six_bases"', '"seven_bases"', "criteria[11].test.any[0].one_of", "policy"),
        ("editions/srdi_municipal_city.toml", "municipal_score_line", "line",
         "criteria[3].test.any[0].at_least", "unknown_parameter"),
        ("selector.toml", "to = 2026-12-31", "to = 2027-12-31", "use[11]", "overlap"),
        ("metrics/ladder.toml", "100 * rd_expense / revenue", "100 * rd / revenue",
         "rd_ratio_pct.formula", "unknown_input"),
        ("metrics/ladder.toml", "[rd_ratio_pct]", "[revenue_mean_2y]", "revenue_mean_2y", "twice"),
        ("exclusions_boards.toml", "[groups.prohibitive-bse]", "[groups.entry-2]",
         "groups.entry-2", "twice"),
        ("documents_boards.toml", "[csrc-bse-2023]", "[63-2022]", "63-2022", "twice"),
        (GIANT, 'document = "117-2026"', 'document = "117"', "criteria.not_champion.document",
         "document"),
        ("metrics/rising.toml", "[age_years]", "[rd_ratio_pct]", "rd_ratio_pct", "twice"),
        ("size_classes.toml", '["51"]', '["51", "65"]', "trades.software.gb4754", "policy"),
        ("size_classes.toml", 'size = "software"', 'size = "soft"', "trades.software.size",
         "policy"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_and_key(
    data: Path, file: str, old: str, new: str, key: str, rule: str
) -> None:
    edited(data, file, old, new)
    assert (file, key, rule) in problems(data)


def test_all_problems_come_at_once(data: Path) -> None:
    edited(data, GIANT, '"debt_to_assets_pct"', '"debt"')
    edited(data, "selector.toml", "to = 2026-12-31", "to = 2027-12-31")
    (data / "documents.toml").write_text("no toml", encoding="utf-8")
    files = {file for file, _, _ in problems(data)}
    assert {GIANT, "selector.toml", "documents.toml"} <= files


def test_the_city_sets_parameters_and_batches(tmp_path: Path) -> None:
    city = tmp_path / "city.toml"
    city.write_text(
        "[parameters]\nmunicipal_score_line = 55\n"
        '[tasks.G4]\n"高新区" = 12\n'
        '[reviews.A15]\ndocument = "公平竞争审查〔2026〕1号"\non = 2026-05-01\nby = "市场监管局"\n'
        '[[batches]]\ntier = "little_giant"\nyear = 2026\nquota = 20\ncloses_on = 2026-05-25\n',
        encoding="utf-8",
    )
    law = load(city)
    assert law.number("municipal_score_line") == 55
    assert law.parameters["municipal_score_line"].set_by == "city"
    assert law.batch("little_giant", date(2026, 6, 30)).quota == 20
    assert law.city.tasks["G4"]["高新区"] == 12
    assert law.digest != load().digest


@pytest.mark.parametrize("text", ["[parameters]\nunheard = 1\n", "[surprise]\n", "no toml"])
def test_a_wrong_city_file_is_refused(tmp_path: Path, text: str) -> None:
    city = tmp_path / "city.toml"
    city.write_text(text, encoding="utf-8")
    assert any(file == str(city) for file, _, _ in problems(DATA, city))


@pytest.mark.parametrize(
    ("tier", "day", "purpose", "edition"),
    [
        ("little_giant", date(2022, 8, 1), "new", "63-2022/annex3"),
        ("little_giant", date(2026, 3, 31), "new", "63-2022/annex3"),
        ("little_giant", date(2026, 4, 1), "new", "2-2026/annex2"),
        ("little_giant", date(2026, 12, 31), "review", "63-2022/annex3"),
        ("little_giant", date(2027, 1, 1), "review", "2-2026/annex2"),
        ("srdi_provincial", date(2026, 3, 31), "review", "63-2022/annex2"),
        ("srdi_provincial", date(2026, 4, 1), "review", "2-2026/annex1"),
        ("innovative_sme", date(2026, 6, 30), "new", "63-2022/annex1"),
        ("key_little_giant", date(2024, 6, 14), "new", "148-2024"),
        ("key_little_giant", date(2026, 12, 31), "new", "148-2024"),
        ("gazelle", date(2022, 1, 1), "review", "city/gazelle"),
        ("above_scale", date(2026, 6, 30), "new", "statistics/above_scale"),
        ("tech_sme", date(2017, 5, 3), "new", "115-2017"),
        ("tech_sme", date(2026, 6, 30), "review", "115-2017"),
        ("single_champion", date(2016, 3, 16), "new", "105-2016/enterprise"),
        ("single_champion", date(2017, 12, 31), "review", "105-2016/enterprise"),
        ("single_champion", date(2018, 1, 1), "new", "105-2016/enterprise-2018"),
        ("single_champion", date(2023, 9, 13), "new", "105-2016/enterprise-2018"),
        ("single_champion", date(2023, 9, 14), "new", "138-2023/annex1"),
        ("single_champion_product", date(2017, 5, 18), "new", "105-2016/product"),
        ("single_champion_product", date(2023, 9, 13), "review", "105-2016/product-2018"),
        ("single_champion", date(2026, 6, 30), "review", "138-2023/annex1"),
    ],
)
def test_date_tier_and_purpose_select_the_edition(
    tier: str, day: date, purpose: str, edition: str
) -> None:
    assert load().select(tier, day, purpose).id == edition  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda law: law.select("little_giant", date(2022, 7, 31)), "63-2022/annex3 from 2022"),
        (lambda law: law.select("giant", date(2026, 7, 31)), "Tiers in data"),
        (
            lambda law: law.select("single_champion_product", date(2023, 9, 14)),
            "105-2016/product-2018 from 2018-01-01 to 2023-09-13",
        ),
        (lambda law: law.select("key_little_giant", date(2027, 1, 1)), "to 2026-12-31"),
        (lambda law: law.select("key_little_giant", date(2026, 3, 1), "review"), "Tiers in data"),
        (lambda law: law.edition("63-2022/annex9"), "Did you mean"),
    ],
)
def test_what_is_not_in_data_says_what_is(call: Callable[[object], object], match: str) -> None:
    with pytest.raises(NotFound, match=match):
        call(load())


def test_the_fiscal_year_is_fixed_by_the_batch() -> None:
    batch = load().batch("little_giant", date(2026, 6, 30))
    assert (batch.data_year, batch.id) == (2025, "2026-little_giant")
