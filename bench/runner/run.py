"""`run`: from a `RunConfig` to a saved result; resolves names, opens the meters, runs the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from bench.backends import ModelSpec, Session
from bench.meters import MeterContext
from bench.results import storage
from bench.results.machine_record import Machine
from bench.results.record import Result
from bench.runner.config import DIFFUSION_TAGS, RunConfig, torch_devices
from bench.runner.events import Event, OnEvent, ignore
from bench.runner.instruments import Instruments, check_meter_options, open_meters
from bench.runner.quiet_machine import wait_for_quiet_machine
from bench.runner.run_loop import RunLoop
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
    """The parts of a run that are found before the model is loaded.

    `load_model` brings the model into memory, for the parameters of the workload.
    """

    config: RunConfig
    machine: Machine
    spec: ModelSpec
    workload: Workload
    load_model: Callable[[], Session]

    def loop(
        self, instruments: Instruments, machine: Machine, on_event: OnEvent = ignore
    ) -> RunLoop:
        """The loop of this run, which saves its results; `machine` carries the meters' sensors."""
        save = partial(_save, _output_folder(self.config))
        return RunLoop(
            self.config, self.workload, machine, instruments, self.load_model, save, on_event
        )


def run(config: RunConfig, on_event: OnEvent = ignore, clock: Clock | None = None) -> SavedResult:
    """Measure one model on one task, and save the result.

    `on_event` receives the events of `bench.runner.events` between windows. A model that fails is
    a result too, with `status` "failed". Raises ValueError, with one sentence, for a name that does
    not exist or an option that is not possible here, OSError where the result cannot be saved, and
    TimeoutError where another run holds the machine for ten minutes.
    """
    resolved = resolve(config)
    clock = clock or SystemClock()
    with lock_machine(on_event):
        wait_for_quiet_machine(config.profile, clock, on_event)
        loop = resolved.loop(*open_instruments(resolved, clock), on_event)
        result = loop.execute()
    return SavedResult(result, loop.recorder.path)


def resolve(config: RunConfig) -> ResolvedRun:
    """Find the task, the device, the model and the data set; a model of the hub is downloaded.

    Raises ValueError, with one sentence, for a name that does not exist or an option that is not
    possible here, and OSError where results could not be saved.
    """
    process.configure_environment()
    process.let_waiting_threads_sleep()
    task = registry.find_task(config.task)
    if config.task_parameters and task.tag not in DIFFUSION_TAGS:
        raise ValueError(f"--steps and --size are for tasks that draw, and {task.id} is none")
    if config.label_method != "auto" and task.tag != "text-classification":
        raise ValueError(f"--ask is for text classification, and {task.id} is another task")
    check_meter_options(config.meter_options)
    storage.check_writable(_output_folder(config) / task.id)
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
    source = backend.prepare(spec)
    name = config.dataset or _default_dataset(task, config.model)
    workload = dataset_loader.load_dataset_workload(task, name, config.task_parameters)
    loaded = replace(spec, parameters=workload.parameters, labels=workload.labels)
    return ResolvedRun(config, machine, spec, workload, partial(backend.load, loaded, source))


def lock_machine(on_event: OnEvent) -> Any:
    """Hold this machine for one run at a time; emits an event where another run holds it."""
    return machine_lock(
        LOCK_WAIT_SECONDS, lambda message: on_event(Event("waiting-for-machine", message=message))
    )


def open_instruments(resolved: ResolvedRun, clock: Clock) -> tuple[Instruments, Machine]:
    """The instruments of a run, and the machine with the sensors of all meters."""
    config = resolved.config
    monitor = device_monitor.DeviceMonitor(resolved.machine)
    context = MeterContext(clock, resolved.machine.devices, config.meter_options)
    meters, sensors = open_meters(config.meter, context)
    instruments = Instruments(clock, meters, monitor.sample, monitor.foreign_processes)
    return instruments, resolved.machine.model_copy(update={"sensors": sensors})


def _output_folder(config: RunConfig) -> Path:
    return config.out or storage.default_output_folder()


def _save(folder: Path, result: Result) -> Path:
    path = storage.run_path(folder, result)
    storage.save_result(result, path)
    return path


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
