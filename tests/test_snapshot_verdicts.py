"""Verdicts as a part of the snapshot: what is served is what was judged, and judged once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from plan_panels import panel_of
from sample_publication import firms, publication, verdicts
from small_city import AS_OF, Trained, call, copied, done

from policy.loading import law_of, standing
from policy.logic import NAMES
from policy.situation import Situation
from policy.verdict import Judge
from serving.access import LOCAL
from serving.judging import judged
from serving.lookups import Served
from serving.lookups_law import criteria
from serving.snapshot import Snapshot, write
from serving.workspace import Workspace
from tidu.errors import NotAvailable, NotFound, Refused

LAW = standing()


def opened(home: Path, identity: str) -> Snapshot:
    return Snapshot.open(home / "snapshots" / identity)


def test_what_is_read_is_what_was_judged_however_firms_were_ordered(tmp_path: Path) -> None:
    given = publication(30)
    assert given.judged is not None
    found = opened(tmp_path, write(given, tmp_path))
    assert set(found.verdicts) == set(given.judged.parts)
    assert {"little_giant:new", "little_giant:review", "srdi_municipal:new"} <= set(found.verdicts)
    ids = given.firms["firm_id"].tolist()
    for name, part in given.judged.parts.items():
        view = found.verdicts[name]
        assert view.sheet == part.sheet
        for number, firm_id in enumerate(found.firms.ids):
            row = ids.index(firm_id)
            assert view.status[number] == part.marks.status[row]
            assert view.lines[number].tolist() == part.marks.lines[row].tolist()
            shown = found.figures[2023].columns
            for figure in part.sheet.figures:
                assert shown[figure][number] == pytest.approx(
                    given.judged.figures[2023][figure][row], abs=0, nan_ok=True
                )


def test_verdicts_are_mapped_not_copied(tmp_path: Path) -> None:
    found = opened(tmp_path, write(publication(), tmp_path))
    view = found.verdicts["srdi_municipal:new"]
    assert view.points is not None
    for array in (view.status, view.lines, view.points, *found.figures[2023].columns.values()):
        assert not array.flags.owndata
        assert not array.flags.writeable
    assert found.verdicts["little_giant:new"].points is None


def test_the_snapshot_carries_the_law_that_judged(tmp_path: Path) -> None:
    found = opened(tmp_path, write(publication(), tmp_path))
    assert found.policy_edition == LAW.digest
    again = law_of(found.law)
    assert again.digest == LAW.digest
    assert again.editions == LAW.editions
    used = found.manifest["inputs"]["editions"]["little_giant:review"]
    assert used == {
        "edition": "63-2022/annex3",
        "document": LAW.documents[LAW.editions["63-2022/annex3"].document].number,
        "batch": "2024-little_giant-review",
        "data_year": 2023,
    }


def test_another_law_is_another_snapshot(tmp_path: Path) -> None:
    given = publication()
    assert given.judged is not None
    other = replace(given.judged, digest="f" * 16)
    assert write(given, tmp_path) != write(replace(given, judged=other), tmp_path)


def test_answers_are_read_and_never_judged_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Served(opened(tmp_path, write(publication(), tmp_path)))

    def busy(*_: Any) -> None:
        raise AssertionError("judged again")

    for name in ("holds", "verdict", "criterion"):
        monkeypatch.setattr(Judge, name, busy)
    monkeypatch.setattr("policy.loading.law_of", busy)
    for name in served.snapshot.verdicts:
        tier, purpose = name.split(":")
        found = criteria(served, LOCAL, "F000007", (tier, purpose))
        assert (found["tier"], found["purpose"]) == (tier, purpose)
        assert found["firm"]["firm_id"] == "F000007"


def test_verdicts_of_other_firms_than_published_are_refused() -> None:
    given = publication(20)
    assert given.judged is not None
    fewer = verdicts(firms(19)["firm_id"].tolist(), given.as_of)
    with pytest.raises(Refused, match=r"must have 20 rows, found \[19\]"):
        replace(given, judged=fewer)
    with pytest.raises(Refused, match="must have the figures"):
        replace(given, judged=replace(given.judged, figures={}))


def test_a_snapshot_without_verdicts_says_so(tmp_path: Path) -> None:
    plain = opened(tmp_path, write(replace(publication(), judged=None), tmp_path))
    assert plain.policy_edition is None
    with pytest.raises(NotAvailable, match="Verdicts must be a part") as caught:
        criteria(Served(plain), LOCAL, "F000007", ("little_giant", "new"))
    assert "publish again" in caught.value.cure


def test_before_any_edition_nothing_is_judged() -> None:
    later = replace(LAW, uses=tuple(use for use in LAW.uses if use.start > date(2019, 6, 30)))
    found = judged(Situation(later, panel_of(date(2019, 6, 30), {})))
    assert found.parts == {}
    assert found.figures == {}
    assert found.editions == {}


def test_a_tier_that_nobody_judges_is_named_with_what_there_is(tmp_path: Path) -> None:
    served = Served(opened(tmp_path, write(publication(), tmp_path)))
    with pytest.raises(NotFound, match="edition in force on 2024-06-30") as caught:
        criteria(served, LOCAL, "F000007", ("little_giants", "new"))
    assert "little_giant" in caught.value.details["alternatives"]


def test_accounts_in_another_currency_make_the_law_not_applicable() -> None:
    rows = [{"firm_id": "K", "year": 2025, "revenue": 100.0, "currency": "KRW"},
            {"firm_id": "C", "year": 2025, "revenue": 100.0, "currency": "CNY"}]  # fmt: skip
    panel = panel_of(date(2026, 6, 30), {"annual": rows})
    situation = Situation(LAW, panel)
    for part in judged(situation).parts.values():
        chinese, korean = part.marks.status.tolist()  # in the order of the ids
        assert NAMES[korean] == "not_applicable"
        assert NAMES[chinese] != "not_applicable"


def test_findings_count_where_they_were_attested() -> None:
    """Batches with findings of their own share the figures and nothing else."""
    rows = [{"firm_id": "F", "year": 2025, "revenue": 9000.0, "currency": "CNY"}]
    said = [{"firm_id": "F", "criterion": "niche_leader", "batch": "2026-little_giant",
             "finding": "unmet", "attested_on": date(2026, 5, 1)}]  # fmt: skip
    day = date(2026, 6, 30)
    situation = Situation(LAW, panel_of(day, {"annual": rows, "attestations": said}))
    own, other = (situation.values(2025, f"2026-{t}") for t in ("little_giant", "srdi_provincial"))
    assert "niche_leader" in own.inputs.findings
    assert "niche_leader" not in other.inputs.findings
    assert own.inputs.columns is other.inputs.columns
    assert situation.values(2025, "2026-little_giant") is own


# ---- through the command line, on a small city


@pytest.mark.parametrize("tier", ["innovative_sme", "srdi_provincial", "little_giant"])
@pytest.mark.parametrize("purpose", ["new", "review"])
def test_what_is_served_is_what_the_command_line_judges(
    city_home: Trained, tier: str, purpose: str
) -> None:
    served = Served(Workspace(city_home.home).snapshot())
    words = (tier, "--purpose", purpose, "--as-of", AS_OF)
    for firm_id in served.snapshot.firms.ids[::150]:
        stored = criteria(served, LOCAL, firm_id, (tier, purpose))
        fresh = done(city_home.home, "criteria", firm_id, *words)
        assert {k: v for k, v in stored.items() if k in fresh} == {
            k: v for k, v in fresh.items() if k not in ("firm_id", "policy_digest")
        }
        assert stored["policy_edition"] == fresh["policy_digest"]


def test_the_command_line_spells_codes_as_the_register_does(city_home: Trained) -> None:
    firm_id = Workspace(city_home.home).snapshot().firms.ids[3]
    words = ("criteria", firm_id, "neeq_base", "--as-of", AS_OF)
    zh = call(city_home.home, *words).out
    en = call(city_home.home, *words, "--lang", "en").out
    assert "=股份有限公司" in zh
    assert "至多带强调事项段的无保留意见" in zh
    assert "=joint stock" in en
    assert "at most emphasis" in en
    assert not any(code in zh for code in ("joint_stock", "limited", "emphasis"))


def test_a_law_that_changes_on_disk_changes_no_answer(city_home: Trained, tmp_path: Path) -> None:
    home = copied(city_home.home, tmp_path / "home")
    before = Workspace(home).snapshot()
    firm_id = before.firms.ids[3]
    first = criteria(Served(before), LOCAL, firm_id, ("srdi_municipal", "new"))
    (home / "policy").mkdir()
    setting = "[parameters]\nmunicipal_score_line = 99\n"
    (home / "policy" / "city.toml").write_text(setting, encoding="utf-8")
    assert Workspace(home).law.digest != before.policy_edition
    again = criteria(Served(Workspace(home).snapshot()), LOCAL, firm_id, ("srdi_municipal", "new"))
    assert again == first
    published = done(home, "publish", "--as-of", AS_OF)
    assert published["policy_edition"] == Workspace(home).law.digest
    after = Workspace(home).snapshot()
    assert after.id != before.id
    later = criteria(Served(after), LOCAL, firm_id, ("srdi_municipal", "new"))
    line = {p["id"]: p["value"] for p in later["parameters"]}["municipal_score_line"]
    assert line == 99
    assert law_of(after.law).number("municipal_score_line") == 99
    assert call(home, "doctor").status == 0
