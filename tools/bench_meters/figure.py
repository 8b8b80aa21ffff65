"""The figure of docs/measurement.md: how a window is bracketed by the steps of a slow counter."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, SOFT, LINE, TEAL, RUST = "#1d1c1a", "#6b675f", "#dcd8cf", "#0f6b62", "#a35a00"
STEP, LAG = 0.1, 0.012
BEGAN, ENDED = 0.463, 0.893
IDLE, BUSY, AFTER = 70.0, 330.0, 90.0
FROM, UNTIL = 0.0, 1.4
BEFORE, AFTER_END = slice(1, 5), slice(9, 14)  # the steps that the lines go through


def _watts(t: np.ndarray) -> np.ndarray:
    load = BUSY + 50 * np.sin(23 * t) + 30 * np.sign(np.sin(61 * t))
    rest = np.where(t < BEGAN, IDLE, AFTER)
    return np.where((t >= BEGAN) & (t < ENDED), load, rest)


def draw() -> Figure:
    """The figure: true power above, the counter and its lines below."""
    t = np.linspace(FROM, UNTIL, 14001)
    watts = _watts(t)
    joules = np.concatenate([[0], np.cumsum(0.5 * (watts[1:] + watts[:-1]) * np.diff(t))])
    steps = np.arange(FROM, UNTIL - LAG, STEP)
    values = np.interp(steps, t, joules)
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2.4))
    for axes in (above, below):
        axes.axvspan(BEGAN, ENDED, color=LINE, alpha=0.5, linewidth=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=SOFT)
        axes.set_yticks([])
    above.plot(t, watts, color=INK, linewidth=1)
    above.set_ylabel("true power", color=SOFT)
    above.set_title("the window", fontsize=10, color=SOFT)
    _counter(below, steps + LAG, values)
    below.set_xlabel("seconds", color=SOFT)
    below.set_ylabel("energy counter", color=SOFT)
    below.set_xlim(FROM, UNTIL)
    return figure


def _counter(axes: Axes, times: np.ndarray, values: np.ndarray) -> None:
    """The counter, the steps that are used, the two lines, and the energy between them."""
    axes.step(times, values, where="post", color=SOFT, linewidth=1)
    levels = []
    for part, edge in ((BEFORE, BEGAN + LAG), (AFTER_END, ENDED + LAG)):
        slope, level = np.polyfit(times[part] - edge, values[part], 1)
        ends = np.array([min(times[part][0], edge), max(times[part][-1], edge)])
        axes.plot(ends, level + slope * (ends - edge), color=TEAL, linewidth=1.5)
        axes.plot(times[part], values[part], "o", color=TEAL, markersize=4)
        axes.plot([edge], [level], "D", color=RUST, markersize=6)
        levels.append(level)
    at = ENDED + LAG
    axes.plot([BEGAN + LAG, at], [levels[0]] * 2, ":", color=RUST)
    arrow = {"arrowstyle": "<->", "color": RUST, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (at, levels[0]), (at, levels[1]), arrowprops=arrow)
    axes.text(at + 0.015, sum(levels) / 2, "the energy", color=RUST, va="center")
    before = values[np.searchsorted(times, BEGAN) - 1], values[np.searchsorted(times, ENDED) - 1]
    axes.plot([BEGAN, ENDED], before, "x", color=INK, markersize=7)
    axes.annotate(
        "read at the window's ends (×),\nthe counter is a step behind",
        (ENDED, before[1]), (0.42, values[-1] * 0.82), color=INK, fontsize=9, ha="right",
        arrowprops={"arrowstyle": "-", "color": LINE},
    )  # fmt: skip
    axes.text(0.02, levels[0] + 8, "steps before, and their line", color=TEAL, fontsize=9)
    axes.text(UNTIL - 0.01, levels[1] - 12, "steps after, and their line", color=TEAL,
              fontsize=9, ha="right")  # fmt: skip


def save(path: Path) -> None:
    """Write the figure, the same bytes each time."""
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 10}):
        draw().savefig(path, dpi=130, metadata={"Software": None})
