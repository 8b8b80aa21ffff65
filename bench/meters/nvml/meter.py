"""The meter of NVIDIA GPUs: windows of all GPUs at once, and the cumulative mode."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bench.meters._bracketing import CounterEdge
from bench.meters._edge_poller import EdgePoller, poll_until
from bench.meters._latency import LONGEST_SECONDS
from bench.meters._power_integrator import USUAL_STEP_SECONDS
from bench.meters.nvml.cumulative import CounterDifference, CumulativeGpu
from bench.meters.nvml.gpu_sensor import METER, POWER_DUTY, GpuSensor, has_average, watts
from bench.system import nvidia_driver
from bench.system.machine import snapshot_gpus
from bench.system.sensor_error import SensorReadError

if TYPE_CHECKING:
    from bench.meters import MeterContext
    from bench.results.machine_record import Sensor
    from bench.results.record import Reading

PROBE_SECONDS = 1.6  # 13 edges of a step of 0.1 s, with a margin of 0.3 s
PROBE_EDGES = 13
# Edges to wait for, the fewest that reach ± 0.024 % in the simulation (docs/decisions/0002).
EDGES_BEFORE, EDGES_AFTER = 6, 9  # at most; fewer after where the energy is sharp already
EDGES_BEFORE_LONG = 4  # where the last window was long
EDGES_LEAST = 3
LONG_STEPS = 10  # a window of more steps is long
EDGES_UNDER_LOAD = 8
EDGES_AFTER_PROGRAM = 8  # in cumulative mode, to learn the sensor from
PROGRAM_TIMEOUT_SECONDS = 2.0  # in cumulative mode, for those: 20 steps of 0.1 s
CALIBRATION_HALF_WIDTH = 0.05
CALIBRATION_SOURCE = "assumed: NVIDIA states ±5 % for power readings of most cards"
MODULE_SOURCE = "; the counter covers the whole module, with the CPU and its memory"


@dataclass(frozen=True)
class NvmlWindowStart:
    """An open window: edges before it by domain, and the counters of the unused GPUs."""

    before: Mapping[str, tuple[CounterEdge, ...]]
    unused: tuple[CounterDifference, ...]


class NvmlMeter:
    """All NVIDIA GPUs of the context: bracketed if they are used, else two reads subtracted.

    Options: `nvml_counter_duty` and `nvml_power_duty`, the share of time (0 to 1) for which the
    sensor behind the counter (assumed 1) and behind the power reading (assumed 0.25) samples;
    `nvml_tail_watts`, the most (W) that power right after a load is above the mean of the next step
    of the counter, where this has been measured (else up to the load's power is allowed for);
    `nvml_back_to_back=1` for a load that goes on before a window and after it, so that there is no
    rest around it; `nvml_mig=whole` for the energy of all of a GPU that MIG splits.
    """

    name = METER

    def __init__(self, context: MeterContext) -> None:
        self._clock = context.clock
        self._counter_duty = _share_option(context, "nvml_counter_duty", 1.0)
        self._power_duty = _share_option(context, "nvml_power_duty", POWER_DUTY)
        self._tail_watts = _watts_option(context, "nvml_tail_watts")
        self._under_load = context.options.get("nvml_back_to_back", "0") not in ("", "0")
        self._edges_before = EDGES_BEFORE
        whole_gpu = context.options.get("nvml_mig", "") == "whole"
        gpus = [d for d in context.devices if d.is_gpu and d.uuid]
        self._sensors = [
            GpuSensor(
                d, self._clock, self._counter_duty, self._power_duty, whole_gpu, self._tail_watts
            )
            for d in gpus
            if d.used
        ]
        self._unused = [d for d in gpus if not d.used]
        self._cumulative: list[CumulativeGpu] = []
        self._probed = False
        self._random = random.Random()  # apart from the run's own random numbers

    def probe(self) -> Sensor:
        """Which GPUs can be read and how well; takes up to two seconds, at rest."""
        self._probed = True
        for sensor in self._sensors:
            sensor.choose()
        self._characterise_counters()
        for sensor in self._sensors:
            if sensor.poller is None:
                sensor.integrate(PROBE_SECONDS, self._power_duty)
            elif self._counter_duty < 1 and has_average(sensor.uuid):
                sensor.integrate(PROBE_SECONDS, self._counter_duty)
        return self.sensor()

    def _characterise_counters(self) -> None:
        """Poll all counters at rest, and power readings at the same time to compare them with."""
        counted = [(sensor, sensor.poller) for sensor in self._sensors if sensor.poller]
        power = [
            EdgePoller(partial(watts, sensor.uuid), self._clock, USUAL_STEP_SECONDS, 0.01)
            for sensor, _ in counted
        ]
        counters = {poller for _, poller in counted}
        poll_until(
            self._clock,
            [*counters, *power],
            lambda poller: poller not in counters or len(poller.edges) >= PROBE_EDGES,
            PROBE_SECONDS,
        )
        for (sensor, _), power_poller in zip(counted, power, strict=True):
            sensor.learn(power_poller.edges)

    def sensor(self) -> Sensor:
        """What is known of the GPUs' sensors; figures of the slowest, the worst of the ratios."""
        from bench.results.machine_record import Sensor

        if not self._sensors:
            gpus, reason = snapshot_gpus()
            reason = "the run uses no NVIDIA GPU" if gpus else reason
            return Sensor(meter=self.name, usable=False, reason=reason)
        good = [sensor for sensor in self._sensors if sensor.reason is None]
        bad = "; ".join(f"{s.device.domain}: {s.reason}" for s in self._sensors if s.reason)
        if not good:
            return Sensor(meter=self.name, usable=False, reason=bad)
        models = [sensor.model for sensor in good if sensor.characterised]
        slowest = max(models, key=lambda model: model.step_seconds, default=None)
        ratios = [s.counter_to_power_ratio for s in good if s.counter_to_power_ratio is not None]
        counter = slowest if all(s.integrator is None for s in good) else None
        covers_module = any(nvidia_driver.covers_module(s.device.name) for s in self._sensors)
        return Sensor(
            meter=self.name,
            usable=True,
            reason=bad or None,
            domains=tuple(sensor.device.domain for sensor in good),
            method="integrated" if any(s.integrator for s in good) else "counter",
            step_seconds=slowest.step_seconds if slowest else None,
            jitter_seconds=counter.jitter_seconds if counter else None,
            quantum_joules=counter.quantum_joules if counter else None,
            read_cost_seconds=max((model.read_cost_seconds for model in models), default=None),
            counter_to_power_ratio=max(ratios, key=lambda r: abs(r - 1)) if ratios else None,
            calibration_relative_half_width=CALIBRATION_HALF_WIDTH,
            calibration_source=CALIBRATION_SOURCE + (MODULE_SOURCE if covers_module else ""),
        )

    def start(self) -> NvmlWindowStart:
        """Wait for a few edges of every GPU's sensor, then begin at a random phase of it.

        Windows of equal work would else end at the same phase each time: a late counter would
        never be noticed, and what a part-time sensor misses would not scatter but repeat. Only
        under a load that goes on does a window begin right at an edge, where the counter is known.
        """
        if not self._probed:
            self.probe()
        unused = tuple(CounterDifference(device, self._clock) for device in self._unused)
        for difference in unused:
            difference.open()
        integrators = [sensor.integrator for sensor in self._sensors if sensor.integrator]
        for integrator in integrators:
            integrator.start()
        pollers = [sensor.poller for sensor in self._sensors if sensor.poller]
        for poller in pollers:
            poller.clear()
        count = EDGES_UNDER_LOAD if self._under_load else self._edges_before
        poll_until(self._clock, pollers, lambda p: p.sharp_edge_count() >= count, self._timeout())
        for integrator in integrators:
            integrator.wait_for_edges(count, 0.0, self._timeout())
        if not (self._under_load and pollers and self._counter_duty == 1):
            self._clock.sleep(self._random.random() * self._longest_step())
        before = {s.device.domain: tuple(s.poller.edges) for s in self._sensors if s.poller}
        return NvmlWindowStart(before, unused)

    def _longest_step(self) -> float:
        return max((sensor.model.step_seconds for sensor in self._sensors), default=0.0)

    def _timeout(self) -> float:
        """Seconds to wait for edges: twelve steps, the settling and a second for late reads."""
        models = [sensor.model for sensor in self._sensors]
        return 1.0 + max((12 * m.step_seconds + m.settle_seconds for m in models), default=0.0)

    def stop(self, token: NvmlWindowStart, began: float, ended: float) -> tuple[Reading, ...]:
        """Wait for edges after the window, and read the energy between `began` and `ended`."""
        for difference in token.unused:
            difference.update()
        enough: dict[EdgePoller, Callable[[], bool]] = {}
        for sensor in self._sensors:
            if sensor.poller and not sensor.poller.failure:
                sensor.poller.clear()
                sensor.poller.poll()
                before = token.before.get(sensor.device.domain, ())
                enough[sensor.poller] = self._is_enough(sensor, sensor.poller, before, began, ended)
        poll_until(self._clock, list(enough), lambda p: enough[p](), self._timeout())
        is_long = ended - began > LONG_STEPS * self._longest_step()
        self._edges_before = EDGES_BEFORE_LONG if is_long else EDGES_BEFORE
        for sensor in self._sensors:
            if sensor.integrator:
                since = ended + max(sensor.model.settle_seconds, sensor.model.latency.upper_bound)
                sensor.integrator.wait_for_edges(EDGES_AFTER, since, self._timeout())
                sensor.integrator.stop()
        used = [
            sensor.reading(
                token.before.get(sensor.device.domain, ()), began, ended, self._under_load
            )
            for sensor in self._sensors
        ]
        return (*used, *(difference.reading(began, ended) for difference in token.unused))

    def _is_enough(
        self,
        sensor: GpuSensor,
        poller: EdgePoller,
        before: tuple[CounterEdge, ...],
        began: float,
        ended: float,
    ) -> Callable[[], bool]:
        """A function that returns whether a counter's edges after the window are enough."""
        if self._under_load:
            return lambda: poller.sharp_edge_count(ended) >= EDGES_UNDER_LOAD
        since = ended + sensor.model.latency.upper_bound
        sharp_by_count: dict[int, bool] = {}

        def is_enough() -> bool:
            count = poller.sharp_edge_count(since)
            if count < EDGES_LEAST or count >= EDGES_AFTER:
                return count >= EDGES_AFTER
            if count not in sharp_by_count:
                sharp_by_count[count] = sensor.is_sharp(before, began, ended)
            return sharp_by_count[count]

        return is_enough

    def watts(self) -> Mapping[str, float]:
        """Power of each GPU in use at this moment, in watts; unreadable ones are left out."""
        now = {}
        for sensor in self._sensors:
            try:
                now[sensor.device.domain] = watts(sensor.uuid)
            except SensorReadError:
                continue
        return now

    def open(self) -> None:
        """Cumulative mode: read each counter once, without waiting for its sensor."""
        self._cumulative = [CumulativeGpu(sensor) for sensor in self._sensors]
        for gpu in self._cumulative:
            gpu.open()

    def so_far(self, began: float, now: float) -> tuple[Reading, ...]:
        """Cumulative mode: plain differences, cheap and approximate."""
        return tuple(gpu.so_far(began, now) for gpu in self._cumulative)

    def close(self, began: float, ended: float) -> tuple[Reading, ...]:
        """Cumulative mode: learn the sensors at rest, about a second, and read the window."""
        for gpu in self._cumulative:
            gpu.prepare_close()
        pollers = [sensor.poller for sensor in self._sensors if sensor.poller]
        poll_until(
            self._clock,
            pollers,
            lambda poller: (
                poller.sharp_edge_count(ended) >= EDGES_AFTER_PROGRAM
                and poller.sharp_edge_count(ended + LONGEST_SECONDS) >= EDGES_LEAST
            ),
            PROGRAM_TIMEOUT_SECONDS,
        )
        return tuple(gpu.close(began, ended, PROGRAM_TIMEOUT_SECONDS) for gpu in self._cumulative)


def _share_option(context: MeterContext, name: str, default: float) -> float:
    """An option that is a share of time. Raises ValueError for any other value."""
    text = context.options.get(name)
    try:
        share = default if text is None else float(text)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise ValueError(f"the meter's option {name} is a share of time, above 0 to 1, not {text}")
    return share


def _watts_option(context: MeterContext, name: str) -> float:
    """An option in watts, infinite where it is not given. Raises ValueError for another value."""
    text = context.options.get(name)
    try:
        watts_value = math.inf if text is None else float(text)
    except ValueError:
        watts_value = -1.0
    if not watts_value >= 0:
        raise ValueError(f"the meter's option {name} is a power in watts, 0 or more, not {text}")
    return watts_value
