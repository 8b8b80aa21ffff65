"""Formulas of the claims about use: the phone charge, billions a day, break-even, water."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bench.impact import (
    carbon,
    equivalences,
    facts,
    lifecycle,
    projection,
    published_trainings,
    water,
)
from bench.impact.facts import DerivedQuantity
from bench.results.interval import Interval

MEAN_IMAGE, HIGHEST_IMAGE = (
    "power-hungry/image-generation/mean",
    "power-hungry/image-generation/most",
)
GPT3 = "gpt-3-175b"
USES_PER_DAY = 1e9  # as the claim states
EDITIONS = (
    ("EPA before 2024", "12 Wh", "epa-2019"),
    ("EPA January 2024", "22 Wh", "epa-2024-01"),
    ("EPA current", "19 Wh", "epa-current"),
    ("IEA", "15 Wh", "iea-2025"),
)
BLOOMZ = ("7B", "3B", "1B", "560M")


def _inference(key: str) -> float:
    """The value of a published figure of inference."""
    return facts.inference()[key].value


def _charges(key: str, edition: str) -> float:
    """Phone charges per image; the fact is in kWh per 1,000 images."""
    return equivalences.phone_charges(_inference(key) / 1000, edition).value


def _daily_kwh(key: str) -> float:
    """Energy of a billion uses a day, in kWh."""
    return projection.energy_per_day(Interval.of(_inference(key) / 1000), USES_PER_DAY).value


def _bloom_request_kwh() -> Interval:
    """Energy of one request to the BLOOM API, in kWh."""
    return Interval.of(_inference("bloom-api/energy") / _inference("bloom-api/requests"))


def _bloomz_break_even(size: str) -> Interval:
    name = f"bloomz-{size.lower()}"
    training = published_trainings.energy(f"{name}-pretrain-finetune").value
    use = _inference(f"power-hungry/{name}/energy-per-inference")
    return lifecycle.break_even(Interval.of(training), Interval.of(use))


def _water(energy_kwh: float) -> tuple[float, float]:
    """(on site, off site) litres, as Li et al. compute them for Microsoft in the US."""
    year = "microsoft-2021-22"
    wue, pue = (facts.fact_range([facts.datacenters(metric)[year]]) for metric in ("wue", "pue"))
    ewif = facts.fact_range([facts.table("water")["US/siddik-2021"]])
    return water.litres(energy_kwh, wue).value, (water.litres(energy_kwh, ewif) * pue).value


def _gpt3_request_millilitres() -> float:
    """Water of one GPT-3 request, in mL."""
    return 1000 * sum(_water(_inference("gpt-3/energy-per-request")))


def _sdxl_emissions(grid: str) -> DerivedQuantity:
    """gCO2e of 1,000 images of SDXL at a grid factor of the study."""
    return carbon.co2e_with_factor(
        _inference(HIGHEST_IMAGE), facts.inference()[f"power-hungry/grid-{grid}"]
    )


FORMULAS: dict[tuple[str, str, str], Callable[[], Interval | float]] = {
    **{
        ("S4", f"charges per SDXL image ({name}, {size})", "charges"): partial(
            _charges, HIGHEST_IMAGE, edition
        )
        for name, size, edition in EDITIONS
    },
    **{
        ("S4", f"charges per mean image ({name})", "charges"): partial(
            _charges, MEAN_IMAGE, edition
        )
        for name, _, edition in EDITIONS
    },
    ("S5", "image generation over text classification, published means", "ratio"): lambda: (
        _inference(MEAN_IMAGE) / _inference("power-hungry/text-classification/mean")
    ),
    ("S6", "a billion images a day", "GWh/day"): lambda: _daily_kwh(MEAN_IMAGE) / 1e6,
    ("S6", "a billion text generations a day", "MWh/day"): lambda: (
        _daily_kwh("power-hungry/text-generation/mean") / 1e3
    ),
    ("S8", "SDXL over tiny-sd, energy per 1,000", "ratio"): lambda: (
        _inference("power-hungry/image-generation/sdxl-mean")
        / _inference("power-hungry/image-generation/tiny-sd")
    ),
    **{
        ("S13", f"BLOOMz-{size} uses until inference equals training", "inferences"): partial(
            _bloomz_break_even, size
        )
        for size in BLOOMZ
    },
    ("S13", "BLOOM requests until inference equals training", "inferences"): lambda: (
        lifecycle.break_even(
            Interval.of(published_trainings.energy(published_trainings.BLOOM).value),
            _bloom_request_kwh(),
        )
    ),
    ("S14", "BLOOM API energy per request", "Wh"): lambda: _bloom_request_kwh() * 1000,
    ("S14", "BLOOM API emissions per request", "gCO2e"): lambda: (
        1000 * _inference("bloom-api/emissions") / _inference("bloom-api/requests")
    ),
    ("S14", "BLOOM API emissions per day", "kgCO2e/day"): lambda: (
        _inference("bloom-api/emissions") / _inference("bloom-api/days")
    ),
    ("S14", "BLOOM API emissions from energy and grid", "kgCO2e"): lambda: (
        carbon.co2e_with_factor(
            _inference("bloom-api/energy"), facts.inference()["bloom-api/grid"]
        ).value
        / 1000
    ),
    ("S19", "water per GPT-3 request", "mL"): _gpt3_request_millilitres,
    ("S19", "requests per 500 mL", "requests"): lambda: (
        facts.equivalences()["bottle"].value / _gpt3_request_millilitres()
    ),
    ("S19", "GPT-3 training, on-site water", "million L"): lambda: (
        _water(published_trainings.energy(GPT3).value)[0] / 1e6
    ),
    ("S19", "GPT-3 training, off-site water", "million L"): lambda: (
        _water(published_trainings.energy(GPT3).value)[1] / 1e6
    ),
    (
        "S21",
        "SDXL emissions per 1,000 images at the grid factor the study applied",
        "gCO2e",
    ): lambda: _sdxl_emissions("applied").value,
    ("S21", "the same at the grid factor the study states", "gCO2e"): lambda: (
        _sdxl_emissions("stated").value
    ),
    ("S21", "the same in miles at 389 g/mile", "miles"): lambda: (
        equivalences.carbon_equivalence(_sdxl_emissions("applied"), "car-mile-us/2023").value
    ),
}
