"""`joulebench scale`: a result so many times a day, and against a training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli._errors import exit_on_error, log
from bench.cli._options import Json, ResultFile

if TYPE_CHECKING:
    from bench.impact.projection import BatchingGain, Projection
    from bench.results.interval import Interval

PANEL = "Understand"


def command(
    result: ResultFile,
    per_day: Annotated[float, typer.Option(help="Inferences a day: 1e9.")] = 1e9,
    days: Annotated[float, typer.Option(help="For how many days, to share training.")] = 365,
    region: Annotated[
        str | None, typer.Option(help="FR, US-WV, aws:eu-west-3 … Without: a range.")
    ] = None,
    pue: Annotated[
        float | None, typer.Option(help="Of the data centre. Without: the boundary alone.")
    ] = None,
    training: Annotated[
        str | None, typer.Option(help="A published run (bloom-176b), or its energy in kWh.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw training against use into this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a result comes to at scale: energy, carbon, homes, machines, and break-even."""
    from bench.impact import projection
    from bench.results import storage

    asked = projection.ProjectionInputs(per_day, days, region, pue, training)
    loaded = exit_on_error(lambda: storage.load_result(result))
    answer = exit_on_error(lambda: projection.project(loaded, asked))
    if plot:
        exit_on_error(lambda: _draw(loaded, asked, plot))
    if as_json:
        print(json.dumps(answer.as_json(), ensure_ascii=False))
    else:
        _show(answer)


def _draw(result: Any, asked: Any, folder: Path) -> None:
    from bench.impact import projection
    from bench.reports import plots
    from bench.reports.plots import training_against_use

    runs = None if asked.training is None else [projection.training(asked.training)]
    figure = training_against_use.draw([result], runs=runs)
    for path in plots.save(figure, folder, "training-against-use"):
        log(f"wrote {path}")


def _show(answer: Projection) -> None:
    from bench.cli import _layout
    from bench.cli._layout import energy, grams
    from bench.impact import facts
    from bench.results.formatting import interval_text as words

    found, one = answer.scaled, answer.one
    home = facts.equivalences()["home-day-us"]
    kind = "modelled, NOT measured, and extrapolated" if one.modelled else "measured, extrapolated"
    rows = [
        ("a year", f"{energy(found.kwh_per_year)}, {grams(found.grams_per_year)} CO2e"),
        ("CO2e a day", f"{grams(found.grams_per_day)}   {answer.grid.label}, {answer.grid.basis}"),
        ("homes", f"{words(found.homes)}   {home.label}: {home.value:g} kWh ({home.edition})"),
        ("reactors", f"{_reactors(found.reactors)}   of one gigawatt, without a pause"),
    ]
    if found.machines:
        what = answer.machine
        rows.append(("machines", f"{words(found.machines)} x {what}, busy day and night"))
    parts: list[Any] = [
        _layout.head(answer.name, f"{found.per_day:,.0f} inferences a day"),
        _layout.headline(energy(found.kwh_per_day), "a day", kind),
        _layout.grid(rows),
    ]
    if len(answer.batching) > 1:
        table = _layout.steps(_batched(answer.batching))
        parts.append(_layout.titled("from batch 1 to served: what others published", table))
    if answer.training:
        parts.append(_layout.titled("against training", _layout.grid(_training(answer))))
    _layout.show([*parts, _layout.notes(answer.notes)])


def _reactors(share: Interval) -> str:
    from bench.results.formatting import interval_text as words

    return words(share) if share.high >= 0.001 else "under 0.001"


def _batched(batching: list[BatchingGain]) -> list[tuple[str, str]]:
    from bench.cli._layout import energy

    return [(energy(row.kwh_per_day), row.words) for row in batching]


def _training(answer: Projection) -> list[tuple[str, str]]:
    from bench.cli._layout import energy
    from bench.results.formatting import interval_text as words
    from bench.results.formatting import large_number_text
    from bench.results.interval import Interval

    found = answer.training
    assert found is not None
    share = found.amortised
    return [
        ("training", f"{energy(found.energy_kwh)}   {found.name}: {found.source}"),
        (
            "break-even",
            f"after {large_number_text(found.break_even)} inferences: {words(found.days)} days",
        ),
        (
            "share of a use",
            f"{energy(share.training_kwh)} of training beside {energy(share.use_kwh)} of its own: "
            f"{100 * share.training_share:.3g} %, over {large_number_text(Interval.of(share.uses))} uses",
        ),
    ]
