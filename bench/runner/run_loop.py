"""Idle, load, idle, warm-up, trials, stop, quality, power trace."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal

from bench.backends import BackendError, ServedBatch, Session
from bench.results import statistics
from bench.results.fields import Phase
from bench.results.machine_record import Machine
from bench.results.record import Failure, Result, Stop, Trial
from bench.runner import protocol, quality, window
from bench.runner.instruments import Instruments
from bench.runner.protocol import (
    IDLE_SECONDS,
    QUICK_WINDOW_SECONDS,
    WARM_UP_SHARE,
    Order,
    run_protocol,
)
from bench.runner.recorder import RunRecorder
from bench.task import Output, Request
from bench.workloads.workload import BLOCK_SIZE, Workload


def execute(
    order: Order,
    workload: Workload,
    machine: Machine,
    rig: Instruments,
    load: Callable[[], Session],
    save: Callable[[Result], None],
    tell: Callable[[str], None] = lambda text: None,
) -> Result:
    """Walk one run from the idle floor to the saved result.

    `machine` carries the probed sensors, `load` brings the model into memory, `save` is called
    after every measured trial, `tell` between windows. A model that fails, or Ctrl-C, ends in a
    result that says so; a model that can't be found raises ModelNotFound.
    """
    return RunLoop(order, workload, machine, rig, save, tell).walk(load)


class RunLoop:
    """The state of one walk, and its steps. `conduct` takes them one after the other."""

    def __init__(
        self,
        order: Order,
        workload: Workload,
        machine: Machine,
        rig: Instruments,
        save: Callable[[Result], None],
        tell: Callable[[str], None],
    ) -> None:
        self.order, self.workload, self.rig, self.tell = order, workload, rig, tell
        self.book = RunRecorder(
            workload,
            machine,
            run_protocol(order, machine),
            order.profile,
            order.model,
            rig.clock.utc(),
            save,
        )
        self.started = rig.clock.now()
        self.loading_seconds = 0.0
        self.answers: list[tuple[Request, Output]] = []

    def walk(self, load: Callable[[], Session]) -> Result:
        session: Session | None = None
        try:
            self.idle("cold")
            session = self.load(load)
            self.idle("resident")
            stop = self.measure(session, self.plan(self.warm_up(session)))
            # The trials are done: whatever breaks from here on costs the quality or the picture.
            self.judge()
            self.picture(session)
            return self.book.close("done", stop)
        except BackendError as error:
            failure = Failure(stage=error.stage, code=error.code, message=error.message)
            return self.book.close("failed", failure=failure)
        except KeyboardInterrupt:
            return self.book.close("interrupted")
        finally:
            if session is not None:
                # A device that broke may refuse to be cleaned up; the record is safe by now.
                with suppress(Exception):
                    session.close()

    def idle(self, when: Literal["cold", "resident"]) -> None:
        seconds = IDLE_SECONDS[self.order.profile]
        words = "before the model is loaded" if when == "cold" else "with the model in memory"
        self.tell(f"idle floor {words}: {seconds:g} s")
        self.book.add_idle(window.measure_idle(self.rig, seconds, when))

    def load(self, load: Callable[[], Session]) -> Session:
        self.tell(f"loading {self.order.model.id}")
        began = self.rig.clock.now()
        session = load()
        self.book.loaded(session)
        if session.model.settings.get("compile") is True:
            # The first serving compiles. That is as little a part of the budget as loading is.
            self.tell("compiling")
            session.serve(self.workload.blocks[0])
        self.loading_seconds = self.rig.clock.now() - began
        return session

    def spent(self) -> float:
        """Seconds of the budget that are used up: all but loading."""
        return self.rig.clock.now() - self.started - self.loading_seconds

    def warm_up(self, session: Session) -> float:
        self.tell("warming up until time and power are steady")
        quick = self.order.profile == "quick"
        return warm_up(
            lambda blocks: self.trial(session, blocks, "warmup"),
            self.book.boundary.domains,
            window_seconds=QUICK_WINDOW_SECONDS if quick else self.book.protocol.window_seconds / 5,
            allowance=0.0 if quick else WARM_UP_SHARE * self.order.budget_seconds,
        )

    def plan(self, pace: float) -> int:
        """How many blocks a trial serves, given the seconds that one takes."""
        remaining = self.order.budget_seconds - self.spent()
        trials = self.book.protocol.min_trials
        blocks = protocol.blocks_per_trial(
            self.book.protocol.window_seconds, pace, remaining, trials
        )
        if trials * pace > remaining and self.order.profile != "quick":
            self.tell(
                f"a block takes {pace:.0f} s, so {trials} trials need about "
                f"{trials * pace / 60:.0f} min more, past the budget; --max-inferences makes a "
                "shorter, quick run"
            )
        self.book.protocol = self.book.protocol.model_copy(update={"blocks_per_trial": blocks})
        return blocks

    def measure(self, session: Session, blocks: int) -> Stop:
        while True:
            self.tell(self.progress())
            trial = self.trial(session, blocks, "measured")
            stop = self.should_stop(trial.duration_seconds)
            if stop:
                return stop

    def should_stop(self, last_seconds: float) -> Stop | None:
        limits = self.book.protocol
        count = len(self.book.measured)
        if count < limits.min_trials:
            return None
        if self.order.profile != "quick" and self.width() <= limits.target_relative_half_width:
            return "target"
        if count >= limits.max_trials:
            return "trials"
        if self.spent() + last_seconds > limits.budget_seconds:
            return "budget"
        return None

    def trial(self, session: Session, blocks: int, phase: Phase) -> Trial:
        """Serve the first `blocks` blocks inside one window and note it."""
        ids = self.workload.block_ids(blocks)
        cut = self.book.protocol.max_inferences or BLOCK_SIZE
        requests = [r for index in ids for r in self.workload.blocks[index][:cut]]

        def serve() -> ServedBatch:
            return session.serve(requests)

        picture = phase == "profile"
        seen = (window.record_power_trace if picture else window.measure_window)(self.rig, serve)
        trial = Trial(
            index=len(self.book.trials),
            phase=phase,
            block_ids=ids,
            started_seconds=max(0.0, seen.began - self.started),
            duration_seconds=seen.duration_seconds,
            work=seen.value.work,
            readings=seen.readings,
            device_states=seen.device_states,
            power_trace=seen.power_trace,
        )
        self.book.add(trial)
        if phase == "measured" and not self.answers:
            self.answers = list(zip(requests, seen.value.outputs, strict=True))
        return trial

    def judge(self) -> None:
        """Note how good the first trial's answers are: every trial serves the same requests."""
        try:
            self.book.quality = quality.evaluate_quality(self.workload, self.answers)
        except Exception as error:  # noqa: BLE001
            # A metric or a judge may throw anything; the warning `quality-missing` says it is gone.
            why = error if isinstance(error, quality.QualityUnavailable) else repr(error)
            self.tell(f"the quality could not be judged: {why}")
        if self.book.model.settings.get("label_method") == "prompt":
            self.book.note(refusal_count=quality.refusals(self.answers))

    def picture(self, session: Session) -> None:
        """One more window for the picture of power over time, which does not count."""
        powers = [meter.watts() for meter in self.rig.meters]
        if self.order.profile == "quick" or not any(powers):
            return
        self.tell("one more window for the picture of power over time")
        try:
            self.trial(session, self.book.protocol.blocks_per_trial or 1, "profile")
        except (BackendError, KeyboardInterrupt) as error:
            self.tell(f"there is no picture of power over time: {type(error).__name__}")

    def width(self) -> float:
        """Relative half-width of the interval over the energy so far, or of time without energy."""
        summary = self.book.summary()
        stated = summary.energy_kwh_per_1000 or summary.duration_seconds_per_inference
        width = statistics.relative_half_width(stated)
        return float("inf") if width is None else width

    def progress(self) -> str:
        done = len(self.book.measured)
        most = self.book.protocol.max_trials
        if done < 2:
            return f"trial {done + 1}"
        target = 100 * self.book.protocol.target_relative_half_width
        return (
            f"trial {done + 1} of at most {most}: {_percent(self.width())} so far, "
            f"target ±{target:g} %"
        )


def _percent(width: float) -> str:
    return f"±{100 * width:.1f} %" if width < 1 else "over ±100 %"


def warm_up(
    trial: Callable[[int], Trial], domains: Sequence[str], window_seconds: float, allowance: float
) -> float:
    """Serve until time and power are steady or `allowance` seconds are spent; at least once.

    `trial` serves that many blocks and returns the record. Gives the seconds that a block takes,
    from the last window.
    """
    trials: list[Trial] = []
    blocks, spent = 1, 0.0
    while True:
        trials.append(trial(blocks))
        spent += trials[-1].duration_seconds
        pace = trials[-1].duration_seconds / blocks
        if statistics.is_steady(trials, domains) or spent + pace > allowance:
            return pace
        blocks = max(1, min(4 * blocks, math.floor(window_seconds / max(pace, 1e-9))))
        blocks = max(1, min(blocks, math.floor((allowance - spent) / max(pace, 1e-9))))
