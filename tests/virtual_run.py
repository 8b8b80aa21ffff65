"""A whole run in virtual time with a known power, shared by several tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from virtual_clock import VirtualClock

from bench.backends import ModelSpec, Session
from bench.backends.simulated import SimulatedSession
from bench.meters import MeterContext
from bench.meters.replay import ReplayMeter, ReplayTrace
from bench.results.machine_record import Machine, Sensor
from bench.results.record import Result
from bench.runner.config import RunConfig
from bench.runner.events import OnEvent, ignore
from bench.runner.instruments import Instruments
from bench.runner.run_loop import RunLoop
from bench.task import Embedded, Metric, Output, Request, Row, Setting, Task
from bench.workloads.workload import Workload, build_workload


def make_request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    return Request(inputs={"text": row["text"]}, reference=row.get("label"))


def make_answer(request: Request, output: Output) -> tuple[str, str | None] | None:
    return None if request.reference is None else (request.reference, output.label)


TASK = Task(
    id="virtual",
    version=1,
    title="A task that only takes time",
    tag="text-generation",
    inference="a wait",
    unit="token",
    parameters={"new_tokens": 10},
    datasets={"embedded": Embedded("none")},
    request=make_request,
    metric=Metric("accuracy", "accuracy", make_answer),
)
WORKLOAD = build_workload(TASK, "embedded", [{"text": "x" * n} for n in range(1, 101)], {})
CONFIG = RunConfig(task="virtual", model="simulated", weights="random")
SPEC = ModelSpec(
    task_id="virtual", tag="text-generation", model="simulated", parameters=WORKLOAD.parameters
)


def machine(*sensors: Sensor) -> Machine:
    return Machine(
        operating_system="test",
        architecture="test",
        cpu_name="test",
        cpu_logical_count=1,
        memory_bytes=1,
        container=False,
        python_version="3.11",
        devices=(),
        sensors=sensors,
    )


def virtual_run(
    trace: ReplayTrace,
    *,
    seconds: float = 0.1,
    noise: float = 0.0,
    seed: int = 0,
    config: RunConfig = CONFIG,
    workload: Workload = WORKLOAD,
    save: Callable[[Result], None] = lambda result: None,
    load: Callable[[VirtualClock], Session] | None = None,
    on_event: OnEvent = ignore,
) -> Result:
    """Run a model that takes `seconds` for a request while the power follows `trace`."""
    clock = VirtualClock()
    meter = ReplayMeter(MeterContext(clock, ()), trace)

    def default_load() -> Session:
        return SimulatedSession(SPEC, clock, seconds, noise, seed)

    return RunLoop(
        config,
        workload,
        machine(meter.probe()),
        Instruments(clock, (meter,)),
        (lambda: load(clock)) if load else default_load,
        save,
        on_event,
    ).execute()
