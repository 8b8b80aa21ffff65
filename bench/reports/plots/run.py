"""One run: the energy of each of its trials, their mean and its interval."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.reports import plot_data, plot_style
from bench.results import statistics, units, views
from bench.results.formatting import energy_unit, format_nonnegative, unit_plural
from bench.results.record import Result, Trial

SCOPE = "result"


@plot_style.styled
def draw(results: Sequence[Result]) -> Figure:
    """The trials of the first result. Raises ValueError if it has no energy."""
    if not results:
        raise ValueError("no result to draw")
    (point,) = plot_data.points(results[:1])
    result = point.result
    unit, size = energy_unit(point.value)
    figure, axes = plot_style.canvas(4.6)
    domains = result.boundary.domains
    if result.summary is not None and result.summary.energy_kwh_per_1000 is None:
        domains = statistics.modelled_domains(result.measured())
    start = _trials(axes, point, domains, size)
    axes.axhspan(
        point.low / size, point.high / size, color=plot_style.colour(point), alpha=0.13, linewidth=0
    )
    axes.axhline(point.value / size, color=plot_style.colour(point), linewidth=1.6)
    axes.set_ylabel(f"{unit} per 1,000", labelpad=8)
    axes.grid(axis="y", color=plot_style.LINE, linewidth=0.8)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="both", length=0, pad=6, labelcolor=plot_style.SOFT)
    last = len(result.measured())
    ticks: dict[float, str] = {float(x): str(x) for x in range(2, last + 1, 1 + last // 16)} | {
        1: "trial 1"
    }
    if start < 0:
        ticks[(start - 1) / 2] = "warm-up"
    axes.set_xticks([*ticks], [*ticks.values()])
    axes.set_xlim(start - 0.7, last + 0.7)
    axes.use_sticky_edges = False
    axes.margins(x=0, y=0.12)
    axes.autoscale_view()
    axes.ticklabel_format(axis="y", useOffset=False, style="plain")
    kind = "modelled, not measured" if point.modelled else "measured"
    error = point.calibration if point.modelled else None
    value, low, high = format_nonnegative(views.headline_energy(result), size, error)
    title = f"{value} {unit} per 1,000 {unit_plural(result.task.unit)}, {kind}"
    who = f"{result.task.id} · {plot_data.name(result, 60)}"
    subtitle = f"{who} · 95 % interval {low} to {high} {unit}"
    return plot_style.finish(figure, title, subtitle, [point], _foot(point, start < 0))


def _foot(point: plot_data.PlotPoint, warmed: bool) -> str:
    lines = plot_data.footer([point]).splitlines()
    grey = " Grey: warm-up, which does not count." if warmed else ""
    scale = f"Scale error: ±{100 * point.calibration:.2g} %, not drawn."
    when = f"JouleBench, {point.result.created_at[:10]}"
    return "\n".join([*lines[:-1], f"Band: 95 % interval. {scale}{grey} {when}"])


def _trials(axes: Axes, point: plot_data.PlotPoint, domains: Sequence[str], size: float) -> float:
    """Draw the trials, warm-up in grey left of 0; gives where the drawing begins."""

    def energy(trial: Trial) -> float | None:
        joules, count = statistics.energy_joules(trial, domains), trial.work.inference_count
        return None if joules is None or not count else units.kwh_per_1000(joules / count) / size

    warmup = [trial for trial in point.result.trials if trial.phase == "warmup"]
    before = [(i - len(warmup), energy(trial)) for i, trial in enumerate(warmup)]
    counted = [(i, energy(trial)) for i, trial in enumerate(point.result.measured(), start=1)]
    for x, y in before:
        if y is not None:
            axes.plot([x], [y], "o", color="#b9b4a8", markersize=5)
    for x, y in counted:
        if y is not None:
            axes.plot([x], [y], **plot_style.dot(point))
    return float(before[0][0]) if before else 1.0
