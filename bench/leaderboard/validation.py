"""One submission -> ValidationReport."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.leaderboard.plausibility import contradictions, implausibilities
from bench.results import statistics, storage, warning_rules
from bench.results.record import MeasurementWarning, Result
from bench.results.warning_rules import rank_blockers

TASK_ID = re.compile(r"(?=.{1,60}\Z)[a-z0-9]+(-[a-z0-9]+)*")

# "refused": it can't be on the board. "no-rank": it is listed, and says why. "note": good to know.
Severity = Literal["refused", "no-rank", "note"]


@dataclass(frozen=True, slots=True)
class ValidationIssue:
    """One thing about a submission: `message` and `remedy` are sentences."""

    severity: Severity
    code: str
    message: str
    remedy: str

    def words(self) -> str:
        """The finding as a person reads it."""
        return f"{self.severity}: {self.message} {self.remedy}"


@dataclass(frozen=True)
class ValidationReport:
    """What a check found: the result if it could be read, and every finding, gravest first."""

    result: Result | None
    findings: tuple[ValidationIssue, ...]

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why it is refused, in sentences; empty where it is not."""
        return tuple(item.message for item in self.findings if item.severity == "refused")

    @property
    def notes(self) -> tuple[str, ...]:
        """Why it has no rank, in sentences; empty where it has one or is refused."""
        return tuple(item.message for item in self.findings if item.severity == "no-rank")


def validate_file(path: Path) -> ValidationReport:
    """Judge one result file."""
    try:
        content = storage.read_bytes(path)
    except storage.UnreadableRecord as error:
        return unreadable(error)
    return validate_bytes(content, str(path))


def validate_bytes(content: bytes, name: str) -> ValidationReport:
    """Judge the bytes of a result file."""
    try:
        result = storage.parse_result(content, name)
    except storage.UnreadableRecord as error:
        return unreadable(error)
    if not TASK_ID.fullmatch(result.task.id):
        sentence = f"Impossible: {result.task.id!r:.60} is no task id."
        return ValidationReport(result, tuple(refusals("impossible", [sentence])))
    # What can't be true is told first: numbers without bounds would break what comes after.
    if impossible := tuple(refusals("impossible", implausibilities(result, content))):
        return ValidationReport(result, impossible)
    try:
        raised = warning_rules.derive_warnings(result)
        refused = tuple(_irreproducible(result, raised))
    except (KeyError, ValueError, ArithmeticError) as error:
        sentence = f"The summary can't be recomputed from the trials: {error!s:.200}."
        return ValidationReport(result, tuple(refusals("irreproducible", [sentence])))
    return ValidationReport(result, refused or ranking_issues(result, raised))


def ranking_issues(
    result: Result, raised: tuple[MeasurementWarning, ...]
) -> tuple[ValidationIssue, ...]:
    """What there is to say of a result that is not refused, gravest first."""
    barred = (
        ValidationIssue("no-rank", item.code, item.message, item.remedy)
        for item in rank_blockers(result, raised)
    )
    return (*barred, *_good_to_know(raised))


def unreadable(error: Exception) -> ValidationReport:
    """The verdict on what is no result."""
    return ValidationReport(None, tuple(refusals("unreadable", [f"Unreadable: {error}."])))


def _good_to_know(raised: Iterable[MeasurementWarning]) -> Iterator[ValidationIssue]:
    for item in raised:
        if not item.blocks_ranking:
            yield ValidationIssue("note", item.code, item.message, item.remedy)


def _irreproducible(
    result: Result, raised: tuple[MeasurementWarning, ...]
) -> Iterator[ValidationIssue]:
    yield from refusals("irreproducible", _recomputed(result, raised))
    yield from refusals("irreproducible", contradictions(result))


def _codes(raised: Iterable[MeasurementWarning]) -> set[tuple[str, bool]]:
    return {(item.code, item.blocks_ranking) for item in raised}


def _recomputed(result: Result, raised: tuple[MeasurementWarning, ...]) -> Iterator[str]:
    if result.summary is not None:
        again = statistics.summarize(result.trials, result.boundary, result.idle, result.task.unit)
        for name in type(again).model_fields:
            stated, computed = getattr(result.summary, name), getattr(again, name)
            if stated != computed:
                yield f"Irreproducible: {name} is not what the trials give."
    # Codes count, not words: a later version may put a warning better.
    if _codes(result.warnings) != _codes(raised):
        differing = sorted(code for code, _ in _codes(result.warnings) ^ _codes(raised))
        listed = ", ".join(differing[:5])
        yield f"Irreproducible: the warnings are not those of the record ({listed:.200})."
    if result.rankable != warning_rules.is_rankable(result, raised):
        yield "Irreproducible: whether it may rank is not what the record gives."


REMEDIES = {
    "unreadable": "Send the file as `joulebench run` wrote it, with a version that reads it.",
    "irreproducible": "Send the file as the run wrote it; if it is that, run again with this "
    "version.",
    "impossible": "Look at the sensors with `joulebench doctor`, then run again.",
    "duplicate": "Nothing to mend: this run was submitted. Run again for another result.",
    "misplaced": "Add results with `joulebench submit`; a submission is never moved or edited.",
    "signature": "Sign it again: `joulebench submit RESULT --sign KEY`.",
    "unknown-signer": "Add the signer's public key to the file `allowed_signers`, if you trust it.",
}


def refusals(code: str, messages: Iterable[str]) -> Iterator[ValidationIssue]:
    """A refusal with the remedy of its code for every message."""
    for message in messages:
        yield ValidationIssue("refused", code, message, REMEDIES[code])
