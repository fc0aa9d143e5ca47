"""The demonstration: from files to explained firms in one command."""

from __future__ import annotations

from pathlib import Path

from small_city import call, done, quick, refused


def test_the_demo_ranks_and_explains_without_serving(tmp_path: Path) -> None:
    with quick():
        answer = call(tmp_path, "demo", "--firms", "500", "--seed", "3", "--no-serve", "--json")
    assert answer.status == 0, answer.err
    found = answer.json
    home = Path(found["home"])
    assert home.parent == tmp_path
    ranks = [one["rank"] for one in found["top"]]
    assert ranks == list(range(1, len(ranks) + 1))
    assert all(one["positive"] and one["p_low"] <= one["p_high"] for one in found["top"])
    assert "annual" in answer.err
    doctor = done(home, "doctor")
    assert len(doctor["bundles"]) == 3
    assert doctor["snapshots"] == [found["snapshot_id"]]
    again = done(home, "shortlist", "--task", found["top"][0]["task"], "--k", "1")
    assert again["items"][0]["firm_id"] == found["top"][0]["firm"]["firm_id"]
    lists_of_the_city(home)


def lists_of_the_city(home: Path) -> None:
    """By records, law and plan of a whole city every mode answers, and agrees with itself."""
    asked = ("shortlist", "--tier", "srdi_municipal", "--k", "500")
    whole = done(home, *asked)
    place = {row["firm_id"]: row for row in whole["items"]}
    assert len(place) == whole["counts"]["cohort"]
    for mode, code in (("提升", "upgrade"), ("储备", "reserve")):
        found = done(home, *asked, "--mode", mode)
        assert found["question"]["mode"] == code
        assert {row["firm_id"] for row in found["items"]} == {
            firm for firm, row in place.items() if row["stage"] == code
        }
    missed = done(home, *asked, "--mode", "应报未报")
    assert missed["batch"]["covered"]
    assert missed["counts"]["unknown"] == 0
    for row in missed["items"]:
        assert row["verdict"]["status"] in ("met", "met_pending")
        assert row["papers"] is not None
    assert sum(d["eligible"] for d in missed["districts"]) == missed["counts"]["eligible"]
    assert "--paths" in refused(home, *asked, "--mode", "培育")["cure"]
