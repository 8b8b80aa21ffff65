"""What the leaderboard refuses and why, and how a result that passes becomes a submission.

Refused is what is unreadable, impossible, can't be recomputed from its own trials, or is there
already. What is honest but can't be compared is accepted, and listed without rank.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import doubts, stats, store
from bench.leaderboard.facets import reasons_without_rank
from bench.leaderboard.possible import impossibilities
from bench.leaderboard.provenance import contradictions
from bench.records import Doubt, Result

TASK_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Refused(ValueError):
    """A submission that was refused; `reasons` are sentences."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(" ".join(self.reasons))


@dataclass(frozen=True)
class Verdict:
    """What a check found: the result if it could be read, why it is refused, why it won't rank."""

    result: Result | None
    refusals: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass
class Collection:
    """The submissions that passed, and the reasons why the others did not, by file."""

    results: list[Result] = field(default_factory=list)
    refused: dict[Path, tuple[str, ...]] = field(default_factory=dict)


def check(path: Path, submissions_dir: Path | None = None) -> Verdict:
    """Judge one result file; with a folder of submissions, also whether it is there already."""
    try:
        result = store.load(path)
    except store.Unreadable as error:
        return Verdict(None, (f"Unreadable: {error}.",), ())
    refusals = tuple(_refusals(result))
    if refusals:
        return Verdict(result, refusals, ())
    if submissions_dir is not None:
        others = (_readable(other) for other in _files(submissions_dir) if other != path)
        known = {mark for other in others if other is not None for mark in _marks(other)}
        refusals = tuple(_duplicate(result, known))
    return Verdict(result, refusals, reasons_without_rank(result))


def submit(path: Path, submissions_dir: Path) -> Path:
    """Check a result file and copy it to `<task>/<id of its content>.json`; gives the new path.

    Raises Refused with every reason if it is refused.
    """
    verdict = check(path, submissions_dir)
    if verdict.result is None or verdict.refusals:
        raise Refused(verdict.refusals)
    result = verdict.result
    target = submissions_dir / result.task.id / f"{content_id(result)}.json"
    store.write_text(target, canonical(result))
    return target


def collect(submissions_dir: Path) -> Collection:
    """Read and judge every submission again, from its raw trials."""
    collection = Collection()
    seen: set[str] = set()
    for path in _files(submissions_dir):
        verdict = check(path)
        reasons = list(verdict.refusals)
        if verdict.result is not None and not reasons:
            if path.parts[-2:] != (verdict.result.task.id, f"{content_id(verdict.result)}.json"):
                reasons.append("The file's name is not that of its content: it was edited.")
            reasons += _duplicate(verdict.result, seen)
        if verdict.result is None or reasons:
            collection.refused[path] = tuple(reasons)
        else:
            collection.results.append(verdict.result)
            seen |= _marks(verdict.result)
    return collection


def canonical(result: Result) -> str:
    """The result as canonical JSON: sorted keys, no spaces, and one newline at the end."""
    content = result.model_dump(mode="json")
    text = json.dumps(
        content, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return f"{text}\n"


def content_id(result: Result) -> str:
    """The first 16 hex digits of the SHA-256 of the canonical JSON: the name of a submission."""
    return hashlib.sha256(canonical(result).encode()).hexdigest()[:16]


def _files(submissions_dir: Path) -> list[Path]:
    return sorted(submissions_dir.glob("*/*.json"))


def _readable(path: Path) -> Result | None:
    try:
        return store.load(path)
    except store.Unreadable:
        return None


def _marks(result: Result) -> set[str]:
    """What no two submissions share: the run's id, and the readings of its trials."""
    trials = "".join(trial.model_dump_json() for trial in result.trials)
    raw = {f"trials {hashlib.sha256(trials.encode()).hexdigest()}"} if result.trials else set()
    return {f"run {result.run_id}"} | raw


def _duplicate(result: Result, seen: set[str]) -> list[str]:
    shared = sorted(_marks(result) & seen)
    if not shared:
        return []
    what = "its run id" if shared[0].startswith("run") else "the same trials"
    return [f"Duplicate: a submission with {what} is there already."]


def _refusals(result: Result) -> Iterator[str]:
    if not TASK_ID.fullmatch(result.task.id):
        yield f"Impossible: {result.task.id!r} is no task id."
        return
    try:
        yield from _recomputed(result)
    except (KeyError, ValueError, ArithmeticError) as error:
        yield f"The summary can't be recomputed from the trials: {error}."
    yield from contradictions(result)
    yield from impossibilities(result)


def _codes(raised: Iterable[Doubt]) -> set[tuple[str, bool]]:
    return {(item.code, item.bars_ranking) for item in raised}


def _recomputed(result: Result) -> Iterator[str]:
    if result.summary is not None:
        again = stats.summarize(result.trials, result.boundary, result.idle, result.task.unit)
        for name in type(again).model_fields:
            stated, computed = getattr(result.summary, name), getattr(again, name)
            if stated != computed:
                yield f"Irreproducible: {name} is not what the trials give."
    # Codes count, not words: a later version may put a doubt better.
    stated, raised = _codes(result.doubts), _codes(doubts.raise_all(result))
    if stated != raised:
        differing = ", ".join(sorted(code for code, _ in stated ^ raised))
        yield f"Irreproducible: the doubts are not those of the record ({differing})."
    if result.rankable != doubts.rankable(result):
        yield "Irreproducible: whether it may rank is not what the record gives."
