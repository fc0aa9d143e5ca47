"""What a reader of a shortlist must know, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.shortlist.question import Question

__all__ = ["ADVICE", "notes_of"]

ADVICE = {
    "code": "advice",
    "zh": "名单供参考;行政决定只引用条款,不以分数、排名、概率为依据",
    "en": "The list is advice: administrative decisions cite clauses, never score, rank or chance",
}

STATES = {
    "not_yet": ("申报批次{id}尚未开始", "Batch {id} has not opened yet"),
    "closed": ("申报批次{id}已经截止", "Batch {id} is closed"),
    "undeclared": (
        "申报批次{id}的起止日未公布,按全年计",
        "The dates of batch {id} are not declared: the whole year counts",
    ),
}


def notes_of(
    question: Question, counts: Mapping[str, int], about: Mapping[str, Any], *, papers: bool
) -> list[dict[str, str]]:
    """Everything that a reader would otherwise take for something else."""
    notes = [ADVICE]
    if counts["short"]:
        notes.append(
            _note(
                "short",
                f"要求{question.k}家,符合条件的只有{counts['listed']}家",
                f"{question.k} firms were asked for, {counts['listed']} are there",
            )
        )
    if counts["unknown"]:
        notes.append(_of_unknown(question.mode, counts["unknown"]))
    notes += _of_batch(question, about)
    line = about.get("line")
    if question.mode == "reserve" and line and line["unsearched"]:
        notes.append(
            _note(
                "unsearched",
                f"有{line['unsearched']}家企业未搜索晋级路径,储备企业中可能有属于培育的",
                f"The paths of {line['unsearched']} firms were not searched: some of reserve may"
                " belong to cultivate",
            )
        )
    if not papers:
        notes.append(_note("papers", "未列申报材料情况", "The state of papers is not shown"))
    return notes


def _of_unknown(mode: str, count: int) -> dict[str, str]:
    if mode == "missed":
        return _note(
            "unknown",
            f"申报记录没有覆盖该批次,{count}家符合或待核实的企业是否已申报不能判断,未列入",
            f"Records of applications do not cover the batch: of {count} firms nobody can say"
            " whether they applied; they are not listed",
        )
    return _note(
        "unknown",
        f"{count}家企业的阶段不能判断,未列入",
        f"The stage of {count} firms is unknown; they are not listed",
    )


def _of_batch(question: Question, about: Mapping[str, Any]) -> list[dict[str, str]]:
    batch = about.get("batch")
    if question.mode != "missed" or not batch or batch["state"] not in STATES:
        return []
    zh, en = STATES[batch["state"]]
    return [_note("batch", zh.format(**batch), en.format(**batch))]


def _note(code: str, zh: str, en: str) -> dict[str, str]:
    return {"code": code, "zh": zh, "en": en}
