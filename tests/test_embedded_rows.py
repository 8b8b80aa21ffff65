"""Rows of embedded tasks that this project's own templates make: held out means unseen."""

from __future__ import annotations

from bench.workloads import embedded
from tools.embedded_training import near_duplicates, summarization_rows


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
