"""`joulebench compare`: results side by side, and whether they really differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import _batch
from bench.cli._io import FAILED, print_json
from bench.cli._options import Json, options_from
from bench.runner.config import RunConfig

if TYPE_CHECKING:
    from bench.results.record import Result

PANEL = "Understand"


@options_from(
    RunConfig, only=("dataset", "device", "dtype", "batch_size", "budget_seconds", "quick", "out")
)
def command(
    inputs: Annotated[
        list[str], typer.Argument(help="Result files, the base first; or one task, to be run.")
    ],
    model: Annotated[
        list[str] | None, typer.Option(help="With a task: the models to run, the base first.")
    ] = None,
    *,
    one_machine: Annotated[
        bool,
        typer.Option(
            "--one-machine",
            help="The same sensors read all files. Not needed for your own runs on one machine.",
        ),
    ] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Compare with published figures of this model.")
    ] = False,
    as_json: Json = False,
    **options: Any,
) -> None:
    """Compare results with the first, or one with published figures: energy, quality, settings.

    A ratio whose 95 % interval holds 1 is a tie: the two cannot be told apart. With a task, the
    options of `joulebench run`.
    """
    from bench.results import storage

    if published:
        _show_published([storage.load_result(Path(name)) for name in inputs], as_json)
        return
    if any(name.endswith(".json") or Path(name).is_file() for name in inputs):
        results = [storage.load_result(Path(name)) for name in inputs]
    else:
        if len(inputs) > 1 or len(model or []) < 2:
            raise ValueError(
                "give two result files or more, or one task with --model twice or more"
            )
        config = RunConfig(task=inputs[0], **options)
        results, one_machine = _run(config, model or []), True
    if len(results) < 2:
        raise ValueError("there is nothing to compare with: give a second result")
    _show(results, one_machine, as_json)


def _run(config: RunConfig, models: list[str]) -> list[Result]:
    """Measure each model in a process of its own; returns the results of all that were measured."""
    import subprocess

    from bench.results import storage

    words = [word for model in models for word in ("--model", model)] + config.command_line()
    done = subprocess.run(
        _batch.run_command(config.task, [*words, "--json"]),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode not in (0, FAILED):
        raise typer.Exit(done.returncode)
    return [storage.parse_result(line) for line in done.stdout.splitlines()]


def _show(results: list[Result], one_machine: bool, as_json: bool) -> None:
    from rich.console import Console

    from bench.analysis import comparison
    from bench.reports import comparison_table

    base, *others = results
    made = [comparison.compare_results(base, other, one_machine) for other in others]
    if as_json:
        for item in made:
            print_json(comparison_table.comparison_json(item))
    else:
        comparison_table.print_comparison(made, Console(highlight=False))


def _show_published(results: list[Result], as_json: bool) -> None:
    from rich.console import Console

    from bench.analysis.published_results import find_published_results
    from bench.reports import comparison_table

    for result in results:
        matches = find_published_results(result)
        if not matches:
            raise ValueError(f"no figure is published for {result.task.id} with {result.model.id}")
        if as_json:
            for item in matches:
                print_json(comparison_table.published_json(item))
        else:
            comparison_table.print_published(result, matches, Console(highlight=False))
