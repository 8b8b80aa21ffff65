"""A result in one line of text (citation) or as an SVG badge."""

from __future__ import annotations

from xml.sax.saxutils import escape

from bench.reports.plot_data import MEASURED, MODELLED
from bench.reports.terminal import result_title
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

NAME_COLOUR = "#45423c"
NOT_RANKED = "#6b675f"  # colour of measured energy that is not ranked
HEIGHT = 20  # pixels
LETTER_WIDTH = 6.6  # pixels, mean of Verdana at 11 px
PADDING = 8  # pixels
BADGE = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" \
aria-label="{name}: {value}">
<title>{title}</title>
<clipPath id="r"><rect width="{width}" height="{height}" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="{height}" fill="{name_colour}"/>\
<rect x="{left}" width="{right}" height="{height}" fill="{value_colour}"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{padding}" y="14" textLength="{name_length}">{name}</text>
<text x="{value_at}" y="14" textLength="{value_length}">{value}</text>
</g>
</svg>
"""


def citation(result: Result) -> str:
    """One line with the energy, its interval, its boundary, the run and the record's content id.

    Raises ValueError for a result without energy.
    """
    energy = views.headline_energy(result)
    if energy is None:
        raise ValueError("this result has no energy to cite")
    modelled = views.is_modelled(result)
    unit, size = energy_unit(energy.value)
    # The calibration uncertainty of a model leaves fewer digits than the interval does.
    error = calibration_half_width(result) if modelled else None
    value, low, high = format_nonnegative(energy, size, error)
    kind = "modelled, not measured" if modelled else "measured"
    return printable(
        f"{result_title(result).plain}: {value} {unit} per 1,000 {unit_plural(result.task.unit)} "
        f"(95 % interval {low} to {high} {unit}, {kind}, boundary {views.boundary_label(result)}). "
        f"JouleBench {result.joulebench_version}, run {result.run_id}, "
        f"{result.created_at[:10]}, record {content_id(result)}."
    )


def badge(result: Result) -> str:
    """An SVG badge with the energy of 1,000 inferences.

    Green is measured and ranked, grey is measured and not ranked, amber is modelled. Raises
    ValueError for a result without energy.
    """
    energy = views.headline_energy(result)
    if energy is None:
        raise ValueError("this result has no energy for a badge")
    modelled = views.is_modelled(result)
    blockers = warning_rules.rank_blockers(result, warning_rules.derive_warnings(result))
    suffix, colour = ("", MEASURED) if not blockers else (" not ranked", NOT_RANKED)
    if modelled:
        suffix, colour = " modelled", MODELLED
    unit, size = energy_unit(energy.value)
    value = f"{format_number(energy.value / size, 2 if modelled else 3)} {unit}{suffix}"
    name = f"energy per 1,000 {unit_plural(result.task.unit)}"
    name_length, value_length = round(LETTER_WIDTH * len(name)), round(LETTER_WIDTH * len(value))
    left, right = name_length + 2 * PADDING, value_length + 2 * PADDING
    return BADGE.format(
        width=left + right,
        height=HEIGHT,
        left=left,
        right=right,
        padding=PADDING,
        value_at=left + PADDING,
        name=escape(name),
        value=escape(value),
        name_length=name_length,
        value_length=value_length,
        name_colour=NAME_COLOUR,
        value_colour=colour,
        title=escape(citation(result)),
    )
