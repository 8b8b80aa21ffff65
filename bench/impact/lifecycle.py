"""Life cycle of a model: energy and emissions by stage; training against use (break-even)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.impact import facts, hardware
from bench.impact.carbon import CarbonIntensity, addable, carbon_intensity
from bench.impact.lifecycle_plan import (
    HOURS_PER_YEAR,
    DeploymentPlan,
    EmbodiedPlan,
    LifeCyclePlan,
    TrainingPlan,
)
from bench.impact.regions import LIFE_CYCLE
from bench.results.interval import Interval
from bench.results.units import GRAMS_PER_KILOGRAM


@dataclass(frozen=True)
class LifeCycleStage:
    """One stage: energy in kWh and emissions in gCO2e, each None where not known.

    `calculation` is the arithmetic as text; `missing` is the reason why a figure is not known;
    `basis` is what the emissions count, None where it is not stated.
    """

    name: str = field(metadata={"json": "stage"})
    energy_kwh: Interval | None
    grams: Interval | None = field(metadata={"json": "gco2e"})
    calculation: str = field(metadata={"json": "how"})
    missing: str | None = None
    basis: str | None = None

    @classmethod
    def operational(
        cls, name: str, energy_kwh: Interval, grid: CarbonIntensity, calculation: str
    ) -> LifeCycleStage:
        """A stage that uses electricity, with its emissions at the intensity of `grid`."""
        grams = energy_kwh * grid.grams_per_kwh
        return cls(name, energy_kwh, grams, calculation, basis=grid.basis)

    @classmethod
    def embodied(cls, grams: Interval, calculation: str) -> LifeCycleStage:
        """The stage of making the hardware, whose emissions are life-cycle figures."""
        return cls("embodied", None, grams, calculation, basis=LIFE_CYCLE)

    @classmethod
    def unknown(cls, name: str, reason: str) -> LifeCycleStage:
        """A stage that is not known, which is not zero."""
        return cls(name, None, None, "", reason)


@dataclass(frozen=True)
class LifeCycle:
    """The stages of a life cycle in their order, and the carbon intensity applied.

    `kind` states whether the energy was measured; `covers` what the sum of the stages is for.
    """

    name: str
    kind: str
    covers: str
    intensity: CarbonIntensity
    stages: tuple[LifeCycleStage, ...]
    notes: tuple[str, ...]

    def stage(self, name: str) -> LifeCycleStage:
        """The stage of this name. Raises KeyError if there is none."""
        return {stage.name: stage for stage in self.stages}[name]

    @property
    def grams(self) -> Interval:
        """The sum of the known emissions of all stages except deployment and `not_added`."""
        left_out = ("deployment", *self.not_added)
        stages = (stage for stage in self.stages if stage.name not in left_out)
        return Interval.sum(stage.grams for stage in stages if stage.grams is not None)

    @property
    def basis(self) -> str | None:
        """The basis of the sum: that of the electricity, or of a stage where none is stated."""
        return self.intensity.basis or next((s.basis for s in self.stages if s.basis), None)

    @property
    def not_added(self) -> tuple[str, ...]:
        """The stages whose emissions are known but of another basis than the electricity's."""
        return tuple(s.name for s in self.stages if not addable(s.basis, self.intensity.basis))

    @property
    def embodied(self) -> tuple[Interval | None, str | None]:
        """Embodied emissions to add to those of the electricity, or None with the reason."""
        stage = self.stage("embodied")
        if stage.name in self.not_added:
            return None, not_added_reason(self.intensity)
        return stage.grams, stage.missing

    @property
    def over_dynamic(self) -> Interval:
        """All emissions of training divided by those of its dynamic energy.

        The dynamic part is in both, so its own interval does not widen the ratio.
        """
        dynamic, total = self.stage("dynamic").grams, self.grams
        assert dynamic is not None
        return Interval(
            total.value / dynamic.value, total.low / dynamic.low, total.high / dynamic.high
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """The stages that are not in the sum because they are not known."""
        return tuple(stage.name for stage in self.stages if stage.missing)


def plan_lifecycle(plan: LifeCyclePlan) -> LifeCycle:
    """The life cycle of a plan. Raises ValueError for an unknown region or device."""
    grid = _plan_grid(plan)
    stages = [*_operational_stages(plan, grid)]
    hours = plan.training.total_device_hours
    if hours is None:
        reason = "the hours of the devices are not known"
        stages.append(LifeCycleStage.unknown("embodied", reason))
    else:
        embodied = embodied_grams(hours, plan.training.hardware, plan.embodied)
        stages.append(LifeCycleStage.embodied(*embodied))
    if plan.deployment:
        stages.append(_deployment_stage(plan, plan.deployment))
    return LifeCycle(plan.name, plan.kind, "to train", grid, tuple(stages), plan.notes)


def not_added_reason(grid: CarbonIntensity) -> str:
    """Why embodied emissions are not added to those of electricity from this grid."""
    return (
        f"embodied emissions are {LIFE_CYCLE} figures, and {grid.label} is {grid.basis}; "
        f"a region with a {LIFE_CYCLE} factor, such as the country, gives a sum"
    )


def embodied_per_hour(embodied: Interval, lifetime_years: Interval, share: Interval) -> Interval:
    """Embodied carbon per hour of use: divided by the hours in use over the lifetime.

    `share` is the utilisation, from 0 to 1. The result has the unit of `embodied`, per hour.
    """
    return embodied / (lifetime_years * share * HOURS_PER_YEAR)


def embodied_grams(
    device_hours: float, board: str | None, plan: EmbodiedPlan | None = None
) -> tuple[Interval, str]:
    """gCO2e of manufacturing devices and servers, for these device-hours, and the calculation.

    A field that the plan omits is a range over all sources; for a field that it states, the sources
    give low and high. Raises ValueError for an unknown board.
    """
    plan = plan or EmbodiedPlan()
    device, covers_board = hardware.embodied_kg(hardware.find(board) if board else None)
    device = _stated_within(plan.device_kg, device)
    server = _stated_within(plan.server_kg, facts.embodied_range("server"))
    lifetime = _stated_within(plan.lifetime_years, facts.embodied_range("lifetime"))
    share = Interval.of(plan.utilisation or facts.embodied_range("utilisation"))
    per_device_hour = embodied_per_hour(device, lifetime, share)
    server_part = embodied_per_hour(server, lifetime, share) / plan.devices_per_server
    kilograms = (per_device_hour + server_part) * device_hours
    kind = "" if covers_board else ", after other boards"
    calculation = (
        f"{device_hours:,.0f} device-hours; {device.value:g} kg a device{kind}, "
        f"{server.value:g} kg a server of {plan.devices_per_server:g}, "
        f"{lifetime.value:g} years at {100 * share.value:.0f} % use"
    )
    return kilograms * GRAMS_PER_KILOGRAM, calculation


def deployment_energy(
    use: DeploymentPlan, plan: LifeCyclePlan
) -> tuple[Interval, CarbonIntensity, LifeCycleStage]:
    """(energy in kWh, carbon intensity, embodied stage) of the deployment in a plan."""
    grid = _plan_grid(plan)
    if use.region is not None or use.grid_gco2e_per_kwh is not None:
        training, grid = grid, carbon_intensity(use.region, use.grid_gco2e_per_kwh)
        if not addable(training.basis, grid.basis):
            raise ValueError(
                f"the grid of training ({training.basis}) and that of deployment ({grid.basis}) "
                "count different emissions: give both a region of one basis, such as the country, "
                "or grid_gco2e_per_kwh"
            )
    kwh = use.inference_count * use.wh_per_inference / 1000
    idle_kwh = (use.idle_watts or 0.0) * 24 * use.days / 1000
    energy = Interval.of((kwh + idle_kwh) * (plan.pue or 1.0))
    if use.hardware is None or use.count is None:
        reason = "the plan does not state the hardware that serves it"
        return energy, grid, LifeCycleStage.unknown("embodied", reason)
    device_hours = use.count * use.days * 24
    embodied = embodied_grams(device_hours, use.hardware, plan.embodied)
    if not addable(LIFE_CYCLE, grid.basis):
        return energy, grid, LifeCycleStage.unknown("embodied", not_added_reason(grid))
    return energy, grid, LifeCycleStage.embodied(*embodied)


def break_even(training_kwh: Interval, per_use_kwh: Interval) -> Interval:
    """Number of uses whose energy equals that of training.

    The interval is that of both; its high end is infinite where the low end of a use is zero.
    Raises ValueError where a use takes no energy.
    """
    if per_use_kwh.value <= 0:
        raise ValueError("a use of no energy has no break-even with a training")
    return training_kwh / per_use_kwh


def training_per_use(training: Interval, uses: float) -> Interval:
    """The share of one use in the energy or CO2e of a training. Raises ValueError for no uses."""
    if uses <= 0:
        raise ValueError("training is shared among a positive number of uses")
    return training / uses


def _plan_grid(plan: LifeCyclePlan) -> CarbonIntensity:
    return carbon_intensity(plan.region, plan.grid_gco2e_per_kwh, plan.grid_source)


def _dynamic_energy(training: TrainingPlan) -> tuple[Interval, str]:
    """The energy of the devices at work in kWh, and the arithmetic as text."""
    if training.energy_kwh is not None:
        return Interval.of(training.energy_kwh), "energy as stated"
    hours, watts = training.total_device_hours, training.watts
    assert hours is not None
    kind = "W each, as stated"
    if watts is None:
        watts = hardware.find(training.hardware or "").value
        kind = "W, the TDP: an upper bound for the boards"
    return Interval.of(hours * watts / 1000), f"{hours:,.0f} device-hours x {watts:g} {kind}"


def _operational_stages(plan: LifeCyclePlan, grid: CarbonIntensity) -> Iterator[LifeCycleStage]:
    energy, calculation = _dynamic_energy(plan.training)
    yield LifeCycleStage.operational("dynamic", energy, grid, calculation)
    if plan.pue is None:
        yield LifeCycleStage.unknown("overhead", "no PUE is given")
    else:
        overhead = energy * (plan.pue - 1)
        yield LifeCycleStage.operational("overhead", overhead, grid, f"PUE {plan.pue:g}")
    if plan.idle is None:
        yield LifeCycleStage.unknown("idle", "the power of idle machines is not known")
        return
    hours = plan.idle.hours or plan.training.elapsed_hours or 0.0
    least = plan.idle.least_kilowatts or plan.idle.kilowatts
    idle = Interval(plan.idle.kilowatts, least, plan.idle.kilowatts) * hours
    calculation = f"{plan.idle.kilowatts:g} kW x {hours:,.0f} h"
    yield LifeCycleStage.operational("idle", idle, grid, calculation)


def _deployment_stage(plan: LifeCyclePlan, use: DeploymentPlan) -> LifeCycleStage:
    energy, grid, embodied = deployment_energy(use, plan)
    parts = [f"{use.inference_count:,.0f} inferences x {use.wh_per_inference:g} Wh"]
    if use.idle_watts:
        parts[0] += f", and {use.idle_watts:g} W idle"
    parts += [grid.label, "with embodied emissions"]
    if not embodied.grams:
        parts[-1] = f"without embodied emissions: {embodied.missing}"
    grams = energy * grid.grams_per_kwh + (embodied.grams or 0.0)
    return LifeCycleStage("deployment", energy, grams, "; ".join(parts), basis=grid.basis)


def _stated_within(stated: float | None, sources: Interval) -> Interval:
    """The value that a plan states, with the low and the high of the sources."""
    if stated is None:
        return sources
    return Interval(stated, min(stated, sources.low), max(stated, sources.high))
