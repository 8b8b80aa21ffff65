"""`joulebench estimate`: energy and carbon of a job that nobody measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli._errors import exit_on_error
from bench.cli._options import Json

if TYPE_CHECKING:
    from bench.impact.job_estimate import JobDescription, JobEstimate

PANEL = "Understand"


def command(
    hardware: Annotated[str, typer.Option(help='An accelerator: "A100 SXM4 80GB", "RTX 4090".')],
    hours: Annotated[float, typer.Option(help="Hours on the clock.")],
    count: Annotated[float, typer.Option(help="How many of them.")] = 1,
    region: Annotated[
        str | None, typer.Option(help="FR, US-WV, aws:eu-west-3 … Without: a range.")
    ] = None,
    pue: Annotated[
        float | None, typer.Option(help="Of the data centre, 1 or more. Without: a range.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Estimate a job that was not measured, by the ML CO2 Impact formula and by ours."""
    from bench.impact import job_estimate

    job = job_estimate.JobDescription(hardware, count, hours, region, pue)
    answer = exit_on_error(lambda: job_estimate.estimate_job(job))
    if as_json:
        print(json.dumps(_json(job, answer), ensure_ascii=False))
    else:
        _show(job, answer)


def _show(job: JobDescription, answer: JobEstimate) -> None:
    from bench.cli import _layout
    from bench.cli._layout import energy, grams

    board = answer.board.label.removeprefix("NVIDIA ")
    title = _layout.head(board, f"{job.count:g} of them for {job.hours:,g} h")
    both = [
        (
            "ML CO2 Impact",
            f"{energy(answer.ml_co2_kwh)}, {grams(answer.ml_co2_grams)} CO2e: TDP x hours x grid",
        ),
        ("ours", f"{energy(answer.energy_kwh)}, {grams(answer.operational_grams)} CO2e"),
        ("with hardware", f"{grams(answer.grams)} CO2e, the share of its making included"),
        ("grid", f"{answer.intensity.label}   {answer.intensity.basis}"),
    ]
    steps = [(energy(figure), words) for words, figure in answer.steps]
    _layout.show(
        [
            title,
            _layout.headline(energy(answer.energy_kwh), "", "an estimate, NOT measured"),
            _layout.grid(both),
            _layout.titled("why the two differ", _layout.steps(steps)),
            _layout.titled("stage by stage", _layout.stages(answer.stages)),
            _layout.notes(CAVEATS),
        ]
    )


CAVEATS = (
    "The low takes everything at its low, the high at its high: how much boards draw, what stands "
    "around them, the data centre, the sources of embodied carbon.",
    "Load and surroundings come from single published runs. Measuring an hour of the job "
    "(`joulebench track`) says more than this estimate.",
)


def _json(job: JobDescription, answer: JobEstimate) -> dict[str, object]:
    import dataclasses

    from bench.results.interval import interval_json

    return {
        "kind": "estimate",
        "job": dataclasses.asdict(job) | {"hardware": answer.board.label},
        "tdp_watts": answer.board.value,
        "grid": {
            "gco2e_per_kwh": interval_json(answer.intensity.grams_per_kwh),
            "label": answer.intensity.label,
            "basis": answer.intensity.basis,
        },
        "ml_co2_impact": {
            "energy_kwh": answer.ml_co2_kwh,
            "gco2e": interval_json(answer.ml_co2_grams),
            "caveat": "TDP x hours x grid: no PUE, no host, no idle, nothing embodied",
        },
        "energy_kwh": interval_json(answer.energy_kwh),
        "operational_gco2e": interval_json(answer.operational_grams),
        "gco2e": interval_json(answer.grams),
        "steps": [
            {"words": words, "energy_kwh": interval_json(span)} for words, span in answer.steps
        ],
        "stages": [stage.as_json() for stage in answer.stages],
        "caveats": CAVEATS,
    }
