"""The run loop: idle, load, idle, warm-up, trials, stop, quality, power trace."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from bench.backends import BackendError, Session
from bench.results import statistics, steadiness
from bench.results.analysis_versions import analysis_parameters
from bench.results.machine_record import Machine
from bench.results.record import Failure, IdleFloor, IdlePhase, Phase, Result, Status, Stop, Trial
from bench.runner import protocol, quality, window
from bench.runner.config import RunConfig
from bench.runner.events import Event, OnEvent, ignore
from bench.runner.gpu_identity import check_gpus
from bench.runner.instruments import Instruments
from bench.runner.protocol import IDLE_SECONDS, QUICK_WINDOW_SECONDS, WARM_UP_SHARE
from bench.runner.recorder import RunRecorder, Save
from bench.task import Output, Request
from bench.workloads.metrics import MetricUnavailable
from bench.workloads.workload import BLOCK_SIZE, Workload

MAX_WARM_UP_GROWTH = 4  # blocks of a warm-up window against the one before


class RunLoop:
    """The state of one run, and its steps; `execute` takes all of them in order.

    `machine` carries the probed sensors, `load_model` brings the model into memory, `save` is
    called after every measured trial and at the end, `on_event` between windows.
    """

    def __init__(
        self,
        config: RunConfig,
        workload: Workload,
        machine: Machine,
        instruments: Instruments,
        load_model: Callable[[], Session],
        save: Save,
        on_event: OnEvent = ignore,
    ) -> None:
        self.config, self.workload, self.instruments = config, workload, instruments
        self.load_model = load_model
        self.clock, self.on_event = instruments.clock, on_event
        self.recorder = RunRecorder(config, workload, machine, self.clock.utc(), save)
        self.quick = config.profile == "quick"
        self.started = self.clock.now()
        self.loading_seconds = 0.0
        self.answers: list[tuple[Request, Output]] = []
        self.session: Session | None = None

    def execute(self) -> Result:
        """Run from the idle floor to the saved result.

        A model that fails, or Ctrl-C, ends in a result with this status; raises ModelNotFound
        where there is no such model.
        """
        try:
            self.measure_idle("cold")
            self.load()
            self.measure_idle("resident")
            stop = self.measure(self.plan(self.warm_up()))
            self.measure_idle("after")
            # The trials are done: an error from here on costs the quality or the power trace only.
            self.evaluate_quality()
            self.record_power_trace()
            return self.close("done", stop)
        except BackendError as error:
            failure = Failure(stage=error.stage, code=error.code, message=error.message)
            return self.close("failed", failure=failure)
        except KeyboardInterrupt:
            return self.close("interrupted")
        finally:
            # A broken device may raise here; the record is saved by now.
            with suppress(Exception):
                self.unload()

    def measure_idle(self, when: IdlePhase) -> None:
        """Measure an idle floor: before the model is loaded, with it, or after the trials."""
        seconds = IDLE_SECONDS[self.config.profile]
        self.on_event(Event("idle-started", when=when, seconds=seconds))
        _, idle = window.measure_window(self.instruments, lambda: self.clock.sleep(seconds))
        floor = IdleFloor(
            when=when,
            duration_seconds=idle.duration_seconds,
            readings=idle.readings,
            device_states=idle.device_states,
        )
        self.recorder.update(idle=(*self.recorder.draft.idle, floor))

    def load(self) -> Session:
        """Load the model, and compile it where that is an option; neither counts to the budget.

        Returns the session. A model that is loaded already is kept.
        """
        if self.session is not None:
            return self.session
        self.on_event(Event("loading", model=self.recorder.draft.model.id))
        began = self.clock.now()
        session = self.session = self.load_model()
        check_gpus(session, self.recorder.draft.machine)
        self.recorder.set_session(session)
        if self.config.compile:
            self.on_event(Event("compiling"))
            session.serve(self.workload.blocks[0])
        self.loading_seconds = self.clock.now() - began
        return session

    def unload(self) -> None:
        """Free the memory of the model."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def spent_seconds(self) -> float:
        """Seconds of the budget that are used up: all but loading."""
        return self.clock.now() - self.started - self.loading_seconds

    def warm_up(self) -> float:
        """Serve until time and power are steady or the time for it is over; at least once.

        Returns the seconds that a block takes, from the last window.
        """
        self.on_event(Event("warm-up"))
        limits = self.recorder.draft.protocol
        window_seconds = QUICK_WINDOW_SECONDS if self.quick else limits.window_seconds / 5
        allowance = 0.0 if self.quick else WARM_UP_SHARE * limits.budget_seconds
        trials: list[Trial] = []
        blocks, spent = 1, 0.0
        while True:
            trials.append(self.trial(blocks, "warmup"))
            spent += trials[-1].duration_seconds
            block_seconds = trials[-1].duration_seconds / blocks
            steady = steadiness.is_steady(trials, self.recorder.draft.boundary.domains)
            if steady or spent + block_seconds > allowance:
                return block_seconds
            filling = math.floor(window_seconds / max(block_seconds, 1e-9))
            blocks = max(1, min(MAX_WARM_UP_GROWTH * blocks, filling))
            fitting = math.floor((allowance - spent) / max(block_seconds, 1e-9))
            blocks = max(1, min(blocks, fitting))

    def plan(self, block_seconds: float) -> int:
        """How many blocks a trial serves, where one takes `block_seconds`."""
        limits = self.recorder.draft.protocol
        if block_seconds >= limits.window_seconds:
            self.recorder.update_protocol(min_trials=analysis_parameters().min_long_trials)
            limits = self.recorder.draft.protocol
        after = IDLE_SECONDS[self.config.profile]
        remaining = limits.budget_seconds - self.spent_seconds() - after
        trials = limits.min_trials
        blocks = protocol.blocks_per_trial(limits.window_seconds, block_seconds, remaining, trials)
        needed = trials * block_seconds
        if needed > remaining and not self.quick:
            self.on_event(
                Event("planned-time", block_seconds=block_seconds, trials=trials, seconds=needed)
            )
        self.recorder.update_protocol(blocks_per_trial=blocks)
        return blocks

    def measure(self, blocks: int) -> Stop:
        """Run trials of `blocks` blocks until a stop criterion holds."""
        limits = self.recorder.draft.protocol
        target = limits.target_relative_half_width
        while True:
            count = len(self.recorder.draft.measured())
            width = None if count < 2 else self.relative_half_width()
            self.on_event(
                Event(
                    "trial-started",
                    index=count + 1,
                    of=limits.max_trials,
                    relative_half_width=width,
                    target=target,
                )
            )
            trial = self.trial(blocks, "measured")
            stop = self.should_stop(trial.duration_seconds)
            if stop:
                return stop

    def should_stop(self, last_seconds: float) -> Stop | None:
        """Why no further trial is run, or None; `last_seconds` is the duration of the last one."""
        limits = self.recorder.draft.protocol
        count = len(self.recorder.draft.measured())
        if count < limits.min_trials:
            return None
        if not self.quick and self.relative_half_width() <= limits.target_relative_half_width:
            return "target"
        if count >= limits.max_trials:
            return "trials"
        after = IDLE_SECONDS[self.config.profile]
        if self.spent_seconds() + last_seconds + after > limits.budget_seconds:
            return "budget"
        return None

    def trial(self, blocks: int, phase: Phase) -> Trial:
        """Serve the first `blocks` blocks in one window and record it."""
        ids = self.workload.block_ids(blocks)
        size = self.recorder.draft.protocol.max_inferences or BLOCK_SIZE
        requests = [r for index in ids for r in self.workload.blocks[index][:size]]
        measure = window.record_power_trace if phase == "profile" else window.measure_window
        batch, measured = measure(self.instruments, partial(self.load().serve, requests))
        trial = Trial(
            index=len(self.recorder.draft.trials),
            phase=phase,
            block_ids=ids,
            started_seconds=max(0.0, measured.began_seconds - self.started),
            duration_seconds=measured.duration_seconds,
            work=batch.work,
            readings=measured.readings,
            device_states=measured.device_states,
            power_trace=measured.power_trace,
        )
        self.recorder.add_trial(trial)
        if phase == "measured" and not self.answers:
            self.answers = list(zip(requests, batch.outputs, strict=True))
        return trial

    def evaluate_quality(self) -> None:
        """Record the quality of the first trial's answers: every trial serves the same requests."""
        try:
            evaluated = quality.evaluate_quality(self.workload, self.answers)
            self.recorder.update(quality=evaluated)
        except Exception as error:  # noqa: BLE001
            # A metric may raise anything; the warning `quality-missing` is then in the record.
            known = isinstance(error, MetricUnavailable)
            self.on_event(Event("quality-failed", reason=str(error) if known else repr(error)))
        if self.recorder.draft.model.settings.get("label_method") == "prompt":
            self.recorder.add_settings(refusal_count=quality.count_refusals(self.answers))

    def record_power_trace(self) -> None:
        """Record the power over time in one more window, which does not count."""
        powers = [meter.watts() for meter in self.instruments.meters]
        if self.quick or not any(powers):
            return
        self.on_event(Event("power-trace-started"))
        try:
            self.trial(self.recorder.draft.protocol.blocks_per_trial or 1, "profile")
        except (BackendError, KeyboardInterrupt) as error:
            self.on_event(Event("power-trace-failed", reason=type(error).__name__))

    def relative_half_width(self) -> float:
        """Relative half-width of the interval of the energy so far; of time without energy."""
        summary = self.recorder.summary()
        estimate = summary.energy_kwh_per_1000 or summary.duration_seconds_per_inference
        width = statistics.relative_half_width(estimate)
        return math.inf if width is None else width

    def close(
        self, status: Status, stop: Stop | None = None, failure: Failure | None = None
    ) -> Result:
        """End the run, save its record, and return it."""
        self.recorder.update(status=status, stop_reason=stop, failure=failure)
        result = self.recorder.save()
        self.on_event(Event("stopped", status=status, reason=stop))
        return result
