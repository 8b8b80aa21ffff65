"""`joulebench estimate`: energy and carbon of a job that was not measured."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli._io import print_json
from bench.cli._options import Json, RegionOrAll

if TYPE_CHECKING:
    from bench.impact.job_estimate import JobDescription, JobEstimate

PANEL = "Understand"
CAVEATS = (
    "The low end combines all low ends, the high end all high ends: power of the boards, host and "
    "idle machines, data centre, sources of embodied carbon.",
    "Power share, host and idle machines come from single published runs. Measuring an hour of the "
    "job (`joulebench track`) is more accurate than this estimate.",
)


def command(
    hardware: Annotated[str, typer.Option(help='An accelerator: "A100 SXM4 80GB", "RTX 4090".')],
    hours: Annotated[float, typer.Option(help="Wall-clock hours.")],
    count: Annotated[float, typer.Option(help="Number of accelerators.")] = 1,
    region: RegionOrAll = None,
    pue: Annotated[
        float | None, typer.Option(help="Power usage effectiveness, 1 or more. Default: a range.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Estimate a job that was not measured: by the ML CO2 Impact formula, and with overheads."""
    from bench.impact import job_estimate
    from bench.reports.text_layout import print_template

    job = job_estimate.JobDescription(hardware, count, hours, region, pue)
    estimate = job_estimate.estimate_job(job)
    if as_json:
        print_json(_estimate_json(job, estimate))
    else:
        template = Path(__file__).with_suffix(".jinja")
        print_template(template, job=job, estimate=estimate, caveats=CAVEATS)


def _estimate_json(job: JobDescription, estimate: JobEstimate) -> dict[str, object]:
    return {
        "kind": "estimate",
        "job": dataclasses.asdict(job) | {"hardware": estimate.board.label},
        "tdp_watts": estimate.board.value,
        "grid": estimate.intensity,
        "ml_co2_impact": {
            "energy_kwh": estimate.ml_co2_kwh,
            "gco2e": estimate.ml_co2_grams,
            "caveat": "TDP x hours x grid: no PUE, no host, no idle, nothing embodied",
        },
        "energy_kwh": estimate.energy_kwh,
        "operational_gco2e": estimate.operational_grams,
        "gco2e": estimate.grams,
        "steps": [{"words": label, "energy_kwh": energy} for label, energy in estimate.steps],
        "stages": estimate.stages,
        "caveats": CAVEATS,
    }
