"""Question answering: small ModernBERT models that find the answer in a passage of facts."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch
from transformers import BertTokenizer, ModernBertForQuestionAnswering

from bench.task import Output
from bench.workloads import embedded
from bench.workloads.workload import Workload
from tools.embedded_training import (
    common,
    fact_rows,
    modern_bert,
    near_duplicates,
    served_quality,
    text_classification,
)

VOCABULARY = 400
CONTEXT = 160
BATCH = 48
WIDTHS = {"tiny": 32, "small": 56}
HEADS = 4
LAYERS = {
    "tiny": ("sliding_attention", "full_attention", "sliding_attention"),
    "small": ("sliding_attention", "full_attention", "sliding_attention", "sliding_attention"),
}
REACH = 8  # tokens; about one sentence
STEPS = {"tiny": 3000, "small": 1500}
RATE = {"tiny": 6e-3, "small": 4e-3}


def encode(
    tokenizer: BertTokenizer, examples: list[fact_rows.Example]
) -> tuple[np.ndarray, np.ndarray]:
    """Token ids, and the first and last token of each answer; arrays of (examples, ·)."""
    encoded = tokenizer(
        [one.question for one in examples],
        [one.context for one in examples],
        padding=True,
        return_offsets_mapping=True,
    )
    spans = np.zeros((len(examples), 2), dtype=np.int64)
    for row, one in enumerate(examples):
        offsets, parts = encoded["offset_mapping"][row], encoded.sequence_ids(row)
        end = one.start + len(one.answer)
        inside = [
            place
            for place, (span, part) in enumerate(zip(offsets, parts, strict=True))
            if part == 1 and one.start <= span[0] and span[1] <= end
        ]
        spans[row] = inside[0], inside[-1]
    return np.array(encoded["input_ids"]), spans


class SpanLoss:
    """Cross-entropy of the first and the last token of the answers of one batch."""

    def __init__(
        self, model: ModernBertForQuestionAnswering, ids: np.ndarray, spans: np.ndarray
    ) -> None:
        self.model, self.ids, self.spans = model, ids, spans
        self.lengths = (ids != 0).sum(axis=1)
        self.batches = modern_bert.LengthBatches(self.lengths, BATCH)

    def __call__(self) -> torch.Tensor:
        rows = self.batches.next()
        ids = torch.from_numpy(self.ids[rows, : self.lengths[rows].max()])
        starts, ends = torch.from_numpy(self.spans[rows]).T
        result = self.model(
            input_ids=ids,
            attention_mask=(ids != 0).long(),
            start_positions=starts,
            end_positions=ends,
        )
        loss: torch.Tensor = result.loss
        return loss


def first_spans(work: Workload) -> list[Output]:
    """The first number or name of each passage, by the kind that the question asks for."""
    return [
        Output(
            text=fact_rows.first_span(
                str(request.inputs["question"]),
                re.split(r"(?<=\.) ", str(request.inputs["context"])),
            )
        )
        for request in work.requests
    ]


def nearest_spans(work: Workload) -> list[Output]:
    """The same of the sentence that shares most words with the question."""
    return [
        Output(
            text=fact_rows.span_of_nearest_sentence(
                str(request.inputs["question"]), str(request.inputs["context"])
            )
        )
        for request in work.requests
    ]


def train(job: common.Job) -> None:
    """Write requests, tokenizer, model, its quality and the card of one size."""
    common.set_seeds()
    learned, held = fact_rows.split()
    common.write_rows(
        "question-answering",
        [
            {"question": one.question, "context": one.context, "answers": [one.answer]}
            for one in held
        ],
    )
    folder = embedded.model_path("question-answering", job.size)
    texts = [fact_rows.text_of(one) for one in learned]
    tokenizer = text_classification.make_tokenizer(texts, folder, VOCABULARY, CONTEXT)
    ids, spans = encode(tokenizer, learned)
    print(f"{len(ids):,} passages to learn from, {len(held):,} held out", flush=True)
    model = ModernBertForQuestionAnswering(
        modern_bert.config(tokenizer, WIDTHS[job.size], LAYERS[job.size], HEADS, REACH)
    )
    steps = job.steps(STEPS[job.size])
    name = f"question-answering {job.size}"
    modern_bert.learn(model, name, steps, RATE[job.size], SpanLoss(model, ids, spans))
    minutes = job.minutes()
    common.save_half(model, folder)
    duplicates = near_duplicates.near_duplicate_share(
        [fact_rows.text_of(one) for one in held], texts
    )
    write_card(job, folder, minutes, duplicates)


def write_card(job: common.Job, folder: Path, minutes: float, duplicates: float) -> None:
    """Measure the model on the held-out rows; write its card."""
    work = served_quality.load_workload("question-answering")
    value, count = served_quality.evaluate(work, served_quality.serve(work, job.size))
    baseline, _ = served_quality.evaluate(work, nearest_spans(work))
    first, _ = served_quality.evaluate(work, first_spans(work))
    rows = f"({count:,} shipped rows)"
    model = ModernBertForQuestionAnswering.from_pretrained(folder)
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench question-answering, {job.size}",
            description="A ModernBERT model that marks the answer to a question about invented "
            "people in a short passage. It knows the sentences of its templates alone.",
            parameters={"encoder and head": common.parameter_count([model])},
            data="Synthetic: passages and questions from the templates in "
            "`tools/embedded_training/fact_templates.json`, "
            f"{fact_rows.TRAINING_ROWS:,} to learn from. Family names and towns of the shipped "
            "rows do not occur in training.",
            data_licence="CC0-1.0, written for this project.",
            command=f"{common.COMMAND} question-answering --size {job.size}",
            minutes=minutes,
            steps=f"{job.steps(STEPS[job.size]):,} steps of {BATCH} passages",
            quality={
                f"F1 {rows}": f"{value:.3f}",
                "F1 of the first number or name in the sentence with most words of the question "
                f"{rows}": f"{baseline:.3f}",
                f"F1 of the first number or name in the passage {rows}": f"{first:.3f}",
            },
            settings=f"At most {CONTEXT} tokens; one pass for a question.",
            headline=common.Quality(
                metric=work.task.metric.name,
                value=value,
                baseline_name="the first number or name in the sentence with most words of the "
                "question",
                baseline_value=baseline,
                sample_count=count,
                held_out_near_duplicate_share=duplicates,
            ),
            quick=job.quick,
        ),
    )
