"""The figures of docs/claims.md: rows of computed figures, each with its value and its caveat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bench.impact import claims
from bench.impact.claims import RecomputedQuantity
from bench.reports import plot_style
from bench.results.formatting import format_number, interval_text
from bench.results.interval import Interval

DPI = 110
TONE = "#a39c8e"  # neither measured nor modelled by us: computed from what others published


@dataclass(frozen=True)
class Row:
    """One figure to draw: its name, its value with low and high, and how it reads."""

    name: str
    figure: Interval
    words: str
    apart: bool = False  # of another basis or kind: drawn hollow


def save(name: str, folder: Path) -> Path:
    """Draw a figure into `claims-<name>.png`, the same bytes for the same facts."""
    with mpl.rc_context(plot_style.STYLE):
        figure = FIGURES[name]()
        path = folder / f"claims-{name}.png"
        metadata = {"Description": str(figure.get_label()), "Software": None}
        figure.savefig(path, dpi=DPI, metadata=metadata)
    return path


def _ours(claim: str) -> dict[str, RecomputedQuantity]:
    """The quantities of a claim, by name and unit."""
    found = claims.recompute_claims((claim,))[0].ours
    return {f"{one.claimed.quantity}, {one.claimed.unit}": one for one in found}


def _caveat(claim: str) -> str:
    answer = claims.recompute_claims((claim,))[0]
    return (
        f"{answer.claim.caveat}\nComputed from published facts, not measured. {answer.claim.source}"
    )


def _phone_charge() -> Figure:
    found = _ours("S4")
    rows = []
    for quantity, one in found.items():
        name = quantity.removeprefix("charges per ").removesuffix(", charges")
        text = format_number(one.figure.value, 3)
        rows.append(Row(name[0].upper() + name[1:], one.figure, text, apart="mean" in quantity))
    return _draw(
        rows,
        "Is one image one phone charge?",
        "Phone charges for one image: the worst model (full) and the mean of models (hollow)",
        _caveat("S4"),
        line=(1.0, "one charge"),
    )


def _bloom() -> Figure:
    found = _ours("S2") | _ours("S1")
    parts = {
        "Dynamic": found["BLOOM dynamic emissions, tCO2e"],
        "Idle and infrastructure": found["BLOOM idle emissions, tCO2e"],
        "Embodied": found["BLOOM embodied emissions, tCO2e"],
        "All of it": found["BLOOM total emissions, tCO2e"],
    }
    rows = [Row(name, one.figure, interval_text(one.figure, "t", 4)) for name, one in parts.items()]
    return _draw(
        rows,
        "What training BLOOM emitted",
        "tCO2e at 57 g/kWh; thin line: low and high over all sources",
        _caveat("S2"),
        line=(parts["Dynamic"].figure.value, "dynamic energy alone"),
    )


def _grids() -> Figure:
    found = _ours("S7")
    places = (
        ("France", "GPT-3 energy in France, 2024, tCO2e", False),
        ("United States", "GPT-3 energy in the US, 2024, tCO2e", False),
        ("West Virginia, direct combustion", "GPT-3 energy in West Virginia, tCO2e", True),
    )
    rows = [
        Row(n, found[q].figure, interval_text(found[q].figure, "t", 4), other)
        for n, q, other in places
    ]
    ratio = format_number(found["US over France, 2024, both life-cycle, ratio"].figure.value, 3)
    return _draw(
        rows,
        "The same training on three grids",
        f"tCO2e of the energy of GPT-3; US over France {ratio}; hollow: another basis, no ratio",
        _caveat("S7"),
    )


def _break_even() -> Figure:
    rows = []
    for quantity, one in _ours("S13").items():
        name = quantity.partition(" uses")[0].partition(" requests")[0]
        hours = one.figure.value / 1e9 * 24
        text = f"{one.figure.value / 1e6:,.1f} million; {hours:.2g} h at a billion a day"
        rows.append(Row(name, one.figure, text))
    return _draw(
        rows,
        "Training once, using a billion times",
        "Uses until inference has taken as much energy as training",
        _caveat("S13"),
    )


def _five_cars() -> Figure:
    search, gpt3 = _ours("S11"), _ours("S10")
    names = (
        ("Search of 2019, as claimed", search["NAS in car lifetimes, cars"]),
        (
            "The same, corrected",
            search["NAS as corrected by Patterson et al. in car lifetimes, cars"],
        ),
        ("GPT-3", gpt3["GPT-3 in car lifetimes, with PUE, cars"]),
        ("GPT-3 before PUE", gpt3["GPT-3 in car lifetimes, before PUE, cars"]),
    )
    rows = [Row(name, one.figure, format_number(one.figure.value, 3)) for name, one in names]
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
    """Bars from zero, one a row, with low and high as a thin line and the value in words."""
    figure, axes = plot_style.canvas(2.5 + 0.42 * len(rows), 8.0)
    for index, row in enumerate(rows):
        _bar(axes, row, -index)
    axes.set_yticks([-index for index in range(len(rows))], [row.name for row in rows])
    axes.tick_params(axis="y", length=0, pad=8)
    axes.xaxis.set_major_locator(NullLocator())
    axes.spines["bottom"].set_visible(False)
    axes.set_ylim(-len(rows) + 0.4, 0.9 if line else 0.6)
    most = max(row.figure.high for row in rows)
    axes.set_xlim(0, most * 1.45)
    if line:
        value, text = line
        axes.axvline(value, color=plot_style.SOFT, linewidth=1.2, linestyle=(0, (2, 3)), zorder=1)
        axes.text(value, 0.55, f" {text}", fontsize=9.5, color=plot_style.SOFT, va="bottom")
    plot_style.add_titles(figure, title, subtitle, [], foot)
    label = "\n".join([title, *(f"{row.name}: {row.words}" for row in rows), foot])
    figure.set_label(label)
    return figure


def _bar(axes: Axes, row: Row, y: float) -> None:
    look: dict[str, Any] = {"color": TONE}
    if row.apart:
        look = {"facecolor": plot_style.PAPER, "edgecolor": TONE, "linewidth": 1.6}
    axes.barh([y], [row.figure.value], height=0.56, zorder=2, **look)
    if not row.figure.exact:
        axes.plot(
            (row.figure.low, row.figure.high), (y, y), color=plot_style.INK, linewidth=1.2, zorder=3
        )
    axes.annotate(
        row.words,
        (row.figure.high, y),
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
