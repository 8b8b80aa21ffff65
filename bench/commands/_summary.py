"""The summary of a result on a terminal, with the next command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.results.record import Result


def print_summary(result: Result, path: Path, edition: str, stream: Any) -> None:
    """Print what a person reads of a result."""
    from rich.console import Console

    from bench import report

    report.show(result, path, Console(file=stream, highlight=False), edition, next_step(path))


def next_step(path: Path) -> str:
    """The next command, as the reader would type it here."""
    if Path("Makefile").is_file() and Path("bench/task.py").is_file():
        return f"make submit RESULT={path} && make board plots"
    return f"joulebench submit {path} && joulebench board"
