"""The run loop in virtual time: exact joules, the order of steps, stopping, failures."""

import math
import random
from dataclasses import replace

import pytest
from virtual_clock import VirtualClock
from virtual_run import CONFIG, SPEC, TASK, WORKLOAD, machine, virtual_run

from bench.backends import BackendError, ServedBatch
from bench.backends.simulated import SimulatedSession
from bench.meters import MeterContext
from bench.meters.replay import ReplayMeter, ReplayTrace
from bench.results import statistics, units
from bench.results.correlated_mean import mean_half_width
from bench.results.record import Work
from bench.runner.events import Event
from bench.runner.instruments import Instruments
from bench.runner.run_loop import RunLoop
from bench.task import Metric, Output
from bench.workloads.workload import build_workload

STEADY = ReplayTrace([0.0], [250.0])
# Load from the warm-up, which begins after 10 s of idle power cold and 10 s with the model, to the
# end of three warm-up windows of 1 s and nine trials of 5 s.
LOADED = ReplayTrace([0.0, 20.0, 20.01, 68.0, 68.01], [50.0, 50.0, 250.0, 250.0, 50.0])
# A 1 s period: 0.4 s at 50 W, a ramp of 0.1 s to 350 W, 0.4 s there, a ramp back.
BURSTS = ReplayTrace(
    [round(cycle + at, 6) for cycle in range(400) for at in (0.0, 0.4, 0.5, 0.9)],
    [watts for _ in range(400) for watts in (50.0, 50.0, 350.0, 350.0)],
)
DRIFT = ReplayTrace([0.0, 1000.0], [100.0, 400.0])


def steady_energy(t: float) -> float:
    return 250.0 * t


def burst_energy(t: float) -> float:
    """Energy from 0 to t of the bursts in joules, in closed form."""
    cycles, x = divmod(t, 1.0)
    done = cycles * (50.0 * 0.4 + 20.0 + 350.0 * 0.4 + 20.0)
    done += 50.0 * min(x, 0.4)
    rising = min(max(x - 0.4, 0.0), 0.1)
    done += 50.0 * rising + 1500.0 * rising**2
    done += 350.0 * min(max(x - 0.5, 0.0), 0.4)
    falling = min(max(x - 0.9, 0.0), 0.1)
    return done + 350.0 * falling - 1500.0 * falling**2


def drift_energy(t: float) -> float:
    return 100.0 * t + 0.15 * t * t


@pytest.mark.parametrize(
    ("trace", "energy"),
    [(STEADY, steady_energy), (BURSTS, burst_energy), (DRIFT, drift_energy)],
    ids=["steady", "bursty", "drifting"],
)
def test_energy_per_1000_is_exact(trace, energy):
    result = virtual_run(trace, seconds=0.0937, noise=0.03, seed=5)
    measured = result.measured()
    joules = [
        energy(t.started_seconds + t.duration_seconds) - energy(t.started_seconds) for t in measured
    ]
    inferences = sum(t.work.inference_count for t in measured)
    expected = units.kwh_from_joules(1000 * math.fsum(joules) / inferences)
    value = result.summary.energy_kwh_per_1000.value
    assert abs(value / expected - 1) < 1e-9
    per_token = result.summary.energy_joules_per_unit.value
    assert abs(per_token / (math.fsum(joules) / inferences / 10) - 1) < 1e-9


def test_closed_form_of_the_bursts_equals_the_trace():
    assert BURSTS.energy(0.0, 7.3) == pytest.approx(burst_energy(7.3), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.01, 0.03, 0.05])
def test_interval_covers_the_true_energy(noise):
    """Whole runs, sequential stopping included: 2,000 over the three noises, at least 94 %."""
    expected = units.kwh_per_1000(250.0 * 0.1)
    runs, covered = 667, 0
    for seed in range(runs):
        estimate = virtual_run(STEADY, noise=noise, seed=seed).summary.energy_kwh_per_1000
        covered += estimate.low <= expected <= estimate.high
    assert covered / runs >= 0.94


def test_bounds_of_the_energy_after_a_window_lower_one_end_of_the_interval() -> None:
    """They are common to all trials: the interval grows by their mean, not by a share of it."""
    result = virtual_run(STEADY, noise=0.01)
    trials = [
        trial.model_copy(
            update={
                "readings": tuple(
                    reading.model_copy(update={"tail_joules_below": 0.1 * reading.energy_joules})
                    for reading in trial.readings
                )
            }
        )
        for trial in result.trials
    ]
    plain, bounded = (
        statistics.summarize(each, result.boundary, result.idle, "token").energy_kwh_per_1000
        for each in (result.trials, trials)
    )
    assert (bounded.value, bounded.high) == (plain.value, plain.high)
    assert bounded.low / plain.low == pytest.approx(math.exp(-0.1), rel=1e-3)


def test_steps_come_in_order():
    steps = []

    class Recorded(SimulatedSession):
        def serve(self, requests):
            steps.append("serve")
            return super().serve(requests)

    def load(clock):
        steps.append("load")
        return Recorded(SPEC, clock, 0.1)

    virtual_run(
        STEADY,
        load=load,
        save=lambda result: steps.append(f"save {len(result.measured())} {result.status}"),
        on_event=steps.append,
    )
    cold, resident = (
        steps.index(Event("idle-started", when="cold", seconds=10.0)),
        steps.index(Event("idle-started", when="resident", seconds=10.0)),
    )
    warm = steps.index(Event("warm-up"))
    first = steps.index(
        Event("trial-started", index=1, of=50, relative_half_width=None, target=0.02)
    )
    saved = steps.index("save 1 interrupted")
    assert cold < steps.index("load") < resident < warm < steps.index("serve") < first < saved
    assert steps[first + 1 : first + 3] == ["serve", "save 1 interrupted"]
    assert steps[-2:] == [
        "save 9 done",
        Event("stopped", status="done", reason="target"),
    ]


def test_a_trial_event_states_the_interval_so_far():
    received = []
    virtual_run(STEADY, noise=0.02, seed=1, on_event=received.append)
    trials = [event for event in received if event.name == "trial-started"]
    assert [event.index for event in trials] == list(range(1, len(trials) + 1))
    assert [event.relative_half_width for event in trials[:2]] == [None, None]
    assert all(event.relative_half_width > 0 for event in trials[2:])


def test_a_run_stops_at_the_target_after_at_least_nine_trials():
    result = virtual_run(STEADY)
    assert result.stop_reason == "target"
    assert len(result.measured()) == 9
    assert [idle.when for idle in result.idle] == ["cold", "resident", "after"]


def test_a_run_stops_when_the_budget_is_spent():
    result = virtual_run(STEADY, noise=0.2, config=CONFIG.with_changes(budget_seconds=120.0))
    assert result.stop_reason == "budget"
    end = result.trials[-1].started_seconds + result.trials[-1].duration_seconds
    assert end < 135
    assert "interval-target-missed" in {warning.code for warning in result.warnings}


def test_a_run_stops_after_fifty_trials():
    result = virtual_run(STEADY, noise=0.3, config=CONFIG.with_changes(budget_seconds=10_000.0))
    assert result.stop_reason == "trials"
    assert len(result.measured()) == 50


def test_a_slow_model_runs_five_blocks_past_the_budget_after_an_event():
    received = []
    result = virtual_run(STEADY, seconds=20.0, on_event=received.append)
    assert len(result.measured()) == 5
    assert all(trial.block_ids == (0,) for trial in result.measured())
    (planned,) = [event for event in received if event.name == "planned-time"]
    assert (planned.trials, planned.seconds) == (5, pytest.approx(5 * 10 * 20.0, rel=0.01))


def test_every_trial_serves_the_same_complete_blocks():
    result = virtual_run(STEADY)
    blocks = {trial.block_ids for trial in result.measured()}
    assert blocks == {tuple(range(5))}
    assert all(trial.work.inference_count == 50 for trial in result.measured())
    assert all(trial.duration_seconds > 4.9 for trial in result.measured())


def test_a_failing_model_is_a_result_with_its_finished_trials():
    saved = []
    result = virtual_run(
        STEADY,
        load=lambda clock: SimulatedSession(SPEC, clock, 0.1, fail_at=6),
        save=saved.append,
    )
    assert result.status == "failed"
    assert result.failure.code == "out-of-memory"
    assert result.failure.stage == "serve"
    assert saved[-1] == result
    assert not result.rankable


def test_a_model_that_fails_to_load_is_a_result():
    def load(clock):
        raise BackendError("load", "out-of-memory", "no memory")

    result = virtual_run(STEADY, load=load)
    assert (result.status, result.failure.stage) == ("failed", "load")
    assert result.trials == () and len(result.idle) == 1


def test_an_interrupt_keeps_finished_trials():
    class Interrupted(SimulatedSession):
        count = 0

        def serve(self, requests):
            Interrupted.count += 1
            if Interrupted.count == 7:
                raise KeyboardInterrupt
            return super().serve(requests)

    saved = []
    result = virtual_run(
        STEADY, noise=0.3, load=lambda c: Interrupted(SPEC, c, 0.1), save=saved.append
    )
    assert result.status == "interrupted"
    assert len(result.measured()) >= 2
    assert saved[-1] == result
    assert "interrupted" in {warning.code for warning in result.warnings}


def test_the_summary_is_computed_from_the_trials():
    result = virtual_run(BURSTS, noise=0.02, seed=3)
    again = statistics.summarize(result.trials, result.boundary, result.idle, result.task.unit)
    assert again == result.summary


def test_net_energy_is_gross_minus_idle():
    """Idle at 50 W and load at 250 W: 200 W for the 0.1 s of an inference."""
    net = virtual_run(LOADED).summary.net_energy_kwh_per_1000
    assert net.value == pytest.approx(units.kwh_per_1000(200.0 * 0.1), rel=1e-3)


def test_drift_of_the_idle_floor_widens_the_net_energy():
    """The floor rises from 50 W to 59 W: the mean of both, and half the difference either way."""
    steady = virtual_run(LOADED)
    risen = ReplayTrace(LOADED.seconds, [50.0, 50.0, 250.0, 250.0, 59.0])
    net = virtual_run(risen).summary.net_energy_kwh_per_1000
    assert net.value == pytest.approx(units.kwh_per_1000((250.0 - 54.5) * 0.1), rel=1e-3)
    half = units.kwh_per_1000(1.959964 * 9.0 / 12**0.5 * 0.1)
    assert (net.high - net.low) / 2 == pytest.approx(half, rel=0.02)
    assert net.high > steady.summary.net_energy_kwh_per_1000.value


def test_net_energy_that_may_be_zero_is_null_with_its_upper_bound_in_a_warning():
    """Idle at 250 W and load at 250 W give a net energy of zero."""
    result = virtual_run(STEADY)
    assert result.summary.net_energy_kwh_per_1000 is None
    (warning,) = [w for w in result.warnings if w.code == "net-energy-unresolved"]
    assert "at most 0 Wh" in warning.message and not warning.blocks_ranking


def test_quality_is_computed_from_the_answers():
    class Half(SimulatedSession):
        def serve(self, requests):
            self._clock.sleep(0.1 * len(requests))
            answers = [
                Output(label=r.reference if len(r.inputs["text"]) % 2 else "no") for r in requests
            ]
            return ServedBatch(Work(inference_count=len(requests)), tuple(answers))

    rows = [{"text": "x" * n, "label": "yes"} for n in range(1, 101)]
    result = virtual_run(
        STEADY,
        workload=build_workload(TASK, "embedded", rows, {}),
        load=lambda clock: Half(SPEC, clock, 0.1),
    )
    assert result.quality.sample_count == 50
    assert result.quality.value == 0.5
    assert result.quality.low < 0.5 < result.quality.high


def test_a_trend_across_trials_widens_the_interval():
    rng = random.Random(1)
    flat = [100 + rng.gauss(0, 1) for _ in range(12)]
    rising = [value + 0.5 * i for i, value in enumerate(flat)]
    assert mean_half_width([rising], 0.95) > 1.5 * mean_half_width([flat], 0.95)


class Breaks(SimulatedSession):
    """Fails while the power is recorded, or while it is closed."""

    def __init__(self, clock, where):
        super().__init__(SPEC, clock, 0.1)
        self.where = where

    def serve(self, requests):
        served = super().serve(requests)
        if self.where == "power trace" and self._served > 13:
            raise BackendError("serve", "error", "no more")
        return served

    def close(self):
        if self.where == "close":
            raise RuntimeError("CUDA error: an illegal memory access was encountered")


@pytest.mark.parametrize("where", ["power trace", "close"])
def test_an_error_after_the_trials_keeps_the_result(where):
    saved = []
    result = virtual_run(STEADY, load=lambda clock: Breaks(clock, where), save=saved.append)
    assert (result.status, result.stop_reason) == ("done", "target")
    assert saved[-1] == result


def test_an_error_in_the_metric_leaves_out_the_quality_only():
    def throw(request, output):
        raise ZeroDivisionError

    received = []
    task = replace(TASK, metric=Metric("broken", "accuracy", throw))
    work = build_workload(task, "embedded", [{"text": "x"}], {})
    result = virtual_run(STEADY, workload=work, on_event=received.append)
    assert result.status == "done" and result.quality is None
    assert "quality-missing" in {warning.code for warning in result.warnings}
    assert Event("quality-failed", reason="ZeroDivisionError()") in received


def test_the_stop_reason_agrees_with_the_warning_for_uncertain_readings():
    """With an uncertainty of 10 % each, five readings are not enough, however alike."""

    class Uncertain(ReplayMeter):
        def stop(self, mark, began, ended):
            (reading,) = super().stop(mark, began, ended)
            u = 0.1 * reading.energy_joules
            return (reading.model_copy(update={"standard_uncertainty_joules": u}),)

    clock = VirtualClock()
    meter = Uncertain(MeterContext(clock, ()), STEADY)
    result = RunLoop(
        CONFIG,
        WORKLOAD,
        machine(meter.probe()),
        Instruments(clock, (meter,)),
        lambda: SimulatedSession(SPEC, clock, 0.1),
        lambda result: None,
    ).execute()
    missed = "interval-target-missed" in {warning.code for warning in result.warnings}
    assert missed == (result.stop_reason != "target")
    assert len(result.measured()) > 5


def test_net_interval_includes_the_error_of_the_idle_floor():
    """The error of the floor is common to all trials, so their scatter does not contain it."""
    load_stays = ReplayTrace([0.0, 20.0, 20.01], [50.0, 50.0, 250.0])
    result = virtual_run(load_stays, noise=0.02, seed=4)
    uncertain = tuple(
        idle.model_copy(
            update={
                "readings": tuple(
                    r.model_copy(update={"standard_uncertainty_joules": 0.05 * r.energy_joules})
                    for r in idle.readings
                )
            }
        )
        for idle in result.idle[:2]
    )
    plain = statistics.net_energy(result.trials, result.boundary, result.idle[:2])
    wide = statistics.summarize(
        result.trials, result.boundary, uncertain, "token"
    ).net_energy_kwh_per_1000
    common = units.kwh_per_1000(1.959964 * 0.05 * 50.0 * 0.1)
    half = (plain.high - plain.low) / 2
    assert (wide.high - wide.low) / 2 == pytest.approx(math.hypot(half, common), rel=0.02)
