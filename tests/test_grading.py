"""Stars and grades."""

from __future__ import annotations

import pytest

from bench.impact.facts import published
from bench.leaderboard import (
    grading,
)
from bench.results.record import Failure

FAILURE = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


@pytest.mark.parametrize(
    ("energies", "expected"),
    [
        ([], []),
        ([0.7], [5]),
        ([0.7, 0.7], [5, 5]),
        ([0.0, 10.0], [5, 1]),
        (
            [0.0, 1.9, 2.0, 3.9, 4.0, 5.9, 6.0, 7.9, 8.0, 9.9, 10.0],
            [5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 1],
        ),
        ([3.0, 1.0, 2.0], [1, 5, 3]),
        ([1.0, 2.0, 3.0, 1000.0], [5, 5, 5, 1]),
    ],
)
def test_stars_are_five_bands_of_equal_width(energies, expected):
    assert grading.stars(energies) == expected


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_stars_need_finite_energies(bad):
    with pytest.raises(ValueError, match="finite"):
        grading.stars([1.0, bad])


def published_groups():
    """The groups of AI Energy Score: a task, and for text generation a model class."""
    groups = {}
    for row in published.rows():
        if row.study.key == "ai-energy-score" and row.stars is not None:
            groups.setdefault((row.task, row.model_class), []).append(row)
    return groups


def test_stars_equal_those_published_by_ai_energy_score():
    groups = published_groups()
    assert len({task for task, _ in groups}) == 7 and sum(map(len, groups.values())) > 100
    for rows in groups.values():
        energies = [row.energy_kwh_per_1000 for row in rows]
        assert grading.stars(energies) == [row.stars for row in rows]


def test_grades_differ_where_all_but_a_few_have_five_stars():
    (rows,) = (
        rows for (task, _), rows in published_groups().items() if task == "question-answering"
    )
    energies = [row.energy_kwh_per_1000 for row in rows]
    assert grading.stars(energies).count(5) >= len(rows) - 3
    assert len(set(grading.grades(energies))) >= 4


@pytest.mark.parametrize(
    ("energies", "expected"),
    [
        ([], []),
        ([0.3], ["A"]),
        ([1.0, 1.999, 2.0, 3.999, 4.0, 8.0], ["A", "A", "B", "B", "C", "D"]),
        ([8e-9, 1e-9], ["D", "A"]),
        ([1.0, 2.0**25, 2.0**26, 2.0**52], ["A", "Z", "AA", "BA"]),
    ],
)
def test_grade_is_one_letter_per_doubling(energies, expected):
    assert grading.grades(energies) == expected


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_grades_need_positive_energies(bad):
    with pytest.raises(ValueError, match="positive"):
        grading.grades([1.0, bad])
