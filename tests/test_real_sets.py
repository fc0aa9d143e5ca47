"""The real sets through the same commands: import, train, publish, shortlist, explain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_city import done, quick, refused

FILES = {
    "cn_neeq": "cn_neeq_firm_year.csv.gz",
    "kr_listed": "kr_listed_firm_year.csv.gz",
    "kr_delisted": "kr_delisted.csv",
    "no_hospitality": "no_hospitality_firm_year.csv.gz",
    "es_firm_year": "es_firm_year.csv.gz",
}


@dataclass(frozen=True)
class Asked:
    """What is asked of a home: sets, task as the user writes it, its full name, and the day."""

    sets: tuple[str, ...]
    task: str
    name: str
    day: str
    positives: int


ASKED = (
    Asked(("cn_neeq",), "listing", "listing@24", "2025-06-30", 84),
    Asked(("no_hospitality",), "distress", "distress@12", "2019-12-31", 163),
    Asked(("es_firm_year",), "distress", "distress@12", "2003-12-31", 62),
)


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick():
        yield


def imported(home: Path, data: Path, root: Path, name: str) -> dict[str, int]:
    mapping = root / "examples" / f"{name}.toml"
    tables: dict[str, int] = done(home, "import", data / FILES[name], "--mapping", mapping)[
        "tables"
    ]
    return tables


@pytest.mark.parametrize("asked", ASKED, ids=lambda a: a.sets[0])
def test_a_set_goes_the_whole_way(home: Path, shared_data: Path, root: Path, asked: Asked) -> None:
    for name in asked.sets:
        imported(home, shared_data, root, name)
    trained = done(home, "train", "--task", asked.task, "--as-of", asked.day)
    assert (trained["task"], trained["report"]["positives"]) == (asked.name, asked.positives)
    published = done(home, "publish", "--as-of", asked.day)
    assert published["tasks"].keys() == {asked.name}
    short = done(home, "shortlist", "--task", asked.task, "--k", "3")
    assert [i["rank"] for i in short["items"]] == [1, 2, 3]
    firm = short["items"][0]["firm_id"]
    assert done(home, "explain", firm, "--task", asked.name)["positive"]


def test_korea_needs_its_delistings_for_distress(home: Path, shared_data: Path, root: Path) -> None:
    assert imported(home, shared_data, root, "kr_listed")["annual"] == 16222
    words = ("train", "--task", "distress", "--as-of", "2020-12-31")
    error = refused(home, *words)
    assert error["code"] == "not_available"
    assert error["message"].startswith("distress@24 needs coverage")
    assert "delisted" in error["message"]
    assert imported(home, shared_data, root, "kr_delisted") == {"events": 53}
    found = done(home, "evaluate", "--task", "growth@12", "--test-as-of", "2018-06-30")
    assert found["positives"] >= 30
    # Nothing was known before mid-2016, so 36-month labels mature from mid-2019 on.
    early = refused(home, "train", "--task", "growth@36", "--as-of", "2018-06-30")
    assert early["code"] == "not_available"


def test_norway_is_tested_by_firm(
    home: Path, shared_data: Path, root: Path, tmp_path: Path
) -> None:
    imported(home, shared_data, root, "no_hospitality")
    out = done(home, "train", "--task", "distress", "--as-of", "2019-12-31")
    scores = tmp_path / "scores.csv"
    words = ("score", "--bundle", out["path"], "--as-of", "2018-12-31", "--out", scores)
    done(home, *words)
    firms = [line.split(",")[0] for line in scores.read_text().splitlines()[1:]]
    (tmp_path / "firms.txt").write_text("\n".join(sorted(firms)[::4]))
    days = "2016-12-31,2017-12-31,2018-12-31"
    words = ("evaluate", "--task", "distress@12", "--test-as-of", days)
    found = done(home, *words, "--test-firms", tmp_path / "firms.txt")
    assert (found["split"], len(found["dates"])) == ("by firm", 3)
    assert found["positives"] > 0
    # Out of time nothing can be learned: all outcomes became known on one later day.
    assert refused(home, *words)["code"] == "not_available"
