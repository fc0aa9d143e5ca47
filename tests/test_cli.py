"""The fixed forms of the command line: JSON keys, columns, names, dates, exit statuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_city import AS_OF, MAPPING, Trained, call, copied, done, quick, refused, rows_of

from serving.cli import COMMANDS
from serving.workspace import Workspace

COLUMNS = ["firm_id", "rank", "score", "probability", "p_low", "p_high"]


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick():
        yield


def tidu(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A real process."""
    return subprocess.run(
        [sys.executable, "-c", "from serving.cli import main; main()", *arguments],
        env=os.environ | {"TIDU_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_import_says_id_rows_and_warnings(home: Path, city_files: Path) -> None:
    first = done(home, "import", city_files / "annual.csv", "--mapping", MAPPING)
    assert {"import_id", "tables", "warnings"} <= first.keys()
    assert first["tables"].keys() == {"annual"}
    again = done(home, "import", city_files / "annual.csv", "--mapping", MAPPING)
    assert (again["import_id"], again["new"]) == (first["import_id"], False)


def test_training_answers_with_bundle_path_and_report(city_home: Trained) -> None:
    answer = city_home.answers["growth@12"]
    assert {"bundle_id", "path", "report"} <= answer.keys()
    assert answer["task"] == "growth@12"
    assert Path(answer["path"]).is_dir()
    report = answer["report"]
    assert 0 < report["positives"] < report["n"]
    # Training cohorts keep the month and day, so accounts have the same age as in scoring.
    assert {c["as_of"][5:] for c in report["cohorts"]} == {AS_OF[5:]}
    assert max(c["as_of"] for c in report["cohorts"]) == "2025-06-30"
    assert report["length"]["outcomes"] == report["positives"]
    assert 0 < report["length"]["share"] < 1


def test_horizon_is_the_same_as_at_and_out_gets_a_copy(city_home: Trained, tmp_path: Path) -> None:
    home = copied(city_home.home, tmp_path / "home")
    words = ("train", "--task", "growth", "--horizon", "12", "--as-of", AS_OF)
    answer = done(home, *words, "--out", tmp_path / "out")
    assert answer["task"] == "growth@12"
    assert answer["bundle_id"] == city_home.answers["growth@12"]["bundle_id"]
    assert Path(answer["path"]).parent == tmp_path / "out"
    # The folder that --out named is as good a reference as the bundle below it.
    for folder in (answer["path"], tmp_path / "out"):
        assert Workspace(home).bundle_path(str(folder)) == Path(answer["path"])


def test_the_default_horizon_is_the_mappings(home: Path, tmp_path: Path, root: Path) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("firm_id,year,revenue\nA,2020,100\nB,2020,100\n")
    mapping = tmp_path / "m.toml"
    text = (root / "examples" / "template.toml").read_text()
    mapping.write_text(text + "\n[tasks.growth]\nmonths = 36\n")
    done(home, "import", accounts, "--mapping", mapping)
    error = refused(home, "train", "--task", "growth", "--as-of", AS_OF)
    assert error["message"].startswith("growth@36 ")


def test_evaluation_has_its_metrics_and_baselines(city_home: Trained) -> None:
    words = ("evaluate", "--task", "growth@12", "--test-as-of", "2024-06-30,2025-06-30")
    found = done(city_home.home, *words)
    assert {"metrics", "baselines", "n", "positives"} <= found.keys()
    assert {"auc", "ap", "p_at", "ndcg_at", "brier", "ece"} <= found["metrics"].keys()
    assert found["metrics"]["p_at"].keys() == {"20", "50", "100"}
    assert [d["as_of"] for d in found["dates"]] == ["2024-06-30", "2025-06-30"]
    assert sum(d["n"] for d in found["dates"]) == found["n"]
    # At each date only what had matured by then was learned from.
    assert max(found["dates"][0]["training"]["cohorts"]) == "2023-06-30"
    assert found["task"] == "growth@12"


def test_scores_have_six_columns_and_one_row_a_firm(city_home: Trained, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    bundle = city_home.answers["growth@12"]["path"]
    answer = done(city_home.home, "score", "--bundle", bundle, "--as-of", AS_OF, "--out", out)
    rows = rows_of(out)
    assert list(rows[0]) == COLUMNS
    assert len(rows) == answer["firms"] == len({r["firm_id"] for r in rows})
    assert [int(r["rank"]) for r in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        low, middle, high = (float(row[c]) for c in ("p_low", "probability", "p_high"))
        assert 0 <= low <= middle <= high <= 1
    published = done(city_home.home, "shortlist", "--task", "growth@12", "--k", len(rows))
    assert [i["firm_id"] for i in published["items"]] == [r["firm_id"] for r in rows]
    assert published["items"][0]["score"] == float(rows[0]["score"])


def test_published_tasks_are_listed_and_explained(city_home: Trained) -> None:
    assert city_home.answers["publish"]["tasks"].keys() == {"growth@12", "distress@12"}
    short = done(city_home.home, "shortlist", "--task", "growth", "--k", "3")
    assert (short["task"], len(short["items"])) == ("growth@12", 3)
    firm = short["items"][0]["firm_id"]
    found = done(city_home.home, "explain", firm, "--task", "growth@12")
    assert (found["task"], found["rank"]) == ("growth@12", 1)
    assert found["positive"][0]["text_zh"]
    shown = call(city_home.home, "explain", firm, "--task", "growth@12", "--lang", "en")
    assert found["positive"][0]["text_en"] in shown.out


def test_use_moves_the_task_that_publishing_follows(city_home: Trained, tmp_path: Path) -> None:
    home = copied(city_home.home, tmp_path / "home")
    words = ("train", "--task", "growth@12", "--as-of", AS_OF, "--seed", "5")
    other = done(home, *words)["bundle_id"]
    first = city_home.answers["growth@12"]["bundle_id"]
    assert other != first
    assert Workspace(home).bundle_in_use("growth@12") == first, "the first trained stays in use"
    assert done(home, "use", "growth@12", other)["bundle_id"] == other
    assert Workspace(home).bundle_in_use("growth@12") == other
    done(home, "publish", "--as-of", AS_OF, "--bundle", first)
    assert done(home, "shortlist", "--task", "growth@12")["model_version"] == first
    done(home, "publish", "--as-of", AS_OF)
    assert done(home, "shortlist", "--task", "growth@12")["model_version"] == other


def test_words_go_to_stderr_and_data_to_stdout(city_home: Trained, tmp_path: Path) -> None:
    home = copied(city_home.home, tmp_path / "home")
    answer = call(home, "publish", "--as-of", "2025-06-30", "--json")
    assert json.loads(answer.out)["as_of"] == "2025-06-30"
    assert "scoring and reasons" in answer.err
    assert "was trained on 2026-06-30, after 2025-06-30" in answer.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_json_and_has_help(home: Path, command: str) -> None:
    answer = call(home, command, "--help")
    assert answer.status == 0
    assert "--json" in answer.out
    assert refused(home, command, "--no-such-option", status=2)["code"] == "usage"


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("shortlst", "--task", "growth@12"),
        ("train", "--as-of", AS_OF),
        ("train", "--task", "growth", "--as-of", "2026-13-30"),
        ("train", "--task", "growth", "--as-of", "9999-12-31"),
        ("train", "--task", "growth", "--as-of", "0001-01-01"),
        ("train", "--task", "growth", "--as-of", AS_OF, "--seed", "-1"),
        ("train", "--task", "growth", "--as-of", AS_OF, "--horizon", "0"),
        ("train", "--task", "growth@0", "--as-of", AS_OF),
        ("train", "--task", "growth@13", "--as-of", AS_OF),
        ("train", "--task", "growth@24", "--as-of", AS_OF, "--horizon", "12"),
        ("train", "--task", "grwth", "--as-of", AS_OF),
        ("train", "--task", "growth", "--as-of", AS_OF, "--out", MAPPING),
        ("evaluate", "--task", "growth@12", "--test-as-of", ","),
        ("evaluate", "--task", "growth@12", "--test-as-of", "2024-6-30"),
        ("evaluate", "--task", "growth@12", "--test-as-of", "2024-06-30", "--html", "/no/x.html"),
        ("score", "--bundle", "b", "--as-of", AS_OF, "--out", "/"),
        ("score", "--bundle", "b", "--as-of", AS_OF, "--out", "/no/such/folder.csv"),
        ("shortlist", "--task", "growth@12", "--k", "0"),
        ("shortlist", "--task", "nonsense"),
        ("template", "/"),
        ("serve", "--port", "99999"),
        ("demo", "--firms", "3"),
    ],
)
def test_wrong_usage_is_status_two_with_a_cure(city_home: Trained, words: tuple[str, ...]) -> None:
    assert refused(city_home.home, *words, status=2)["code"] == "usage"


def test_a_near_name_is_offered(city_home: Trained) -> None:
    home = city_home.home
    assert "shortlist" in refused(home, "shortlst", status=2)["message"]
    wrong = refused(home, "train", "--task", "grwth", "--as-of", AS_OF, status=2)
    assert "growth" in wrong["cure"]
    firm = done(home, "shortlist", "--task", "growth@12", "--k", "1")["items"][0]["firm_id"]
    assert firm in refused(home, "explain", firm + "x", "--task", "growth@12")["alternatives"]
    assert "growth@12" in refused(home, "shortlist", "--task", "growth@36")["cure"]


def test_a_defect_of_ours_is_one_answer_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Workspace) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(Workspace, "history", broken)
    words = ("train", "--task", "growth", "--as-of", AS_OF)
    assert "ZeroDivisionError" in refused(home, *words)["message"]
    monkeypatch.setenv("TIDU_TRACE", "1")
    from serving.cli import main

    with pytest.raises(ZeroDivisionError):
        main(list(words))


def test_a_process_leaves_with_the_status(home: Path) -> None:
    nothing = tidu(home, "publish", "--as-of", AS_OF)
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "tidu train" in nothing.stderr


INTERRUPTED = """
import os, signal, sys
import {module} as module
def stop(*args, **named):
    os.kill(os.getpid(), signal.SIGINT)
    raise AssertionError("the signal came late")
module.{name} = stop
from serving.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [
        ("features.vault", "_sync", ("import", "FILE", "--mapping", str(MAPPING))),
        ("model.bundle", "_write", ("train", "--task", "growth@12", "--as-of", AS_OF)),
        ("serving.snapshot", "_swap_in", ("publish", "--as-of", AS_OF)),
    ],
)
def test_ctrl_c_leaves_nothing_half_done(
    city_home: Trained, city_files: Path, tmp_path: Path, module: str, name: str, words: tuple[str]
) -> None:
    home = copied(city_home.home, tmp_path / "home")
    changed = tmp_path / "annual.csv"
    header, _, rest = (city_files / "annual.csv").read_text().partition("\n")
    changed.write_text(header + "\n" + rest.partition("\n")[2])  # another content: one row fewer
    before = done(home, "doctor")
    program = INTERRUPTED.format(module=module, name=name)
    program = "import small_city\nwith small_city.quick():\n" + textwrap.indent(program, "    ")
    if "train" in words:
        words = (*words, "--seed", "9")  # type: ignore[assignment]
    ended = subprocess.run(
        [sys.executable, "-c", program, *(str(changed) if w == "FILE" else w for w in words)],
        env=os.environ | {"TIDU_HOME": str(home), "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 128 + signal.SIGINT, ended.stderr
    assert "Interrupted" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert done(home, "doctor") == before
    assert not list(home.glob("bundles/.*"))
    assert done(home, "shortlist", "--task", "growth@12", "--k", "1")["items"]


NOISY = """
    import ctypes, sys
    import click
    import serving.commands.policy as home
    from serving.cli import COMMANDS, main

    @click.command("noise")
    def noise():
        ctypes.CDLL(None).puts(b"a word of a library")
        click.echo("数据")

    home.noise_command, COMMANDS["noise"] = noise, "policy"
    sys.argv = ["tidu", "noise"]
    main()
"""


def test_what_a_library_prints_never_mixes_with_our_data() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(NOISY)], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "数据\n"
    assert "a word of a library" in ended.stderr
