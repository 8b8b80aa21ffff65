"""Plots: reproducible files with their numbers as text, legible labels, untrusted names."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image
from shipped_plugins import shipped_names
from synthetic_results import result_with_energy, result_with_host, synthetic_result

from bench.reports import plot_data, plot_style, plots
from bench.reports.plots import breakdown, energy_by_quality, power_over_time, run
from bench.results import storage
from bench.results.record import Failure
from bench.system import registry

# The shipped plots, which have the style that these tests demand.
NAMES = (
    "breakdown",
    "energy-by-model",
    "energy-by-parameters",
    "energy-by-quality",
    "energy-by-task",
    "measured-against-published",
    "power-over-time",
    "region-comparison",
    "run",
    "training-against-use",
)
FAILED = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


def example_results():
    sizes = {"a/gpt2": 3_000_000, "b/middle-one": 80_000_000, "c/large-one": 900_000_000}
    return [
        result_with_energy(
            10.0**i * 1e-4 * k, 0.03, task=task, model=model, parameters=size, kind=kind
        )
        for i, task in enumerate(("text-gen", "image-gen"))
        for k, (model, size) in enumerate(sizes.items(), start=1)
        for kind in ("measured", "modelled")
    ]


def module(name):
    return registry.load("plot", name)


def texts(figure):
    from matplotlib.text import Text

    figure.draw_without_rendering()
    shown = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    size = figure.bbox
    boxes = [(t.get_text(), t.get_window_extent()) for t in shown]
    return [(text, box) for text, box in boxes if box.width > 0 and size.count_overlaps([box])]


def test_every_shipped_plot_is_listed():
    assert shipped_names("plot") == sorted(NAMES)


@pytest.mark.parametrize("name", registry.names("plot"))
def test_plot_has_a_scope_and_a_docstring(name):
    assert module(name).SCOPE in {"all", "task", "result"}
    assert registry.first_docstring_line("plot", name)


@pytest.mark.parametrize("name", NAMES)
def test_texts_stay_inside_the_figure_and_do_not_overlap(name):
    labels = texts(module(name).draw(example_results()))
    width, height = module(name).draw(example_results()).bbox.size
    for i, (text, box) in enumerate(labels):
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height, text
        for other, other_box in labels[i + 1 :]:
            across = min(box.x1, other_box.x1) - max(box.x0, other_box.x0)
            along = min(box.y1, other_box.y1) - max(box.y0, other_box.y0)
            assert across < 1 or along < 2, (text, other)


@pytest.mark.parametrize("name", NAMES)
def test_figure_states_boundary_kind_and_date(name):
    text = " ".join(label for label, _ in texts(module(name).draw(example_results())))
    # A figure of one result, and that of measured domains, has no place for the modelled ones.
    measured_only = module(name).SCOPE == "result" or name in (
        "breakdown",
        "measured-against-published",
    )
    for word in ("GPU" if measured_only else "CPU package", "measured", "2026-03-01"):
        assert word in text


@pytest.mark.parametrize("name", NAMES)
def test_same_results_give_the_same_files_with_the_numbers_as_text(name, tmp_path):
    figure = module(name)
    first = plots.save(figure.draw(example_results()), tmp_path / "a", name)
    second = plots.save(figure.draw(example_results()), tmp_path / "b", name)
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert "per 1,000 (" in Image.open(first[0]).info["Description"]
    svg = first[1].read_text()
    assert "per 1,000 (" in svg and "<dc:date>" not in svg
    ET.fromstring(svg)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [f"{name}.png", f"{name}.svg"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "model", ["$\\frac{1}{", "<script>&\"'", "a\u202eb\x07\n", "x" * 300, "模型", "_^{}%$"]
)
def test_untrusted_names_are_drawn_literally(name, model, tmp_path):
    pair = [
        result_with_energy(0.1, model=model, device=model),
        result_with_energy(0.2, model="sd-2.1", parameters=9),
    ]
    _, svg = plots.save(module(name).draw(pair), tmp_path, "untrusted")
    tree = ET.fromstring(svg.read_text())
    assert not [element for element in tree.iter() if element.tag.endswith("script")]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_draw_is_refused(name):
    with pytest.raises(ValueError):
        module(name).draw([])
    with pytest.raises(ValueError):
        module(name).draw([synthetic_result(energies=[], failure=FAILED)])


def test_modelled_marks_are_hollow_and_measured_marks_are_filled():
    measured, modelled = plot_data.plot_points(
        [result_with_energy(0.1), result_with_energy(0.2, kind="modelled")]
    )
    assert plot_style.marker_style(measured)["markerfacecolor"] == plot_data.MEASURED
    assert plot_style.marker_style(modelled)["markerfacecolor"] == plot_style.PAPER
    assert "modelled" in plot_data.footer([modelled]) and "modelled" not in plot_data.footer(
        [measured]
    )
    text = " ".join(t for t, _ in texts(run.draw([result_with_energy(0.1, kind="modelled")])))
    assert "modelled, not measured" in text


def test_name_states_why_a_result_has_no_rank():
    assert "(random weights)" in plot_data.model_name(result_with_energy(0.1, weights="random"))
    assert "(quick)" in plot_data.model_name(result_with_energy(0.1, profile="quick"))
    assert plot_data.model_name(result_with_energy(0.1)) == "embedded/small"


@pytest.mark.parametrize("edition", ["epa-2019", "iea-2025"])
def test_edition_selects_the_phone_charge(edition):
    figure = module("energy-by-task").draw(example_results(), edition=edition)
    text = " ".join(label for label, _ in texts(figure))
    assert {"epa-2019": "0.012", "iea-2025": "0.015"}[edition] in text


@pytest.mark.slow
def test_draw_all_draws_each_plot_once(tmp_path, monkeypatch):
    names = registry.names
    monkeypatch.setattr(
        registry, "names", lambda kind: list(NAMES) if kind == "plot" else names(kind)
    )
    written = {path.stem for path in plots.draw_all(example_results(), tmp_path)}
    by_task = [name for name in NAMES if module(name).SCOPE == "task"]
    expected = {f"{name}-{task}" for name in by_task for task in ("text-gen", "image-gen")}
    expected -= {"measured-against-published-image-gen"}  # no published figure for these models
    assert written == expected | {name for name in NAMES if module(name).SCOPE == "all"}
    assert plots.draw_all([], tmp_path / "none") == []


@pytest.mark.slow
def test_many_results_and_one_result_can_be_drawn():
    many = [
        result_with_energy(0.01 * (i + 1), model=f"m{i}", parameters=1000 * (i + 1))
        for i in range(60)
    ]
    many.append(result_with_energy(0.5, model="sd-2.1"))
    for name in NAMES:
        module(name).draw(many)
    module("energy-by-task").draw(many[:1])


def test_breakdown_adds_up_to_gross_and_net_energy():
    result = result_with_host(0.05)
    parts = list(breakdown.energy_shares(result))
    assert [part.kind for part in parts] == ["gpu", "cpu-package", "dram"]
    energy = result.summary.energy_kwh_per_1000.value
    assert sum(part.energy for part in parts) == pytest.approx(energy, rel=1e-12)
    net = result.summary.net_energy_kwh_per_1000.value
    assert sum(part.energy - part.idle for part in parts) == pytest.approx(net, rel=1e-12)


def test_power_over_time_has_every_phase_in_order():
    result = result_with_host(0.05)
    traces = list(power_over_time.windows(result))
    assert list(dict.fromkeys(window.phase for window in traces)) == list(power_over_time.COLOURS)
    assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(traces))
    text = " ".join(label for label, _ in texts(power_over_time.draw([result])))
    assert "idle, model loaded" in text and "in the profile trial" in text


def test_pareto_front_has_the_points_that_no_other_exceeds():
    def mark(kwh, value):
        result = result_with_energy(
            kwh, model=f"{kwh}", quality=(value, value - 0.01, value + 0.01)
        )
        return plot_data.plot_points([result])[0], result.quality

    marks = [mark(1, 0.5), mark(2, 0.7), mark(3, 0.6), mark(4, 0.7), mark(5, 0.9)]
    kept = [point.result.model.id for point, _ in energy_by_quality.pareto_front(marks, "higher")]
    assert kept == ["1", "2", "5"]
    kept = [point.result.model.id for point, _ in energy_by_quality.pareto_front(marks, "lower")]
    assert kept == ["1"]


def test_modelled_idle_power_is_not_drawn():
    traces = power_over_time.windows(result_with_energy(0.1, kind="modelled"))
    assert {window.phase for window in traces} == {"warm-up", "trials"}


def test_plot_command_draws_one_plot_by_name(tmp_path):
    path = tmp_path / "result.json"
    storage.save_result(result_with_host(0.05), path)
    command = [sys.executable, "-m", "bench", "plot", "power-over-time", str(path)]
    done = subprocess.run(
        [*command, "--out", str(tmp_path), "--json"], capture_output=True, text=True, check=True
    )
    assert [Path(name).suffix for name in json.loads(done.stdout)] == [".png", ".svg"]
    bad = subprocess.run([*command[:4], "pwr"], capture_output=True, text=True, check=False)
    assert bad.returncode == 2 and "there is no plot 'pwr'" in bad.stderr


def test_former_name_of_a_plot_answers():
    former = registry.load("plot", "ours-against-published")
    assert former is module("measured-against-published")


def test_matplotlib_is_not_imported_before_drawing():
    code = (
        "import sys, bench.reports.plots, bench.leaderboard; sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
