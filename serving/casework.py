"""What is worked out for one firm at request: papers, the request letter, the path to a tier.

By the snapshot alone: the records of its vault head as they stood on its day, the law that it
carries, and the bundles that scored it. The same question of the same snapshot has one answer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from serving.lookups_law import verdicts_of
from tidu.errors import DataError, Refused

if TYPE_CHECKING:
    from features.panel import History, Panel
    from model.bundle import Bundle
    from policy.law import Law
    from policy.papers.catalogue import Paper
    from policy.papers.dossier import Dossier
    from policy.path.changes import Changes
    from policy.path.result import Path
    from policy.rules import Purpose
    from serving.snapshot import Snapshot, Task
    from serving.workspace import Workspace

__all__ = ["MODEL_NOTE", "Asked", "Casework"]

HORIZON = 12
"""A path is scored again by the model of promotion within a year."""

MODEL_NOTE = {
    "zh": "模型关联,非因果:模型按路径最后一年的数值重新评分,其余不变;不表示作出改变即可获得称号",
    "en": "Association in the model, not cause: scored again with the figures of the path's last"
    " year, all else as it is; it does not say that the change brings the title",
}
ASKED = ("no", "optional", "required")
"""How far a paper is asked for, by the dossier's code (a test compares)."""

OUTSIDE = {
    "zh": "企业不在该模型的评分范围内",
    "en": "The firm is outside the cohort of this model",
}
NO_MODEL = {
    "zh": "本快照没有该层级的模型",
    "en": "The snapshot holds no model for this tier",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One firm, tier and purpose."""

    firm_id: str
    tier: str
    purpose: Literal["new", "review"] = "new"


@dataclass(frozen=True)
class _Rules:
    """The law of a snapshot, with its papers and the changes a firm may make."""

    law: Law
    papers: Mapping[str, Paper]
    changes: Changes


class Casework:
    """Answers for one firm by a snapshot; records and laws are kept for the next question.

    ``history`` gives the records of a vault head, ``bundle`` a bundle by its id.
    """

    def __init__(self, history: Callable[[str], History], bundle: Callable[[str], Bundle]) -> None:
        self._history = history
        self._bundle = bundle
        self._panel = lru_cache(maxsize=2)(self._read)
        self._rules: dict[str, _Rules] = {}

    @classmethod
    def of(cls, workspace: Workspace) -> Casework:
        """By the vault and the bundles of a home."""
        from model.bundle import load

        loaded = lru_cache(maxsize=8)(lambda identity: load(workspace.bundle_path(identity)))

        def records(head: str) -> History:
            return workspace.vault.at(head)  # opened when first asked, not when the service starts

        return cls(records, loaded)

    def materials(self, snapshot: Snapshot, asked: Asked) -> dict[str, Any]:
        """Papers held, missing and out of date, and the points still to be verified."""
        found = self._dossier(snapshot, asked)
        return {
            **self._head(snapshot, asked),
            "papers": found.papers_of(0),
            "open_points": found.open_points(0),
        }

    def lacking(
        self, snapshot: Snapshot, firm_ids: Sequence[str], about: tuple[str, Purpose]
    ) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Per firm the papers that are missing or out of date; ``about`` is tier and purpose.

        All firms at once: what an edition asks for is worked out once.
        """
        from policy.papers.dossier import dossier
        from policy.papers.materials import STATES
        from policy.situation import Situation

        rules, panel = self._rules_of(snapshot), self.panel(snapshot).of(list(firm_ids))
        found = dossier(Situation(rules.law, panel), *about, rules.papers)
        papers = [need.paper for need in found.materials.needs]
        lists: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for i, firm in enumerate(found.values.inputs.firm_ids):
            lists[str(firm)] = {"missing": [], "expired": []}
            for j, paper in enumerate(papers):
                state = STATES[found.materials.states[i, j]]
                if found.asked[i, j] and state in lists[str(firm)]:
                    shown = {"paper": paper.id, "zh": paper.zh, "en": paper.en}
                    lists[str(firm)][state].append(shown | {"asked": ASKED[found.asked[i, j]]})
        return lists

    def letter(
        self, snapshot: Snapshot, asked: Asked, language: Literal["zh", "en"], day: date
    ) -> str:
        """The one-time request letter as a page; ``day`` is that of the letter."""
        from policy.papers.letter import letter_html, letter_of, subject_of

        found = self._dossier(snapshot, asked)
        subject = subject_of(found, self._firm(snapshot, asked), 0, snapshot.id, day)
        return letter_html(letter_of(found, 0, subject, language))

    def path(self, snapshot: Snapshot, asked: Asked) -> dict[str, Any]:
        """What would have to change for the tier, judged anew, with the model's answer to it."""
        from policy.path.finding import paths
        from policy.situation import Situation

        head, rules = self._head(snapshot, asked), self._rules_of(snapshot)
        panel = self._firm(snapshot, asked)
        prepared = paths(Situation(rules.law, panel), asked.tier, asked.purpose, rules.changes)
        found = prepared.of(0)
        described = _described(found, rules.law)
        task = snapshot.tasks.get(f"promotion:{asked.tier}@{HORIZON}")
        return {**head, "path": described, "model": self._answer(task, panel, found)}

    def _answer(self, task: Task | None, panel: Panel, path: Path) -> dict[str, Any]:
        from serving.rescoring import Rescorer

        name = f"promotion:{path.tier}@{HORIZON}"
        empty = {"task": name, "model_version": None, "before": None, "after": None}
        if task is None:
            return empty | {"note": NO_MODEL}
        bundle = self._bundle(task.bundle_id)
        answers = Rescorer(bundle, panel).answers(path)
        if answers is None:
            return empty | {"model_version": bundle.id, "note": OUTSIDE}
        before, after = map(asdict, answers)
        used = {"model_version": bundle.id, "before": before, "after": after}
        return empty | used | {"note": MODEL_NOTE}

    def _head(self, snapshot: Snapshot, asked: Asked) -> dict[str, Any]:
        """By which edition and batch; a tier that nobody judges is refused here."""
        head = verdicts_of(snapshot, asked.tier, asked.purpose).sheet.head
        return {name: value for name, value in head.items() if name != "parameters"}

    def _dossier(self, snapshot: Snapshot, asked: Asked) -> Dossier:
        from policy.papers.dossier import dossier
        from policy.situation import Situation

        self._head(snapshot, asked)
        rules = self._rules_of(snapshot)
        situation = Situation(rules.law, self._firm(snapshot, asked))
        return dossier(situation, asked.tier, asked.purpose, rules.papers)

    def bundle(self, identity: str) -> Bundle:
        """A bundle by its id."""
        return self._bundle(identity)

    def panel(self, snapshot: Snapshot) -> Panel:
        """All firms as the snapshot saw them."""
        inputs = snapshot.manifest["inputs"]
        return self._panel(inputs["vault_head"], date.fromisoformat(inputs["as_of"]))

    def law(self, snapshot: Snapshot) -> Law:
        """The law that the snapshot carries."""
        return self._rules_of(snapshot).law

    def _firm(self, snapshot: Snapshot, asked: Asked) -> Panel:
        return self.panel(snapshot).of([asked.firm_id])

    def _read(self, head: str, day: date) -> Panel:
        return self._history(head).as_of(day)

    def _rules_of(self, snapshot: Snapshot) -> _Rules:
        digest = str(snapshot.policy_edition)
        if digest not in self._rules:
            # Two: the snapshot in service and, for a moment, the one before it.
            kept = list(self._rules.items())[-1:]
            try:
                self._rules = dict([*kept, (digest, _rules_of(snapshot.law))])
            except (DataError, AttributeError, KeyError, TypeError, ValueError) as error:
                raise Refused(
                    f"The law of snapshot {snapshot.id} must be readable by this version of Tidu,"
                    f" found: {error}",
                    "Its verdicts stand as published; for papers and paths publish again.",
                ) from error
        return self._rules[digest]


def _described(path: Path, law: Law) -> dict[str, Any]:
    """A path with the text it is by; both scores stand in the model's answer beside it."""
    edition = law.edition(path.edition)
    shown = path.as_json() | {
        "edition_zh": edition.zh,
        "edition_en": edition.en,
        "document": law.documents[edition.document].number,
        "other": _described(path.other, law) if path.other else None,
    }
    del shown["scores"], shown["firm_id"], shown["tier"]
    return shown


def _rules_of(files: Mapping[str, bytes]) -> _Rules:
    from policy.loading import law_of
    from policy.papers.catalogue import parse_papers
    from policy.path.changes_reading import parse_changes

    papers, changes = (
        tomllib.loads(files[name].decode()) for name in ("papers.toml", "changes.toml")
    )
    return _Rules(law_of(files), parse_papers(papers, "papers.toml"), parse_changes(changes))
