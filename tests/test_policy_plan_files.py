"""Plans as files: read, refused with all problems, chosen by the day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from plan_footing import settings
from plan_rows import DAY

from policy.plan.files import load_plans
from policy.plan.rows import choose, parse
from tidu.errors import DataError, NotFound

HEAD = 'id = "x"\nzh = "方案"\nen = "Plan"\ndocument = "方案"\nhorizon = 2028-12-31\n'
HEAD += "starts_on = 2026-01-01\n"


ROW = """
[[rows]]
id = "T1"
zh = "目标"
en = "Target"
quote = "到2028年"
scope = "nat"
kind = "target"
numbers = { goal = 3 }
[rows.target]
form = "titles"
unit_zh = "家"
unit_en = "firms"
tiers = ["little_giant"]
"""


def problems(**files: str) -> list[str]:
    texts = {f"{name}.toml": text for name, text in files.items()}
    with pytest.raises(DataError, match=r"The plan x cannot be used: \d+ problem") as caught:
        parse(texts, "x")
    return [f"{i.file} {i.column}: {i.message} {i.value}" for i in caught.value.issues]


def test_a_plan_is_read() -> None:
    plan = parse({"plan.toml": HEAD, "goals.toml": ROW}, "x")
    assert plan.row("T1").numbers == {"goal": 3}
    assert plan.row("T1").file == "x/goals.toml"
    assert plan.basis == "stock"


def test_all_problems_come_at_once_each_with_file_and_key() -> None:
    bad = ROW.replace('zh = "目标"', 'zh = ""').replace('"nat"', '"mars"')
    bad = bad.replace("goal = 3", 'goal = "many"').replace('tiers = ["little_giant"]', "")
    found = problems(
        plan=HEAD.replace("2028-12-31", '"soon"').replace('en = "Plan"', "en = 3"),
        a=ROW,
        b=ROW,
        c=bad.replace("T1", "T2"),
        d="[[rows]\n",
        e=ROW.replace("T1", "T3").replace('"target"', '"wish"'),
        f=ROW.replace("T1", "T4").replace('form = "titles"', 'form = "guess"') + "\n[more]\n",
        g=ROW.replace("T1", "T5").replace(
            "[rows.target]", "programme = 'none'\nextra = 1\n[rows.target]"
        ),
        h=ROW.replace("T1", "T6").replace("numbers = { goal = 3 }", ""),
    )
    wanted = [
        ("x/plan.toml horizon", "a date"),
        ("x/plan.toml en", "must have a en"),
        ("x/b.toml T1", "must stand once"),
        ("x/c.toml T2.zh", "must have the text zh"),
        ("x/c.toml T2.scope", "mars"),
        ("x/c.toml T2.numbers.goal", "many"),
        ("x/c.toml T2.target.tiers", "must say tiers"),
        ("x/d.toml", "must be TOML"),
        ("x/e.toml T3.kind", "wish"),
        ("x/f.toml more", "[[rows]] only"),
        ("x/f.toml T4.target.form", "guess"),
        ("x/g.toml T5.programme", "one of plan.toml"),
        ("x/g.toml T5.extra", "extra"),
        ("x/h.toml T6.numbers.goal", "must have a goal"),
    ]
    for place, what in wanted:
        assert any(line.startswith(place) and what in line for line in found), (place, found)


def test_a_folder_without_a_plan_is_refused() -> None:
    assert problems(goals=ROW) == ["x/plan.toml : A plan must have a plan.toml. missing"]


def test_the_plan_of_a_day_is_the_newest_that_has_begun(tmp_path: Path) -> None:
    folder = tmp_path / "next"
    folder.mkdir()
    (folder / "plan.toml").write_text(HEAD, encoding="utf-8")
    (folder / "goals.toml").write_text(ROW, encoding="utf-8")
    plans = load_plans(tmp_path)
    chosen = settings()
    for day, name in ((2020, "2025"), (2025, "2025"), (2026, "x"), (2030, "x")):
        assert choose(plans, chosen, date(day, 1, 1)).id == name
    assert choose(plans, chosen, date(2030, 1, 1), "2025").id == "2025"
    with pytest.raises(NotFound, match="no plan '2031'"):
        choose(plans, chosen, DAY, "2031")
    with pytest.raises(NotFound, match="There is no plan"):
        choose({}, chosen, DAY)
    with pytest.raises(DataError, match="must have a first day"):
        choose(plans, settings(plan_since=None), DAY)


def test_a_second_plan_of_the_same_id_is_refused(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "plan.toml").write_text(HEAD.replace('"x"', '"2025"'), encoding="utf-8")
    with pytest.raises(DataError, match="Two plans have one id"):
        load_plans(tmp_path)
