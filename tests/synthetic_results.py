"""Synthetic results for tests: valid under the schema, with the energies that a test sets."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Any, Literal

from bench.results import statistics, views, warning_rules
from bench.results.calibration import boundary_calibration
from bench.results.machine_record import Device, Machine, Sensor, card_id
from bench.results.record import (
    Backend,
    Boundary,
    Failure,
    IdleFloor,
    MeasurementWarning,
    Model,
    PowerTrace,
    Quality,
    Reading,
    Result,
    RunProtocol,
    TaskInfo,
    Trial,
    Work,
)
from bench.system.registry import find_task

UNITS = {"image-gen": "image", "text-gen": "token", "text-classification": "inference"}
GPU = "NVIDIA H100 80GB HBM3"

# A run with GPU, CPU and memory inside its boundary: energy relative to the GPU's, idle power.
ENERGY_SHARES = {"gpu:0": 1.0, "cpu-package:0": 0.22, "dram:0": 0.05}
# Nine trials with a mean of 3,000 J.
TRIAL_JOULES = (3000.0, 3010.0, 2990.0, 3005.0, 2995.0, 3000.0, 3010.0, 2990.0, 3000.0)

IDLE_WATTS = {"gpu:0": 70.0, "cpu-package:0": 45.0, "dram:0": 8.0}


def synthetic_result(
    task: str = "image-gen",
    model: str = "embedded/small",
    energies: Sequence[float] = TRIAL_JOULES,
    *,
    kind: Literal["measured", "modelled"] = "measured",
    device: str = GPU,
    uuid: str | None = "GPU-0",
    limit: float | None = 700.0,
    slot: int = 0,
    calibration: float = 0.05,
    seconds: float = 10.0,
    inferences: int = 100,
    parameters: int | None = 3_000_000,
    weights: Literal["pretrained", "random"] = "pretrained",
    profile: Literal["standard", "strict", "quick"] = "standard",
    quality: tuple[float, float, float] | None = (0.93, 0.91, 0.95),
    failure: Failure | None = None,
    reading_warnings: tuple[MeasurementWarning, ...] = (),
    dataset: str = "embedded",
    dtype: str | None = "float32",
    batch: int = 1,
    steps: int | None = None,
    created_at: str = "2026-03-01T12:00:00Z",
    run_id: str | None = None,
) -> Result:
    """A complete run with one measured trial per energy, in joules for `inferences` inferences.

    Summary, warnings and `rankable` are computed as in a real run.
    """
    domain = f"gpu:{slot}" if kind == "measured" else "cpu-package:0"
    method: Literal["counter", "modelled"] = "counter" if kind == "measured" else "modelled"
    sensor = Sensor(
        meter="nvml" if kind == "measured" else "modelled",
        usable=True,
        domains=(domain,),
        method=method,
        calibration_relative_half_width=calibration if kind == "measured" else 0.5,
        calibration_source="default",
    )
    machine = synthetic_machine(domain, device, uuid, limit, sensor)
    boundary = views.measurement_boundary(machine)

    def reading(
        joules: float, length: float, warnings: tuple[MeasurementWarning, ...] = ()
    ) -> Reading:
        return Reading(
            domain=domain,
            meter="nvml" if kind == "measured" else "modelled",
            method=method,
            energy_joules=joules,
            standard_uncertainty_joules=0.0 if kind == "measured" else 0.1 * joules,
            duration_seconds=length,
            warnings=warnings,
        )

    def trial(index: int, phase: Literal["warmup", "measured"], joules: float) -> Trial:
        return Trial(
            index=index,
            phase=phase,
            block_ids=tuple(range(inferences // 10)),
            started_seconds=20.0 + index * (seconds + 1),
            duration_seconds=seconds,
            work=synthetic_work(task, inferences),
            readings=(reading(joules, seconds, reading_warnings),),
        )

    first = energies[0] if energies else 0.0
    warmup = [trial(index, "warmup", first) for index in range(3 if energies else 0)]
    measured = [trial(index + 3, "measured", joules) for index, joules in enumerate(energies)]
    floor = max(first, 1.0) / seconds
    idle = (IdleFloor(when="resident", duration_seconds=10.0, readings=(reading(floor, 10.0),)),)
    trials = (*warmup, *measured)
    seed = repr(
        (task, model, tuple(energies), uuid, slot, created_at, kind, weights, profile, dtype, batch)
    )
    draft = Result(
        run_id=run_id or hashlib.sha256(seed.encode()).hexdigest()[:12],
        created_at=created_at,
        joulebench_version="0.1.0",
        status="failed" if failure else "done",
        failure=failure,
        profile=profile,
        stop_reason=None if failure else "target",
        task=synthetic_task(task, dataset, steps),
        model=Model(
            id=model,
            revision=None,
            weights=weights,
            dtype=dtype,
            parameter_count=parameters,
            settings={"batch_size": batch},
        ),
        backend=Backend(name="diffusers", versions={"torch": "2.13.0"}),
        machine=machine,
        protocol=synthetic_protocol(profile),
        boundary=boundary,
        idle=idle,
        trials=trials,
        quality=None if quality is None else synthetic_quality(*quality),
        summary=None if failure else statistics.summarize(trials, boundary, idle, UNITS[task]),
        calibration=boundary_calibration(boundary, machine.sensors),
        warnings=(),
        rankable=False,
    )
    return with_derived_warnings(draft)


def with_derived_warnings(result: Result) -> Result:
    """The result with the warnings and `rankable` that follow from its record."""
    warnings = warning_rules.derive_warnings(result)
    rankable = warning_rules.is_rankable(result, warnings)
    return result.model_copy(update={"warnings": warnings, "rankable": rankable})


def result_with_energy(kwh_per_1000: float, spread: float = 0.01, **options: Any) -> Result:
    """Ten trials at 400 W around an energy in kWh per 1,000; `spread` is relative."""
    joules = kwh_per_1000 * 3600.0 * options.get("inferences", 100)
    options.setdefault("seconds", joules / 400.0)
    steps = (-1.0, 1.0) * 5
    return synthetic_result(energies=[joules * (1 + spread * step) for step in steps], **options)


def synthetic_work(task: str, inferences: int) -> Work:
    """The work that `inferences` inferences of this task produce."""
    return Work(
        inference_count=inferences,
        output_token_count=10 * inferences if task == "text-gen" else None,
        image_count=inferences if task == "image-gen" else None,
    )


def synthetic_task(task: str, dataset: str, steps: int | None = None) -> TaskInfo:
    """A task whose fingerprint depends only on its id and data set."""
    return TaskInfo(
        id=task,
        version=find_task(task).version,
        fingerprint=hashlib.sha256(f"{task} {dataset}".encode()).hexdigest(),
        dataset=dataset,
        request_count=1000,
        unit=UNITS[task],
        parameters={} if steps is None else {"steps": steps},
    )


def synthetic_machine(
    domain: str, device: str, uuid: str | None, limit: float | None, sensor: Sensor
) -> Machine:
    """A machine with one used device and its sensor."""
    return Machine(
        operating_system="Linux",
        architecture="x86_64",
        cpu_name="Synthetic CPU 9000",
        cpu_logical_count=2,
        memory_bytes=8 * 2**30,
        container=True,
        python_version="3.11.7",
        devices=(
            Device(
                domain=domain,
                name=device,
                card_id=card_id(uuid) if uuid else None,
                power_limit_watts=limit,
                default_power_limit_watts=limit,
            ),
        ),
        sensors=(sensor,),
    )


def synthetic_protocol(profile: str) -> RunProtocol:
    """The protocol of a profile."""
    return RunProtocol(
        budget_seconds=150.0,
        target_relative_half_width=0.01 if profile == "strict" else 0.02,
        confidence_level=0.95,
        min_trials=9,
        max_trials=50,
        window_seconds=5.0,
        blocks_per_trial=10,
    )


def synthetic_quality(value: float, low: float, high: float) -> Quality:
    """A quality with its 95 % interval."""
    return Quality(metric="recognised", value=value, low=low, high=high, sample_count=500)


def result_with_host(kwh_per_1000: float = 0.05, **options: object) -> Result:
    """As `result_with_energy`, which gives the GPU's energy, plus CPU, memory, idle and power."""
    base = result_with_energy(kwh_per_1000, **options)
    trials = [t.model_copy(update={"readings": _readings(t)}) for t in base.trials]
    trials.append(_profile(trials[-1]))
    idle = (_idle("cold", 0.7), _idle("resident", 1.0))
    boundary = Boundary(domains=tuple(ENERGY_SHARES), kind="measured")
    draft = base.model_copy(
        update={
            "trials": tuple(trials),
            "idle": idle,
            "boundary": boundary,
            "summary": statistics.summarize(trials, boundary, idle, base.task.unit),
        }
    )
    return with_derived_warnings(draft)


def _reading(domain: str, joules: float, seconds: float) -> Reading:
    return Reading(
        domain=domain,
        meter="nvml" if domain.startswith("gpu") else "rapl",
        method="counter",
        energy_joules=joules,
        standard_uncertainty_joules=0.0,
        duration_seconds=seconds,
    )


def _readings(trial: Trial) -> tuple[Reading, ...]:
    gpu = trial.readings[0].energy_joules or 0.0
    return tuple(
        _reading(d, share * gpu, trial.duration_seconds) for d, share in ENERGY_SHARES.items()
    )


def _idle(when: str, share: float) -> IdleFloor:
    readings = (_reading(d, 10.0 * share * watts, 10.0) for d, watts in IDLE_WATTS.items())
    return IdleFloor(when=when, duration_seconds=10.0, readings=tuple(readings))


def _profile(last: Trial) -> Trial:
    generator, count = random.Random(1), int(last.duration_seconds / 0.1)
    seconds = tuple(0.1 * i for i in range(count))
    watts = tuple(390 + 25 * generator.random() - 120 * (i % 40 < 3) for i in range(count))
    return last.model_copy(
        update={
            "index": last.index + 1,
            "phase": "profile",
            "started_seconds": last.started_seconds + last.duration_seconds + 2,
            "readings": (),
            "power_trace": (PowerTrace(domain="gpu:0", seconds=seconds, watts=watts),),
        }
    )
