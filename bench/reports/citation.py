"""A result in one line: a citation for a text, a badge (SVG) for a page."""

from __future__ import annotations

from xml.sax.saxutils import escape

from bench.reports import terminal
from bench.reports.plot_style import MEASURED, MODELLED
from bench.results import views, warning_rules
from bench.results.calibration import calibration_half_width
from bench.results.formatting import (
    energy_unit,
    format_nonnegative,
    format_number,
    printable,
    unit_plural,
)
from bench.results.record import Result
from bench.results.storage import content_id

INK = "#45423c"
BARRED = "#6b675f"
HEIGHT, LETTER, PAD = 20, 6.6, 8
BADGE = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" \
aria-label="{name}: {value}">
<title>{title}</title>
<clipPath id="r"><rect width="{width}" height="{height}" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="{height}" fill="{ink}"/>\
<rect x="{left}" width="{right}" height="{height}" fill="{tone}"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{pad}" y="14" textLength="{name_length}">{name}</text>
<text x="{value_at}" y="14" textLength="{value_length}">{value}</text>
</g>
</svg>
"""


def citation(result: Result) -> str:
    """One line that names the figure, its interval, its boundary, the run and the record.

    Raises ValueError for a result without an energy.
    """
    energy = views.headline_energy(result)
    if energy is None:
        raise ValueError("this result has no energy to cite")
    unit, size = energy_unit(energy.value)
    value, low, high = format_nonnegative(energy, size, _scale_error(result))
    kind = "modelled, not measured" if views.is_modelled(result) else "measured"
    things = unit_plural(result.task.unit)
    line = (
        f"{terminal.result_title(result).plain}: {value} {unit} per 1,000 {things} (95 % interval {low} to "
        f"{high} {unit}, {kind}, boundary {views.boundary_label(result)}). "
        f"JouleBench {result.joulebench_version}, run {result.run_id}, "
        f"{result.created_at[:10]}, record {content_id(result)}."
    )
    return printable(line)


def badge(result: Result) -> str:
    """A badge: what 1,000 inferences take, its colour by how the figure came about.

    Green is measured and ranks, grey is measured and does not rank, amber is modelled. Raises
    ValueError for a result without an energy.
    """
    energy = views.headline_energy(result)
    if energy is None:
        raise ValueError("this result has no energy for a badge")
    unit, size = energy_unit(energy.value)
    value = f"{format_number(energy.value / size, 2 if views.is_modelled(result) else 3)} {unit}"
    modelled = views.is_modelled(result)
    barred = not modelled and bool(
        warning_rules.rank_blockers(result, warning_rules.derive_warnings(result))
    )
    value += " modelled" if modelled else " not ranked" if barred else ""
    name = f"energy per 1,000 {unit_plural(result.task.unit)}"
    name_length, value_length = round(LETTER * len(name)), round(LETTER * len(value))
    left, right = name_length + 2 * PAD, value_length + 2 * PAD
    return BADGE.format(
        width=left + right,
        height=HEIGHT,
        left=left,
        right=right,
        pad=PAD,
        value_at=left + PAD,
        name=escape(name),
        value=escape(value),
        name_length=name_length,
        value_length=value_length,
        ink=INK,
        tone=MODELLED if modelled else BARRED if barred else MEASURED,
        title=escape(citation(result)),
    )


def _scale_error(result: Result) -> float | None:
    """The scale error where it leaves fewer digits than the interval does: of a model."""
    return calibration_half_width(result) if views.is_modelled(result) else None
