"""Stages of a life cycle; training against use (break-even)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.impact import facts, hardware
from bench.impact.carbon import CarbonIntensity, carbon_intensity
from bench.impact.lifecycle_plan import (
    HOURS_PER_YEAR,
    DeploymentPlan,
    EmbodiedPlan,
    LifeCyclePlan,
    TrainingPlan,
)
from bench.results.interval import Interval, interval_json

GRAMS = 1000.0


@dataclass(frozen=True)
class LifeCycleStage:
    """One stage: energy in kWh and emissions in gCO2e, each None where not known.

    `how` is the arithmetic in words; `missing` says why a figure is not there.
    """

    name: str
    energy_kwh: Interval | None
    grams: Interval | None
    how: str
    missing: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The stage as JSON; what is not known is null, with the reason."""
        return {
            "stage": self.name,
            "energy_kwh": interval_json(self.energy_kwh),
            "gco2e": interval_json(self.grams),
            "how": self.how,
            "missing": self.missing,
        }


@dataclass(frozen=True)
class LifeCycle:
    """The stages of a plan, in their order, and what they are computed with.

    `kind` says whether it was measured; `covers` what the sum is for.
    """

    name: str
    kind: str
    covers: str
    intensity: CarbonIntensity
    stages: tuple[LifeCycleStage, ...]
    notes: tuple[str, ...]

    def stage(self, name: str) -> LifeCycleStage:
        """The stage of this name. Raises KeyError where the plan has none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    @property
    def grams(self) -> Interval:
        """What all stages but deployment emitted, those that are known."""
        known = (s.grams for s in self.stages if s.name != "deployment" and s.grams is not None)
        return Interval.sum(known)

    @property
    def over_dynamic(self) -> Interval:
        """How many times the emissions of training are those of its dynamic energy.

        The dynamic part is in both, so that it does not widen the ratio.
        """
        dynamic, whole = self.stage("dynamic").grams, self.grams
        assert dynamic is not None
        return Interval(
            *(getattr(whole, e) / getattr(dynamic, e) for e in ("value", "low", "high"))
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """The stages that are not in the sum because they are not known."""
        return tuple(stage.name for stage in self.stages if stage.missing)


def plan_lifecycle(plan: LifeCyclePlan) -> LifeCycle:
    """The life cycle of a plan. Raises ValueError for an unknown region or device."""
    grid = plan_grid(plan)
    stages = [*_operation(plan, grid), embodied(plan.training, plan.embodied)]
    if plan.deployment:
        stages.append(_deployment(plan, plan.deployment))
    return LifeCycle(plan.name, plan.kind, "to train", grid, tuple(stages), plan.notes)


def plan_grid(plan: LifeCyclePlan) -> CarbonIntensity:
    """The carbon intensity of a plan. Raises ValueError for an unknown region."""
    return carbon_intensity(plan.region, plan.grid_gco2e_per_kwh, plan.grid_source)


def dynamic_energy(training: TrainingPlan) -> tuple[Interval, str]:
    """The energy of the devices at work in kWh, and the arithmetic in words."""
    if training.energy_kwh is not None:
        return Interval.of(training.energy_kwh), "energy as stated"
    hours, watts = training.total_device_hours, training.watts
    assert hours is not None
    kind = "W each, as stated"
    if watts is None:
        watts = hardware.find(training.hardware or "").value
        kind = "W, the TDP: an upper bound for the boards"
    return Interval.of(hours * watts / 1000), f"{hours:,.0f} device-hours x {watts:g} {kind}"


def years() -> Interval:
    """How many years hardware serves, over all sources."""
    return hardware.upper_median(facts.embodied_range("lifetime"))


def utilisation() -> Interval:
    """The share of its life in which hardware is used."""
    return hardware.upper_median(facts.embodied_range("utilisation"))


def per_hour(kilograms: Interval, lifetime_years: Interval, used: Interval) -> Interval:
    """What an hour in use carries of the making of a thing, in kgCO2e."""
    return kilograms / (lifetime_years * used * HOURS_PER_YEAR)


def embodied(training: TrainingPlan, given: EmbodiedPlan | None) -> LifeCycleStage:
    """The making of devices and servers, for the hours that training used them."""
    hours = training.total_device_hours
    if hours is None:
        return LifeCycleStage("embodied", None, None, "", "the hours of the devices are not known")
    grams, how = embodied_grams(hours, training.hardware, given)
    return LifeCycleStage("embodied", None, grams, how)


def embodied_grams(
    device_hours: float, board: str | None, given: EmbodiedPlan | None = None
) -> tuple[Interval, str]:
    """gCO2e of the making of devices and their servers for so many device-hours, and how.

    What is not given is taken over all sources; what is given is the value, and the sources give
    the low and the high. Raises ValueError for an unknown board.
    """
    given = given or EmbodiedPlan()
    found = hardware.find(board) if board else None
    device, own = hardware.embodied_kg(found)
    device = _around(given.device_kg, device)
    server = _around(given.server_kg, hardware.upper_median(facts.embodied_range("server")))
    lifetime = _around(given.lifetime_years, years())
    busy = Interval.of(given.utilisation) if given.utilisation else utilisation()
    each = per_hour(device, lifetime, busy)
    share = per_hour(server, lifetime, busy) / given.devices_per_server
    kilograms = (each + share) * device_hours
    kind = "" if own else ", after other boards"
    how = (
        f"{device_hours:,.0f} device-hours; {device.value:g} kg a device{kind}, "
        f"{server.value:g} kg a server of {given.devices_per_server:g}, "
        f"{lifetime.value:g} years at {100 * busy.value:.0f} % use"
    )
    return kilograms * GRAMS, how


def _operation(plan: LifeCyclePlan, grid: CarbonIntensity) -> Iterator[LifeCycleStage]:
    energy, how = dynamic_energy(plan.training)
    yield LifeCycleStage("dynamic", energy, energy * grid.grams_per_kwh, how)
    if plan.pue is None:
        yield LifeCycleStage("overhead", None, None, "", "no PUE is given")
    else:
        extra = energy * (plan.pue - 1)
        yield LifeCycleStage("overhead", extra, extra * grid.grams_per_kwh, f"PUE {plan.pue:g}")
    if plan.idle is None:
        yield LifeCycleStage("idle", None, None, "", "what waits around it is not known")
        return
    hours = plan.idle.hours or plan.training.elapsed_hours or 0.0
    least = plan.idle.least_kilowatts or plan.idle.kilowatts
    waiting = Interval(plan.idle.kilowatts, least, plan.idle.kilowatts) * hours
    how = f"{plan.idle.kilowatts:g} kW x {hours:,.0f} h"
    yield LifeCycleStage("idle", waiting, waiting * grid.grams_per_kwh, how)


def deployment(
    use: DeploymentPlan, plan: LifeCyclePlan
) -> tuple[Interval, CarbonIntensity, LifeCycleStage]:
    """(energy in kWh, its grid, the making of what serves) of the use that a plan foresees."""
    own = use.region is not None or use.grid_gco2e_per_kwh is not None
    grid = plan_grid(plan) if not own else carbon_intensity(use.region, use.grid_gco2e_per_kwh)
    kwh = use.inference_count * use.wh_per_inference / 1000
    waits = (use.idle_watts or 0.0) * 24 * use.days / 1000
    energy = Interval.of((kwh + waits) * (plan.pue or 1.0))
    if use.hardware is None or use.count is None:
        return (
            energy,
            grid,
            LifeCycleStage("embodied", None, None, "", "what serves it is not in the plan"),
        )
    grams, how = embodied_grams(use.count * use.days * 24, use.hardware, plan.embodied)
    return energy, grid, LifeCycleStage("embodied", None, grams, how)


def _deployment(plan: LifeCyclePlan, use: DeploymentPlan) -> LifeCycleStage:
    energy, grid, made = deployment(use, plan)
    operational = energy * grid.grams_per_kwh
    how = f"{use.inference_count:,.0f} inferences x {use.wh_per_inference:g} Wh"
    how += f", and {use.idle_watts:g} W that wait" if use.idle_watts else ""
    how += f"; {grid.label}; "
    how += "with the making of what serves" if made.grams else f"without the making: {made.missing}"
    return LifeCycleStage("deployment", energy, operational + (made.grams or Interval.of(0.0)), how)


def _around(given: float | None, sources: Interval) -> Interval:
    """What is given as the value, with the low and the high of the sources."""
    if given is None:
        return sources
    return Interval(given, min(given, sources.low), max(given, sources.high))


@dataclass(frozen=True)
class AmortisedTraining:
    """What one use carries in kWh: of its own, and of training at a given volume."""

    use_kwh: Interval
    training_kwh: Interval
    uses: float

    @property
    def whole_kwh(self) -> Interval:
        """Both together."""
        return self.use_kwh + self.training_kwh

    @property
    def training_share(self) -> float:
        """The part of training in the whole, from 0 to 1."""
        return self.training_kwh.value / self.whole_kwh.value


def break_even(training_kwh: Interval, per_use_kwh: Interval) -> Interval:
    """After how many uses their energy is that of training.

    The interval is that of both; it has no high end where a use may cost nothing. Raises ValueError
    where a use costs nothing.
    """
    if per_use_kwh.value <= 0:
        raise ValueError("a use that takes no energy never outweighs a training")
    return training_kwh / per_use_kwh


def amortised(training_kwh: Interval, per_use_kwh: Interval, uses: float) -> AmortisedTraining:
    """The energy of one use with its share of a training that serves so many uses in all.

    Raises ValueError if `uses` is not positive.
    """
    if uses <= 0:
        raise ValueError("training is shared among a positive number of uses")
    return AmortisedTraining(per_use_kwh, training_kwh / uses, uses)
