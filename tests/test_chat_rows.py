"""Made problems of the chat model: the held-out split, and answers that the steps lead to."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from itertools import islice
from typing import Any

import pytest

from bench.workloads import embedded
from tools.embedded_training import chat_rows, chat_source, near_duplicates

SETS = embedded.DATA_WITHOUT_TASK


@pytest.fixture(scope="module")
def training_prompts() -> list[str]:
    return [problem.prompt for problem, _ in islice(chat_rows.training_problems(), 4000)]


def rows(name: str) -> list[dict[str, Any]]:
    return [dict(row) for row in embedded.rows(name)]


@pytest.mark.parametrize("name", SETS)
def test_held_out_rows_are_those_of_the_generator(name: str) -> None:
    shipped = rows(name)
    assert shipped == chat_rows.held_out_rows(name)
    assert len({row["prompt"] for row in shipped}) == len(shipped) == chat_rows.ROWS
    assert all(len(re.findall(r"[.?:] |[.?]$", row["prompt"])) >= 2 for row in shipped)
    kinds = Counter(row["kind"] for row in shipped)
    assert max(kinds.values()) - min(kinds.values()) <= 1
    lengths = {len(row["prompt"].split()) for row in shipped}
    assert min(lengths) <= 20 and max(lengths) >= 40


@pytest.mark.parametrize("name", SETS)
def test_held_out_prompts_have_no_near_duplicate_in_training(
    name: str, training_prompts: list[str]
) -> None:
    prompts = [row["prompt"] for row in rows(name)]
    assert near_duplicates.near_duplicate_share(prompts, training_prompts) == 0
    planted = prompts[0] + " " + training_prompts[0]
    assert near_duplicates.near_duplicate_share([planted], [planted + " Now."]) == 1


def test_names_of_the_splits_differ(training_prompts: list[str]) -> None:
    sources = [chat_source.Source(split, random.Random(1)) for split in chat_source.SPLITS]
    train, held = ({*source.names, *source.towns} for source in sources)
    assert len(train) > 400 and len(held) > 100 and not train & held
    words = {word for prompt in training_prompts for word in re.findall(r"\w+", prompt)}
    assert len(words & train) > 400 and not words & held


@pytest.mark.parametrize("kind", chat_rows.KINDS)
def test_steps_of_every_kind_lead_to_the_answer(kind: str) -> None:
    """Every equation in the steps is right, and the answer is in the prompt or in the steps."""
    source = chat_source.Source("train", random.Random(5))
    for _ in range(200):
        problem = chat_rows.make_problem(kind, source)
        for left, sign, right, result in re.findall(r"(\d+) ([-+*]) (\d+) = (\d+)", problem.steps):
            terms = int(left), int(right)
            values = {"+": sum(terms), "-": terms[0] - terms[1], "*": math.prod(terms)}
            assert values[sign] == int(result)
        if kind in ("sum", "product", "total", "difference", "sequence"):
            assert problem.steps.endswith(f"= {problem.answer}.")
        elif kind == "time":
            assert f" {int(problem.answer.split(':')[1])}." in problem.steps
        elif kind == "check":
            assert ("more" in problem.steps) == (problem.answer == "yes")
        elif kind == "count":
            assert problem.steps.endswith(f" {problem.answer}.")
        else:
            assert all(part in problem.prompt for part in problem.answer.split(", "))
