"""Taking turns: runs of several settings whose windows alternate, so that drift hits all alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from bench.backends import BackendError, ModelNotFound, Session
from bench.results.machine_record import Machine
from bench.results.record import Failure, Result
from bench.runner import run_loop

MEMORY_SHARE = 0.5  # of what is free: as much may the models take that are loaded together


@dataclass
class Variant:
    """One setting while it is measured."""

    lever: str
    load: Callable[[], Session]
    run: run_loop.RunLoop
    saved: list[Path] = field(default_factory=list)
    session: Session | None = None
    pace: float = 0.0
    failure: Failure | None = None

    def open(self) -> Session:
        """Load where it is not loaded. Raises Failed and ModelNotFound."""
        if self.session is None:
            self.session = self.run.load(self.load)
        return self.session

    def close(self) -> None:
        """Give the memory back."""
        if self.session is not None:
            self.session.close()
            self.session = None


def run_interleaved(turns: Sequence[Variant], rounds: int, tell: Callable[[str], None]) -> None:
    """Idle floors, loading, warming up, then a window of every setting in every round."""
    base = turns[0].run
    base.idle("cold")
    together = True
    for turn in turns:
        tell(f"loading: {turn.lever}")
        _guard(turn, partial(_warm, turn))
        if turn is turns[0]:
            together = _fits(turn, len(turns))
            if not together:
                tell("too large to be held several times: the model is loaded again each time")
        if not together:
            turn.close()
    _guard(turns[0], partial(Variant.open, turns[0]))
    base.idle("resident")
    for turn in turns[1:]:
        for floor in base.book.idle:
            turn.run.book.add_idle(floor)
    alive = [turn for turn in turns if turn.failure is None]
    if not alive:
        return
    blocks = _blocks(alive, rounds)
    for number in range(rounds):
        tell(f"round {number + 1} of {rounds}: {len(alive)} windows")
        for turn in alive if number % 2 == 0 else alive[::-1]:
            if turn.failure is None:
                _guard(turn, partial(_window, turn, blocks, together))
    for turn in turns:
        turn.close()


def _guard(turn: Variant, work: Callable[[], object]) -> None:
    """A setting that breaks is out from then on, with its reason; the others go on."""
    try:
        work()
    except BackendError as error:
        turn.failure = Failure(stage=error.stage, code=error.code, message=error.message)
    except ModelNotFound as error:
        turn.failure = Failure(stage="load", code="unsupported", message=str(error))
    if turn.failure:
        turn.close()


def _warm(turn: Variant) -> None:
    session = turn.open()
    turn.pace = turn.run.warm_up(session)


def _window(turn: Variant, blocks: int, together: bool) -> None:
    fresh = turn.session is None
    session = turn.open()
    if fresh:
        session.serve(turn.run.workload.blocks[0])
    turn.run.trial(session, blocks, "measured")
    if not together:
        turn.close()


def _blocks(turns: Sequence[Variant], rounds: int) -> int:
    """Blocks in every window: the same work for all, long enough for the fastest."""
    protocol = turns[0].run.book.protocol
    fastest, all_of_them = min(t.pace for t in turns), math.fsum(t.pace for t in turns)
    fastest = max(fastest, all_of_them / len(turns) / 100)
    wanted = math.ceil(protocol.window_seconds / max(fastest, 1e-9))
    blocks = max(
        1, min(wanted, math.floor(protocol.budget_seconds / max(rounds * all_of_them, 1e-9)))
    )
    for turn in turns:
        rules = {"blocks_per_trial": blocks, "max_trials": rounds}
        turn.run.book.protocol = turn.run.book.protocol.model_copy(update=rules)
    return blocks


def _fits(turn: Variant, count: int) -> bool:
    """Whether so many copies of a loaded model may stand in memory together."""
    size = (turn.run.book.model.parameter_count or 0) * 4
    return count * size <= MEMORY_SHARE * _free_bytes(turn.run.book.result().machine)


def _free_bytes(described: Machine) -> int:
    sizes = [d.memory_bytes for d in described.used_gpus if d.memory_bytes]
    return min(sizes) if sizes else int(psutil.virtual_memory().available)


def finish_variant(turn: Variant) -> Result:
    """The record of one setting, saved: an ordinary result that says that it was interleaved."""
    book = turn.run.book
    settings = {**book.model.settings, "measured": "in turn with other settings"}
    book.model = book.model.model_copy(update={"settings": settings})
    if turn.failure is not None:
        return book.close("failed", failure=turn.failure)
    turn.run.judge()
    return book.close("done", "trials")
