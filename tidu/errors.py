"""The one tree of errors.

TiduError
├── UsageError        the call is malformed: an option, a date, a task name
├── DataError         input rows break the contract; carries every problem at once
├── NotAvailable      the data cannot support what was asked; says what is missing
├── NotFound          no such firm, task, bundle, snapshot
├── Refused           an artefact or a change is refused (bundle, mapping, publication)
├── Conflict          somebody else was faster: a pointer moved, a key was used before
└── Unready           a resource is not there now: no snapshot, a busy port

No HTTP and no exit status here: the edges (``serving.api``, ``serving.cli``) map classes once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Conflict",
    "DataError",
    "Issue",
    "NotAvailable",
    "NotFound",
    "Refused",
    "TiduError",
    "Unready",
    "UsageError",
]


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem of an input, at the place where its author will look for it.

    ``row`` is the number the user sees (the header is row 1). ``rule`` is a stable code;
    ``message`` says what must hold and what was found, ``cure`` what to do.
    """

    level: Literal["error", "warning"]
    rule: str
    message: str
    cure: str
    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""
    zh: str = ""

    def as_dict(self) -> dict[str, object]:
        # dataclasses.asdict copies deeply, which is most of the time of a file full of problems.
        return {name: getattr(self, name) for name in self.__slots__}

    def __str__(self) -> str:
        place = ":".join(str(p) for p in (self.file, self.sheet, self.row, self.column) if p)
        found = f" (found {self.value!r})" if self.value else ""
        return f"{self.level} {self.rule} {place}: {self.message.rstrip('.')}{found}. {self.cure}"


class TiduError(Exception):
    """Base of all our errors: a sentence of what must hold and what was found, and a cure."""

    code = "tidu"
    zh = "出错"

    def __init__(
        self, message: str, cure: str = "", details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.details: dict[str, object] = dict(details or {})

    def __str__(self) -> str:
        return f"{self.message} {self.cure}".strip()


class UsageError(TiduError):
    """The call itself is malformed."""

    code = "usage"
    zh = "用法错误"


class DataError(TiduError):
    """Rows of an input break the contract; ``issues`` holds all of them."""

    code = "data"
    zh = "数据不符合要求"

    def __init__(self, message: str, issues: Sequence[Issue] = (), cure: str = "") -> None:
        super().__init__(message, cure, {"issues": [i.as_dict() for i in issues]})
        self.issues = tuple(issues)


class NotAvailable(TiduError):
    """The data cannot support what was asked; the message says what is missing."""

    code = "not_available"
    zh = "数据不足,无法提供"


class NotFound(TiduError):
    """Nothing under that name."""

    code = "not_found"
    zh = "未找到"


class Refused(TiduError):
    """An artefact or a change is refused: expected, found, cure."""

    code = "refused"
    zh = "已拒绝"


class Conflict(TiduError):
    """The state moved since it was read, or a key was used for something else."""

    code = "conflict"
    zh = "状态冲突"


class Unready(TiduError):
    """A resource is not there now; trying again later can help."""

    code = "unready"
    zh = "暂不可用"
