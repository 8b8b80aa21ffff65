"""Validate one submission: its schema, its plausibility, and its figures against its raw trials."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.leaderboard.plausibility import contradictions, implausibilities
from bench.results import statistics, storage, warning_rules
from bench.results.record import Estimate, MeasurementWarning, Result
from bench.results.warning_rules import rank_blockers

TASK_ID = re.compile(r"(?=.{1,60}\Z)[a-z0-9]+(-[a-z0-9]+)*")

# Two implementations of the same formula differ by rounding: about 1e-13 over 50 trials. A
# difference of 1e-9 is far below any interval, and far above that.
RELATIVE_TOLERANCE = 1e-9

# "refused": not on the board. "no-rank": listed without rank, with the reason. "note": a remark.
Severity = Literal["refused", "no-rank", "note"]

REMEDIES: dict[str, str] = tomllib.loads(
    Path(__file__).with_name("remedies.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True, slots=True)
class ValidationIssue:
    """One issue of a submission: `message` and `remedy` are sentences."""

    severity: Severity
    code: str
    message: str
    remedy: str

    def text(self) -> str:
        """The issue in one line."""
        return f"{self.severity}: {self.message} {self.remedy}"


@dataclass(frozen=True)
class ValidationReport:
    """The result, None where it could not be read, and every issue, the most severe first."""

    result: Result | None
    issues: tuple[ValidationIssue, ...]

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why the result is refused, in sentences; empty where it is accepted."""
        return tuple(issue.message for issue in self.issues if issue.severity == "refused")


def validate_file(path: Path) -> ValidationReport:
    """Validate one result file; a file that cannot be read is refused with the reason."""
    try:
        return validate_bytes(storage.read_bytes(path), str(path))
    except storage.UnreadableRecord as error:
        return unreadable(error)


def validate_bytes(content: bytes, name: str) -> ValidationReport:
    """Validate the bytes of a result file; `name` is the file's name in messages."""
    try:
        result = storage.parse_result(content, name)
    except storage.UnreadableRecord as error:
        return unreadable(error)
    if not TASK_ID.fullmatch(result.task.id):
        message = f"Impossible: {result.task.id!r:.60} is not a task id."
        return ValidationReport(result, tuple(refusals("impossible", [message])))
    # Implausible values are refused first: the computations after this need bounded numbers.
    if issues := tuple(refusals("impossible", implausibilities(result, content))):
        return ValidationReport(result, issues)
    try:
        warnings = warning_rules.derive_warnings(result)
        messages = [*_differences(result, warnings), *contradictions(result)]
    except (KeyError, ValueError, ArithmeticError) as error:
        messages = [f"Irreproducible: the summary cannot be recomputed: {error!s:.200}."]
        return ValidationReport(result, tuple(refusals("irreproducible", messages)))
    issues = tuple(refusals("irreproducible", messages))
    return ValidationReport(result, issues or ranking_issues(result, warnings))


def ranking_issues(
    result: Result, warnings: Iterable[MeasurementWarning]
) -> tuple[ValidationIssue, ...]:
    """The issues of an accepted result from its warnings, those that block ranking first."""
    warnings = tuple(warnings)
    blocking = rank_blockers(result, warnings)
    other = [item for item in warnings if not item.blocks_ranking]
    return (
        *(ValidationIssue("no-rank", i.code, i.message, i.remedy) for i in blocking),
        *(ValidationIssue("note", i.code, i.message, i.remedy) for i in other),
    )


def unreadable(error: Exception) -> ValidationReport:
    """The report on a file that is not a result."""
    return ValidationReport(None, tuple(refusals("unreadable", [f"Unreadable: {error}."])))


def refusals(code: str, messages: Iterable[str]) -> Iterator[ValidationIssue]:
    """A refusal with the remedy of its code for every message."""
    for message in messages:
        yield ValidationIssue("refused", code, message, REMEDIES[code])


def _differences(result: Result, warnings: tuple[MeasurementWarning, ...]) -> Iterator[str]:
    """How the record differs from what its trials give by the analysis version that it states.

    Figures are compared with a relative tolerance of 1e-9, warnings by code and `blocks_ranking`.
    Messages and remedies are not compared, so a later version may word them better.
    """
    if result.summary is not None:
        summary = statistics.summarize(
            result.trials, result.boundary, result.idle, result.task.unit, result.analysis_version
        )
        for name in type(summary).model_fields:
            if not _nearly_equal(getattr(result.summary, name), getattr(summary, name)):
                yield f"Irreproducible: {name} is not what the trials give."
    stated, derived = (
        {(item.code, item.blocks_ranking) for item in items}
        for items in (result.warnings, warnings)
    )
    if stated != derived:
        codes = ", ".join(sorted({code for code, _ in stated ^ derived})[:5])
        yield f"Irreproducible: the warnings are not those of the record ({codes:.200})."
    if result.rankable != warning_rules.is_rankable(result, warnings):
        yield "Irreproducible: `rankable` does not follow from the record."


def _nearly_equal(a: Estimate | float | None, b: Estimate | float | None) -> bool:
    """Whether two estimates are equal but for rounding, relative to the largest of their figures.

    An end near zero is a difference of larger figures, so its own size is no measure of rounding.
    """
    if a is None or b is None:
        return a is b
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= RELATIVE_TOLERANCE
    if isinstance(a, float) or isinstance(b, float):
        return False
    figures = [(a.value, b.value), (a.low, b.low), (a.high, b.high)]
    tolerance = RELATIVE_TOLERANCE * max([abs(x) for pair in figures for x in pair])
    return (
        a.sample_count == b.sample_count
        and math.isclose(a.confidence_level, b.confidence_level)
        and all(abs(x - y) <= tolerance for x, y in figures)
    )
