"""The plots of docs/claims.md: bars of recomputed values, with the caveat of the claim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bench.impact.claims import find_claims
from bench.reports import plot_style
from bench.results.formatting import format_number, interval_text
from bench.results.interval import Interval

DPI = 110
RECOMPUTED = "#a39c8e"  # neither measured nor modelled: computed from published facts


@dataclass(frozen=True)
class Row:
    """One bar: its name, its value with low and high, and its text."""

    name: str
    value: Interval
    text: str
    hollow: bool = False  # of another basis or kind than the other bars


def save(name: str, folder: Path) -> Path:
    """Draw a plot into `claims-<name>.png`, the same bytes for the same facts."""
    with plot_style.plot_context():
        figure = FIGURES[name]()
        path = folder / f"claims-{name}.png"
        metadata = {"Description": str(figure.get_label()), "Software": None}
        figure.savefig(path, dpi=DPI, metadata=metadata)
    return path


def _values(claim_id: str) -> dict[str, Interval]:
    """The recomputed values of a claim, by quantity and unit."""
    quantities = find_claims((claim_id,))[0].quantities
    return {f"{each.quantity}, {each.unit}": each.value for each in quantities}


def _caveat(claim_id: str) -> str:
    claim = find_claims((claim_id,))[0]
    return f"{claim.caveat}\nComputed from published facts, not measured. {claim.source}"


def _phone_charge() -> Figure:
    rows = []
    for quantity, value in _values("S4").items():
        name = quantity.removeprefix("charges per ").removesuffix(", charges")
        text = format_number(value.value, 3)
        rows.append(Row(name[0].upper() + name[1:], value, text, hollow="mean" in quantity))
    return _draw(
        rows,
        "Is one image one phone charge?",
        "Phone charges for one image: the worst model (full) and the mean of models (hollow)",
        _caveat("S4"),
        line=(1.0, "one charge"),
    )


def _bloom() -> Figure:
    values = _values("S2") | _values("S1")
    parts = {
        "Dynamic": values["BLOOM dynamic emissions, tCO2e"],
        "Idle and infrastructure": values["BLOOM idle emissions, tCO2e"],
        "Embodied": values["BLOOM embodied emissions, tCO2e"],
        "Total": values["BLOOM total emissions, tCO2e"],
    }
    rows = [Row(name, value, interval_text(value, "t", 4)) for name, value in parts.items()]
    return _draw(
        rows,
        "Emissions of training BLOOM",
        "tCO2e at 57 g/kWh; thin line: low and high over all sources",
        _caveat("S2"),
        line=(parts["Dynamic"].value, "dynamic energy alone"),
    )


def _grids() -> Figure:
    values = _values("S7")
    places = (
        ("France", "GPT-3 energy in France, 2024, tCO2e", False),
        ("United States", "GPT-3 energy in the US, 2024, tCO2e", False),
        ("West Virginia, direct combustion", "GPT-3 energy in West Virginia, tCO2e", True),
    )
    rows = [
        Row(name, values[quantity], interval_text(values[quantity], "t", 4), hollow)
        for name, quantity, hollow in places
    ]
    ratio = format_number(values["US over France, 2024, both life-cycle, ratio"].value, 3)
    return _draw(
        rows,
        "The same training on three grids",
        f"tCO2e of the energy of GPT-3; US over France {ratio}; hollow: another basis, no ratio",
        _caveat("S7"),
    )


def _break_even() -> Figure:
    rows = []
    for quantity, value in _values("S13").items():
        name = quantity.partition(" uses")[0].partition(" requests")[0]
        hours = value.value / 1e9 * 24
        text = f"{value.value / 1e6:,.1f} million; {hours:.2g} h at a billion a day"
        rows.append(Row(name, value, text))
    return _draw(
        rows,
        "Break-even of training and inference",
        "Number of uses whose energy equals that of training",
        _caveat("S13"),
    )


def _five_cars() -> Figure:
    search, gpt3 = _values("S11"), _values("S10")
    cars = (
        ("Search of 2019, as claimed", search["NAS in car lifetimes, cars"]),
        (
            "The same, corrected",
            search["NAS as corrected by Patterson et al. in car lifetimes, cars"],
        ),
        ("GPT-3", gpt3["GPT-3 in car lifetimes, with PUE, cars"]),
        ("GPT-3 before PUE", gpt3["GPT-3 in car lifetimes, before PUE, cars"]),
    )
    rows = [Row(name, value, format_number(value.value, 3)) for name, value in cars]
    return _draw(
        rows,
        "Five cars",
        "Emissions in lifetimes of an American car with its fuel",
        _caveat("S11"),
        line=(5.0, "five cars"),
    )


def _draw(
    rows: Sequence[Row],
    title: str,
    subtitle: str,
    foot: str,
    line: tuple[float, str] | None = None,
) -> Figure:
    """One bar per row, from zero, with low and high as a thin line and the value as text."""
    figure, axes = plot_style.canvas(2.5 + 0.42 * len(rows), 8.0)
    for index, row in enumerate(rows):
        _bar(axes, row, -index)
    axes.set_yticks([-index for index in range(len(rows))], [row.name for row in rows])
    axes.tick_params(axis="y", length=0, pad=8)
    axes.xaxis.set_major_locator(NullLocator())
    axes.spines["bottom"].set_visible(False)
    axes.set_ylim(-len(rows) + 0.4, 0.9 if line else 0.6)
    most = max(row.value.high for row in rows)
    axes.set_xlim(0, most * 1.45)
    if line:
        value, text = line
        axes.axvline(value, color=plot_style.SOFT, linewidth=1.2, linestyle=(0, (2, 3)), zorder=1)
        axes.text(value, 0.55, f" {text}", fontsize=9.5, color=plot_style.SOFT, va="bottom")
    plot_style.add_titles(figure, title, subtitle, [], foot)
    label = "\n".join([title, *(f"{row.name}: {row.text}" for row in rows), foot])
    figure.set_label(label)
    return figure


def _bar(axes: Axes, row: Row, y: float) -> None:
    style: dict[str, Any] = {"color": RECOMPUTED}
    if row.hollow:
        style = {"facecolor": plot_style.PAPER, "edgecolor": RECOMPUTED, "linewidth": 1.6}
    axes.barh([y], [row.value.value], height=0.56, zorder=2, **style)
    if not row.value.exact:
        ends = (row.value.low, row.value.high)
        axes.plot(ends, (y, y), color=plot_style.INK, linewidth=1.2, zorder=3)
    axes.annotate(
        row.text,
        (row.value.high, y),
        xytext=(7, 0),
        textcoords="offset points",
        va="center_baseline",
        fontsize=10.5,
        bbox=plot_style.BEHIND,
        zorder=4,
    )


FIGURES: dict[str, Callable[[], Figure]] = {
    "phone-charge": _phone_charge,
    "bloom": _bloom,
    "grids": _grids,
    "break-even": _break_even,
    "five-cars": _five_cars,
}
