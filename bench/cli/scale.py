"""`joulebench scale`: a result projected to a number of inferences per day, and a training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli._io import log, print_json
from bench.cli._options import Json, RegionOrAll, ResultFile

if TYPE_CHECKING:
    from bench.impact.projection import TrainingEnergy
    from bench.results.record import Result

PANEL = "Understand"


def command(
    result: ResultFile,
    per_day: Annotated[float, typer.Option(help="Inferences per day, such as 1e9.")] = 1e9,
    days: Annotated[
        float, typer.Option(help="Days of use among which the training is shared.")
    ] = 365,
    region: RegionOrAll = None,
    pue: Annotated[
        float | None,
        typer.Option(help="Power usage effectiveness of the data centre. Default: none."),
    ] = None,
    training: Annotated[
        str | None, typer.Option(help="A published training (bloom-176b), or an energy in kWh.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Folder for a plot of training against use.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Project a result to scale: energy, carbon, homes, machines, and break-even."""
    from bench.impact import facts, projection
    from bench.reports.text_layout import print_template
    from bench.results import storage

    inputs = projection.ProjectionInputs(per_day, days, region, pue, training)
    loaded = storage.load_result(result)
    projected = projection.project(loaded, inputs)
    if plot:
        runs = [projected.training] if projected.training else None
        _draw(loaded, runs, plot)
    if as_json:
        print_json(projected.as_json())
    else:
        home = facts.table("equivalences")["home-day-us"]
        template = Path(__file__).with_suffix(".jinja")
        print_template(template, projected=projected, home=home)


def _draw(result: Result, runs: Sequence[TrainingEnergy] | None, folder: Path) -> None:
    from bench.reports import plots
    from bench.reports.plots import training_against_use

    figure = training_against_use.draw([result], runs=runs)
    for path in plots.save(figure, folder, "training-against-use"):
        log(f"wrote {path}")
