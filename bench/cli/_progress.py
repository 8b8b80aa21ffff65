"""One progress line from events; `progress.jinja` has the text of each."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from bench.results.escaping import text_environment
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
    template = text_environment(Path(__file__).parent, shown=str).get_template("progress.jinja")
    return template.render(event=event).strip("\n") or None
