"""The one-time request letter (一次性告知书) [I/O]: what a firm must still send, told once.

One letter a firm, tier and purpose, in one language. The page prints on A4 and stands alone
without script or network; what a firm writes about itself is shown as text, whatever it holds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Literal

from jinja2 import Environment, StrictUndefined

from features.panel import Panel
from features.schema import register
from policy.papers.dossier import Dossier
from policy.plan.labels import tier_list

__all__ = [
    "LANGUAGES",
    "Item",
    "Language",
    "Letter",
    "Point",
    "Subject",
    "compose",
    "letter_html",
    "letter_of",
    "subject_of",
    "words",
]

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

Words = Mapping[str, str]


@dataclass(frozen=True)
class Subject:
    """Whom and what the letter is about. Names of tier, text and edition are Chinese, English.

    ``day`` is the day of the letter, ``as_of`` that of the data; without a deadline a line is left.
    """

    firm_id: str
    firm: str
    tier: tuple[str, str]
    purpose: str
    year: int
    document: tuple[str, str]
    number: str
    edition: tuple[str, str]
    edition_id: str
    day: date
    as_of: date
    snapshot: str
    deadline: date | None = None


@dataclass(frozen=True)
class Item:
    """One numbered paper."""

    number: int
    paper: str
    situation: str
    proves: str
    issuer: str


@dataclass(frozen=True)
class Point:
    """What is still to be verified under a clause: criteria with one state and one evidence."""

    clause: str
    criteria: tuple[str, ...]
    state: str
    evidence: str


@dataclass(frozen=True)
class Letter:
    """What stands in the letter, in one language."""

    language: Language
    name: str
    to: str
    opening: str
    items: tuple[Item, ...]
    alternatives: tuple[Item, ...]
    pending: tuple[Point, ...]
    day: str
    footer: str


def subject_of(dossier: Dossier, panel: Panel, firm: int, snapshot: str, day: date) -> Subject:
    """The firm, tier and batch of a dossier; ``day`` is that of the letter."""
    edition, batch = dossier.edition, dossier.batch
    document = dossier.values.law.documents[edition.document]
    known = register().column("titles", "tier").codes
    tier = tier_list([edition.tier]) if edition.tier in known else (edition.zh, edition.en)
    name = panel.firms["name"].iloc[firm]
    return Subject(
        firm_id=str(panel.firm_ids[firm]),
        firm=name if isinstance(name, str) else "",
        tier=tier,
        purpose=dossier.purpose,
        year=batch.year,
        document=(document.zh, document.en),
        number=document.number,
        edition=(edition.zh, edition.en),
        edition_id=edition.id,
        day=day,
        as_of=panel.as_of,
        snapshot=snapshot,
        deadline=batch.district_deadline or batch.closes_on,
    )


def letter_of(dossier: Dossier, firm: int, subject: Subject, language: Language) -> Letter:
    """Write the letter of one firm of a dossier."""
    return compose(subject, dossier.papers_of(firm), dossier.open_points(firm), language)


def compose(
    subject: Subject,
    papers: Sequence[Mapping[str, Any]],
    open_points: Sequence[Mapping[str, Any]],
    language: Language,
) -> Letter:
    """Write the letter of one firm.

    ``papers`` and ``open_points`` are as :class:`policy.papers.dossier.Dossier` gives them.
    """
    terms = words(language)
    wanted = [paper for paper in papers if paper["state"] != "held"]
    ordered = sorted(wanted, key=lambda paper: bool(paper["asked"] == "optional"))
    numbers = {paper["paper"]: i for i, paper in enumerate(ordered, start=1)}
    items = [_item(paper, numbers[paper["paper"]], language) for paper in ordered]
    first = sum(paper["asked"] != "optional" for paper in ordered)
    labels = {str(paper["paper"]): str(paper[language]) for paper in papers}
    pick = 0 if language == "zh" else 1
    filled = {
        "name": subject.firm or subject.firm_id,
        "firm_id": subject.firm_id,
        "tier": subject.tier[pick],
        "purpose": terms[subject.purpose],
        "batch": terms["year_batch"].format(year=subject.year),
        "document": terms["titled"].format(title=subject.document[pick], number=subject.number),
        "edition": subject.edition[pick],
        "as_of": _day(subject.as_of, language),
        "deadline": _day(subject.deadline, language) if subject.deadline else terms["undated"],
        "snapshot": subject.snapshot,
        "edition_id": subject.edition_id,
    }
    return Letter(
        language=language,
        name=filled["name"],
        to=terms["to"].format(**filled),
        opening=terms["opening"].format(**filled),
        items=tuple(items[:first]),
        alternatives=tuple(items[first:]),
        pending=_together(_point(p, numbers, labels, language) for p in open_points),
        day=_day(subject.day, language),
        footer=terms["footer"].format(**filled),
    )


def letter_html(letter: Letter) -> str:
    """Render the letter as a page for A4; every text is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    page = environment.from_string(_file("letter.html"))
    return page.render(letter=letter, words=words(letter.language))


def _item(paper: Mapping[str, Any], number: int, language: Language) -> Item:
    terms = words(language)
    return Item(
        number=number,
        paper=str(paper[language]),
        situation=terms["between"].join(_situation(paper["copies"], language)),
        proves=terms["between"].join(_proves(paper["proves"], language)),
        issuer=str(paper[f"issuer_{language}"]),
    )


def _proves(places: Iterable[Mapping[str, Any]], language: Language) -> Iterator[str]:
    """What a paper proves, clause by clause; the lines of the score stand together."""
    terms = words(language)
    labels: dict[str, list[str]] = {}
    lines = []
    for place in places:
        if place["score"]:
            lines.append(str(place["clause"]))
        else:
            labels.setdefault(str(place["clause"]), []).append(str(place[language]))
    for clause, names in labels.items():
        label = terms["separator"].join(dict.fromkeys(names))
        yield terms["of_clause"].format(label=label, clause=clause)
    if lines:
        clauses = terms["separator"].join(_shortened(dict.fromkeys(lines)))
        yield terms["of_clause"].format(label=terms["score"], clause=clauses)


def _shortened(clauses: Iterable[str]) -> Iterator[str]:
    """Name what clauses share once.

    >>> list(_shortened(["附件2 指标1", "附件2 指标7", "附件3 指标2"]))
    ['附件2 指标1', '指标7', '附件3 指标2']
    """
    before = ""
    for clause in clauses:
        head, _, rest = clause.partition(" ")
        yield rest if rest and head == before else clause
        before = head


def _situation(copies: Iterable[Mapping[str, Any]], language: Language) -> Iterator[str]:
    """What is wrong with each copy; missing years are told together."""
    terms = words(language)
    missing = [copy["year"] for copy in copies if copy["state"] == "missing"]
    for copy in copies:
        if copy["state"] == "expired" and copy["reason"] == "year":
            yield terms["expired_year"].format(held=copy["held_year"], year=copy["year"])
        elif copy["state"] == "expired":
            until = _day(date.fromisoformat(copy["valid_until"]), language)
            yield terms["expired"].format(day=until)
    if missing == [None]:
        yield terms["missing"]
    elif missing:
        yield terms["missing_years"].format(years=terms["separator"].join(map(str, missing)))


def _point(
    point: Mapping[str, Any],
    numbers: Mapping[str, int],
    labels: Mapping[str, str],
    language: Language,
) -> Point:
    terms = words(language)
    named = [name for name in point["papers"] if name in labels]
    asked = sorted(numbers[name] for name in named if name in numbers)
    shown = [terms["on_file"].format(paper=labels[name]) for name in named if name not in numbers]
    if asked:
        numerals = terms["separator"].join(map(str, asked))
        shown.insert(0, terms["items"].format(numbers=numerals))
    return Point(
        clause=str(point["clause"]),
        criteria=(str(point[language]),),
        state=terms[point["status"]],
        evidence=terms["separator"].join(shown),
    )


def _together(points: Iterable[Point]) -> tuple[Point, ...]:
    """Join points of one clause that differ in nothing but what they ask."""
    joined: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for point in points:
        key = (point.clause, point.state, point.evidence)
        joined[key] = (*joined.get(key, ()), *point.criteria)
    return tuple(
        Point(clause, criteria, state, evidence)
        for (clause, state, evidence), criteria in joined.items()
    )


def _day(day: date, language: Language) -> str:
    """Write a day as people do.

    >>> _day(date(2026, 4, 5), "zh"), _day(date(2026, 4, 5), "en")
    ('2026年4月5日', '2026-04-05')
    """
    return f"{day.year}年{day.month}月{day.day}日" if language == "zh" else day.isoformat()


def words(language: Language) -> Words:
    """The letter's words in a language; both languages have the same keys."""
    return _words()[language]


@cache
def _words() -> Mapping[str, Words]:
    return tomllib.loads(_file("letter.toml"))


def _file(name: str) -> str:
    return (resources.files("policy") / "data" / name).read_text(encoding="utf-8")
