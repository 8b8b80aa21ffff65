"""Bracketing of counter edges in virtual time: bounds of errors, coverage of intervals."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from virtual_clock import VirtualClock

from bench.meters._bracketing import (
    CounterEdge,
    CounterReading,
    SensorModel,
    WindowEnergy,
    edges_from_reading,
    fit_at,
    mean_power,
    window_energy,
)
from bench.meters._edge_poller import EdgePoller, poll_until, sensor_model
from bench.meters._latency import LatencyPosterior
from bench.meters._load_end import Edge, LoadEnd, LoadEndHistory, energy_to_first_edge
from bench.meters._power_integrator import PowerIntegrator
from bench.system.sensor_error import SensorReadError

IDLE, LOAD, BUMP, TAU = 70.0, 330.0, 15.0, 0.5


@dataclass
class Device:
    """A true energy over time: rest, a load that oscillates, and a tail that falls off."""

    began: float
    ended: float
    idle: float = IDLE
    load: float = LOAD
    bump: float = BUMP

    def joules(self, t: float) -> float:
        inside = min(max(t - self.began, 0.0), self.ended - self.began)
        wave = 0.2 * self.load * (1 - math.cos(37 * inside)) / 37
        after = max(t - self.ended, 0.0)
        tail = self.bump * TAU * (1 - math.exp(-after / TAU))
        return self.idle * t + self.load * inside + wave + tail

    @property
    def true_joules(self) -> float:
        """True energy of the window."""
        return self.joules(self.ended) - self.joules(self.began)


@dataclass(frozen=True)
class Counter:
    """The errors of a counter; seconds."""

    step: float = 0.1
    lag: float = 0.004
    jitter: float = 0.002
    lag_jitter: float = 0.0002
    gap: float = 0.0004
    random_walk: float = 0.0
    duty: float = 1.0

    def model(self) -> SensorModel:
        """Its model, with the prior of the latency."""
        latency = LatencyPosterior.prior(self.step)
        return SensorModel(
            self.step, self.jitter, 0.001, 2e-6, self.random_walk, self.duty, latency=latency
        )


def window(
    counter: Counter, length: float, model: SensorModel, rng: random.Random, **power: float
) -> tuple[WindowEnergy, Device, tuple[list[CounterEdge], list[CounterEdge]]]:
    """One window that begins just after a step, from four edges before and five after."""
    began = 10.0
    device = Device(began, began + length * rng.uniform(1, 1.5), **power)
    phase = began - 1e-5 - counter.gap / 2
    if counter.duty < 1:
        phase -= rng.random() * counter.step
    first = -3
    # Four edges after the longest latency.
    last = math.ceil((device.ended - phase) / counter.step) + 4 + math.ceil(0.3 / counter.step)
    position = rng.random() * (1 - counter.duty)
    summed, noise, edges = 0.0, 0.0, []
    for k in range(first, last):
        moved = phase - counter.lag + k * counter.step
        moved += rng.random() * counter.jitter if k else 0.0
        sampled_until = moved - (1 - counter.duty - position) * counter.step
        sampled = counter.duty * counter.step
        if counter.duty < 1:
            rise = device.joules(sampled_until) - device.joules(sampled_until - sampled)
            summed += rise / counter.duty
        true = device.joules(moved) if counter.duty == 1 else summed
        # At rest only: what power does inside the window is part of the true energy.
        rest = max(0.0, began - moved) + max(0.0, moved - device.ended)
        noise += rng.gauss(0, counter.random_walk * min(rest, counter.step) ** 0.5)
        published = moved + counter.lag + rng.random() * counter.lag_jitter
        observed = published + rng.uniform(-0.5, 0.5) * counter.gap
        edges.append(CounterEdge(observed, counter.gap, math.floor(1000 * (true + noise)) / 1000))
    before = [e for e in edges if e.seconds <= began]
    after = [e for e in edges if e.seconds >= device.ended]
    clean = [e for e in after if e.seconds >= device.ended + model.latency.upper_bound][:5]
    after = [e for e in after if e.seconds <= clean[-1].seconds]
    return window_energy(before, after, began, device.ended, model), device, (before, after)


def series(
    counter: Counter, length: float, count: int, known: bool = True, **power: float
) -> list[tuple[float, float]]:
    """(relative error, relative standard uncertainty) of windows, the lag known or learnt."""
    rng = random.Random(f"{counter} {length}")
    model = counter.model()
    if known:
        model = replace(
            model, latency=LatencyPosterior.uniform(counter.lag * 0.8, counter.lag * 1.2)
        )
    out = []
    for _ in range(count):
        result, device, _ = window(counter, length, model, rng, **power)
        if not known:
            model = replace(model, latency=result.latency)
        out.append(
            (
                result.joules / device.true_joules - 1,
                result.standard_uncertainty / device.true_joules,
            )
        )
    return out


def coverage(errors: list[tuple[float, float]]) -> float:
    return sum(1 for error, u in errors if abs(error) <= 1.96 * u) / len(errors)


H100 = Counter()
A100 = Counter(lag=0.008, jitter=0.004)
VOLTA = Counter(step=0.02, lag=0.002, jitter=0.0005, lag_jitter=0.0001)
LAGGING = Counter(lag=0.06)


@pytest.mark.parametrize("counter", [H100, A100, VOLTA], ids=["h", "a", "v"])
@pytest.mark.parametrize(("length", "worst"), [(0.1, 0.005), (1.0, 0.001), (5.0, 0.0005)])
def test_errors_are_bounded_and_intervals_cover(
    counter: Counter, length: float, worst: float
) -> None:
    errors = series(counter, length, 200)
    assert max(abs(error) for error, _ in errors) <= worst
    assert coverage(errors) >= 0.93
    halves = sorted(1.96 * u for _, u in errors)
    assert halves[100] <= worst


def test_counter_late_by_more_than_half_a_step_is_covered() -> None:
    errors = series(LAGGING, 0.1, 200)
    assert max(abs(error) for error, _ in errors) <= 0.01
    assert coverage(errors) >= 0.93


def test_plain_difference_is_wrong_where_bracketing_is_right() -> None:
    """Checks the simulation: without bracketing the same edges give a wrong energy."""
    result, device, (before, after) = window(H100, 0.1, H100.model(), random.Random(1))
    plain = after[0].joules - before[-1].joules
    assert abs(plain / device.true_joules - 1) > 0.02
    assert abs(result.joules / device.true_joules - 1) < 0.005


@pytest.mark.parametrize("counter", [H100, A100, VOLTA, LAGGING], ids=["h", "a", "v", "lagging"])
def test_latency_is_learnt_from_windows(counter: Counter) -> None:
    rng, model = random.Random(3), counter.model()
    for _ in range(120):
        result, _, _ = window(counter, 1.0, model, rng)
        model = replace(model, latency=result.latency)
    assert (
        abs(model.latency.median - counter.lag)
        <= 3 * model.latency.standard_uncertainty + counter.lag_jitter
    )
    assert model.latency.standard_uncertainty < 0.05 * counter.step
    assert model.latency.upper_bound < counter.lag + 0.1 * counter.step


def test_interval_of_the_first_window_covers_an_unknown_latency() -> None:
    first = [
        series(replace(A100, gap=0.0004 + i * 1e-9), 0.1, 1, known=False)[0] for i in range(200)
    ]
    assert coverage(first) >= 0.93
    assert max(abs(error) for error, _ in first) < 0.015


def test_random_walk_at_rest_widens_the_interval() -> None:
    calm, varying = series(H100, 0.1, 200), series(replace(H100, random_walk=0.5), 0.1, 200)
    assert coverage(varying) >= 0.93
    assert varying[0][1] > 2 * calm[0][1]


def test_late_polling_widens_the_interval() -> None:
    late = series(replace(H100, gap=0.02), 0.1, 200)
    assert coverage(late) >= 0.93
    assert late[0][1] > 5 * series(H100, 0.1, 1)[0][1]


def test_part_time_sensor_is_covered() -> None:
    for length in (0.1, 1.0, 5.0):
        assert coverage(series(replace(H100, duty=0.25), length, 300)) >= 0.9


def test_window_without_load_is_accurate() -> None:
    rng = random.Random(5)
    for _ in range(50):
        result, device, _ = window(H100, 1.0, H100.model(), rng, load=0.0, bump=0.0)
        assert result.joules == pytest.approx(device.true_joules, rel=1e-3)


def test_window_energy_needs_two_edges_on_each_side() -> None:
    edges = [CounterEdge(0.1 * i, 0.0002, 7.0 * i) for i in range(4)]
    with pytest.raises(ValueError, match="two edges"):
        window_energy(edges, edges[:1], 0.31, 0.0, SensorModel(0.1))
    with pytest.raises(ValueError, match="two edges"):
        fit_at(0.0, edges[:1], SensorModel(0.1))


def end_of_load(phase: float, tail: float) -> LoadEnd:
    """Steps of 0.1 s after a load of 400 W that ends `phase` before the first; 70 W at rest.

    Power is `tail` above rest for 50 ms.
    """
    seconds = [phase + 0.1 * k for k in range(5)]
    edges = [Edge(s, 70 * s + tail * min(s, 0.05), 0.0) for s in seconds]
    bounds = energy_to_first_edge(edges, 0.0, 400.0, 70.0)
    assert bounds is not None
    low, high, _ = bounds
    return LoadEnd(
        400.0, tuple(seconds), tuple(edge.joules for edge in edges), low, high, noise=0.0
    )


@pytest.mark.parametrize("tail", [0.0, 60.0, 300.0])
def test_energy_to_the_first_step_is_bounded_and_narrowed_by_a_window_at_another_phase(
    tail: float,
) -> None:
    alone = end_of_load(0.09, tail)
    true = 70 * 0.09 + tail * 0.05
    assert alone.low <= true <= alone.high
    history = LoadEndHistory()
    history.add(end_of_load(0.005, tail))
    narrowed = history.narrowed(alone)
    assert narrowed.low <= true <= narrowed.high
    assert narrowed.high - narrowed.low < 0.6 * (alone.high - alone.low)
    other_load = LoadEndHistory()
    other_load.add(replace(end_of_load(0.005, tail), load_watts=200.0))
    assert other_load.narrowed(alone) == alone


def test_fit_is_exact_on_a_straight_line() -> None:
    edges = [CounterEdge(0.1 * i, 0.0002, 7.0 * i) for i in range(5)]
    level = fit_at(-0.05, edges, SensorModel(0.1))
    assert level.joules == pytest.approx(-3.5, abs=1e-6)
    assert level.watts == pytest.approx(70.0)
    assert mean_power(edges) == pytest.approx(70.0)


def test_single_reading_is_uncertain_by_a_step() -> None:
    """100 W before the program, a counter that moved within the last 0.1 s: 5 ± 3 J."""
    edges = edges_from_reading(CounterReading(10.0, 500.0, 100.0), 10.0, 0.1, 0.0)
    fit = fit_at(10.0, edges, SensorModel(0.1))
    assert fit.joules == pytest.approx(505.0)
    assert 100 * 0.1 / 12**0.5 <= fit.standard_uncertainty <= 2 * 100 * 0.1 / 12**0.5


def test_late_first_reading_widens_the_uncertainty() -> None:
    late = fit_at(
        10.0,
        edges_from_reading(CounterReading(10.2, 520.0, 100.0), 10.0, 0.1, 0.0),
        SensorModel(0.1),
    )
    early = fit_at(
        10.0,
        edges_from_reading(CounterReading(10.0, 500.0, 100.0), 10.0, 0.1, 0.0),
        SensorModel(0.1),
    )
    assert late.joules == pytest.approx(505.0)
    assert late.standard_uncertainty > 4 * early.standard_uncertainty


def stepping_counter(
    clock: VirtualClock, step: float = 0.1, watts: float = 70.0
) -> Callable[[], float]:
    def read() -> float:
        clock.sleep(2e-6)
        return watts * step * math.floor((clock.now() - 0.0123) / step)

    return read


def test_poller_notes_every_step_sharply_and_sleeps_between() -> None:
    clock = VirtualClock(100.0)
    read_count = 0
    inner = stepping_counter(clock)

    def read() -> float:
        nonlocal read_count
        read_count += 1
        return inner()

    poller = EdgePoller(read, clock, 0.1)
    poll_until(clock, [poller], lambda p: len(p.edges) >= 8, 3.0)
    model = sensor_model(poller)
    assert model is not None
    assert model.step_seconds == pytest.approx(0.1, rel=1e-3)
    assert model.quantum_joules == 0.0
    poller.clear()
    poller.jitter_seconds, read_count = model.jitter_seconds, 0
    poll_until(clock, [poller], lambda p: p.sharp_edge_count() >= 10, 3.0)
    for edge in poller.edges:
        assert abs((edge.seconds - 0.0123) / 0.1 - round((edge.seconds - 0.0123) / 0.1)) < 0.01
    assert read_count < 10 * 100 + 500


def test_quantum_is_the_common_divisor_of_all_rises() -> None:
    clock = VirtualClock()
    poller = EdgePoller(lambda: 0.0, clock, 0.1)
    poller.read_costs = [1e-6]
    rises = [0.0, 0.6, 1.0, 1.8, 2.2, 3.2]
    poller.edges = [CounterEdge(0.1 * i, 0.0002, joules) for i, joules in enumerate(rises)]
    model = sensor_model(poller)
    assert model is not None
    assert model.quantum_joules == pytest.approx(0.2)


def test_polling_two_counters_keeps_both_recent() -> None:
    clock = VirtualClock(50.0)
    slow, fast = (
        EdgePoller(stepping_counter(clock), clock, 0.1),
        EdgePoller(stepping_counter(clock, 0.02), clock, 0.02),
    )
    poll_until(clock, [slow, fast], lambda p: p.sharp_edge_count() >= 4, 3.0)
    assert len(fast.edges) > len(slow.edges) >= 4
    assert clock.now() - fast.edges[-1].seconds < 0.03


def test_polling_of_a_still_counter_ends_at_the_timeout() -> None:
    clock = VirtualClock()
    poller = EdgePoller(lambda: 5.0, clock, 0.1)
    poll_until(clock, [poller], lambda p: len(p.edges) >= 4, 1.0)
    assert clock.now() == pytest.approx(1.0, abs=0.01)
    assert sensor_model(poller) is None


def test_failed_read_ends_polling_with_its_reason() -> None:
    clock = VirtualClock()

    def lost() -> float:
        raise SensorReadError("the GPU is lost")

    poller = EdgePoller(lost, clock, 0.1)
    poll_until(clock, [poller], lambda p: len(p.edges) >= 4, 1.0)
    assert poller.failure == "the GPU is lost"
    assert clock.now() == 0.0


def test_falling_counter_ends_polling() -> None:
    clock = VirtualClock()
    values = iter([5.0, 6.0, 1.0, 2.0])
    poller = EdgePoller(lambda: next(values), clock, 0.1)
    poll_until(clock, [poller], lambda p: len(p.edges) >= 4, 1.0)
    assert poller.went_backwards


def test_constant_power_reading_is_integrated() -> None:
    """A GPU at rest may show 12 W for minutes; its edges are then put at the usual pace."""
    clock = VirtualClock(5.0)
    watts = 12.0
    integrator = PowerIntegrator(lambda: watts, clock)
    integrator.characterise(1.0)
    assert integrator.step_seconds == 0.1
    integrator.reset()

    def sample_until(until: float) -> None:
        while clock.now() < until:
            integrator.sample()
            clock.sleep(0.01)

    sample_until(8.0)
    before = [edge for edge in integrator.edges if edge.seconds <= 8.0][-5:]
    assert len(before) == 5 and mean_power(before) == pytest.approx(12.0)
    watts = 60.0
    sample_until(11.0)
    watts = 12.0
    sample_until(13.0)
    edges = integrator.edges
    before = [e for e in edges if e.seconds + e.gap_seconds / 2 <= 8.0][-5:]
    after = [edge for edge in edges if edge.seconds > 11.0]
    model = replace(integrator.sensor_model(), latency=LatencyPosterior.uniform(0.0, 0.001))
    result = window_energy(before, after, 8.0, 11.0, model)
    u = math.hypot(result.standard_uncertainty, integrator.sampling_uncertainty(8.0, 11.0, 1.0))
    # A reading counts for the step before it: an immediate change enters a step early.
    assert result.joules == pytest.approx(180.0, abs=max(2 * u, 0.5))
    assert 0 < u < 10.0


def test_integrated_power_readings_give_the_energy() -> None:
    rng = random.Random(2)
    for _ in range(20):
        clock = VirtualClock(rng.random())
        device = Device(2.0 + rng.random(), 7.0 + rng.random())

        def read(device: Device = device, clock: VirtualClock = clock) -> float:
            k = math.floor(clock.now() / 0.1)
            rise = device.joules(0.1 * k) - device.joules(0.1 * (k - 1))
            return rise / 0.1 + 0.01 * (k % 7)

        integrator = PowerIntegrator(read, clock)
        while clock.now() < device.ended + 1.0:
            integrator.sample()
            clock.sleep(0.01)
        before = [e for e in integrator.edges if e.seconds <= device.began][-5:]
        after = [e for e in integrator.edges if e.seconds > device.ended]
        model = replace(integrator.sensor_model(), latency=LatencyPosterior.uniform(0.0, 0.001))
        result = window_energy(before, after, device.began, device.ended, model)
        assert result.joules == pytest.approx(device.true_joules, rel=0.003)
        u = math.hypot(
            result.standard_uncertainty,
            integrator.sampling_uncertainty(device.began, device.ended, 1.0),
        )
        assert abs(result.joules - device.true_joules) < 4 * u
