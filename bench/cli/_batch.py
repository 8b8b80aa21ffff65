"""Several models or all tasks, each in its own process; overview table."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.cli._errors import INTERRUPTED, log

if TYPE_CHECKING:
    from bench.results.record import Quality, Result


@dataclass(frozen=True)
class TaskOutcome:
    """One task of several: its result, or the last words of a run that left none."""

    task: str
    code: int
    result: Result | None
    words: str


def models(task: str, names: Iterable[str], words: Sequence[str]) -> int:
    """Run a task on one model after the other; gives the first exit code that is not 0."""
    codes = []
    for name in names:
        process = subprocess.Popen(run_command(task, [*words, "--model", name]))
        try:
            codes.append(process.wait())
        except KeyboardInterrupt:
            # The terminal told the run too: it saves its finished trials, and says so.
            codes.append(process.wait())
        if codes[-1] == INTERRUPTED:
            break
    return first_bad(codes)


def tasks(names: Sequence[str], words: Sequence[str], as_json: bool) -> list[TaskOutcome]:
    """Run one task after the other, a line of JSON a result where they are asked for."""
    ended = []
    for place, name in enumerate(names, 1):
        log(f"· {place} of {len(names)}: {name}")
        ended.append(_task(name, words, as_json))
        if ended[-1].code == INTERRUPTED:
            break
        if ended[-1].result is None:
            log(f"  {ended[-1].words}")
    return ended


def first_bad(codes: Iterable[int]) -> int:
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
    try:
        out, said = process.communicate()
    except KeyboardInterrupt:
        out, said = process.communicate()
    lines = out.splitlines()
    if as_json:
        print(out, end="", flush=True)
    result = storage.parse_result(lines[-1]) if lines else None
    return TaskOutcome(name, process.returncode, result, (said.strip().splitlines() or [""])[-1])


def run_command(task: str, words: Sequence[str]) -> list[str]:
    """The command of `joulebench run` in a process of its own."""
    # -P: a folder named bench in the working directory is not imported.
    return [sys.executable, "-P", "-m", "bench", "run", task, *words]


HEADS = ("task", "energy per 1,000", "time each", "", "quality")
WIDTH = 116  # where nobody looks at a terminal


def print_overview(ended: Sequence[TaskOutcome], seconds: float, stream: Any) -> None:
    """Print one line a task; `seconds` is how long all of it took."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in HEADS:
        table.add_column(head, overflow="fold", no_wrap=head != "quality")
    for one in ended:
        table.add_row(one.task, *_cells(one))
    console = Console(file=stream, highlight=False, width=None if stream.isatty() else WIDTH)
    console.print(Padding(table, (1, 2)))
    kinds = {one.result.boundary.kind for one in ended if one.result}
    if "modelled" in kinds:
        console.print("  The energy is modelled, NOT measured: joulebench doctor says why.")
    if any(one.result and one.result.model.weights == "random" for one in ended):
        console.print("  random: drawn weights; the quality is what chance gives.")
    console.print(f"  {len(ended)} tasks in {seconds:.0f} s\n")


def _cells(one: TaskOutcome) -> tuple[str, str, str, str]:
    from bench.results import formatting

    result = one.result
    if result is None or result.failure is not None:
        said = result.failure.message if result and result.failure else one.words
        return formatting.MISSING, formatting.MISSING, "", f"exit {one.code}: {said}"
    summary = result.summary
    energy = summary and summary.energy_kwh_per_1000
    spent = summary and summary.duration_seconds_per_inference
    cost = time = formatting.MISSING
    if energy:
        unit, size = formatting.energy_unit(energy.value)
        floor = energy.model_copy(update={"low": max(0.0, energy.low)})
        value, low, high = formatting.format_interval(floor, size)
        cost = f"{value} ({low} to {high}) {unit}"
    if spent:
        unit, size = formatting.time_unit(spent.value)
        time = f"{formatting.format_interval(spent, size)[0]} {unit}"
    return cost, time, _notes(result), _quality(result.quality)


def _quality(quality: Quality | None) -> str:
    from bench.results import formatting

    if quality is None:
        return formatting.MISSING
    return f"{quality.metric} {quality.value:.2f} ({quality.low:.2f} to {quality.high:.2f})"


def _notes(result: Result) -> str:
    notes = ["random"] if result.model.weights == "random" else []
    return ", ".join([*notes, "interrupted"] if result.status == "interrupted" else notes)
