"""The demonstration: from files to explained firms in one command."""

from __future__ import annotations

from pathlib import Path

from small_city import call, done, quick


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
