"""One run: the energy of each trial, their mean and its interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from matplotlib.figure import Figure

from bench.reports import plot_data, plot_style
from bench.results import statistics, units, views
from bench.results.formatting import energy_unit, format_nonnegative, unit_plural
from bench.results.record import Result, Trial

SCOPE = "result"
WARM_UP = "#b9b4a8"  # colour of warm-up trials


@plot_style.plot_context()
def draw(results: Sequence[Result]) -> Figure:
    """The trials of the first result. Raises ValueError if there is none or it has no energy."""
    point = plot_data.single_point(results)
    result, color = point.result, plot_style.colour(point)
    unit, size = energy_unit(point.value)
    warm_up = [trial for trial in result.trials if trial.phase == "warmup"]
    first, last = -len(warm_up) or 1, len(result.measured())

    figure, axes = plot_style.canvas(4.6)
    for x, kwh in _energies(result, warm_up, first):
        axes.plot([x], [kwh / size], "o", color=WARM_UP, markersize=5)
    for x, kwh in _energies(result, result.measured(), 1):
        axes.plot([x], [kwh / size], **plot_style.marker_style(point))
    axes.axhspan(point.low / size, point.high / size, color=color, alpha=0.13, linewidth=0)
    axes.axhline(point.value / size, color=color, linewidth=1.6)

    axes.set_ylabel(f"{unit} per 1,000")
    plot_style.plain_ticks(axes, "y")
    axes.spines["bottom"].set_visible(False)
    ticks = {float(x): str(x) for x in range(2, last + 1, 1 + last // 16)} | {1.0: "trial 1"}
    if warm_up:
        ticks[(first - 1) / 2] = "warm-up"
    axes.set_xticks([*ticks], [*ticks.values()])
    axes.set_xlim(first - 0.7, last + 0.7)
    axes.use_sticky_edges = False
    axes.margins(x=0, y=0.12)
    axes.locator_params("y", prune="upper")  # the highest label would meet the subtitle
    axes.autoscale_view()
    axes.ticklabel_format(axis="y", useOffset=False, style="plain")

    error = point.calibration if point.modelled else None
    value, low, high = format_nonnegative(views.headline_energy(result), size, error)
    title = f"{value} {unit} per 1,000 {unit_plural(result.task.unit)}, {point.kind}"
    name = plot_data.model_name(result, 60)
    subtitle = f"{result.task.id} · {name} · 95 % interval {low} to {high} {unit}"
    calibration = f"Calibration uncertainty: ±{100 * point.calibration:.2g} %, not drawn."
    grey = " Grey: warm-up, not counted." if warm_up else ""
    foot = plot_data.footer([point], f"Band: 95 % interval. {calibration}{grey}")
    return plot_style.add_titles(figure, title, subtitle, [point], foot)


def _energies(result: Result, trials: Iterable[Trial], start: int) -> Iterator[tuple[int, float]]:
    """The trials with an energy: position from `start` on, kWh per 1,000 inferences."""
    domains = result.boundary.domains
    if result.summary is not None and result.summary.energy_kwh_per_1000 is None:
        domains = statistics.modelled_domains(result.measured())
    for x, trial in enumerate(trials, start):
        joules, count = statistics.energy_joules(trial, domains), trial.work.inference_count
        if joules is not None and count:
            yield x, units.kwh_per_1000(joules / count)
