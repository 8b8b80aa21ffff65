"""The board as files: json, csv, md and the site; the same board gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.leaderboard import site, table
from bench.leaderboard.document import lines, place
from bench.leaderboard.markdown import markdown
from bench.leaderboard.rank import Board
from bench.pages import site as site_pages
from bench.results import storage


def write(board: Board, results_dir: Path) -> tuple[Path, ...]:
    """Write leaderboard.json, .csv, .md and the site under a results folder; gives the files."""
    storage.write_parts(results_dir / "leaderboard.json", lines(board))
    storage.write_parts(results_dir / "leaderboard.csv", csv_lines(board))
    storage.write_text(results_dir / "leaderboard.md", markdown(board))
    site_pages.write(site.parts(board), site.shared(board), results_dir / "site")
    names = ("leaderboard.json", "leaderboard.csv", "leaderboard.md", "site/index.html")
    return tuple(results_dir / name for name in names)


def csv_lines(board: Board) -> Iterator[str]:
    """The board as csv, line by line."""
    yield table.HEAD
    for task in board.tasks:
        for row in task.rows():
            yield table.joined((task.task_id, *place(row).values()), row.entry.cells)
