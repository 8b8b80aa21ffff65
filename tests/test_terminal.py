"""The summary of a result on the terminal."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from synthetic_results import result_with_energy, result_with_host, synthetic_result

from bench.reports import terminal
from bench.results.record import Failure


def printed(result, width=80, edition="epa-current"):
    console = Console(file=StringIO(), width=width)
    terminal.print_result(result, Path("results/run.json"), console, edition, "make submit")
    return console.file.getvalue()


def test_measured_result_has_both_intervals_and_its_net_energy():
    text = printed(result_with_host(0.05))
    assert "63.5 Wh per 1,000 images   measured" in text
    assert "95 % interval (repeatability)       62.5 to 64.5 Wh" in text
    # A calibration of ±5 % of 63.5 Wh and a half-width of 0.96 Wh make ±3.6 Wh in quadrature.
    assert "range with calibration uncertainty  60 to 67 Wh" in text
    assert "net of idle" in text and "main uncertainty    sensor calibration ±5 %" in text


def test_modelled_result_is_marked_and_has_no_net_energy():
    text = printed(result_with_energy(0.1, kind="modelled"))
    assert "modelled, NOT measured" in text and "net of idle" not in text


def test_each_basis_of_carbon_intensity_has_its_own_grids():
    lines = [line.strip() for line in printed(result_with_host(0.05)).splitlines()]
    life_cycle = lines.index("CO2e per 1,000      life-cycle, 2024:")
    direct = lines.index("direct combustion, 2023 (not comparable with above):")
    assert direct - life_cycle == 4
    assert all("West Virginia" not in line for line in lines[life_cycle:direct])
    assert "West Virginia" in lines[direct + 1]


def test_failed_run_shows_stage_code_and_message():
    failure = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")
    text = printed(synthetic_result(energies=[], failure=failure))
    assert "Failed at load (out-of-memory): CUDA ran out of memory." in text


def test_markup_and_control_characters_of_a_record_are_printed_as_text():
    text = printed(result_with_energy(0.1, model="[red]a[/red]\x1b[31mb"))
    assert "[red]a[/red]" in text and "\x1b[31m" not in text


def test_lines_fit_the_width_except_paths_and_commands():
    lines = printed(result_with_host(0.05), width=80).splitlines()
    assert max(len(line) for line in lines if "make submit" not in line) <= 80


def test_unknown_edition_is_refused():
    with pytest.raises(ValueError, match="unknown edition 'none'"):
        printed(result_with_energy(0.1), edition="none")
