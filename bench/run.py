"""From what was asked for to a saved result: finds, checks, opens, and hands over to `conduct`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from bench import data, find, machine, store
from bench.backends import Session, Spec
from bench.clock import Clock, SystemClock
from bench.conduct import CPU_BUDGET_SECONDS, GPU_BUDGET_SECONDS, Order, Profile, conduct
from bench.measure import Rig
from bench.meters import Meter, Site
from bench.records import Machine, Model, Result, Sensor
from bench.task import Task

LOCK_WAIT_SECONDS = 600.0


@dataclass(frozen=True)
class Asked:
    """One run as it was asked for on the command line."""

    task: str
    out: Path
    model: str = "embedded/small"
    weights: str = "pretrained"
    dataset: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int = 1
    revision: str | None = None
    allow_pickle: bool = False
    trust_remote_code: bool = False
    budget_seconds: float | None = None
    profile: Profile = "standard"
    max_inferences: int | None = None
    backend: str | None = None
    meter: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What a run needs, found and checked before anything is loaded."""

    task: Task
    backend: ModuleType
    machine: Machine
    spec: Spec
    source: Any


@dataclass(frozen=True)
class Opened:
    """A meter that can read, with what it said of itself."""

    meter: Meter
    sensor: Sensor


def run(
    asked: Asked, tell: Callable[[str], None], clock: Clock | None = None
) -> tuple[Result, Path]:
    """Measure, and give the result with the file it lies in.

    Raises ValueError, with one sentence, for what can't be found or is not possible, and OSError
    where the result could not be saved.
    """
    clock = clock or SystemClock()
    found = prepare(asked)
    task, backend, described, source = found.task, found.backend, found.machine, found.source
    workload = data.load(task, asked.dataset or _default_dataset(asked.model))
    spec = replace(found.spec, parameters=workload.parameters)
    with machine.lock(LOCK_WAIT_SECONDS, tell):
        baseline = machine.Watch(described)
        meters, sensors = open_meters(asked.meter, Site(clock, described.devices, asked.options))
        described = described.model_copy(update={"sensors": sensors})
        found_meters = tuple(item.meter for item in meters)
        rig = Rig(clock, found_meters, baseline.look, baseline.strangers)
        saved: list[Path] = []

        def save(result: Result) -> None:
            path = store.run_path(asked.out, result)
            store.save(result, path)
            saved.append(path)

        def load() -> Session:
            session: Session = backend.load(spec, source)
            return session

        result = conduct(_order(asked, spec), workload, described, rig, load, save, tell)
    return result, saved[-1]


def prepare(asked: Asked) -> Found:
    """Find the task, the device and the model, and bring the model here; nothing is loaded yet.

    Raises ValueError, with one sentence, for what can't be found, and OSError where results could
    not be saved.
    """
    task = find.task(asked.task)
    store.check_writable(asked.out / task.id)
    backend = _backend(asked, task)
    described = machine.describe(asked.device)
    spec = _spec(asked, task, described)
    return Found(task, backend, described, spec, backend.prepare(spec))


def open_meters(wanted: str | None, site: Site) -> tuple[list[Opened], tuple[Sensor, ...]]:
    """Every meter that can read here, slowest sensor first, and what all of them said.

    `wanted` names one meter alone, with what it needs after a colon: "replay:trace.csv". Raises
    ValueError where that one can't read.
    """
    if wanted:
        name, _, argument = wanted.partition(":")
        options = {**site.options, **({"trace": argument} if argument else {})}
        site = Site(site.clock, site.devices, options)
        meter: Meter = find.module("meter", name).build(site)
        sensor = meter.probe()
        if not sensor.usable:
            raise ValueError(f"the meter {name} can't read here: {sensor.reason}")
        return [Opened(meter, sensor)], (sensor,)
    modules = [find.module("meter", name) for name in find.names("meter")]
    built = [module.build(site) for module in modules if not getattr(module, "ON_REQUEST", False)]
    opened = [Opened(meter, meter.probe()) for meter in built]
    usable = [item for item in opened if item.sensor.usable]
    usable.sort(key=lambda item: -(item.sensor.step_seconds or 0.0))
    return usable, tuple(item.sensor for item in opened)


def _backend(asked: Asked, task: Task) -> ModuleType:
    if asked.backend:
        return find.module("backend", asked.backend)
    for name in find.names("backend"):
        module = find.module("backend", name)
        if task.tag in module.TAGS:
            return module
    raise find.NotFound(f"no backend serves {task.tag}")


def _default_dataset(model: str) -> str:
    return "embedded" if model.partition("/")[0] == "embedded" else "standard"


def _spec(asked: Asked, task: Task, described: Machine) -> Spec:
    if any(d.used and d.domain.startswith("gpu:") for d in described.devices):
        named = "cuda:0" if asked.device == "auto" else asked.device
        devices = tuple(part.strip() for part in named.split(","))
    else:
        devices = ("cpu",)
    return Spec(
        task_id=task.id,
        tag=task.tag,
        model=asked.model,
        parameters=task.parameters,
        weights=asked.weights,
        dtype=asked.dtype,
        devices=devices,
        batch_size=asked.batch_size,
        revision=asked.revision,
        allow_pickle=asked.allow_pickle,
        trust_remote_code=asked.trust_remote_code,
        options=asked.options,
    )


def _order(asked: Asked, spec: Spec) -> Order:
    on_gpu = spec.devices[0] != "cpu"
    profile = "quick" if asked.max_inferences else asked.profile
    return Order(
        model=Model(
            id=Path(asked.model).name if Path(asked.model).is_dir() else asked.model,
            revision=asked.revision,
            weights="random" if asked.weights == "random" else "pretrained",
            dtype=None,
            parameter_count=None,
            settings={"batch_size": asked.batch_size, "device": ",".join(spec.devices)},
        ),
        profile=profile,
        budget_seconds=asked.budget_seconds
        or (GPU_BUDGET_SECONDS if on_gpu else CPU_BUDGET_SECONDS),
        max_inferences=asked.max_inferences,
    )


def default_out() -> Path:
    """Where results go: `results/runs` inside a checkout of the project, else `results`."""
    in_checkout = Path("tasks").is_dir() and Path("bench/run.py").is_file()
    return Path("results/runs") if in_checkout else Path("results")


def be_quiet() -> None:
    """Keep libraries from talking, and number GPUs as the driver does. Before torch is imported."""
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
