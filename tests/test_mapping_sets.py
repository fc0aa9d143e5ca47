"""The mappings of the real sets: every row and column comes out as the set means it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.mapping import Coverage, TaskDefaults
from features.mapping_build import load_mapping
from features.prepared import Prepared, prepare

TODAY = date(2026, 11, 23)


@pytest.fixture
def example(root: Path, shared_data: Path) -> Callable[[str, str], Prepared]:
    def load(name: str, file: str) -> Prepared:
        return prepare(shared_data / file, load_mapping(root / f"examples/{name}.toml"), TODAY)

    return load


def test_neeq(example: Callable[[str, str], Prepared], shared_data: Path) -> None:
    got = example("cn_neeq", "cn_neeq_firm_year.csv.gz")
    raw = pd.read_csv(shared_data / "cn_neeq_firm_year.csv.gz")
    annual, events = got.tables["annual"], got.tables["events"]
    assert (len(annual), len(got.tables["firms"]), len(events)) == (5310, 1061, 73)
    assert set(events["kind"]) == {"listed"}
    assert set(events["board"]) == {"bse"}
    suspect = (raw["unit_suspect"] == 1).to_numpy()
    assert annual["revenue"].isna().to_numpy().tolist() == suspect.tolist()
    assert annual["gross_margin_pct"][suspect].notna().any()
    np.testing.assert_array_equal(annual["revenue"][~suspect], raw["revenue"][~suspect])
    assert not {c for c in annual if "list" in c or "universe" in c or "suspect" in c}
    assert got.mapping.coverage == (Coverage("listed", date(2020, 7, 27), date(2026, 3, 31)),)
    assert got.mapping.tasks == (TaskDefaults("listing", 24, None),)


def test_korea(example: Callable[[str, str], Prepared], shared_data: Path) -> None:
    got = example("kr_listed", "kr_listed_firm_year.csv.gz")
    raw = pd.read_csv(shared_data / "kr_listed_firm_year.csv.gz")
    annual = got.tables["annual"]
    assert (len(annual), len(got.tables["firms"])) == (16222, 2426)
    np.testing.assert_array_equal(annual["revenue"], raw["revenue"] / 10_000)
    assert set(annual["currency"]) == {"KRW"}
    assert (annual["reporting_basis"] == "parent").sum() == (raw["fs_div"] == "OFS").sum()
    years = annual["known_on"].dt.year - annual["year"]
    assert (years.to_numpy() == 1 + raw["min_lag"].to_numpy()).all()
    # Nothing is known before the middle of 2016 (shared/data/README.md).
    assert annual["known_on"].min() == pd.Timestamp(2016, 6, 30)


def test_korean_delistings(example: Callable[[str, str], Prepared], shared_data: Path) -> None:
    got = example("kr_delisted", "kr_delisted.csv")
    assert got.tables["events"]["kind"].value_counts().to_dict() == {
        "delisted": 41,
        "dissolved": 12,
    }
    raw = pd.read_csv(shared_data / "kr_delisted.csv")
    dissolved = got.tables["events"]["kind"] == "dissolved"
    assert set(raw["delist_reason"][dissolved]) == {"해산 사유 발생"}
    assert not got.warnings


def test_norway(example: Callable[[str, str], Prepared], shared_data: Path) -> None:
    got = example("no_hospitality", "no_hospitality_firm_year.csv.gz")
    raw = pd.read_csv(shared_data / "no_hospitality_firm_year.csv.gz")
    annual, outcomes = got.tables["annual"], got.tables["outcomes"]
    assert (len(annual), len(got.tables["firms"]), len(outcomes)) == (5360, 2788, 5360)
    np.testing.assert_allclose(annual["debt_ratio_pct"], raw["debt_ratio"] * 100)
    assert outcomes["outcome"].sum() == raw["bankrupt"].sum()
    assert set(outcomes["known_on"]) == {pd.Timestamp(2019, 12, 31)}
    assert (annual["known_on"].dt.year == annual["year"]).all()
    assert (got.tables["firms"]["split_group"] == got.tables["firms"]["firm_id"]).all()


def test_spain(example: Callable[[str, str], Prepared], shared_data: Path) -> None:
    got = example("es_firm_year", "es_firm_year.csv.gz")
    raw = pd.read_csv(shared_data / "es_firm_year.csv.gz")
    assert {n: len(f) for n, f in got.tables.items()} == dict.fromkeys(
        ("annual", "firms", "outcomes"), 2859
    )
    assert got.tables["outcomes"]["outcome"].sum() == (raw["BANKRUPTCY"] == "YES").sum() == 62
    keys = (
        raw["PROVINCE_CODE"].astype(str)
        + raw["SOCIAL_CODE"]
        + (raw["YEAR"] - raw["AGE"]).astype(str)
    )
    groups = pd.factorize(keys + "|" + raw["NUMBER_PARTNERS"].astype(str))[0]
    assert (pd.factorize(got.tables["firms"]["split_group"])[0] == groups).all()
    assert not {"PROVINCE_CODE", "province", "BANKRUPTCY"} & set(got.tables["annual"])
    assert {c.name for c in got.mapping.extras} <= set(got.tables["annual"])


@pytest.mark.parametrize(
    ("name", "file"),
    [("cn_neeq", "cn_neeq_firm_year.csv.gz"), ("es_firm_year", "es_firm_year.csv.gz")],
)
def test_the_form_of_the_file_does_not_matter(
    root: Path, shared_data: Path, tmp_path: Path, name: str, file: str
) -> None:
    mapping = load_mapping(root / f"examples/{name}.toml")
    text = gzip.decompress((shared_data / file).read_bytes())
    frame = pd.read_csv(shared_data / file)
    frame.to_parquet(tmp_path / "parquet")
    frame.to_excel(tmp_path / "book.xlsx", index=False)
    (tmp_path / "utf16").write_bytes(text.decode().encode("utf-16"))
    expected = prepare(shared_data / file, mapping, TODAY).tables
    for form in ("parquet", "utf16", "book.xlsx"):
        got = prepare(tmp_path / form, mapping, TODAY).tables
        for table, rows in expected.items():
            pd.testing.assert_frame_equal(got[table], rows)
