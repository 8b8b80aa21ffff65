"""The board as Markdown, for people who read it in the repository."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.impact import carbon, equivalences
from bench.impact.facts import published
from bench.leaderboard.board_row import BoardRow, Equivalent, Figure
from bench.leaderboard.grading import GRADE_RULE, STARS_RULE
from bench.leaderboard.ranking import Board
from bench.results.escaping import markdown_environment
from bench.results.formatting import (
    MISSING,
    energy_unit,
    format_count,
    format_interval,
    format_nonnegative,
    format_percent,
    format_rough,
    run_label,
    unit_label,
)
from bench.results.record import Estimate

# A Markdown file is for reading; the csv has all groups and rows.
MAX_GROUPS_AND_ROWS = 100


def board_markdown(board: Board) -> str:
    """The board as Markdown: the first groups of each task, the first rows of each table."""
    template = markdown_environment(Path(__file__).parent).get_template("leaderboard.md.jinja")
    return template.render(
        board=board,
        most=MAX_GROUPS_AND_ROWS,
        cells=_cells,
        unit_label=unit_label,
        studies=Counter(figure.study for figure in published.rows()),
        charge=equivalences.phone_charge(),
        grids=[carbon.grid_factor("world"), carbon.grid_factor("FR")],
        grade_rule=GRADE_RULE,
        stars_rule=STARS_RULE,
    )


def rank_range(row: BoardRow) -> str:
    """The rank of a row, as "3", or as "1 to 3" where other results tie with it."""
    return f"{row.rank}" if row.rank == row.last_rank else f"{row.rank} to {row.last_rank}"


def _cells(row: BoardRow, listed: bool) -> list[str]:
    """The cells of one row; the template escapes them."""
    energy, quality, model = _estimate(row.energy_kwh_per_1000), row.quality, row.model
    unit, scale = energy_unit(energy.value) if energy else ("", 1.0)
    error = row.calibration_relative_half_width if row.kind == "modelled" else None
    value, low, high = format_nonnegative(energy, scale, error)
    grams = row.grams_co2e_per_1000 or {}
    ends = (quality.value, quality.low, quality.high) if quality else ()
    standing = (rank_range(row), f"{row.grade} · {'★' * (row.stars or 0)}")
    cells = [
        *((row.kind,) if listed else standing),
        model.id,
        format_count(model.parameter_count),
        run_label(model.dtype, row.backend, row.batch_size, row.steps),
        f"{value} {unit}".strip(),
        f"{low} to {high} {unit}" if energy else MISSING,
        _calibrated_cell(row, scale, unit),
        _interval_cell(format_interval(_estimate(row.net_energy_kwh_per_1000), scale)),
        _interval_cell(format_nonnegative(_estimate(row.energy_joules_per_unit), 1.0, error)),
        _interval_cell([format_percent(end) for end in ends]),
        _interval_cell(format_nonnegative(_estimate(row.duration_seconds_per_inference))),
        _equivalent_cell(row.phone_charges_per_1000),
        _equivalent_cell(grams.get("world")),
        _equivalent_cell(grams.get("FR")),
    ]
    if listed:
        cells += [f"{row.boundary} of {', '.join(row.devices)}", " ".join(row.why_not_ranked)]
    return cells


def _estimate(figure: Figure | None) -> Estimate | None:
    return None if figure is None else Estimate(**asdict(figure))


def _interval_cell(texts: Sequence[str]) -> str:
    """The texts of a value and its two ends in one cell; a dash where there is no figure."""
    if not texts or texts[0] == MISSING:
        return MISSING
    value, low, high = texts
    return f"{value} ({low} to {high})"


def _calibrated_cell(row: BoardRow, scale: float, unit: str) -> str:
    energy, ends = row.energy_kwh_per_1000, row.energy_with_calibration_kwh_per_1000
    if energy is None or ends is None:
        return MISSING
    _, low, high = format_rough(*(end / scale for end in (energy.value, ends.low, ends.high)))
    return f"{low} to {high} {unit}"


def _equivalent_cell(figure: Equivalent | None) -> str:
    if figure is None:
        return MISSING
    ends = (figure.low_with_calibration, figure.high_with_calibration)
    return _interval_cell(format_rough(figure.value, *ends))
