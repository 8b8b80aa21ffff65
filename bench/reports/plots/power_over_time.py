"""Power over time in one run: mean power of every window with its phase, and the profile trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.reports import plot_data, plot_style
from bench.results.record import Reading, Result, Trial

SCOPE = "result"
SHADES = {
    "idle": "#f3f0e8",
    "idle, model loaded": "#e9e4d6",
    "warm-up": "#f6e7d2",
    "trials": "#dcecea",
    "profile": "#e6e5f3",
}


@dataclass(frozen=True)
class WindowTrace:
    """One window of the run: its phase, when it began and ended (s), and what was read in it."""

    phase: str
    began: float
    ended: float
    readings: tuple[Reading, ...]


@plot_style.styled
def draw(results: Sequence[Result]) -> Figure:
    """The windows of the first result; domains of its boundary are added up.

    A window in which a domain could not be read has no mark. Raises ValueError if there is nothing
    to draw.
    """
    if not results:
        raise ValueError("no result to draw")
    (point,) = plot_data.points(results[:1])
    result = point.result
    found = list(windows(result))
    domains = {r.domain for w in found for r in w.readings if _counts(point, r)}
    figure, axes = plot_style.canvas(5.4)
    top = _levels(axes, point, found, domains)
    top = max(top, _trace(axes, point, result))
    _shade(axes, found)
    plot_style.linear_axis(axes, "y", 1.1 * top)
    plot_style.linear_axis(axes, "x", 1.01 * max(window.ended for window in found))
    axes.set_xlabel("seconds since the run began", labelpad=8)
    axes.set_ylabel("watts", labelpad=8)
    axes.tick_params(axis="both", length=0, pad=6, labelcolor=plot_style.SOFT)
    kind = "modelled, not measured" if point.modelled else "measured"
    who = f"{result.task.id} · {plot_data.name(result, 60)}"
    lines = plot_data.footer([point]).splitlines()
    how = "Bars: mean power of a window; between windows nothing is read."
    if any(window.phase == "profile" for window in found):
        how += f" Line: {_traced(result)} in the profile trial, which does not count."
    foot = "\n".join([*lines[:-1], f"{how} JouleBench, {result.created_at[:10]}"])
    return plot_style.finish(figure, "Power over time", f"{who} · {kind}", [point], foot)


def windows(result: Result) -> Iterator[WindowTrace]:
    """Every window of a run in its order: idle floors, warm-up, trials, profile.

    When an idle floor began is not recorded: the cold one comes first, the one with the model
    resident ends where warm-up begins.
    """
    first = min((trial.started_seconds for trial in result.trials), default=0.0)
    for floor in result.idle:
        if any(reading.method == "modelled" for reading in floor.readings):
            continue  # the model knows no idle power
        if floor.when == "cold":
            yield WindowTrace("idle", 0.0, floor.duration_seconds, floor.readings)
        elif floor.when == "resident":
            began = max(0.0, first - floor.duration_seconds)
            yield WindowTrace("idle, model loaded", began, first, floor.readings)
    for trial in result.trials:
        names = {"warmup": "warm-up", "measured": "trials", "profile": "profile"}
        yield WindowTrace(names[trial.phase], trial.started_seconds, _end(trial), trial.readings)


def _traced(result: Result) -> str:
    names = {trace.domain for trial in result.trials for trace in trial.power_trace}
    return ", ".join(sorted(names)) or "power"


def _end(trial: Trial) -> float:
    return trial.started_seconds + trial.duration_seconds


def _counts(point: plot_data.PlotPoint, reading: Reading) -> bool:
    """Whether a reading belongs to the figure: inside the boundary, or modelled in its place."""
    inside = reading.domain in point.result.boundary.domains
    return inside and (reading.method == "modelled") == point.modelled


def _levels(
    axes: Axes, point: plot_data.PlotPoint, found: Sequence[WindowTrace], domains: set[str]
) -> float:
    """Draw the mean power of each window that has all domains; gives the greatest."""
    top = 0.0
    for window in found:
        energies = {r.domain: r.energy_joules for r in window.readings if _counts(point, r)}
        known = [energy for energy in energies.values() if energy is not None]
        if not domains or len(known) < len(domains) or window.ended <= window.began:
            continue
        watts = sum(known) / (window.ended - window.began)
        top = max(top, watts)
        axes.plot(
            (window.began, window.ended),
            (watts, watts),
            color=plot_style.colour(point),
            linewidth=3,
            solid_capstyle="butt",
            linestyle=(0, (1.2, 0.8)) if point.modelled else "-",
            zorder=4,
        )
    if top == 0:
        raise ValueError("no window has a power to draw")
    return top


def _trace(axes: Axes, point: plot_data.PlotPoint, result: Result) -> float:
    """Draw the power of the profile trial, domain by domain; gives the greatest."""
    top = 0.0
    for trial in result.trials:
        for trace in trial.power_trace:
            if trace.domain not in result.boundary.domains or not trace.watts:
                continue
            seconds = [trial.started_seconds + second for second in trace.seconds]
            tone = plot_style.colour(point)
            axes.plot(seconds, trace.watts, color=tone, linewidth=0.9, alpha=0.8, zorder=3)
            top = max(top, *trace.watts)
    return top


def _shade(axes: Axes, found: Sequence[WindowTrace]) -> None:
    """Shade each phase from its first window to its last; the names stand above."""
    phases = dict.fromkeys(window.phase for window in found)
    for phase in phases:
        mine = [window for window in found if window.phase == phase]
        axes.axvspan(mine[0].began, mine[-1].ended, color=SHADES[phase], linewidth=0, zorder=0)
    plot_style.key(axes, {phase: SHADES[phase] for phase in phases}, 5)
