"""Published figures of energy, each with its study."""

from collections import Counter

import pytest

from bench.impact.facts import published


def test_every_figure_is_positive_and_has_its_study():
    rows = published.rows()
    assert Counter(row.study.key for row in rows) == {
        "ai-energy-score": 166,
        "power-hungry": 90,
        "ml-energy-v2": 474,
    }
    assert all(0 < row.gpu_energy_kwh_per_1000 <= row.energy_kwh_per_1000 for row in rows)
    for study in published.STUDIES:
        assert study.boundary and study.source and study.licence and study.caveat


@pytest.mark.parametrize(
    ("task", "model", "kwh"),
    [
        ("text-gen", "openai-community/gpt2", 0.00215),
        ("image-gen", "stabilityai/stable-diffusion-2-1", 0.534),
        ("image-gen", "stabilityai/stable-diffusion-xl-base-1.0", 1.64),
    ],
)
def test_figures_that_are_often_quoted(task, model, kwh):
    figures = [
        row
        for row in published.rows(task)
        if row.model == model and row.study.key == "ai-energy-score"
    ]
    (row,) = figures
    assert row.energy_kwh_per_1000 == pytest.approx(kwh, rel=0.003)
    assert row.batch_size == 1


def test_power_hungry_includes_more_than_its_gpus():
    rows = [row for row in published.rows("image-gen") if row.study.key == "power-hungry"]
    assert rows and all(row.gpu_count == 8 for row in rows)
    assert all(row.energy_kwh_per_1000 > 1.3 * row.gpu_energy_kwh_per_1000 for row in rows)


def test_every_table_of_figures_has_a_study():
    tables = {path.stem for path in published.FOLDER.glob("*.csv")}
    assert tables == {study.key for study in published.STUDIES}
