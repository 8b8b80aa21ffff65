"""A result in one line of text (citation) or as an SVG badge."""

from __future__ import annotations

from pathlib import Path

from bench.reports.plot_data import MEASURED, MODELLED
from bench.reports.terminal import result_title
from bench.results import views, warning_rules
from bench.results.calibration import calibration_half_width, energy_with_calibration
from bench.results.escaping import html_environment
from bench.results.formatting import (
    energy_unit,
    format_nonnegative,
    format_number,
    printable,
    unit_plural,
)
from bench.results.record import Result
from bench.results.storage import content_id

NOT_RANKED = "#6b675f"  # colour of measured energy that is not ranked


def citation(result: Result) -> str:
    """One line with the energy, its intervals, its boundary, the run and the record's content id.

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
    kind = f"modelled, not measured, {views.NOT_COUNTED}" if modelled else "measured"
    wide = energy_with_calibration(result)
    ends = [format_number(end / size, 2 if modelled else 3) for end in (wide.low, wide.high)]
    return printable(
        f"{result_title(result).plain}: {value} {unit} per 1,000 {unit_plural(result.task.unit)} "
        f"(95 % interval {low} to {high} {unit}, with calibration uncertainty {ends[0]} to "
        f"{ends[1]} {unit}, {kind}, boundary {views.boundary_label(result)}). "
        f"JouleBench {result.joulebench_version}, run {result.run_id}, "
        f"{result.created_at[:10]}, record {content_id(result)}."
    )


def badge(result: Result) -> str:
    """An SVG badge with the energy of 1,000 inferences and its range with calibration uncertainty.

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
    digits, wide = 2 if modelled else 3, energy_with_calibration(result)
    value, low, high = (
        format_number(end / size, digits) for end in (energy.value, wide.low, wide.high)
    )
    text = f"{value} {unit} ({low} to {high}){suffix}"
    template = html_environment(Path(__file__).parent).get_template("badge.svg.jinja")
    name = f"energy per 1,000 {unit_plural(result.task.unit)}"
    svg = template.render(name=name, value=text, colour=colour, title=citation(result))
    return f"{svg}\n"
