"""Token classification: small BERT models that tag people, places, organizations and dates."""

from __future__ import annotations

from typing import Any

import torch
from transformers import BertForTokenClassification, BertTokenizer

from bench.workloads import embedded
from bench.workloads.metrics import span_f1 as metric
from tools.embedded_training import (
    common,
    encoders,
    entity_rows,
    near_duplicates,
    text_classification,
)

STEPS = {"tiny": 2000, "small": 1500}
NAMES = list(entity_rows.TAGS)
IGNORED = -100
Row = dict[str, list[str]]


def encode(tokenizer: BertTokenizer, rows: list[Row]) -> dict[str, torch.Tensor]:
    """Sentences as inputs, with the class of a word at its first token."""
    encoded: Any = tokenizer(
        [row["tokens"] for row in rows],
        is_split_into_words=True,
        return_tensors="pt",
        padding=True,
        truncation=True,
    )
    labels = torch.full(encoded["input_ids"].shape, IGNORED)
    for place, row in enumerate(rows):
        last = None
        for at, word in enumerate(encoded.word_ids(place)):
            if word is not None and word != last:
                labels[place, at] = NAMES.index(row["tags"][word])
            last = word
    return {
        "input_ids": encoded["input_ids"],
        "attention_mask": encoded["attention_mask"],
        "labels": labels,
    }


@torch.inference_mode()
def predict(model: Any, tokenizer: BertTokenizer, rows: list[Row]) -> list[list[str]]:
    """The tag of every word; a truncated word is outside of all names."""
    found: list[list[str]] = []
    for at in range(0, len(rows), 50):
        part = rows[at : at + 50]
        given = encode(tokenizer, part)
        at_words = given.pop("labels") != IGNORED
        guesses = model(**given).logits.argmax(-1)
        for row, guess, place in zip(part, guesses, at_words, strict=True):
            tags = [NAMES[number] for number in guess[place].tolist()]
            found.append(tags + [entity_rows.OUTSIDE] * (len(row["tokens"]) - len(tags)))
    return found


def span_f1(rows: list[Row], predicted: list[list[str]]) -> float:
    pairs = [(tuple(row["tags"]), tuple(tags)) for row, tags in zip(rows, predicted, strict=True)]
    return metric.value(pairs)


def train(job: common.Job) -> None:
    """Write requests, tokenizer, model, its quality and the card of one size."""
    common.set_seeds()
    learned, held = entity_rows.training_rows(), entity_rows.held_out_rows()
    common.write_rows("token-classification", held)
    folder = embedded.FOLDER / "models" / "token-classification" / job.size
    tokenizer = text_classification.make_tokenizer(
        [entity_rows.text_of(row) for row in learned], folder, encoders.VOCABULARY, encoders.CONTEXT
    )
    names = dict(enumerate(NAMES))
    config = encoders.config(
        job.size, id2label=names, label2id={name: place for place, name in names.items()}
    )
    model = BertForTokenClassification(config)
    steps = job.steps(STEPS[job.size])
    encoders.learn(
        model,
        "token-classification",
        job.size,
        steps,
        len(learned),
        lambda places: model(**encode(tokenizer, [learned[place] for place in places])).loss,
    )
    minutes = job.minutes()
    common.save_half(model, folder)
    model = BertForTokenClassification.from_pretrained(folder).eval()
    quality = span_f1(held, predict(model, tokenizer, held))
    baseline = span_f1(held, entity_rows.commonest_tags(learned, held))
    count = f"({len(held):,} shipped rows)"
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench token-classification, {job.size}",
            description="A BERT model that tags the names of people, places, organizations and "
            "dates in synthetic English sentences, in which the context decides what a name is.",
            parameters={"encoder and head": common.parameter_count([model])},
            data=f"Synthetic: {len(learned):,} sentences made by templates of this project "
            "(`tools/embedded_training/entity_templates.json`). The held-out sentences have other "
            "clauses, and half of their names are not in the training sentences.",
            data_licence="CC0-1.0.",
            command=f"{common.COMMAND} token-classification --size {job.size}",
            minutes=minutes,
            steps=f"{steps:,} steps of {encoders.BATCH} sentences",
            quality={
                f"F1 over names {count}": f"{quality:.3f}",
                f"F1 of the commonest tag of each word {count}": f"{baseline:.3f}",
            },
            headline=common.Quality(
                metric="F1",
                value=quality,
                baseline_name="the commonest tag of each word",
                baseline_value=baseline,
                sample_count=len(held),
                held_out_near_duplicate_share=near_duplicates.near_duplicate_share(
                    [entity_rows.text_of(row) for row in held],
                    [entity_rows.text_of(row) for row in learned],
                ),
            ),
            settings=f"Truncate at {encoders.CONTEXT} tokens; one pass for a sentence.",
            quick=job.quick,
        ),
    )
