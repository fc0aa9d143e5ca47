"""The settled words: what people read uses the glossary, and none of the words it rules out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from features.catalogue import BUILT_IN
from model.tasks import rules
from policy.logic import NAMES, WORDS
from policy.papers.letter import LANGUAGES, words
from policy.plan.files import load_plans
from policy.plan.labels import label
from serving.shortlist.conflicts import WORDS as CONFLICTS
from serving.shortlist.decisions import DECISIONS
from serving.shortlist.export import COLUMNS
from serving.shortlist.question import MODES

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = ROOT / "docs" / "glossary.md"
CHINESE = re.compile(r"[一-鿿][^\"'`\n]*")


def rows() -> list[list[str]]:
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("| ") and not line.startswith("| en ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


TERMS = {en: zh for en, zh, *_ in rows()}
BARRED = [word for *_, word in rows() if word]


def texts() -> list[tuple[str, str]]:
    """Every Chinese text in the packages: source, TOML and JSON."""
    found = []
    for package in ("tidu", "features", "model", "policy", "serving", "city"):
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in (".py", ".toml", ".json"):
                text = path.read_text(encoding="utf-8")
                found += [(path.name, match.group()) for match in CHINESE.finditer(text)]
    return found


def test_one_word_per_thing() -> None:
    zh = [row[1] for row in rows()]
    assert len(set(zh)) == len(zh)
    assert len(TERMS) == len(zh)


@pytest.mark.parametrize("word", BARRED)
def test_no_barred_word_is_shown(word: str) -> None:
    places = [name for name, text in texts() if word in text]
    assert not places, f"{word} stands in {places}; the glossary settles another word"


def test_tasks_are_named_as_settled() -> None:
    shown = {name: task["zh"] for name, task in rules().items()}
    assert shown["distress"] == TERMS["distress event"]
    assert shown["promotion"] == TERMS["promotion"]
    assert shown["growth"] == TERMS["high growth"]
    assert str(shown["listing"]) == TERMS["listed"]
    assert str(shown["quotation"]).endswith(TERMS["quoted"])


def test_chance_and_peers_are_named_as_settled() -> None:
    words = (ROOT / "model" / "wording.py").read_text(encoding="utf-8")
    assert TERMS["chance"] in words
    peers = [spec.zh for spec in BUILT_IN if spec.name.endswith("_peer")]
    assert peers
    assert all(zh.endswith(TERMS["position among peers"]) for zh in peers)


def test_modes_and_decisions_are_named_as_settled() -> None:
    for shown in (MODES, DECISIONS):
        assert shown == {code: TERMS[code] for code in shown}
    heads = {zh for zh, _ in COLUMNS.values()}
    assert any(zh.startswith(TERMS["interval of places"]) for zh in heads)
    assert TERMS["chance"] in "".join(heads)
    assert [CONFLICTS[kind][0].partition(":")[0] for kind in ("control", "product")] == [
        TERMS["control relation"],
        "同集团" + TERMS["similar main product"],
    ]


def test_verdicts_are_named_as_settled() -> None:
    assert {name: zh for name, (zh, _) in WORDS.items()} == {
        name: TERMS[name.replace("_", " ")] for name in NAMES
    }
    for place, lang in enumerate(LANGUAGES):
        letter = words(lang)
        assert [letter[name] for name in ("unknown", "manual")] == [
            WORDS[name][place] for name in ("unknown", "manual")
        ]
    assert words("zh")["heading"] == TERMS["request letter"]


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("chance", "chance"),
        ("stock", "valid stock"),
        ("cumulative", "recognised in all"),
        ("task", "task number"),
        ("verdict", "verdict"),
        ("met", "met"),
    ],
)
def test_columns_of_the_plan_are_named_as_settled(name: str, term: str) -> None:
    assert label(name, load_plans()["2025"])[0] == TERMS[term]
