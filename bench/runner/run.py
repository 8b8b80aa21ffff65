"""From what was asked for to a saved result: finds, checks, opens, and hands over to `conduct`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.backends import ModelSpec, Session
from bench.meters import MeterContext
from bench.results import storage
from bench.results.machine_record import Machine
from bench.results.record import Model, Result
from bench.runner.config import DRAWING, RunConfig
from bench.runner.instruments import Instruments, open_meters
from bench.runner.protocol import CPU_BUDGET_SECONDS, GPU_BUDGET_SECONDS, Order
from bench.runner.run_loop import execute
from bench.system import device_monitor, machine, registry
from bench.system.clock import Clock, SystemClock
from bench.task import Task
from bench.workloads import dataset_loader
from bench.workloads.workload import Workload

LOCK_WAIT_SECONDS = 600.0


@dataclass(frozen=True)
class ResolvedRun:
    """What a run needs, found and checked before anything is loaded."""

    task: Task
    backend: ModuleType
    machine: Machine
    spec: ModelSpec
    source: Any


def run(
    asked: RunConfig, tell: Callable[[str], None], clock: Clock | None = None
) -> tuple[Result, Path]:
    """Measure, and give the result with the file it lies in.

    Raises ValueError, with one sentence, for what can't be found or is not possible, and OSError
    where the result could not be saved.
    """
    found = resolve(asked)
    work = load_workload(asked, found)
    load = model_loader(found, work)
    with machine.machine_lock(LOCK_WAIT_SECONDS, tell):
        rig, described = open_instruments(asked, found, clock or SystemClock())
        saved: list[Path] = []
        save = result_saver(asked.out, saved)
        result = execute(order(asked, found.spec), work, described, rig, load, save, tell)
    return result, saved[-1]


def load_workload(asked: RunConfig, found: ResolvedRun) -> Workload:
    """The requests of a run. Raises ValueError where there is no such data set."""
    name = asked.dataset or _default_dataset(found.task, asked.model)
    return dataset_loader.load_dataset_workload(found.task, name, asked.chosen)


def model_loader(found: ResolvedRun, work: Workload) -> Callable[[], Session]:
    """What brings the model into memory, for the parameters of its workload."""
    spec = replace(found.spec, parameters=work.parameters, labels=work.labels)

    def load() -> Session:
        session: Session = found.backend.load(spec, found.source)
        return session

    return load


def open_instruments(
    asked: RunConfig, found: ResolvedRun, clock: Clock
) -> tuple[Instruments, Machine]:
    """The meters that can read here, and the machine with what all of them said of themselves."""
    baseline = device_monitor.DeviceMonitor(found.machine)
    site = MeterContext(clock, found.machine.devices, asked.options)
    meters, sensors = open_meters(asked.meter, site)
    opened = tuple(item.meter for item in meters)
    rig = Instruments(clock, opened, baseline.look, baseline.strangers)
    return rig, found.machine.model_copy(update={"sensors": sensors})


def result_saver(out: Path, saved: list[Path]) -> Callable[[Result], None]:
    """What saves a result under `out`, and notes the path."""

    def save(result: Result) -> None:
        path = storage.run_path(out, result)
        storage.save_result(result, path)
        saved.append(path)

    return save


def resolve(asked: RunConfig) -> ResolvedRun:
    """Find the task, the device and the model, and bring the model here; nothing is loaded yet.

    Raises ValueError, with one sentence, for what can't be found, and OSError where results could
    not be saved.
    """
    task = registry.find_task(asked.task)
    if asked.chosen and task.tag not in DRAWING:
        raise ValueError(f"--steps and --size are for tasks that draw, and {task.id} is none")
    if asked.ask != "auto" and task.tag != "text-classification":
        raise ValueError(f"--ask is for text classification; {task.id} is asked in one way only")
    storage.check_writable(asked.out / task.id)
    backend = _backend(asked, task)
    described = machine.describe_machine(asked.device)
    spec = _spec(asked, task, described)
    return ResolvedRun(task, backend, described, spec, backend.prepare(spec))


def _backend(asked: RunConfig, task: Task) -> ModuleType:
    if asked.backend:
        return registry.load("backend", asked.backend)
    for name in registry.names("backend"):
        module = registry.load("backend", name)
        if task.tag in module.TAGS:
            return module
    raise registry.NameNotFound(f"no backend serves {task.tag}")


def _default_dataset(task: Task, model: str) -> str:
    """What ships for an embedded model; for any other the task's first set on the hub."""
    if model.partition("/")[0] == "embedded":
        return "embedded"
    return next((name for name in task.datasets if name != "embedded"), "standard")


def _spec(asked: RunConfig, task: Task, described: Machine) -> ModelSpec:
    if described.used_gpus:
        named = "cuda:0" if asked.device == "auto" else asked.device
        devices = tuple(part.strip() for part in named.split(","))
    else:
        devices = ("cpu",)
    return ModelSpec(
        task_id=task.id,
        tag=task.tag,
        model=asked.model,
        parameters=task.parameters,
        weights=asked.weights,
        dtype=asked.dtype,
        devices=devices,
        batch_size=asked.batch_size,
        quantization=asked.quantization,
        compile=asked.compile,
        attention=asked.attention,
        revision=asked.revision,
        allow_pickle=asked.allow_pickle,
        trust_remote_code=asked.trust_remote_code,
        ask=asked.ask,
        options=asked.options,
    )


def order(asked: RunConfig, spec: ModelSpec) -> Order:
    """What is asked of a run, beyond its workload."""
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
