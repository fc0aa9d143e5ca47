"""Bad input at the command line: one clear error with its cure, nothing lost, nothing half-done."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_city import AS_OF, MAPPING, Trained, call, copied, done, quick, refused, state

HEAD = "firm_id,year,revenue,net_profit,known_on\n"
GOOD = HEAD + "A,2020,100,5,2021-05-01\nB,2020,90,4,2021-05-01\n"


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick():
        yield


@pytest.fixture
def filled(home: Path, tmp_path: Path) -> Path:
    """A home that holds something to lose."""
    (tmp_path / "good.csv").write_text(GOOD)
    done(home, "import", tmp_path / "good.csv", "--mapping", MAPPING)
    return home


@pytest.mark.parametrize(
    ("content", "rule", "said"),
    [
        (b"", "empty_file", "header"),
        (HEAD.encode(), "no_rows", "rows"),
        (b"year,revenue\n2020,1\n", "", "firm_id"),
        (HEAD.encode() + b",2020,1,1,2021-05-01\n", "", "firm_id"),
        (GOOD.encode() + b"A,2020,100,5,2021-05-01\n", "", "A"),
        (HEAD.encode() + b"A,2020,inf,1,2021-05-01\n", "not_finite", "finite"),
        (HEAD.encode() + b"A,2020,-inf,1,2021-05-01\n", "not_finite", "finite"),
        (HEAD.encode() + b"A,2020,1e999,1,2021-05-01\n", "not_finite", "finite"),
        (HEAD.encode() + b"A,twenty,1,1,2021-05-01\n", "", "year"),
        (HEAD.encode() + b"A,2020,-100,1,2021-05-01\n", "", "revenue"),
        (HEAD.encode() + b"A,2020,1,1,2021-02-30\n", "", "known_on"),
        (b"\x00\x01\x02\xff" * 99, "", ""),
    ],
)
def test_a_bad_file_is_refused_whole(
    filled: Path, tmp_path: Path, content: bytes, rule: str, said: str
) -> None:
    before = state(filled)
    file = tmp_path / "annual.csv"
    file.write_bytes(content)
    error = refused(filled, "import", file, "--mapping", MAPPING)
    assert error["code"] == "data"
    issues = [i for i in error["issues"] if i["level"] == "error"]
    assert issues
    assert all(i["message"] and i["cure"] for i in issues)
    if rule:
        assert {i["rule"] for i in issues} == {rule}
    assert said in str(error)
    assert state(filled) == before
    words = call(filled, "import", file, "--mapping", MAPPING)
    assert (words.status, words.out) == (1, "")
    assert "error" in words.err
    assert ".." not in words.err


def test_an_unknown_column_is_warned_of_with_its_neighbour(filled: Path, tmp_path: Path) -> None:
    """It is not read, and the import says so: the rest of the file is good."""
    file = tmp_path / "annual.csv"
    file.write_text(GOOD.replace("revenue", "revenu"))
    found = done(filled, "import", file, "--mapping", MAPPING)
    assert found["warnings"] == 1
    assert "Did you mean 'revenue'" in found["issues"][0]["message"]


def test_missing_numbers_are_unknown_and_pass(filled: Path, tmp_path: Path) -> None:
    file = tmp_path / "annual.csv"
    file.write_text(HEAD + "C,2020,NaN,,2021-05-01\n")
    assert done(filled, "import", file, "--mapping", MAPPING)["tables"] == {"annual": 1}


def test_paths_that_are_no_files_are_refused(filled: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("name = [")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"name = '\xe9\xff'")
    good, before = tmp_path / "good.csv", state(filled)
    for file, mapping in (
        (tmp_path, MAPPING),
        (tmp_path / "none.csv", MAPPING),
        (good, tmp_path),
        (good, tmp_path / "none.toml"),
        (good, broken),
        (good, latin),
    ):
        assert refused(filled, "import", file, "--mapping", mapping)["code"] == "data"
    assert state(filled) == before


def test_a_store_that_is_none_stops_an_import_before_it_begins(home: Path, tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(GOOD)
    (home / "tidu.sqlite").write_bytes(b"no database" * 99)
    assert refused(home, "import", tmp_path / "good.csv", "--mapping", MAPPING)["cure"]
    assert not (home / "vault").exists()
    refused(tmp_path / "good.csv", "doctor")  # a home that is a file


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--task", "growth@12", "--as-of", AS_OF),
        ("evaluate", "--task", "growth@12", "--test-as-of", "2024-06-30"),
    ],
)
def test_an_empty_vault_says_how_to_fill_it(
    home: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert "tidu import" in refused(home, *words)["cure"]
    (tmp_path / "good.csv").write_text(GOOD)
    imported = done(home, "import", tmp_path / "good.csv", "--mapping", MAPPING)["import_id"]
    done(home, "withdraw", imported[:9])
    assert "tidu import" in refused(home, *words)["cure"], "everything was withdrawn"


def test_nothing_trained_and_nothing_published(home: Path) -> None:
    assert "tidu train" in refused(home, "publish", "--as-of", AS_OF)["cure"]
    assert "tidu publish" in refused(home, "shortlist", "--task", "growth@12")["cure"]
    assert "tidu publish" in refused(home, "explain", "A", "--task", "growth@12")["cure"]
    out = ("--as-of", AS_OF, "--out", home / "s.csv")
    assert refused(home, "score", "--bundle", "0f", *out)["code"] == "not_found"
    assert refused(home, "use", "growth@12", "0f")["code"] == "not_found"


@pytest.mark.parametrize("rows", [1, 2, 40])
def test_one_year_of_accounts_teaches_no_growth(home: Path, tmp_path: Path, rows: int) -> None:
    file = tmp_path / "annual.csv"
    lines = (f"F{i:03d},2020,{100 + i},{i % 7},2021-05-01\n" for i in range(rows))
    file.write_text(HEAD + "".join(lines))
    done(home, "import", file, "--mapping", MAPPING)
    for day in ("2021-06-30", "2022-06-30"):
        error = refused(home, "train", "--task", "growth@12", "--as-of", day)
        assert error["code"] == "not_available"
    test = ("--test-as-of", "2021-06-30")
    assert refused(home, "evaluate", "--task", "growth@12", *test)["code"] == "not_available"


@pytest.mark.parametrize(("factor", "found"), [(1.0, "0 positives"), (2.0, "positives among")])
def test_one_outcome_alone_teaches_nothing(
    home: Path, tmp_path: Path, factor: float, found: str
) -> None:
    file = tmp_path / "annual.csv"
    years = range(2015, 2021)
    lines = (
        f"F{i:03d},{y},{(100 + i) * factor ** (y - 2015)},{i % 7},{y + 1}-05-01\n"
        for i in range(40)
        for y in years
    )
    file.write_text(HEAD + "".join(lines))
    done(home, "import", file, "--mapping", MAPPING)
    error = refused(home, "train", "--task", "growth@12", "--as-of", "2021-06-30")
    assert found in error["message"]
    test = ("evaluate", "--task", "growth@12", "--test-as-of", "2018-06-30,2019-06-30")
    assert "both outcomes" in refused(home, *test)["message"]


def test_events_without_coverage_say_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(GOOD)
    other, mapping = tmp_path / "other", tmp_path / "m.toml"
    mapping.write_text(MAPPING.read_text().partition("[coverage]")[0])
    done(other, "import", tmp_path / "good.csv", "--mapping", mapping)
    error = refused(other, "train", "--task", "distress@12", "--as-of", AS_OF)
    assert error["code"] == "not_available"
    assert "coverage of at least one of" in error["message"]
    assert "[coverage]" in error["cure"]


def test_events_without_accounts_train_nothing(home: Path, city_files: Path) -> None:
    done(home, "import", city_files / "events.csv", "--mapping", MAPPING)
    error = refused(home, "train", "--task", "distress@12", "--as-of", AS_OF)
    assert error["code"] == "not_available"


def test_a_day_before_any_data_publishes_nothing(city_home: Trained, tmp_path: Path) -> None:
    home = copied(city_home.home, tmp_path / "home")
    before = done(home, "doctor")
    assert refused(home, "publish", "--as-of", "1990-01-01")["code"] == "not_available"
    assert done(home, "doctor") == before


def test_withdrawing_needs_one_import(city_home: Trained, tmp_path: Path) -> None:
    home = copied(city_home.home, tmp_path / "home")
    before = done(home, "doctor")
    for reference in ("", "zz", "0" * 64):
        assert refused(home, "withdraw", reference)["code"] == "not_found"
    assert done(home, "doctor") == before


def test_a_bundle_taken_away_is_said_so(city_home: Trained, tmp_path: Path) -> None:
    home = copied(city_home.home, tmp_path / "home")
    identity = city_home.answers["growth@12"]["bundle_id"]
    (home / "bundles" / identity).rename(tmp_path / identity)
    assert identity in refused(home, "publish", "--as-of", AS_OF)["message"]
    wrong = refused(home, "use", "distress@12", tmp_path / identity, status=2)
    assert "growth@12" in wrong["message"]


def test_a_busy_port_is_said_so(city_home: Trained) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        error = refused(city_home.home, "serve", "--port", port)
    assert (error["code"], str(port) in error["message"]) == ("unready", True)
