"""From what was asked for to a saved result: finds, checks, opens, and hands over to `conduct`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.backends import ModelSpec, Session
from bench.conduct import CPU_BUDGET_SECONDS, GPU_BUDGET_SECONDS, Order, Profile, conduct
from bench.measure import Rig
from bench.meters import Meter, MeterContext
from bench.results import storage
from bench.results.machine_record import Machine, Sensor
from bench.results.record import Model, Result
from bench.system import device_monitor, machine, registry
from bench.system.clock import Clock, SystemClock
from bench.task import Setting, Task
from bench.workloads import dataset_loader
from bench.workloads.workload import Workload

LOCK_WAIT_SECONDS = 600.0


# Tags of tasks whose steps and size can be chosen.
DRAWING = ("text-to-image", "text-to-video")


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
    quantization: str | None = None
    compile: bool = False
    attention: str | None = None
    chosen: Mapping[str, Setting] = field(default_factory=dict)
    revision: str | None = None
    allow_pickle: bool = False
    trust_remote_code: bool = False
    budget_seconds: float | None = None
    profile: Profile = "standard"
    max_inferences: int | None = None
    backend: str | None = None
    meter: str | None = None
    ask: str = "auto"
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What a run needs, found and checked before anything is loaded."""

    task: Task
    backend: ModuleType
    machine: Machine
    spec: ModelSpec
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
    found = prepare(asked)
    work = workload(asked, found)
    load = loader(found, work)
    with machine.machine_lock(LOCK_WAIT_SECONDS, tell):
        rig, described = rigged(asked, found, clock or SystemClock())
        saved: list[Path] = []
        save = saver(asked.out, saved)
        result = conduct(order(asked, found.spec), work, described, rig, load, save, tell)
    return result, saved[-1]


def workload(asked: Asked, found: Found) -> Workload:
    """The requests of a run. Raises ValueError where there is no such data set."""
    name = asked.dataset or _default_dataset(found.task, asked.model)
    return dataset_loader.load_dataset_workload(found.task, name, asked.chosen)


def loader(found: Found, work: Workload) -> Callable[[], Session]:
    """What brings the model into memory, for the parameters of its workload."""
    spec = replace(found.spec, parameters=work.parameters, labels=work.labels)

    def load() -> Session:
        session: Session = found.backend.load(spec, found.source)
        return session

    return load


def rigged(asked: Asked, found: Found, clock: Clock) -> tuple[Rig, Machine]:
    """The meters that can read here, and the machine with what all of them said of themselves."""
    baseline = device_monitor.DeviceMonitor(found.machine)
    site = MeterContext(clock, found.machine.devices, asked.options)
    meters, sensors = open_meters(asked.meter, site)
    opened = tuple(item.meter for item in meters)
    rig = Rig(clock, opened, baseline.look, baseline.strangers)
    return rig, found.machine.model_copy(update={"sensors": sensors})


def saver(out: Path, saved: list[Path]) -> Callable[[Result], None]:
    """What saves a result under `out`, and notes the path."""

    def save(result: Result) -> None:
        path = storage.run_path(out, result)
        storage.save_result(result, path)
        saved.append(path)

    return save


def prepare(asked: Asked) -> Found:
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
    return Found(task, backend, described, spec, backend.prepare(spec))


def open_meters(wanted: str | None, site: MeterContext) -> tuple[list[Opened], tuple[Sensor, ...]]:
    """Every meter that can read here, slowest sensor first, and what all of them said.

    `wanted` names one meter alone, with what it needs after a colon: "replay:trace.csv". Raises
    ValueError where that one can't read.
    """
    if wanted:
        name, _, argument = wanted.partition(":")
        options = {**site.options, **({"trace": argument} if argument else {})}
        site = MeterContext(site.clock, site.devices, options)
        meter: Meter = registry.load("meter", name).build(site)
        sensor = meter.probe()
        if not sensor.usable:
            raise ValueError(f"the meter {name} can't read here: {sensor.reason}")
        return [Opened(meter, sensor)], (sensor,)
    modules = [registry.load("meter", name) for name in registry.names("meter")]
    built = [module.build(site) for module in modules if not getattr(module, "ON_REQUEST", False)]
    opened = [Opened(meter, meter.probe()) for meter in built]
    usable = [item for item in opened if item.sensor.usable]
    usable.sort(key=lambda item: -(item.sensor.step_seconds or 0.0))
    return usable, tuple(item.sensor for item in opened)


def drawing(steps: int | None, size: str | None) -> dict[str, int]:
    """The parameters of a task that draws, where they are chosen: steps, width and height.

    Raises ValueError for a size that is not like 640x480.
    """
    chosen = {} if steps is None else {"steps": steps}
    if size is None:
        return chosen
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ValueError(f"the size {size!r} is not like 512x512")
    sides = {"width": int(width), "height": int(height)}
    if any(side == 0 or side % 8 for side in sides.values()):
        raise ValueError(f"the size {size} is not in whole eights of pixels")
    return {**chosen, **sides}


def _backend(asked: Asked, task: Task) -> ModuleType:
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


def _spec(asked: Asked, task: Task, described: Machine) -> ModelSpec:
    if any(d.used and d.domain.startswith("gpu:") for d in described.devices):
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


def order(asked: Asked, spec: ModelSpec) -> Order:
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
