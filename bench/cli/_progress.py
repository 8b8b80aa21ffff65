"""One progress line from events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from bench.runner import events


class ProgressLine:
    """Writes the events of a run, one line each; on a terminal the trials share one line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._shared = stream, False

    def __call__(self, event: events.Event) -> None:
        text = event_text(event)
        if text is None:
            return
        self.clear()
        self._shared = self._stream.isatty() and event.name == "trial-started"
        self._stream.write(f"· {text}" + ("" if self._shared else "\n"))
        self._stream.flush()

    def clear(self) -> None:
        """Erase the shared line."""
        if self._shared:
            self._stream.write("\r\033[K")
            self._shared = False


def event_text(event: events.Event) -> str | None:
    """One line for an event; None where the result shows it anyway."""
    text = TEXTS.get(event.name)
    return text(event) if callable(text) else text and text.format(event=event)


def _idle_text(event: events.Event) -> str:
    place = "before the model is loaded" if event.when == "cold" else "with the model in memory"
    return f"idle floor {place}: {event.seconds:g} s"


def _planned_text(event: events.Event) -> str:
    return (
        f"a block takes {event.block_seconds:.0f} s, so {event.trials} trials need about "
        f"{event.seconds / 60:.0f} min more, past the budget; --max-inferences makes a "
        "shorter, quick run"
    )


def _trial_text(event: events.Event) -> str:
    width = event.relative_half_width
    if width is None:
        return f"trial {event.index}"
    interval = f"±{100 * width:.1f} %" if width < 1 else "over ±100 %"
    return (
        f"trial {event.index} of at most {event.of}: {interval} so far, "
        f"target ±{100 * event.target:g} %"
    )


TEXTS: dict[str, str | Callable[[events.Event], str]] = {
    "waiting-for-machine": "{event.message}",
    "idle-started": _idle_text,
    "loading": "loading {event.model}",
    "compiling": "compiling",
    "warm-up": "warming up until time and power are steady",
    "planned-time": _planned_text,
    "trial-started": _trial_text,
    "quality-failed": "the quality could not be evaluated: {event.reason}",
    "power-trace-started": "one more window, to record the power over time",
    "power-trace-failed": "the power could not be recorded: {event.reason}",
    "variant-loading": "loading: {event.variant}",
    "variants-do-not-fit": (
        "the models do not fit into memory together: each is loaded again for every window"
    ),
    "round-started": "round {event.index} of {event.of}: {event.windows} windows",
}
