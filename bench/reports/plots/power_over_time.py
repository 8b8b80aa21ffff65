"""Power over time in one run: mean power of every window by phase, and the profile trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.reports import plot_data, plot_style
from bench.results import statistics
from bench.results.record import Reading, Result

SCOPE = "result"
PHASES = {"warmup": "warm-up", "measured": "trials", "profile": "profile"}
COLOURS = {
    "idle": "#f3f0e8",
    "idle, model loaded": "#e9e4d6",
    "warm-up": "#f6e7d2",
    "trials": "#dcecea",
    "profile": "#e6e5f3",
}


@dataclass(frozen=True)
class WindowTrace:
    """One window of a run: its phase, start and end in seconds, and its readings."""

    phase: str
    start: float
    end: float
    readings: tuple[Reading, ...]


@plot_style.plot_context()
def draw(results: Sequence[Result]) -> Figure:
    """The windows of the first result, the domains of its boundary added up.

    A window in which a domain could not be read is not drawn. Raises ValueError if there is no
    result, or no window with a power.
    """
    point = plot_data.single_point(results)
    result = point.result
    traces = list(windows(result))
    figure, axes = plot_style.canvas(5.4)
    _draw_windows(axes, point, traces)
    if axes.dataLim.ymax <= 0:
        raise ValueError("no window has a power to draw")
    _draw_profile(axes, point)
    highest = axes.dataLim.ymax
    _shade_phases(axes, traces)
    plot_style.linear_axis(axes, "y", 1.1 * highest)
    plot_style.linear_axis(axes, "x", 1.01 * max(window.end for window in traces))
    axes.set(xlabel="seconds since the start of the run", ylabel="watts")
    axes.tick_params(axis="both", length=0, pad=6, labelcolor=plot_style.SOFT)
    legend = "Bars: mean power of a window; between windows nothing is read."
    if any(window.phase == "profile" for window in traces):
        domains = sorted({t.domain for trial in result.trials for t in trial.power_trace})
        legend += (
            f" Line: {', '.join(domains) or 'power'} in the profile trial, which is not counted."
        )
    foot = plot_data.footer([point], legend)
    subtitle = plot_data.subtitle(point)
    return plot_style.add_titles(figure, "Power over time", subtitle, [point], foot)


def windows(result: Result) -> Iterator[WindowTrace]:
    """Every window of a run in order: idle floors, warm-up, trials, profile.

    The start of an idle floor is not recorded: the cold one comes first, and the one with the
    model loaded ends where warm-up starts. Modelled idle power is left out.
    """
    first = min((trial.started_seconds for trial in result.trials), default=0.0)
    for floor in result.idle:
        if any(reading.method == "modelled" for reading in floor.readings):
            continue
        if floor.when == "cold":
            yield WindowTrace("idle", 0.0, floor.duration_seconds, floor.readings)
        elif floor.when == "resident":
            start = max(0.0, first - floor.duration_seconds)
            yield WindowTrace("idle, model loaded", start, first, floor.readings)
    for trial in result.trials:
        end = trial.started_seconds + trial.duration_seconds
        yield WindowTrace(PHASES[trial.phase], trial.started_seconds, end, trial.readings)


def _draw_windows(axes: Axes, point: plot_data.PlotPoint, traces: Sequence[WindowTrace]) -> None:
    """Draw the mean power of each window that has all domains of the boundary that were read.

    Modelled readings count where the energy of the result is modelled, measured ones otherwise.
    """
    domains = {
        reading.domain
        for window in traces
        for reading in window.readings
        if reading.domain in point.result.boundary.domains
        and (reading.method == "modelled") == point.modelled
    }
    for window in traces:
        energy = statistics.energy_joules(window, sorted(domains))
        if energy is None or window.end <= window.start:
            continue
        watts = energy / (window.end - window.start)
        axes.plot(
            (window.start, window.end),
            (watts, watts),
            color=plot_style.colour(point),
            linewidth=3,
            solid_capstyle="butt",
            linestyle=(0, (1.2, 0.8)) if point.modelled else "-",
            zorder=4,
        )


def _draw_profile(axes: Axes, point: plot_data.PlotPoint) -> None:
    """Draw the power of the profile trial by domain."""
    for trial in point.result.trials:
        for trace in trial.power_trace:
            if trace.domain not in point.result.boundary.domains or not trace.watts:
                continue
            seconds = [trial.started_seconds + second for second in trace.seconds]
            color = plot_style.colour(point)
            axes.plot(seconds, trace.watts, color=color, linewidth=0.9, alpha=0.8, zorder=3)


def _shade_phases(axes: Axes, traces: Sequence[WindowTrace]) -> None:
    """Shade each phase from its first window to its last; a legend above names the phases."""
    phases = dict.fromkeys(window.phase for window in traces)
    for phase in phases:
        of_phase = [window for window in traces if window.phase == phase]
        start, end = of_phase[0].start, of_phase[-1].end
        axes.axvspan(start, end, color=COLOURS[phase], linewidth=0, zorder=0)
    plot_style.draw_legend(axes, {phase: COLOURS[phase] for phase in phases}, 5)
