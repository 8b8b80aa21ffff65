"""Summarization: small T5 models that write the news of a synthetic report in one line."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from transformers import BertTokenizer, T5Config, T5ForConditionalGeneration

from bench.task import Output
from bench.workloads import embedded
from bench.workloads.workload import Workload
from tools.embedded_training import (
    common,
    configurations,
    modern_bert,
    near_duplicates,
    served_quality,
    summarization_rows,
    text_classification,
)

CONTEXT = 256
NEW_TOKENS = 10  # of the task
BATCH = 48
WIDTH = 28
ENCODER_LAYERS, DECODER_LAYERS = 2, 1
STEPS = 2000
RATE = 8e-3
Row = dict[str, str]


def make_tokenizer(rows: list[Row], folder: Path) -> BertTokenizer:
    """A lower-case tokenizer with one token for every word of the rows; others are spelt."""
    text = " ".join(f"{row['text']} {row['summary']}" for row in rows).lower()
    letters = string.ascii_lowercase + string.digits
    words = sorted(set(re.findall(r"\w+|[^\w\s]", text)) - set(letters))
    tokens = [*text_classification.SPECIAL, *letters, *(f"##{one}" for one in letters), *words]
    vocabulary = {token: place for place, token in enumerate(tokens)}
    tokenizer = BertTokenizer(vocab=vocabulary, do_lower_case=True, model_max_length=CONTEXT)
    tokenizer.save_pretrained(folder)
    return tokenizer


def make_model(tokenizer: BertTokenizer) -> T5ForConditionalGeneration:
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=WIDTH,
        d_kv=WIDTH // 2,
        d_ff=2 * WIDTH,
        num_heads=2,
        num_layers=ENCODER_LAYERS,
        num_decoder_layers=DECODER_LAYERS,
        dropout_rate=0.0,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.sep_token_id,
        decoder_start_token_id=tokenizer.cls_token_id,
    )
    return T5ForConditionalGeneration(config)


def encode_summaries(tokenizer: BertTokenizer, rows: list[Row]) -> np.ndarray:
    """The tokens of each summary, filled up with padding, which is no text, to ten tokens."""
    encoded: Any = tokenizer(
        [row["summary"] for row in rows],
        add_special_tokens=False,
        truncation=True,
        padding="max_length",
        max_length=NEW_TOKENS,
        return_tensors="np",
    )
    ids: np.ndarray = encoded["input_ids"]
    return ids


class SummaryLoss:
    """Cross-entropy of the ten tokens of the summaries of one batch."""

    def __init__(
        self, model: T5ForConditionalGeneration, tokenizer: BertTokenizer, rows: list[Row]
    ) -> None:
        self.model = model
        texts = tokenizer([row["text"] for row in rows], truncation=True, padding=True)
        self.ids = np.array(texts["input_ids"])
        self.lengths = (self.ids != 0).sum(axis=1)
        self.summaries = encode_summaries(tokenizer, rows)
        self.batches = modern_bert.LengthBatches(self.lengths, BATCH)

    def __call__(self) -> torch.Tensor:
        rows = self.batches.next()
        ids = torch.from_numpy(self.ids[rows, : self.lengths[rows].max()])
        result = self.model(
            input_ids=ids,
            attention_mask=(ids != 0).long(),
            labels=torch.from_numpy(self.summaries[rows]),
        )
        loss: torch.Tensor = result.loss
        return loss


def first_words(work: Workload) -> list[Output]:
    """The first ten words of each text."""
    texts = (str(request.inputs["text"]) for request in work.requests)
    return [Output(text=" ".join(text.split()[:NEW_TOKENS])) for text in texts]


def nearest_summaries(work: Workload, learned: list[Row]) -> list[Output]:
    """The summary of the training text with the greatest cosine of TF-IDF vectors."""
    vectorizer = TfidfVectorizer(sublinear_tf=True)
    known = vectorizer.fit_transform([row["text"] for row in learned])
    texts = vectorizer.transform([str(request.inputs["text"]) for request in work.requests])
    nearest = (texts @ known.T).argmax(axis=1).A1
    return [Output(text=learned[place]["summary"]) for place in nearest]


def train(job: common.Job) -> None:
    """Write requests, tokenizer, model, its quality and the card of tiny.

    No small model was trained yet: a configuration is written for it.
    """
    common.set_seeds()
    if job.size == "small":
        configurations.write("summarization", job.size)
        return
    learned = summarization_rows.training_rows()
    held = summarization_rows.make_rows(job.raw)
    common.write_rows("summarization", held)
    folder = embedded.model_path("summarization", job.size)
    tokenizer = make_tokenizer(learned, folder)
    print(f"{len(learned):,} reports to learn from, {len(held):,} held out", flush=True)
    model = make_model(tokenizer)
    steps = job.steps(STEPS)
    loss_of_step = SummaryLoss(model, tokenizer, learned)
    modern_bert.learn(model, f"summarization {job.size}", steps, RATE, loss_of_step)
    minutes = job.minutes()
    common.save_half(model, folder)
    duplicates = near_duplicates.near_duplicate_share(
        [row["text"] for row in held], (row["text"] for row in learned)
    )
    write_card(job, folder, learned, minutes, duplicates)


def write_card(
    job: common.Job, folder: Path, learned: list[Row], minutes: float, duplicates: float
) -> None:
    """Measure the model on the held-out rows; write its card."""
    work = served_quality.load_workload("summarization")
    value, count = served_quality.evaluate(work, served_quality.serve(work, job.size))
    baseline, _ = served_quality.evaluate(work, nearest_summaries(work, learned))
    first, _ = served_quality.evaluate(work, first_words(work))
    rows = f"({count:,} shipped rows)"
    model = T5ForConditionalGeneration.from_pretrained(folder)
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench summarization, {job.size}",
            description="A T5 model that writes the news of a short synthetic report in a line. "
            "It knows the sentences of its templates alone.",
            parameters={"encoder and decoder": common.parameter_count([model])},
            data="Synthetic reports from the templates in "
            f"`tools/embedded_training/summarization_templates.json`: {len(learned):,} to learn "
            "from. No summary of a shipped row occurs in training.",
            data_licence="CC0-1.0, written for this project.",
            command=f"{common.COMMAND} summarization --size {job.size}",
            minutes=minutes,
            steps=f"{job.steps(STEPS):,} steps of {BATCH} reports",
            quality={
                f"ROUGE-L of ten tokens {rows}": f"{value:.3f}",
                f"ROUGE-L of the summary of the most similar training report {rows}": (
                    f"{baseline:.3f}"
                ),
                f"ROUGE-L of the first ten words {rows}": f"{first:.3f}",
            },
            settings=f"At most {CONTEXT} tokens of input; ten new tokens, greedy. A shorter "
            "summary ends with padding.",
            headline=common.Quality(
                metric=work.task.metric.name,
                value=value,
                baseline_name="the summary of the training report with the nearest TF-IDF vector",
                baseline_value=baseline,
                sample_count=count,
                held_out_near_duplicate_share=duplicates,
            ),
            quick=job.quick,
        ),
    )
