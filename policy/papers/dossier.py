"""A tier's dossier: which papers its edition needs, who is asked for them, and what is on file.

Everything is by the edition, the fiscal year and the day that the batch fixes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policy.law import Batch, Law
from policy.logic import MANUAL, NAMES, UNKNOWN
from policy.papers.catalogue import Paper, released_papers
from policy.papers.demands import demanded
from policy.papers.filed import filed
from policy.papers.materials import OPTIONAL, Materials, Need, Terms, assess
from policy.papers.needs import Mention, asked_by, mentions, needs
from policy.rules import Edition, Purpose
from policy.situation import Situation
from policy.values import Inputs, Values
from policy.verdict import Judge, judge

__all__ = ["Dossier", "dossier", "needed"]

ANY_DAY = date(2000, 1, 1)
"""Of a firm of which nothing is known no day says anything."""

ASKED = ("no", "optional", "required")


@dataclass(frozen=True)
class Dossier:
    """``asked`` (firms, papers) says how far a paper is asked for, ``materials`` what there is."""

    edition: Edition
    batch: Batch
    purpose: Purpose
    mentions: tuple[Mention, ...]
    materials: Materials
    asked: NDArray[np.int8]
    values: Values

    def papers_of(self, firm: int) -> list[dict[str, Any]]:
        """Every paper that one firm is asked for, with what it proves on the firm's own way."""
        own = Values(self.values.law, self.values.inputs.take([firm]))
        judged = Judge(own, self.edition)
        found = []
        for i, item in enumerate(self.materials.detail(firm)):
            if self.asked[firm, i]:
                paper = self.materials.needs[i].paper
                places = [
                    mention.place.address
                    for mention in self.mentions
                    if mention.paper == paper.id
                    and demanded(judged, self.edition, self.purpose, paper, [mention])[0]
                ]
                proves = [place for place in item["proves"] if place["id"] in places]
                found.append(item | {"proves": proves, "asked": ASKED[self.asked[firm, i]]})
        return found

    def open_points(self, firm: int) -> list[dict[str, Any]]:
        """The criteria of one firm that are unknown or left to an official, with their papers."""
        own = Values(self.values.law, self.values.inputs.take([firm]))
        verdict = judge(self.edition, own, self.purpose)
        needs = self.materials.needs
        asked = {need.paper.id for need, how in zip(needs, self.asked[firm], strict=True) if how}
        found = []
        for number, criterion in enumerate(self.edition.criteria):
            status = int(verdict.criteria[0, number])
            if status in (UNKNOWN, MANUAL):
                papers = [m.paper for m in self.mentions if m.place.criterion == number]
                found.append(
                    {
                        "id": criterion.address,
                        "clause": criterion.clause,
                        "document": self.values.law.documents[criterion.document].number,
                        "zh": criterion.zh,
                        "en": criterion.en,
                        "status": NAMES[status],
                        "papers": [p for p in dict.fromkeys(papers) if p in asked],
                    }
                )
        return found


def dossier(
    situation: Situation,
    tier: str,
    purpose: Purpose = "new",
    papers: Mapping[str, Paper] | None = None,
) -> Dossier:
    """The dossier of a tier by the edition in force at the situation's day, for all firms."""
    known = released_papers() if papers is None else papers
    law, batch = situation.law, situation.batch(tier, purpose)
    edition, values = law.edition(batch.edition), situation.of_batch(batch)
    found = mentions(edition, purpose, law, known)
    wanted = needs(found, known)
    terms = Terms(situation.day, batch.data_year, {k: p.value for k, p in law.parameters.items()})
    ids, own = values.inputs.firm_ids, {need.paper.id: need.paper for need in wanted}
    on_file = filed(situation.panel, ids, own, partial(asked_by, found))
    return Dossier(
        edition,
        batch,
        purpose,
        found,
        assess(ids, wanted, on_file, terms),
        _asked(Judge(values, edition), edition, purpose, found, wanted),
        values,
    )


def needed(
    law: Law, edition: Edition, purpose: Purpose = "new", papers: Mapping[str, Paper] | None = None
) -> list[dict[str, Any]]:
    """What an edition needs of a firm of which nothing is known: each paper with what it proves.

    ``years_back`` counts from the data year; ``optional`` papers are of one way among several.
    """
    known = released_papers() if papers is None else papers
    found = mentions(edition, purpose, law, known)
    wanted = needs(found, known)
    nobody = Inputs(np.array([""], dtype=object), ANY_DAY, ANY_DAY.year - 1, {})
    asked = _asked(Judge(Values(law, nobody), edition), edition, purpose, found, wanted)
    parameters = {name: p.value for name, p in law.parameters.items()}
    return [
        {
            "paper": need.paper.id,
            "zh": need.paper.zh,
            "en": need.paper.en,
            "issuer_zh": need.paper.issuer_zh,
            "issuer_en": need.paper.issuer_en,
            "fiscal_year": need.paper.fiscal_year,
            "years_back": list(need.lags),
            "valid_months": need.paper.months(parameters),
            "months_parameter": need.paper.months_parameter,
            "confidence": need.paper.confidence,
            "source": need.paper.source,
            "optional": bool(asked[0, i] == OPTIONAL),
            "proves": [
                {"id": p.address, "clause": p.clause, "zh": p.zh, "en": p.en} for p in need.places
            ],
        }
        for i, need in enumerate(wanted)
    ]


def _asked(
    judged: Judge,
    edition: Edition,
    purpose: Purpose,
    found: Sequence[Mention],
    wanted: Sequence[Need],
) -> NDArray[np.int8]:
    columns = [
        demanded(
            judged, edition, purpose, need.paper, [m for m in found if m.paper == need.paper.id]
        )
        for need in wanted
    ]
    empty = np.zeros((len(judged.values), 0), dtype=np.int8)
    return np.column_stack([empty, *columns]).astype(np.int8)
