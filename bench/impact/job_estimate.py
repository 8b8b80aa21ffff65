"""Estimate of a job that was not measured: by the ML CO2 Impact formula, and with overheads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.impact import facts, hardware, lifecycle, regions
from bench.impact.carbon import CarbonIntensity, addable, carbon_intensity
from bench.impact.lifecycle import LifeCycleStage
from bench.results.interval import Interval

STEPS = (
    "boards draw less than their TDP",
    "plus the host and idle machines",
    "plus the overhead of the data centre",
)


@dataclass(frozen=True)
class JobDescription:
    """A job: `count` accelerators for `hours` wall-clock hours in a region."""

    hardware: str
    count: float
    hours: float
    region: str | None = None
    pue: float | None = None


@dataclass(frozen=True)
class JobEstimate:
    """An estimate by both formulas; `energy_kwh` and `grams` are sums over the stages.

    `grams` is None where the embodied emissions are of another basis than those of the energy.
    `steps` are (label, energy in kWh) on the way from the ML CO2 Impact formula to `energy_kwh`.
    """

    board: facts.Fact
    intensity: CarbonIntensity
    ml_co2_kwh: float
    ml_co2_grams: Interval
    energy_kwh: Interval
    grams: Interval | None
    stages: tuple[LifeCycleStage, ...]
    steps: tuple[tuple[str, Interval], ...]

    @property
    def no_sum(self) -> str:
        """Why there is no sum with the embodied emissions, as a sentence part."""
        return f"not added: {lifecycle.not_added_reason(self.intensity)}"

    @property
    def operational_grams(self) -> Interval:
        """gCO2e of the energy, without embodied emissions."""
        return self.energy_kwh * self.intensity.grams_per_kwh


def ml_co2(watts: float, device_hours: float, grams_per_kwh: float) -> tuple[float, float]:
    """(kWh, gCO2e) by the formula of ML CO2 Impact: TDP x hours x grid, without overheads.

    Source: Lacoste et al. 2019, arXiv 1910.09700, as its calculator computes it (unrounded).
    """
    energy = watts * device_hours / 1000
    return energy, energy * grams_per_kwh


def estimate_job(job: JobDescription) -> JobEstimate:
    """Estimate a job. Raises ValueError for unknown hardware or region, or an impossible number."""
    for name, value in (("count", job.count), ("hours", job.hours)):
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} must be above zero, not {value:g}")
    regions.check_pue(job.pue)
    board, grid = hardware.find(job.hardware), carbon_intensity(job.region)
    one_basis = addable(grid.basis, regions.LIFE_CYCLE)
    device_hours = job.count * job.hours
    tdp_kwh, _ = ml_co2(board.value, device_hours, 0.0)
    stages = tuple(_operational_stages(job, tdp_kwh, grid))
    embodied, calculation = lifecycle.embodied_grams(device_hours, job.hardware)
    energy = Interval.sum(stage.energy_kwh for stage in stages if stage.energy_kwh)
    return JobEstimate(
        board=board,
        intensity=grid,
        ml_co2_kwh=tdp_kwh,
        ml_co2_grams=Interval.of(tdp_kwh) * grid.grams_per_kwh,
        energy_kwh=energy,
        grams=energy * grid.grams_per_kwh + embodied if one_basis else None,
        stages=(*stages, LifeCycleStage.embodied(embodied, calculation)),
        steps=tuple(_steps(tdp_kwh, stages)),
    )


def power_share() -> Interval:
    """Mean power of a board at work divided by its TDP.

    From StarCoder (280 W of an A100's 400 W); the low end is the least measured mean of a TPU v3,
    the high end the TDP itself.
    """
    a100, tpu = hardware.find("A100 SXM4 80GB"), hardware.find("TPU v3")
    least = facts.table("calculator")["device-power/tpu-v3"].value / tpu.value
    starcoder = facts.training_runs()["starcoderbase-15.5b"]["power"].value
    return Interval(starcoder / a100.value, least, 1)


def host_and_idle_share() -> Interval:
    """Power of the host and of idle machines per board, divided by the TDP of the board.

    From BLOOM: idle nodes without the boards that idle in them; the low end is zero, the high end
    idle nodes and infrastructure, as that study adds them.
    """
    bloom, a100 = facts.training_runs()["bloom-176b"], hardware.find("A100 SXM4 80GB")
    idle_nodes = bloom["idle-power"].value / bloom["devices"].value
    infrastructure = bloom["infrastructure-power"].value / bloom["devices"].value
    idle_board = facts.table("calculator")["idle-power/a100-sxm4"].value
    high = (idle_nodes + infrastructure) / a100.value
    return Interval((idle_nodes - idle_board) / a100.value, 0.0, high)


def _operational_stages(
    job: JobDescription, tdp_kwh: float, grid: CarbonIntensity
) -> Iterator[LifeCycleStage]:
    share = power_share()
    dynamic, idle = share * tdp_kwh, host_and_idle_share() * tdp_kwh
    text = f"{100 * share.value:.0f} % of the TDP, as in StarCoder"
    yield LifeCycleStage.operational("dynamic", dynamic, grid, text)
    yield LifeCycleStage.operational("idle", idle, grid, "host and idle machines, as in BLOOM")
    pue, text = _pue(job)
    overhead = (dynamic + idle) * Interval(pue.value - 1, pue.low - 1, pue.high - 1)
    yield LifeCycleStage.operational("overhead", overhead, grid, text)


def _pue(job: JobDescription) -> tuple[Interval, str]:
    """The PUE of the job, of its region, or of the industry, and its source."""
    if job.pue is not None:
        return Interval.of(job.pue), f"PUE {job.pue:g}"
    pue = regions.find(job.region).pue if job.region else None
    if pue is not None:
        return Interval.of(pue), f"PUE {pue.value:g}, {pue.facts[0].source}"
    reports = facts.datacenters("pue")
    reported, recent = facts.fact_range(reports.values()), reports["uptime-2025"]
    industry = Interval(recent.value, reported.low, reported.high)
    return industry, f"PUE {recent.value:g}, {recent.source}"


def _steps(tdp_kwh: float, stages: tuple[LifeCycleStage, ...]) -> Iterator[tuple[str, Interval]]:
    """The energy from TDP x hours to the estimate, one stage at a time."""
    yield "ML CO2 Impact: TDP x hours, no host, no idle, no PUE", Interval.of(tdp_kwh)
    total = Interval(0, 0, 0)
    for label, stage in zip(STEPS, stages, strict=True):
        total = total + (stage.energy_kwh or 0.0)
        yield f"{label} ({stage.calculation})", total
