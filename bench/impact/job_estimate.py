"""What a job that nobody measured may have taken: by the ML CO2 Impact formula, and by ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.impact import facts, hardware, lifecycle, regions
from bench.impact.carbon import CarbonIntensity, carbon_intensity
from bench.impact.lifecycle import LifeCycleStage
from bench.results.interval import Interval


@dataclass(frozen=True)
class JobDescription:
    """What is known of a job: so many boards for so many hours, somewhere."""

    hardware: str
    count: float
    hours: float
    region: str | None = None
    pue: float | None = None


@dataclass(frozen=True)
class JobEstimate:
    """An estimate by both formulas; `steps` leads from the one to the other in kWh, in words."""

    board: facts.Fact
    intensity: CarbonIntensity
    ml_co2_kwh: float
    ml_co2_grams: Interval
    energy_kwh: Interval
    grams: Interval
    stages: tuple[LifeCycleStage, ...]
    steps: tuple[tuple[str, Interval], ...]

    @property
    def operational_grams(self) -> Interval:
        """Of the energy alone, without the making of the hardware."""
        return self.energy_kwh * self.intensity.grams_per_kwh


def ml_co2(watts: float, device_hours: float, grams_per_kwh: float) -> tuple[float, float]:
    """(kWh, gCO2e) by the formula of ML CO2 Impact: TDP x hours x grid, and nothing else.

    Source: Lacoste et al. 2019, arXiv 1910.09700, as its calculator computes it (unrounded).
    """
    energy = watts * device_hours / 1000
    return energy, energy * grams_per_kwh


def estimate_job(job: JobDescription) -> JobEstimate:
    """Estimate a job. Raises ValueError for unknown hardware or region, and for what can't be."""
    for name, value in (("count", job.count), ("hours", job.hours)):
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} must be above zero, not {value:g}")
    if job.pue is not None and not 1 <= job.pue < 10:
        raise ValueError(f"a PUE is 1 or more, not {job.pue:g}")
    board, grid = hardware.find(job.hardware), carbon_intensity(job.region)
    device_hours = job.count * job.hours
    nominal, _ = ml_co2(board.value, device_hours, 0.0)
    stages = tuple(_stages(job, nominal, grid))
    grams, how = lifecycle.embodied_grams(device_hours, job.hardware)
    energy = Interval.sum(stage.energy_kwh for stage in stages if stage.energy_kwh)
    made = LifeCycleStage("embodied", None, grams, how)
    return JobEstimate(
        board=board,
        intensity=grid,
        ml_co2_kwh=nominal,
        ml_co2_grams=Interval.of(nominal) * grid.grams_per_kwh,
        energy_kwh=energy,
        grams=energy * grid.grams_per_kwh + grams,
        stages=(*stages, made),
        steps=tuple(_steps(nominal, stages)),
    )


def load() -> Interval:
    """The power of a board at work as a share of its TDP.

    From StarCoder (280 W of an A100's 400); low from the least measured mean of a TPU v3, high the
    TDP itself.
    """
    a100, tpu = hardware.find("A100 SXM4 80GB"), hardware.find("TPU v3")
    least = facts.table("calculator")["device-power/tpu-v3"].value / tpu.value
    return Interval(
        facts.training_runs()["starcoderbase-15.5b"]["power"].value / a100.value, least, 1
    )


def surroundings() -> Interval:
    """What stands around a board, as a share of its TDP: host, and machines that wait.

    From BLOOM: idle nodes less the boards that idle in them; low nothing, high idle nodes and
    infrastructure whole, as that study adds them.
    """
    bloom, a100 = facts.training_runs()["bloom-176b"], hardware.find("A100 SXM4 80GB")
    waiting = bloom["idle-power"].value / bloom["devices"].value
    hall = bloom["infrastructure-power"].value / bloom["devices"].value
    board = facts.table("calculator")["idle-power/a100-sxm4"].value
    return Interval((waiting - board) / a100.value, 0.0, (waiting + hall) / a100.value)


def _stages(job: JobDescription, nominal: float, grid: CarbonIntensity) -> Iterator[LifeCycleStage]:
    at_work, around = load() * nominal, surroundings() * nominal
    share = 100 * load().value
    yield _stage("dynamic", at_work, grid, f"{share:.0f} % of the TDP, as in StarCoder")
    yield _stage("idle", around, grid, "host and waiting machines, as in BLOOM")
    pue, source = _pue(job)
    extra = Interval(pue.value - 1, pue.low - 1, pue.high - 1)
    yield _stage("overhead", (at_work + around) * extra, grid, source)


def _stage(name: str, energy: Interval, grid: CarbonIntensity, how: str) -> LifeCycleStage:
    return LifeCycleStage(name, energy, energy * grid.grams_per_kwh, how)


def _pue(job: JobDescription) -> tuple[Interval, str]:
    if job.pue is not None:
        return Interval.of(job.pue), f"PUE {job.pue:g}"
    found = regions.find(job.region).pue if job.region else None
    if found is None:
        reports = facts.datacenters("pue")
        whole = facts.fact_range(reports.values())
        recent = reports["uptime-2025"]
        return Interval(
            recent.value, whole.low, whole.high
        ), f"PUE {recent.value:g}, {recent.source}"
    return Interval(
        found.value, found.low, found.high
    ), f"PUE {found.value:g}, {found.facts[0].source}"


def _steps(nominal: float, stages: tuple[LifeCycleStage, ...]) -> Iterator[tuple[str, Interval]]:
    """How the energy goes from TDP x hours to ours."""
    yield "ML CO2 Impact: TDP x hours, no host, no idle, no PUE", Interval.of(nominal)
    words = (
        "boards draw less than their TDP",
        "and what stands around them",
        "and what the data centre takes for itself",
    )
    sums = Interval(0, 0, 0)
    for word, stage in zip(words, stages, strict=True):
        sums = sums + (stage.energy_kwh or Interval.of(0.0))
        yield f"{word} ({stage.how})", sums
