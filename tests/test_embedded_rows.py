"""Rows of embedded tasks that this project's own templates make: held out means unseen."""

from __future__ import annotations

import re

import pytest

from bench.workloads import embedded
from tools.embedded_training import (
    entity_rows,
    fact_rows,
    near_duplicates,
    period_rows,
    prompts,
    summarization_rows,
)


def test_summaries_of_held_out_reports_are_in_no_training_report() -> None:
    held = embedded.rows("summarization")
    train = summarization_rows.training_rows(2000)
    assert not {row["summary"] for row in train} & {row["summary"] for row in held}
    share = near_duplicates.near_duplicate_share(
        [row["text"] for row in held], [row["text"] for row in train]
    )
    assert share == 0.0


def test_names_in_a_summary_stand_in_its_report() -> None:
    for row in embedded.rows("summarization")[:200]:
        kept = [word for word in row["summary"].split() if word[0].isupper()][1:]
        assert all(word in row["text"] for word in kept), row


def test_training_reports_are_different_and_repeatable() -> None:
    first = summarization_rows.training_rows(300, seed=4)
    assert first == summarization_rows.training_rows(300, seed=4)
    assert len({row["text"] for row in first}) == 300


def test_names_of_held_out_questions_are_in_no_training_passage() -> None:
    train, held = fact_rows.split(3000)
    rows = embedded.rows("question-answering")
    assert rows[0]["question"] == held[0].question and rows[0]["context"] == held[0].context
    families, towns = (
        fact_rows.combinations(parts)[1] for parts in (fact_rows.FAMILY, fact_rows.TOWNS)
    )
    known = {word for one in train for word in re.findall(r"\w+", fact_rows.text_of(one))}
    assert not known & {*families, *towns}
    assert any(name in rows[0]["context"] for name in families)
    texts = [f"{row['context']} {row['question']}" for row in rows]
    assert near_duplicates.near_duplicate_share(texts, map(fact_rows.text_of, train)) == 0.0


def test_answer_to_a_question_stands_at_its_place_and_needs_person_and_relation() -> None:
    train, _ = fact_rows.split(300)
    for one in train:
        assert one.context[one.start :].startswith(one.answer)
    for row in embedded.rows("question-answering"):
        kind = r"\d+" if row["answers"][0].isdigit() else r"[A-Z]"
        assert row["answers"][0] in row["context"]
        assert len(re.findall(kind, row["context"])) >= 2


def test_tagged_sentences_have_no_near_duplicate_in_training() -> None:
    train = entity_rows.training_rows()
    held = embedded.rows("token-classification")
    share = near_duplicates.near_duplicate_share(
        [" ".join(row["tokens"]) for row in held], [entity_rows.text_of(row) for row in train]
    )
    assert share == 0.0
    known = {word for row in train for word in row["tokens"]}
    assert not known & {*entity_rows.TEMPLATES["held_out_names"]}


def test_names_in_tagged_sentences_have_more_than_one_tag() -> None:
    tags: dict[str, set[str]] = {}
    for row in entity_rows.training_rows(5000):
        for word, tag in zip(row["tokens"], row["tags"], strict=True):
            tags.setdefault(word, set()).add(tag)
    names = [tags[name] for name in entity_rows.TEMPLATES["names"]]
    assert all({"B-PER", "B-LOC", "B-ORG"} <= found for found in names)
    assert {"O", "B-DATE"} <= tags["may"] | tags["May"]


def test_shipped_prompts_have_no_near_duplicate_in_the_grammar_of_training() -> None:
    held = [row["prompt"] for row in embedded.rows("image-gen")]
    assert near_duplicates.near_duplicate_share(held, prompts.training_grammar()) == 0.0
    assert {row["prompt"] for row in prompts.of_training_grammar()} <= {*prompts.training_grammar()}


@pytest.mark.parametrize(
    ("year", "period"),
    [
        (1790, "1790-1849"),
        (1849, "1790-1849"),
        (1850, "1850-1899"),
        (1949, "1900-1949"),
        (1950, "1950-2021"),
        (2021, "1950-2021"),
    ],
)
def test_period_of_a_year(year: int, period: str) -> None:
    assert period_rows.period_of(year) == period
