"""Boards for tests: rank results, read leaderboard.json back, save and edit records."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench.leaderboard.board_entry import BoardEntry, make_entry
from bench.leaderboard.board_files import board_json
from bench.leaderboard.ranking import Board, rank_entries
from bench.leaderboard.validation import ranking_issues
from bench.leaderboard.verification import Submission
from bench.results import storage, warning_rules
from bench.results.record import Result


def submission_of(result: Result) -> Submission:
    """An accepted submission of a result in memory, by nobody who is known."""
    issues = ranking_issues(result, warning_rules.derive_warnings(result))
    return Submission(result, issues, storage.content_id(result), None)


def entries_of(results: Iterable[Result]) -> list[BoardEntry]:
    """The entries of results in memory."""
    return [make_entry(submission_of(result)) for result in results]


def rank_results(results: Iterable[Result]) -> Board:
    """The board of results in memory."""
    return rank_entries(entries_of(results))


def board_document(board: Board) -> dict[str, Any]:
    """The content of leaderboard.json."""
    return json.loads("".join(board_json(board)))


def document_of(results: Iterable[Result]) -> dict[str, Any]:
    """The content of leaderboard.json for results in memory."""
    return board_document(rank_results(results))


def save(folder: Path, result: Result, name: str = "result.json") -> Path:
    """Save a record; returns its path."""
    storage.save_result(result, folder / name)
    return folder / name


def save_edited(folder: Path, result: Result, edit: Callable[[dict[str, Any]], object]) -> Path:
    """Save a record after an edit of its JSON content; returns its path."""
    content = result.model_dump(mode="json")
    edit(content)
    path = folder / "edited.json"
    path.write_text(json.dumps(content))
    return path


def set_field(*keys_and_value: Any) -> Callable[[dict[str, Any]], None]:
    """An edit that sets one field: its keys from the top of the record, then the value."""
    *keys, last, value = keys_and_value

    def edit(content: Any) -> None:
        for key in keys:
            content = content[key]
        content[last] = value

    return edit


def place_submission(folder: Path, result: Result) -> Path:
    """Write a record under the path that `submit` would use, without validation."""
    path = folder / result.task.id / f"{storage.content_id(result)}.json"
    storage.write_text(path, storage.canonical_json(result))
    return path


def joulebench(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
