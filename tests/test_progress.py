"""Progress lines of a run: one line for each event, one shared line for the trials."""

import io

import pytest

from bench.cli._progress import ProgressLine, event_text
from bench.runner.events import Event

TRIALS = [
    Event("trial-started", index=1, of=30, relative_half_width=None, target=0.02),
    Event("trial-started", index=3, of=30, relative_half_width=0.0312, target=0.02),
]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def written(stream):
    progress = ProgressLine(stream)
    for event in [
        Event("loading", model="trial of a name"),
        *TRIALS,
        Event("warm-up"),
    ]:
        progress(event)
    return stream.getvalue()


def test_every_event_has_its_own_line_without_a_terminal():
    assert written(io.StringIO()).splitlines() == [
        "· loading trial of a name",
        "· trial 1",
        "· trial 3 of at most 30: ±3.1 % so far, target ±2 %",
        "· warming up until time and power are steady",
    ]


def test_trials_share_a_line_on_a_terminal():
    text = written(Terminal())
    assert text.startswith("· loading trial of a name\n· trial 1\r\033[K· trial 3")
    assert text.endswith("target ±2 %\r\033[K· warming up until time and power are steady\n")


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            Event("idle-started", when="cold", seconds=10.0),
            "idle floor before the model is loaded: 10 s",
        ),
        (Event("round-started", index=2, of=5, windows=3), "round 2 of 5: 3 windows"),
        (
            Event("trial-started", index=3, of=30, relative_half_width=1.5, target=0.01),
            "trial 3 of at most 30: over ±100 % so far, target ±1 %",
        ),
        (
            Event("quality-failed", reason="no metric"),
            "the quality could not be evaluated: no metric",
        ),
        (Event("stopped", status="done", reason="target"), None),
    ],
)
def test_text_of_an_event(event, text):
    assert event_text(event) == text


def test_planned_time_states_minutes_and_a_remedy():
    text = event_text(Event("planned-time", block_seconds=200.0, trials=5, seconds=1000.0))
    assert "5 trials need about 17 min more" in text and "--max-inferences" in text
