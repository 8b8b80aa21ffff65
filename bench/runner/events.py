"""Progress of a run as typed events: `on_event` receives them between windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bench.results.record import Status, Stop


class Event:
    """Base of all events."""


OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """An `on_event` that does nothing."""


@dataclass(frozen=True)
class WaitingForMachine(Event):
    """Another run holds the machine; `message` names it."""

    message: str


@dataclass(frozen=True)
class IdleStarted(Event):
    """An idle floor is measured, before the model is loaded (cold) or after (resident)."""

    when: Literal["cold", "resident"]
    seconds: float


@dataclass(frozen=True)
class Loading(Event):
    """A model is loaded."""

    model: str


@dataclass(frozen=True)
class Compiling(Event):
    """The first block is served, which compiles the model."""


@dataclass(frozen=True)
class WarmUp(Event):
    """The model is warmed up."""


@dataclass(frozen=True)
class PlannedTime(Event):
    """The budget is too short: `trials` trials of one block take `seconds` in all."""

    block_seconds: float
    trials: int
    seconds: float


@dataclass(frozen=True)
class TrialStarted(Event):
    """Trial `index` of at most `of`, counted from 1.

    `relative_half_width` is that of the 95 % interval so far, None before the third trial and where
    nothing is known yet; `target` is the one at which the run stops.
    """

    index: int
    of: int
    relative_half_width: float | None
    target: float


@dataclass(frozen=True)
class QualityFailed(Event):
    """The quality could not be evaluated; the result has none."""

    reason: str


@dataclass(frozen=True)
class PowerTraceStarted(Event):
    """One more window is served, in which the power is recorded over time."""


@dataclass(frozen=True)
class PowerTraceFailed(Event):
    """The power could not be recorded; the result has no power trace."""

    reason: str


@dataclass(frozen=True)
class Stopped(Event):
    """The run has ended, and why its trials stopped where they did."""

    status: Status
    reason: Stop | None


@dataclass(frozen=True)
class VariantLoading(Event):
    """The model of one variant of an ablation is loaded."""

    variant: str


@dataclass(frozen=True)
class VariantsDoNotFit(Event):
    """The models do not fit into memory together: each is loaded again for every window."""


@dataclass(frozen=True)
class RoundStarted(Event):
    """Round `index` of `of` of interleaved windows, counted from 1."""

    index: int
    of: int
    windows: int
