"""`run`: from a `RunConfig` to a saved result; resolves names, opens the meters, runs the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from bench.backends import ModelSpec, Session
from bench.meters import MeterContext
from bench.results import storage
from bench.results.machine_record import Machine
from bench.results.record import Result
from bench.runner import events
from bench.runner.config import DIFFUSION_TAGS, RunConfig, torch_devices
from bench.runner.instruments import Instruments, check_meter_options, open_meters
from bench.runner.run_loop import execute
from bench.system import device_monitor, process, registry
from bench.system.clock import Clock, SystemClock
from bench.system.machine import check_gpu_numbering, describe_machine, machine_lock
from bench.task import Task
from bench.workloads import dataset_loader
from bench.workloads.workload import Workload

LOCK_WAIT_SECONDS = 600.0


class SavedResult(NamedTuple):
    """A result, and the file that it was saved in."""

    result: Result
    path: Path


@dataclass(frozen=True)
class ResolvedRun:
    """The task, the backend, the machine and the model of a run, found before anything is loaded.

    `source` is what the backend's `prepare` returned.
    """

    task: Task
    backend: ModuleType
    machine: Machine
    spec: ModelSpec
    source: Any


def run(
    config: RunConfig, on_event: events.OnEvent = events.ignore, clock: Clock | None = None
) -> SavedResult:
    """Measure one model on one task, and save the result.

    `on_event` receives the events of `bench.runner.events` between windows. A model that fails is
    a result too, with `status` "failed". Raises ValueError, with one sentence, for a name that does
    not exist or an option that is not possible here, OSError where the result cannot be saved, and
    TimeoutError where another run holds the machine for ten minutes.
    """
    resolved = resolve(config)
    workload = load_workload(config, resolved)
    load = model_loader(resolved, workload)
    with lock_machine(on_event):
        instruments, machine = open_instruments(config, resolved, clock or SystemClock())
        saved: list[Path] = []
        save = result_saver(output_folder(config), saved)
        result = execute(config, workload, machine, instruments, load, save, on_event)
    return SavedResult(result, saved[-1])


def resolve(config: RunConfig) -> ResolvedRun:
    """Find the task, the device and the model; a model of the hub is downloaded, none is loaded.

    Raises ValueError, with one sentence, for a name that does not exist or an option that is not
    possible here, and OSError where results could not be saved.
    """
    process.configure_environment()
    task = registry.find_task(config.task)
    if config.task_parameters and task.tag not in DIFFUSION_TAGS:
        raise ValueError(f"--steps and --size are for tasks that draw, and {task.id} is none")
    if config.label_method != "auto" and task.tag != "text-classification":
        raise ValueError(f"--ask is for text classification, and {task.id} is another task")
    check_meter_options(config.meter_options)
    storage.check_writable(output_folder(config) / task.id)
    backend = _backend(config, task)
    machine = describe_machine(config.device)
    if machine.used_gpus:
        check_gpu_numbering(machine)
    spec = ModelSpec(
        task_id=task.id,
        tag=task.tag,
        model=config.model,
        parameters=task.parameters,
        settings=config,
        devices=torch_devices(config.device, machine),
    )
    return ResolvedRun(task, backend, machine, spec, backend.prepare(spec))


def load_workload(config: RunConfig, resolved: ResolvedRun) -> Workload:
    """The requests of a run. Raises ValueError where there is no such data set."""
    name = config.dataset or _default_dataset(resolved.task, config.model)
    return dataset_loader.load_dataset_workload(resolved.task, name, config.task_parameters)


def model_loader(resolved: ResolvedRun, workload: Workload) -> Callable[[], Session]:
    """A function that brings the model into memory, for the parameters of the workload."""
    spec = replace(resolved.spec, parameters=workload.parameters, labels=workload.labels)

    def load() -> Session:
        session: Session = resolved.backend.load(spec, resolved.source)
        return session

    return load


def lock_machine(on_event: events.OnEvent) -> Any:
    """Hold this machine for one run at a time; emits an event where another run holds it."""
    return machine_lock(
        LOCK_WAIT_SECONDS, lambda message: on_event(events.WaitingForMachine(message))
    )


def open_instruments(
    config: RunConfig, resolved: ResolvedRun, clock: Clock
) -> tuple[Instruments, Machine]:
    """The instruments of a run, and the machine with the sensors of all meters."""
    monitor = device_monitor.DeviceMonitor(resolved.machine)
    context = MeterContext(clock, resolved.machine.devices, config.meter_options)
    meters, sensors = open_meters(config.meter, context)
    instruments = Instruments(clock, meters, monitor.sample, monitor.foreign_processes)
    return instruments, resolved.machine.model_copy(update={"sensors": sensors})


def output_folder(config: RunConfig) -> Path:
    """The folder of results: the option `out`, or the default one."""
    return config.out or storage.default_output_folder()


def result_saver(out: Path, saved: list[Path]) -> Callable[[Result], None]:
    """A function that saves a result under `out`, and appends its path to `saved`."""

    def save(result: Result) -> None:
        path = storage.run_path(out, result)
        storage.save_result(result, path)
        saved.append(path)

    return save


def _backend(config: RunConfig, task: Task) -> ModuleType:
    if config.backend:
        return registry.load("backend", config.backend)
    for name in registry.names("backend"):
        module = registry.load("backend", name)
        if task.tag in module.TAGS:
            return module
    raise registry.NameNotFound(f"no backend serves {task.tag}")


def _default_dataset(task: Task, model: str) -> str:
    """The embedded data set for an embedded model; for any other the task's first hub data set."""
    if model.partition("/")[0] == "embedded":
        return "embedded"
    return next((name for name in task.datasets if name != "embedded"), "standard")
