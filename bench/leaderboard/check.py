"""Judging one result: what refuses it, what keeps it from a rank, what is good to know.

Refused is what is unreadable, impossible, or can't be recomputed from its own trials; a duplicate
is refused where submissions meet (`submissions.py`). What is honest but can't be compared is
accepted, and listed without rank.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.leaderboard.finding import Finding, refusals
from bench.leaderboard.possible import impossibilities
from bench.leaderboard.provenance import contradictions
from bench.results import statistics, storage, warning_rules
from bench.results.record import Result, Warning_
from bench.results.warning_rules import rank_blockers

TASK_ID = re.compile(r"(?=.{1,60}\Z)[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Verdict:
    """What a check found: the result if it could be read, and every finding, gravest first."""

    result: Result | None
    findings: tuple[Finding, ...]

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why it is refused, in sentences; empty where it is not."""
        return tuple(item.message for item in self.findings if item.severity == "refused")

    @property
    def notes(self) -> tuple[str, ...]:
        """Why it has no rank, in sentences; empty where it has one or is refused."""
        return tuple(item.message for item in self.findings if item.severity == "no-rank")


def check(path: Path) -> Verdict:
    """Judge one result file."""
    try:
        content = storage.read_bytes(path)
    except storage.UnreadableRecord as error:
        return unreadable(error)
    return judge(content, str(path))


def judge(content: bytes, name: str) -> Verdict:
    """Judge the bytes of a result file."""
    try:
        result = storage.parse_result(content, name)
    except storage.UnreadableRecord as error:
        return unreadable(error)
    if not TASK_ID.fullmatch(result.task.id):
        sentence = f"Impossible: {result.task.id!r:.60} is no task id."
        return Verdict(result, tuple(refusals("impossible", [sentence])))
    # What can't be true is told first: numbers without bounds would break what comes after.
    if impossible := tuple(refusals("impossible", impossibilities(result, content))):
        return Verdict(result, impossible)
    try:
        raised = warning_rules.derive_warnings(result)
        refused = tuple(_irreproducible(result, raised))
    except (KeyError, ValueError, ArithmeticError) as error:
        sentence = f"The summary can't be recomputed from the trials: {error!s:.200}."
        return Verdict(result, tuple(refusals("irreproducible", [sentence])))
    return Verdict(result, refused or accepted(result, raised))


def accepted(result: Result, raised: tuple[Warning_, ...]) -> tuple[Finding, ...]:
    """What there is to say of a result that is not refused, gravest first."""
    barred = (
        Finding("no-rank", item.code, item.message, item.cure)
        for item in rank_blockers(result, raised)
    )
    return (*barred, *_good_to_know(raised))


def unreadable(error: Exception) -> Verdict:
    """The verdict on what is no result."""
    return Verdict(None, tuple(refusals("unreadable", [f"Unreadable: {error}."])))


def _good_to_know(raised: Iterable[Warning_]) -> Iterator[Finding]:
    for item in raised:
        if not item.bars_ranking:
            yield Finding("note", item.code, item.message, item.cure)


def _irreproducible(result: Result, raised: tuple[Warning_, ...]) -> Iterator[Finding]:
    yield from refusals("irreproducible", _recomputed(result, raised))
    yield from refusals("irreproducible", contradictions(result))


def _codes(raised: Iterable[Warning_]) -> set[tuple[str, bool]]:
    return {(item.code, item.bars_ranking) for item in raised}


def _recomputed(result: Result, raised: tuple[Warning_, ...]) -> Iterator[str]:
    if result.summary is not None:
        again = statistics.summarize(result.trials, result.boundary, result.idle, result.task.unit)
        for name in type(again).model_fields:
            stated, computed = getattr(result.summary, name), getattr(again, name)
            if stated != computed:
                yield f"Irreproducible: {name} is not what the trials give."
    # Codes count, not words: a later version may put a doubt better.
    if _codes(result.doubts) != _codes(raised):
        differing = sorted(code for code, _ in _codes(result.doubts) ^ _codes(raised))
        listed = ", ".join(differing[:5])
        yield f"Irreproducible: the doubts are not those of the record ({listed:.200})."
    if result.rankable != warning_rules.is_rankable(result, raised):
        yield "Irreproducible: whether it may rank is not what the record gives."
