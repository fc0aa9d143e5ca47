"""The runner of proofs: what is finished is kept, what failed is measured again and said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import proof
from benchmarks.proof_item import Proof, Skip


class Counter:
    """A proof's function that remembers how often it was asked, and in which size."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.calls: list[bool] = []

    def __call__(self, sample: bool) -> dict[str, object]:
        self.calls.append(sample)
        answer = self.answers[min(len(self.calls), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return {"wrong": answer}


def item(name: str, function: Counter) -> Proof:
    return Proof(name, "nothing is wrong", function, lambda c: c["wrong"] == 0, issue=2)


def test_a_finished_item_is_not_measured_again(tmp_path: Path) -> None:
    first, second = Counter(0), Counter(RuntimeError("stopped"), 0)
    items = [item("first", first), item("second", second)]
    states = [r["state"] for r in proof.run(items, tmp_path, sample=False, again=False)]
    assert states == ["holds", "error"]
    states = [r["state"] for r in proof.run(items, tmp_path, sample=False, again=False)]
    assert states == ["holds", "holds"]
    assert (len(first.calls), len(second.calls)) == (1, 2)


def test_a_record_cut_short_counts_as_absent(tmp_path: Path) -> None:
    function = Counter(0)
    (tmp_path / "torn.json").write_text('{"name": "to', encoding="utf-8")
    (record,) = proof.run([item("torn", function)], tmp_path, sample=True, again=False)
    assert record["state"] == "holds"
    assert function.calls == [True]
    assert json.loads((tmp_path / "torn.json").read_text(encoding="utf-8")) == record


def test_what_does_not_hold_is_kept_and_what_was_skipped_is_not(tmp_path: Path) -> None:
    bad, skipped = item("bad", Counter(3)), item("skipped", Counter(Skip("no real sets here")))
    records = proof.run([bad, skipped], tmp_path, sample=False, again=False)
    assert [r["state"] for r in records] == ["does not hold", "skipped"]
    assert [path.name for path in tmp_path.iterdir()] == ["bad.json"]
    text = proof.report(records, "0123abc")
    assert "| bad | nothing is wrong | #2 | does not hold | wrong 3 |" in text
    assert "no real sets here" in text


def test_a_row_stays_until_its_item_is_measured_again(tmp_path: Path) -> None:
    items = [item("first", Counter(0)), item("second", Counter(3))]
    before = proof.report(proof.run(items, tmp_path / "a", sample=False, again=False), "aaa")
    (record,) = proof.run([item("second", Counter(0))], tmp_path / "b", sample=False, again=False)
    rows = proof.older(proof.report([record], "bbb", before))
    assert list(rows) == ["first", "second"]
    assert rows["first"].endswith("| aaa |")
    assert "| holds | wrong 0 |" in rows["second"]
    assert rows["second"].endswith("| bbb |")


def test_the_registered_items_have_names_of_their_own() -> None:
    assert proof.main(["--list"]) == 0
    assert all(name == registered.name for name, registered in proof.proofs().items())


def test_an_unknown_item_is_refused_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert proof.main(["--only", "nonesuch"]) == 2
    assert "no such proof: nonesuch" in capsys.readouterr().out


def test_a_name_that_cannot_be_a_file_is_refused() -> None:
    with pytest.raises(ValueError, match="must be letters, digits"):
        item("../x", Counter(0))
