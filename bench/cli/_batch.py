"""Runs of several models or of all tasks, each in its own process, and a table of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli._io import INTERRUPTED, log

if TYPE_CHECKING:
    from bench.results.record import Result


WIDTH = 116  # of the table, where the stream is no terminal


@dataclass(frozen=True)
class TaskOutcome:
    """One task of several: its exit code, and its result or the last line of its error output."""

    task: str
    code: int
    result: Result | None
    last_line: str


def run_models(task: str, names: Iterable[str], words: Sequence[str]) -> int:
    """Run a task on one model after the other; returns the first exit code that is not 0."""
    codes = []
    for name in names:
        process = subprocess.Popen(run_command(task, [*words, "--model", name]))
        _wait(process)
        codes.append(process.returncode)
        if codes[-1] == INTERRUPTED:
            break
    return first_failure_code(codes)


def run_tasks(names: Sequence[str], words: Sequence[str], as_json: bool) -> list[TaskOutcome]:
    """Run one task after the other; `as_json` prints each result as one line of JSON."""
    outcomes: list[TaskOutcome] = []
    for index, name in enumerate(names, 1):
        log(f"· {index} of {len(names)}: {name}")
        outcomes.append(_task(name, words, as_json))
        if outcomes[-1].code == INTERRUPTED:
            break
        if outcomes[-1].result is None:
            log(f"  {outcomes[-1].last_line}")
    return outcomes


def first_failure_code(codes: Iterable[int]) -> int:
    """The first exit code that is not 0, or 0."""
    return next((code for code in codes if code), 0)


def _task(name: str, words: Sequence[str], as_json: bool) -> TaskOutcome:
    from bench.results import storage

    process = subprocess.Popen(
        run_command(name, [*words, "--json"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    out, errors = _wait(process)
    lines = out.splitlines()
    if as_json:
        print(out, end="", flush=True)
    result = storage.parse_result(lines[-1]) if lines else None
    return TaskOutcome(name, process.returncode, result, (errors.strip().splitlines() or [""])[-1])


def _wait(process: subprocess.Popen[Any]) -> tuple[Any, Any]:
    """The output and error output of a process that has ended."""
    try:
        return process.communicate()
    except KeyboardInterrupt:
        # The terminal interrupts the run too: it saves its finished trials, then ends.
        return process.communicate()


def run_command(task: str, words: Sequence[str]) -> list[str]:
    """The command of `joulebench run` in a process of its own."""
    # -P: a folder named bench in the working directory is not imported.
    return [sys.executable, "-P", "-m", "bench", "run", task, *words]


def print_overview(outcomes: Sequence[TaskOutcome], seconds: float, stream: Any) -> None:
    """Print one line a task; `seconds` is the duration of all of them together."""
    from rich.console import Console

    from bench.reports.text_layout import print_template

    console = Console(file=stream, highlight=False, width=None if stream.isatty() else WIDTH)
    template = Path(__file__).with_suffix(".jinja")
    print_template(template, console, outcomes=outcomes, seconds=seconds)
