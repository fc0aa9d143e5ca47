"""Decisions on the firms of a saved list, and what they may rest on (行政决定只引用条款).

What may be cited is read from the firm's own row of the list: its unmet clauses, its exclusions,
its papers, its open points. A score, a rank, a chance or a contribution is no ground, neither as a
code nor in the words of a note.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from serving.shortlist.arguments import number_in
from serving.shortlist.conflicts import CRITERION
from tidu.errors import Refused, UsageError

__all__ = ["DECISIONS", "ONLY_CLAUSES", "Decision", "decision_of", "examined", "grounds_of"]

DECISIONS = {"recommend": "推荐", "refuse": "不推荐", "return": "退回补正"}

ONLY_CLAUSES = "行政决定只引用条款"

LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class Decision:
    """What an official decides of one firm; ``grounds`` are codes, ``note`` free words."""

    firm_id: str
    decision: str
    grounds: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        problems = []
        if self.decision not in DECISIONS:
            problems.append(f"a decision is one of {', '.join(DECISIONS)}, found {self.decision!r}")
        if len(self.note) > LONGEST_NOTE:
            problems.append(f"a note has at most {LONGEST_NOTE} characters, found {len(self.note)}")
        if strange := _unwritable(self.note + self.firm_id + "".join(self.grounds)):
            problems.append(f"it is written without control characters, found {strange!r}")
        if len(set(self.grounds)) < len(self.grounds):
            problems.append("each ground is cited once")
        if problems:
            raise UsageError(f"A decision: {'; '.join(problems)}.", "Correct every point named.")


def _unwritable(text: str) -> str:
    """The first character that no store keeps alike and no reader sees; "" where there is none."""
    return next(
        (c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t"), ""
    )


def decision_of(text: str) -> str:
    """The code of a decision from its code or its Chinese word.

    >>> decision_of("退回补正"), decision_of("refuse")
    ('return', 'refuse')
    """
    by_word = {word: code for code, word in DECISIONS.items()}
    return by_word.get(text.strip(), text.strip())


def grounds_of(row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a decision on the firm of a list's row may cite, by code, with words and clause.

    ``for`` says of which decisions: ``unmet:``, ``exclusion:`` and missing ``paper:`` of a refusal;
    ``paper:``, ``unknown:`` and ``manual:`` of a return.
    """
    return {ground["code"]: ground for ground in (*_of_verdict(row), *_of_papers(row))}


def _of_verdict(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    verdict = row.get("verdict") or {}
    clashes = [c for c in row.get("conflicts", ()) if c["excludes"]]
    for criterion in verdict.get("unmet", ()):
        yield _ground(f"unmet:{criterion['id']}", criterion, ["refuse"])
        if criterion["exclusion"]:  # an entry condition may be called by either name
            yield _ground(f"exclusion:{criterion['id']}", criterion, ["refuse"])
    for status in ("unknown", "manual"):
        for criterion in verdict.get(status, ()):
            yield _ground(f"{status}:{criterion['id']}", criterion, ["return"])
    if clashes:
        words = {
            "zh": "、".join(c["zh"] for c in clashes),
            "en": "; ".join(c["en"] for c in clashes),
        }
        yield _ground(f"exclusion:{CRITERION}", {**clashes[0], **words}, ["refuse"])


def _of_papers(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    papers = row.get("papers") or {}
    for state in ("missing", "expired"):
        for paper in papers.get(state, ()):
            required = paper["asked"] == "required"
            uses = ["refuse", "return"] if state == "missing" and required else ["return"]
            yield _ground(f"paper:{paper['paper']}", paper, uses)


def _ground(code: str, words: Mapping[str, Any], uses: list[str]) -> dict[str, Any]:
    shown = {name: words.get(name) for name in ("zh", "en", "clause", "document")}
    return {"code": code, **shown, "for": uses}


def examined(decision: Decision, row: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The grounds of a decision in words; a decision that rests on anything else is refused."""
    if row is None:
        raise Refused(
            f"A decision must be on a firm of the list, found {decision.firm_id!r}.",
            "The list says who is on it.",
        )
    _refuse_numbers(decision)
    known = grounds_of(row)
    allowed = [code for code, ground in known.items() if decision.decision in ground["for"]]
    if strange := [code for code in decision.grounds if code not in allowed]:
        raise Refused(
            f"A ground must be one of the codes of this firm for {decision.decision!r}, found"
            f" {', '.join(repr(code[:80]) for code in strange[:5])} ({ONLY_CLAUSES}).",
            f"Cite {', '.join(allowed)}." if allowed else _nothing(decision.decision),
            {"allowed": allowed, "reason": ONLY_CLAUSES},
        )
    if decision.decision != "recommend" and not decision.grounds:
        raise Refused(
            f"{DECISIONS[decision.decision]} must cite at least one ground ({ONLY_CLAUSES}).",
            f"Cite {', '.join(allowed)}." if allowed else _nothing(decision.decision),
            {"allowed": allowed, "reason": ONLY_CLAUSES},
        )
    return [known[code] for code in decision.grounds]


def _nothing(decision: str) -> str:
    if decision == "recommend":
        return "A recommendation cites no ground."
    return "Nothing stands against this firm by the law on record: there is nothing to cite."


def _refuse_numbers(decision: Decision) -> None:
    """Refuse a score, rank, chance or contribution as an argument, in codes and in words."""
    for where, text in (("note", decision.note), *(("ground", g) for g in decision.grounds)):
        if where == "ground" and re.fullmatch(r"[a-z]+:[a-z0-9_]+", text):
            continue  # a code: whether it is this firm's is looked up
        if found := number_in(text):
            raise Refused(
                f"A {where} must not argue with a score, a rank or a chance, found {found!r}:"
                f" {ONLY_CLAUSES}.",
                "Cite the clause, the exclusion or the paper by its code; leave the number out.",
                {"reason": ONLY_CLAUSES, "found": found},
            )
