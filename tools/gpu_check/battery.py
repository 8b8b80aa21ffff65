"""The battery part: published workloads with random weights, each with a share of the time.

The requests are the embedded ones (there is no network) at the settings of the standard data set.
A block has so many requests that five windows and the warm-up fit: at most six, so that a run has
thirty inferences or as many as fit, and at least one.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from bench.backends import BackendError, ModelSpec, Session
from bench.meters import MeterContext
from bench.results.analysis_versions import analysis_parameters
from bench.results.machine_record import Machine
from bench.results.record import Result
from bench.results.settings import ModelSettings
from bench.runner.config import RunConfig
from bench.runner.instruments import Instruments, open_meters
from bench.runner.run_loop import RunLoop
from bench.system import device_monitor, machine, registry
from bench.system.clock import Clock
from bench.task import Embedded
from bench.workloads import embedded
from bench.workloads.workload import Workload, build_workload
from tools.gpu_check.published import SOURCE, Entry, compare

DATASET = "embedded requests at published settings"
MOST_PER_BLOCK = 6
OTHER_WINDOWS = 2  # warm-up and the power trace
SLOW_SECONDS = 3.0  # an inference that takes longer is timed once
IDLE_SECONDS, EDGE_SECONDS = 20.0, 2.0
LOCK_WAIT_SECONDS = 60.0


def run_all(
    device: str,
    described: Machine,
    entries: Sequence[Entry],
    seconds: float,
    clock: Clock,
    log: Callable[[str], None],
) -> dict[str, Any]:
    """Run every entry that can be run here within `seconds`; 0 seconds make tiny runs."""
    until = clock.now() + seconds
    skipped: list[str] = []
    ready = []
    for entry in entries:
        why = _why_not(entry)
        if why:
            log(why)
            skipped.append(why)
        else:
            ready.append(entry)
    rows = []
    for position, entry in enumerate(ready):
        left = entry.share / math.fsum(e.share for e in ready[position:])
        share = left * (until - clock.now()) if seconds else 0.0
        log(f"{entry.model}: {f'{share:.0f} s' if seconds else 'tiny'}")
        try:
            rows.append(_Run(entry, device, described, clock, log).row(share))
        except (
            BackendError,
            ValueError,
        ) as failure:  # no model, or a decoder that is not installed
            skipped.append(f"{entry.model}: {failure}")
    return {"published_source": SOURCE, "dataset": DATASET, "rows": rows, "skipped": skipped}


def _why_not(entry: Entry) -> str | None:
    """Why an entry is left out, in one line; None where it can run."""
    try:
        backend = _backend(registry.find_task(entry.task).tag)
    except registry.NameNotFound as missing:
        return f"{entry.model} is left out: {missing}"
    library = backend.__name__.rpartition(".")[2]
    if library == "diffusers" and not _installed(library):
        return f"{entry.model} is left out: the package diffusers is not installed"
    return None


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _backend(tag: str) -> ModuleType:
    for name in registry.names("backend"):
        module = registry.load("backend", name)
        if tag in module.TAGS:
            return module
    raise registry.NameNotFound(f"no backend serves {tag}")


class _Run:
    """One entry on one device."""

    def __init__(
        self,
        entry: Entry,
        device: str,
        described: Machine,
        clock: Clock,
        log: Callable[[str], None],
    ) -> None:
        self._entry, self._clock, self._log = entry, clock, log
        self._described = described
        task = registry.find_task(entry.task)
        self._backend = _backend(task.tag)
        self._workload = _workload(entry.task)
        gpus = [device.domain for device in described.used_gpus]
        self._gpu = gpus[0] if gpus else None
        gpu_device = "cuda:0" if device == "auto" else device
        self._spec = ModelSpec(
            task_id=task.id,
            tag=task.tag,
            model=entry.model,
            parameters=self._workload.parameters,
            settings=ModelSettings(weights="random", dtype=entry.dtype if self._gpu else "auto"),
            devices=(gpu_device if self._gpu else "cpu",),
        )

    def row(self, share: float) -> dict[str, Any]:
        """Run for about `share` seconds (0: a tiny run) and compare with the published figure."""
        began = self._clock.now()
        pace, loading = self._inference_and_loading_seconds()
        left = share - (self._clock.now() - began) - loading
        size = block_size(pace, left) if share else 1
        result = self._measured(size, left if share else None)
        timing = {"seconds": self._clock.now() - began, "block_size": size}
        return {**compare(self._entry, self._gpu, result), **timing}

    def _inference_and_loading_seconds(self) -> tuple[float, float]:
        """Seconds of one inference (the second, unless it is slow), and of loading."""
        began = self._clock.now()
        session: Session = self._backend.load(self._spec)
        loading = self._clock.now() - began
        try:
            for _ in range(2):
                began = self._clock.now()
                session.serve(self._workload.requests[:1])
                pace = self._clock.now() - began
                if pace > SLOW_SECONDS:
                    break
            return pace, loading
        finally:
            session.close()

    def _measured(self, size: int, budget: float | None) -> Result:
        """One run; quick, one inference a window, where there is no budget."""
        requests = self._workload.requests
        blocks = tuple(
            requests[start : start + size] for start in range(0, len(requests) - size + 1, size)
        )
        served = replace(self._workload, blocks=blocks)
        config = RunConfig(
            task=self._entry.task,
            model=self._entry.model,
            weights="random",
            dtype=self._spec.settings.dtype,
            budget_seconds=max(1.0, budget or 0.0),
            max_inferences=None if budget else size,
        )
        with machine.machine_lock(LOCK_WAIT_SECONDS, self._log):
            monitor = device_monitor.DeviceMonitor(self._described, loaded=True)
            meters, sensors = open_meters(None, MeterContext(self._clock, self._described.devices))
            instruments = Instruments(
                self._clock, meters, monitor.sample, monitor.foreign_processes
            )
            described = self._described.model_copy(update={"sensors": sensors})
            loop = RunLoop(
                config,
                served,
                described,
                instruments,
                self._load,
                _save_nothing,
                lambda event: self._log(str(event)),
            )
            return loop.execute()

    def _load(self) -> Session:
        session: Session = self._backend.load(self._spec)
        return session


def _save_nothing(result: Result) -> None:
    """Save nothing during the run: the record holds its result."""


def _workload(name: str) -> Workload:
    """The embedded requests of a task, with the parameters of its standard data set."""
    task = registry.find_task(name)
    source = task.datasets["embedded"]
    assert isinstance(source, Embedded)
    rows = embedded.rows(source.file)
    return build_workload(task, DATASET, rows, task.datasets["standard"].parameters)


def block_size(pace: float, seconds: float) -> int:
    """Inferences in a block with which five windows and the others fit into so many seconds."""
    windows = analysis_parameters().min_long_trials + OTHER_WINDOWS
    usable = seconds - IDLE_SECONDS - EDGE_SECONDS * windows
    return max(1, min(MOST_PER_BLOCK, int(usable / (windows * max(pace, 1e-9)))))
