"""`joulebench scale`: a result projected to a number of inferences per day, and a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli._errors import exit_on_error, log
from bench.cli._io import print_json
from bench.cli._options import Json, ResultFile

if TYPE_CHECKING:
    from bench.impact.projection import Projection, ProjectionInputs, TrainingComparison
    from bench.results.interval import Interval
    from bench.results.record import Result

PANEL = "Understand"


def command(
    result: ResultFile,
    per_day: Annotated[float, typer.Option(help="Inferences per day, such as 1e9.")] = 1e9,
    days: Annotated[
        float, typer.Option(help="Days of use among which the training is shared.")
    ] = 365,
    region: Annotated[
        str | None,
        typer.Option(help="FR, US-WV, aws:eu-west-3 … Default: a range over all countries."),
    ] = None,
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
    from bench.impact import projection
    from bench.results import storage

    inputs = projection.ProjectionInputs(per_day, days, region, pue, training)
    loaded = exit_on_error(lambda: storage.load_result(result))
    projected = exit_on_error(lambda: projection.project(loaded, inputs))
    if plot:
        exit_on_error(lambda: _draw(loaded, inputs, plot))
    if as_json:
        print_json(projected.as_json())
    else:
        _print_projection(projected)


def _draw(result: Result, inputs: ProjectionInputs, folder: Path) -> None:
    from bench.impact import projection
    from bench.reports import plots
    from bench.reports.plots import training_against_use

    runs = None
    if inputs.training is not None:
        runs = [projection.training_energy(inputs.training)]
    figure = training_against_use.draw([result], runs=runs)
    for path in plots.save(figure, folder, "training-against-use"):
        log(f"wrote {path}")


def _print_projection(projected: Projection) -> None:
    from bench.cli import _layout
    from bench.cli._layout import energy_text, mass_text
    from bench.impact import facts
    from bench.reports.text_layout import name_value_table
    from bench.results.formatting import interval_text

    service, grid = projected.service, projected.grid
    home = facts.table("equivalences")["home-day-us"]
    kind = "modelled, NOT measured" if projected.cost.modelled else "measured"
    rows = [
        (
            "a year",
            f"{energy_text(service.kwh_per_year)}, {mass_text(service.grams_per_year)} CO2e",
        ),
        ("CO2e a day", f"{mass_text(service.grams_per_day)}   {grid.label}, {grid.basis}"),
        (
            "homes",
            f"{interval_text(service.homes)}   {home.label}: {home.value:g} kWh ({home.edition})",
        ),
        ("reactors", f"{_reactors_text(service.reactors)}   of 1 GW, 24 h a day"),
    ]
    if service.machines:
        machines = f"{interval_text(service.machines)} x {projected.machine}, at work 24 h a day"
        rows.append(("machines", machines))
    parts: list[Any] = [
        _layout.title(projected.name, f"{service.per_day:,.0f} inferences a day"),
        _layout.headline(energy_text(service.kwh_per_day), "a day", f"{kind}, extrapolated"),
        name_value_table(rows),
    ]
    if len(projected.batching) > 1:
        gains = [(energy_text(gain.kwh_per_day), gain.label) for gain in projected.batching]
        steps = name_value_table(gains, style="")
        parts.append(_layout.section("other batch sizes, by published figures", steps))
    if projected.training:
        comparison = name_value_table(_training_rows(projected.training))
        parts.append(_layout.section("against training", comparison))
    _layout.print_parts([*parts, _layout.notes(projected.notes)])


def _reactors_text(reactors: Interval) -> str:
    from bench.results.formatting import interval_text

    return interval_text(reactors) if reactors.high >= 0.001 else "under 0.001"


def _training_rows(comparison: TrainingComparison) -> list[tuple[str, str]]:
    from bench.cli._layout import energy_text
    from bench.results.formatting import interval_text, large_number_text
    from bench.results.interval import Interval

    training = comparison.training
    uses, days = large_number_text(comparison.break_even), interval_text(comparison.days)
    share, use = energy_text(comparison.training_kwh), energy_text(comparison.use_kwh)
    all_uses = large_number_text(Interval.of(comparison.uses))
    return [
        ("training", f"{energy_text(training.energy_kwh)}   {training.name}: {training.source}"),
        ("break-even", f"after {uses} inferences: {days} days"),
        (
            "share of a use",
            f"{share} of training, {use} of use: {100 * comparison.training_share:.3g} %, "
            f"over {all_uses} uses",
        ),
    ]
