"""What a shortlist was asked for: task, length, stage, filters, firms that must or must not be in.

A question is data: two lists of the same question and the same candidates are the same list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from typing import Any, Self

from serving.shortlist.codes import TASK_ADDRESS
from tidu.errors import UsageError

__all__ = ["MODES", "MOST", "SIZES", "Question", "mode_of"]

MOST = 5_000
"""Firms of the longest list."""

MODES = {"upgrade": "提升", "cultivate": "培育", "reserve": "储备", "missed": "应报未报"}
"""Which firms of the cohort are asked for, with the Chinese words; "" asks for all of it."""

SIZES = ("micro", "small", "medium", "large")
"""Size classes (划型), as the law's files name them."""


@dataclass(frozen=True, slots=True)
class Question:
    """Filters match any of their values, all filters together; an empty one matches every firm.

    ``industries`` match the beginning of a GB/T 4754 code. ``include`` firms take their places
    among the ``k`` whatever the mode and the filters say; ``exclude`` firms take none.
    """

    task: str
    k: int
    mode: str = ""
    districts: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("districts", "industries", "sizes", "include", "exclude"):
            # As sets, in one order: what was asked does not depend on how it was written.
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))
        problems = [*self._problems()]
        if problems:
            raise UsageError(
                f"A shortlist cannot be made of this: {'; '.join(problems)}.",
                "Mend every point named.",
                {"problems": problems},
            )

    def _problems(self) -> list[str]:
        found = []
        if not TASK_ADDRESS.fullmatch(self.task):
            found.append(f"a task is written name[:variant]@months, found {self.task!r}")
        if not 1 <= self.k <= MOST:
            found.append(f"k must lie from 1 to {MOST}, found {self.k}")
        if self.mode and self.mode not in MODES:
            found.append(f"a mode must be one of {', '.join(MODES)}, found {self.mode!r}")
        if strange := [size for size in self.sizes if size not in SIZES]:
            found.append(f"a size must be one of {', '.join(SIZES)}, found {', '.join(strange)}")
        if both := sorted(set(self.include) & set(self.exclude)):
            found.append(f"a firm is either included or excluded, found both for {_few(both)}")
        if len(self.include) > self.k >= 1:
            found.append(f"k must hold the {len(self.include)} firms included, found {self.k}")
        return found + [
            f"{name} must name something, found an empty text"
            for name in ("districts", "industries", "sizes", "include", "exclude")
            if any(not value.strip() for value in getattr(self, name))
        ]

    def as_json(self) -> dict[str, Any]:
        """Everything asked, in JSON's own types."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """A question from its JSON; the other way round of :meth:`as_json`."""
        known = {f.name for f in fields(cls)}
        if strange := sorted(raw.keys() - known):
            raise UsageError(
                f"A question has {', '.join(sorted(known))}, found {', '.join(strange)}.",
                "Leave it out.",
            )
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
        return cls(**given)


def mode_of(text: str) -> str:
    """A mode by its code or by its Chinese word; "" stays "".

    >>> mode_of("应报未报"), mode_of("upgrade"), mode_of("")
    ('missed', 'upgrade', '')
    """
    text = text.strip()
    if not text or text in MODES:
        return text
    by_word = {word: code for code, word in MODES.items()}
    if text in by_word:
        return by_word[text]
    known = [*MODES, *by_word]
    near = get_close_matches(text, known, 3, 0.4) or known
    raise UsageError(
        f"A mode must be one of {', '.join(known)}, found {text!r}.",
        f"Did you mean {' or '.join(near)}?",
        {"alternatives": near},
    )


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
