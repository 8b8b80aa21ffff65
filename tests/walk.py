"""A whole run in virtual time, with a known power: what the tests of the walk share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench.backends import ModelSpec, Session
from bench.backends.simulated import SimulatedSession
from bench.meters import MeterContext
from bench.meters.replay import ReplayMeter, ReplayTrace
from bench.results.machine_record import Machine, Sensor
from bench.results.record import Model, Result
from bench.runner.instruments import Instruments
from bench.runner.protocol import Order
from bench.runner.run_loop import execute
from bench.system.clock import VirtualClock
from bench.task import Embedded, Metric, Output, Request, Row, Setting, Task
from bench.workloads.workload import Workload, build_workload


def make_request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    return Request(inputs={"text": row["text"]}, reference=row.get("label"))


def make_answer(asked: Request, output: Output) -> tuple[str, str | None] | None:
    return None if asked.reference is None else (asked.reference, output.label)


TASK = Task(
    id="walk",
    version=1,
    title="A task that only takes time",
    tag="text-generation",
    inference="nothing",
    unit="token",
    parameters={"new_tokens": 10},
    datasets={"embedded": Embedded("none")},
    request=make_request,
    metric=Metric("accuracy", "accuracy", make_answer),
)
WORK = build_workload(TASK, "embedded", [{"text": "x" * n} for n in range(1, 101)], {})
MODEL = Model(
    id="simulated", revision=None, weights="random", dtype=None, parameter_count=None, settings={}
)
SPEC = ModelSpec(
    task_id="walk", tag="text-generation", model="simulated", parameters=WORK.parameters
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


def walk(
    trace: ReplayTrace,
    *,
    seconds: float = 0.1,
    noise: float = 0.0,
    seed: int = 0,
    order: Order | None = None,
    work: Workload = WORK,
    save: Callable[[Result], None] = lambda result: None,
    load: Callable[[VirtualClock], Session] | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Result:
    clock = VirtualClock()
    meter = ReplayMeter(MeterContext(clock, ()), trace)

    def default_load() -> Session:
        return SimulatedSession(SPEC, clock, seconds, noise, seed)

    return execute(
        order or Order(MODEL),
        work,
        machine(meter.probe()),
        Instruments(clock, (meter,)),
        (lambda: load(clock)) if load else default_load,
        save,
        tell,
    )
