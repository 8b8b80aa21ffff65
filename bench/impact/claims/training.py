"""The formulas of claims about training: BLOOM, GPT-3, five cars, homes, grids."""

from __future__ import annotations

from collections.abc import Callable

from bench.impact import (
    carbon,
    equivalences,
    facts,
    hardware,
    job_estimate,
    lifecycle,
    published_trainings,
)
from bench.impact.lifecycle import LifeCycle, LifeCycleStage
from bench.impact.lifecycle_plan import LifeCyclePlan
from bench.results.interval import Interval
from bench.results.units import GRAMS_PER_TONNE, pounds

GPT3, BLOOM = "gpt-3-175b", published_trainings.BLOOM
ARCHITECTURE_SEARCH = "evolved-transformer-nas"


def _lifecycle(key: str) -> LifeCycle:
    return lifecycle.plan_lifecycle(published_trainings.published_plan(key))


def _tonnes(stage: LifeCycleStage) -> Interval:
    assert stage.grams is not None
    return stage.grams / GRAMS_PER_TONNE


def _kwh(stage: LifeCycleStage) -> Interval:
    assert stage.energy_kwh is not None
    return stage.energy_kwh


def _emissions(key: str) -> Interval:
    """Tonnes of CO2e of the energy of a run at the intensity that its authors applied."""
    return _tonnes(_lifecycle(key).stage("dynamic"))


def _with_overhead(run: LifeCycle) -> Interval:
    return _tonnes(run.stage("dynamic")) + _tonnes(run.stage("overhead"))


def _on_grid(key: str, region: str) -> float:
    """Tonnes of CO2e of the energy of a run on the grid of a region."""
    energy = _kwh(_lifecycle(key).stage("dynamic")).value
    return carbon.co2e_grams(energy, region).value / GRAMS_PER_TONNE


def _recomputed_emissions(key: str = ARCHITECTURE_SEARCH) -> Interval:
    """Tonnes of CO2e by hours, power, PUE and grid, as Strubell et al. compute them."""
    return _with_overhead(lifecycle.plan_lifecycle(published_trainings.recomputed_plan(key)))


def _pounds(tonnes: Interval) -> float:
    return pounds(tonnes.value * GRAMS_PER_TONNE)


def _cars(tonnes: float) -> float:
    return tonnes * GRAMS_PER_TONNE / facts.equivalences()["car-lifetime"].value


def _published_emissions(run: str) -> float:
    return facts.training_runs()[run]["emissions"].value


def _homes_for(run: str, days: float) -> float:
    return (
        equivalences.energy_equivalence(published_trainings.energy(run).value, "home-day-us").value
        / days
    )


def _gpt3_with_fuel(key: str) -> float:
    return (
        carbon.co2e_with_factor(published_trainings.energy(GPT3).value, facts.fuels()[key]).value
        / GRAMS_PER_TONNE
    )


def _fine_tuning_ratio() -> float:
    run = facts.training_runs()["bloomz-7b"]
    return run["fine-tuning-energy"].value / run["pretraining-energy"].value


def _bloom_plan_with_pue() -> LifeCyclePlan:
    pue = facts.datacenters("pue")["jean-zay-2022"].value
    return published_trainings.published_plan(BLOOM).model_copy(update={"pue": pue})


def _v100_kilograms() -> float:
    """A hundred hours of a V100 by the formula of ML CO2 Impact, in kgCO2e."""
    watts = hardware.find("V100 SXM2").value
    grid = facts.table("calculator")["ml-co2-impact/us-east"].value
    return job_estimate.ml_co2(watts, 100, grid)[1] / 1000


FORMULAS: dict[tuple[str, str, str], Callable[[], Interval | float]] = {
    ("S1", "BLOOM dynamic energy", "kWh"): lambda: _kwh(_lifecycle(BLOOM).stage("dynamic")),
    ("S1", "BLOOM dynamic emissions", "tCO2e"): lambda: _emissions(BLOOM),
    ("S1", "BLOOM dynamic emissions with PUE 1.2", "tCO2e"): lambda: _with_overhead(
        lifecycle.plan_lifecycle(_bloom_plan_with_pue())
    ),
    ("S2", "BLOOM idle energy", "kWh"): lambda: _kwh(_lifecycle(BLOOM).stage("idle")),
    ("S2", "BLOOM idle emissions", "tCO2e"): lambda: _tonnes(_lifecycle(BLOOM).stage("idle")),
    ("S2", "BLOOM embodied emissions", "tCO2e"): lambda: _tonnes(
        _lifecycle(BLOOM).stage("embodied")
    ),
    ("S2", "BLOOM total emissions", "tCO2e"): lambda: _lifecycle(BLOOM).grams / GRAMS_PER_TONNE,
    ("S2", "BLOOM total over dynamic", "ratio"): lambda: _lifecycle(BLOOM).over_dynamic,
    ("S3", "GPT-3 emissions at 429 g/kWh", "tCO2e"): lambda: _emissions(GPT3),
    ("S3", "OPT emissions at 231 g/kWh", "tCO2e"): lambda: _emissions("opt-175b"),
    ("S3", "Gopher emissions at 330 g/kWh", "tCO2e"): lambda: _emissions("gopher-280b"),
    (
        "S3",
        "BLOOM dynamic energy on the US grid of 2024 (383.55 g/kWh)",
        "tCO2e",
    ): lambda: _on_grid(BLOOM, "US"),
    ("S7", "GPT-3 energy in France, 2024", "tCO2e"): lambda: _on_grid(GPT3, "FR"),
    ("S7", "GPT-3 energy in the US, 2024", "tCO2e"): lambda: _on_grid(GPT3, "US"),
    ("S7", "US over France, 2024, both life-cycle", "ratio"): lambda: carbon.ratio(
        carbon.co2e_grams(1.0, "US"), carbon.co2e_grams(1.0, "FR")
    ),
    ("S7", "GPT-3 energy in West Virginia", "tCO2e"): lambda: _on_grid(GPT3, "US-WV"),
    ("S10", "GPT-3 in car lifetimes, with PUE", "cars"): lambda: _cars(_published_emissions(GPT3)),
    ("S10", "GPT-3 in car lifetimes, before PUE", "cars"): lambda: _cars(
        _published_emissions("gpt-3-175b-bloom-table-4-framing")
    ),
    ("S11", "NAS emissions", "lb"): lambda: _pounds(_recomputed_emissions()),
    ("S11", "NAS emissions", "tCO2e"): _recomputed_emissions,
    ("S11", "NAS in car lifetimes", "cars"): lambda: _cars(_recomputed_emissions().value),
    ("S11", "NAS as corrected by Patterson et al. in car lifetimes", "cars"): lambda: _cars(
        _published_emissions("evolved-transformer-nas-corrected")
    ),
    ("S11", "Transformer (big) emissions", "lb"): lambda: _pounds(
        _recomputed_emissions("transformer-big")
    ),
    ("S12", "homes supplied for 30 days by the energy of GPT-3", "homes"): lambda: _homes_for(
        GPT3, 30
    ),
    (
        "S12",
        "homes supplied for 90 days by the energy of Llama 3.1 405B",
        "homes",
    ): lambda: _homes_for("llama-3.1-405b", 90),
    ("S18", "combined-cycle gas over solar, both life-cycle", "ratio"): lambda: carbon.ratio(
        carbon.co2e_with_factor(1.0, facts.fuels()["ipcc-2014/natural-gas-combined-cycle"]),
        carbon.co2e_with_factor(1.0, facts.fuels()["ipcc-2014/solar-pv-utility"]),
    ),
    ("S18", "GPT-3 energy from combined-cycle gas", "tCO2e"): lambda: _gpt3_with_fuel(
        "ipcc-2014/natural-gas-combined-cycle"
    ),
    ("S18", "GPT-3 energy from solar", "tCO2e"): lambda: _gpt3_with_fuel(
        "ipcc-2014/solar-pv-utility"
    ),
    ("S20", "BLOOMz-7B fine-tuning over pre-training", "ratio"): _fine_tuning_ratio,
    ("S22", "V100 SXM2, 100 h, 367.8 g/kWh", "kgCO2e"): _v100_kilograms,
}
