"""Progress of a run: `on_event` receives an `Event` between windows."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace


class Event(SimpleNamespace):
    """A step of a run: its `name`, and as attributes the values that an event of this name has.

    waiting-for-machine: another run holds the machine; `message` names it.
    machine-busy: other programs take `percent` of the CPU; the run waits for at most `seconds`.
    machine-still-busy: they still do, and the run begins.
    idle-started: an idle floor is measured for `seconds`; `when` is "cold" (before the model is
        loaded) or "resident" (after).
    loading: the model `model` is loaded.
    compiling: the first block is served, which compiles the model.
    warm-up: the model is warmed up.
    planned-time: the budget is too short for `trials` trials of one block, which takes
        `block_seconds`; they take `seconds` in all.
    trial-started: trial `index` (from 1) of at most `of`. `relative_half_width` is that of the 95 %
        interval so far, None before the third trial and where nothing is known yet; `target` is
        the one at which the run stops.
    quality-failed: the quality could not be evaluated because of `reason`; the result has none.
    power-trace-started: one more window is served, in which the power is recorded over time.
    power-trace-failed: the power could not be recorded because of `reason`.
    stopped: the run has ended with `status`; `reason` says why its trials stopped, or is None.
    variant-loading: the model of the variant `variant` of an ablation is loaded.
    variants-do-not-fit: the models do not fit into memory together: each is loaded again for every
        window.
    round-started: round `index` (from 1) of `of` of `windows` interleaved windows.
    """

    name: str

    def __init__(self, name: str, **values: object) -> None:
        super().__init__(name=name, **values)


OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """An `on_event` that does nothing."""
