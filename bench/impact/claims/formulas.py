"""The formulas of claims, called by name from `quantities.csv` with arguments as text.

They call the modules that the commands use. A `fact` argument is "table/key", a `run` argument the
key of a published training; `factor` converts to the unit of the quantity.
"""

from __future__ import annotations

from bench.impact import carbon, equivalences, facts, hardware, job_estimate, lifecycle, projection
from bench.impact.facts import fact_by_name
from bench.impact.lifecycle import LifeCycle
from bench.impact.published_trainings import energy, published_plan, recomputed_plan
from bench.impact.water import litres
from bench.results.interval import Interval
from bench.results.units import GRAMS_PER_KILOGRAM, GRAMS_PER_TONNE, pounds

USES_PER_DAY = 1e9  # as the claims state


def fact_ratio(a: str, b: str, factor: str = "1") -> float:
    """One fact divided by another."""
    return fact_by_name(a).value / fact_by_name(b).value * float(factor)


def stage_kwh(run: str, stage: str) -> Interval:
    """Energy of a stage of the life cycle of a run, in kWh."""
    kwh = _lifecycle(run).stage(stage).energy_kwh
    assert kwh is not None
    return kwh


def stage_tonnes(run: str, stage: str) -> Interval:
    """tCO2e of a stage of a run, at the carbon intensity that its authors applied."""
    return _tonnes(_lifecycle(run), stage)


def total_tonnes(run: str) -> Interval:
    """tCO2e of all stages of a run."""
    return _lifecycle(run).grams / GRAMS_PER_TONNE


def total_over_dynamic(run: str) -> Interval:
    """Emissions of all stages of a run divided by those of its dynamic energy."""
    return _lifecycle(run).over_dynamic


def tonnes_with_pue(run: str, pue: str) -> Interval:
    """tCO2e of the energy of a run with a published PUE."""
    plan = published_plan(run).model_copy(update={"pue": facts.datacenters("pue")[pue].value})
    return _tonnes(lifecycle.plan_lifecycle(plan), "dynamic", "overhead")


def tonnes_in_region(run: str, region: str) -> float:
    """tCO2e of the energy of a run on the grid of a region."""
    return carbon.co2e_grams(stage_kwh(run, "dynamic").value, region).value / GRAMS_PER_TONNE


def region_ratio(a: str, b: str) -> float:
    """Carbon intensity of one region divided by that of another."""
    return carbon.ratio(carbon.co2e_grams(1.0, a), carbon.co2e_grams(1.0, b))


def fuel_ratio(a: str, b: str) -> float:
    """Carbon intensity of one fuel divided by that of another."""
    grams = (carbon.co2e_with_factor(1.0, fact_by_name(fuel)) for fuel in (a, b))
    return carbon.ratio(*grams)


def tonnes_with_fuel(run: str, fuel: str) -> float:
    """tCO2e of the energy of a run, made from a fuel."""
    grams = carbon.co2e_with_factor(energy(run).value, fact_by_name(fuel))
    return grams.value / GRAMS_PER_TONNE


def published_cars(run: str) -> float:
    """Published emissions of a run, in lifetimes of a car."""
    return _cars(facts.training_runs()[run]["emissions"].value)


def recomputed_tonnes(run: str) -> Interval:
    """tCO2e of a run by hours, power, PUE and grid, as Strubell et al. compute them."""
    return _tonnes(lifecycle.plan_lifecycle(recomputed_plan(run)), "dynamic", "overhead")


def recomputed_pounds(run: str) -> float:
    """`recomputed_tonnes` in pounds."""
    return pounds(recomputed_tonnes(run).value * GRAMS_PER_TONNE)


def recomputed_cars(run: str) -> float:
    """`recomputed_tonnes` in lifetimes of a car."""
    return _cars(recomputed_tonnes(run).value)


def homes(run: str, days: str) -> float:
    """Number of homes that the energy of a run supplies for some days."""
    return equivalences.energy_equivalence(energy(run).value, "home-day-us").value / float(days)


def phone_charges(fact: str, edition: str) -> float:
    """Phone charges of one image; the fact is in kWh per 1,000 images."""
    return equivalences.phone_charges(fact_by_name(fact).value / 1000, edition).value


def daily_energy(fact: str, kwh_per_unit: str) -> float:
    """Energy of a billion uses a day; the fact is in kWh per 1,000 uses."""
    kwh = Interval.of(fact_by_name(fact).value / 1000)
    return projection.energy_per_day(kwh, USES_PER_DAY).value / float(kwh_per_unit)


def break_even(run: str, fact: str, per: str = "") -> Interval:
    """Number of uses whose energy equals that of a run; a use is `fact`, or `fact` over `per`."""
    use = fact_ratio(fact, per) if per else fact_by_name(fact).value
    return lifecycle.break_even(Interval.of(energy(run).value), Interval.of(use))


def emissions(fact: str, grid: str, factor: str = "1") -> float:
    """CO2e of an energy in kWh at a carbon intensity, in grams times `factor`."""
    grams = carbon.co2e_with_factor(fact_by_name(fact).value, fact_by_name(grid))
    return grams.value / float(factor)


def emissions_equivalence(fact: str, grid: str, key: str) -> float:
    """CO2e of an energy in kWh at a carbon intensity, divided by that of an equivalence."""
    grams = carbon.co2e_with_factor(fact_by_name(fact).value, fact_by_name(grid))
    return equivalences.carbon_equivalence(grams, key).value


def request_water(fact: str) -> float:
    """Water on site and off site of one request, in mL; the fact is in kWh."""
    return 1000 * sum(_litres(fact_by_name(fact).value))


def requests_per_bottle(fact: str) -> float:
    """Number of requests whose water fills a bottle of 500 mL."""
    return facts.table("equivalences")["bottle"].value / request_water(fact)


def training_water(run: str, place: str) -> float:
    """Water of a run, "on-site" or "off-site", in million litres."""
    on_site, off_site = _litres(energy(run).value)
    return (on_site if place == "on-site" else off_site) / 1e6


def ml_co2_kilograms(board: str, hours: str, grid: str) -> float:
    """kgCO2e of hours of a board by the formula of ML CO2 Impact."""
    watts, intensity = hardware.find(board).value, fact_by_name(grid).value
    return job_estimate.ml_co2(watts, float(hours), intensity)[1] / GRAMS_PER_KILOGRAM


def _lifecycle(run: str) -> LifeCycle:
    return lifecycle.plan_lifecycle(published_plan(run))


def _tonnes(run: LifeCycle, *stages: str) -> Interval:
    grams = (run.stage(stage).grams for stage in stages)
    return Interval.sum(each / GRAMS_PER_TONNE for each in grams if each is not None)


def _cars(tonnes: float) -> float:
    return tonnes * GRAMS_PER_TONNE / facts.table("equivalences")["car-lifetime"].value


def _litres(energy_kwh: float) -> tuple[float, float]:
    """(on site, off site) litres, as Li et al. compute them for Microsoft in the US."""
    year = "microsoft-2021-22"
    wue, pue = (facts.fact_range([facts.datacenters(metric)[year]]) for metric in ("wue", "pue"))
    ewif = facts.fact_range([facts.table("water")["US/siddik-2021"]])
    return litres(energy_kwh, wue).value, (litres(energy_kwh, ewif) * pue).value
