"""`joulebench run`: measure a task on one model or several."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli._io import FAILED, INTERRUPTED, log, warn_on_error
from bench.cli._options import Edition, Json, help_of, options_from
from bench.runner.config import RunConfig

if TYPE_CHECKING:
    from bench.results.record import Result

PANEL = "Measure"
CONFIG = RunConfig  # the model whose fields are the options
DEFAULT_EDITION = "epa-current"


@options_from(CONFIG)
def command(
    task: Annotated[str, typer.Argument(help=help_of(CONFIG, "task"))],
    model: Annotated[
        list[str] | None, typer.Option(help=f"{help_of(CONFIG, 'model')} May be repeated.")
    ] = None,
    *,
    edition: Edition = DEFAULT_EDITION,
    as_json: Json = False,
    **options: Any,
) -> None:
    """Measure a task on one model or several, one after the other; or all tasks."""
    from bench.cli import _batch

    models = {"model": model[0]} if model else {}
    config = CONFIG(task=task, **models, **options)
    words = config.command_line(without=("model",))
    words += ["--edition", edition] if edition != DEFAULT_EDITION else []
    if task == "all":
        words += [word for name in model or [] for word in ("--model", name)]
        raise typer.Exit(_run_all(words, as_json))
    if model and len(model) > 1:
        from bench.runner.run import resolve

        for name in model:  # before the first is measured, so that a typing error shows at once
            resolve(config.with_changes(model=name))
        raise typer.Exit(_batch.run_models(task, model, [*words, *(["--json"] if as_json else [])]))
    raise typer.Exit(_run_one(config, edition, as_json))


def _run_one(config: RunConfig, edition: str, as_json: bool) -> int:
    """Run once and print the result; returns the exit code."""
    from rich.console import Console

    from bench.cli._progress import ProgressLine
    from bench.impact import equivalences
    from bench.reports.terminal import print_result
    from bench.results import storage
    from bench.runner.run import run

    equivalences.phone_charge(edition)
    progress = ProgressLine(sys.stderr)
    result, path = run(config, progress)
    progress.clear()
    plot = warn_on_error(lambda: _draw(result, path))
    if as_json:
        print(storage.to_json(result), flush=True)
    print_result(result, path, Console(stderr=as_json, highlight=False), edition)
    if plot:
        log(f"  plot   {plot}\n")
    return {"done": 0, "failed": FAILED, "interrupted": INTERRUPTED}[result.status]


def _run_all(words: list[str], as_json: bool) -> int:
    """Run every task and print a table; returns the first exit code that is not 0."""
    from bench.cli import _batch
    from bench.system import registry

    began = time.monotonic()
    outcomes = _batch.run_tasks(registry.names("task"), words, as_json)
    stream = sys.stderr if as_json else sys.stdout
    _batch.print_overview(outcomes, time.monotonic() - began, stream)
    return _batch.first_failure_code(one.code for one in outcomes)


def _draw(result: Result, path: Path) -> Path | None:
    """Draw the trials of a run into the folder of its file; None where there is nothing to draw."""
    if result.summary is None or result.summary.energy_kwh_per_1000 is None:
        return None
    from bench.reports import plots
    from bench.reports.plots.run import draw

    return plots.save(draw([result]), path.parent, path.stem)[0]
