"""Sentence similarity: small ModernBERT encoders for definitions of WordNet nouns."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from transformers import BertTokenizer, ModernBertModel

from bench.task import Output
from bench.workloads import embedded
from bench.workloads.workload import Workload
from tools.embedded_training import (
    common,
    modern_bert,
    near_duplicates,
    served_quality,
    text_classification,
    wordnet,
)

VOCABULARY = 1500
CONTEXT = 64
WORDS = (3, 30)  # of a definition to learn from
WIDTHS = {"tiny": 20, "small": 42}
HEADS = {"tiny": 2, "small": 3}
LAYERS = ("sliding_attention", "full_attention")
STEPS = {"tiny": 2500, "small": 900}
RATE = {"tiny": 8e-3, "small": 5e-3}
ANCHORS, RELATIVES = 32, 3  # of one batch: nouns, and relatives drawn for each
ANCESTORS = 20  # nearest hypernyms kept of each noun
FARTHEST = 16  # steps; farther pairs count as this far
SENTENCES = ("sentence1", "sentence2")


class Nouns(NamedTuple):
    """Nouns to learn from; `ids` are the tokens of their definitions, padded.

    `ancestors` and `steps` are arrays of (nouns, ANCESTORS): the hypernyms of a noun (-1: none) and
    the steps to each. `below` lists the nouns at most eight steps below a hypernym.
    """

    ids: np.ndarray
    lengths: np.ndarray
    ancestors: torch.Tensor
    steps: torch.Tensor
    below: dict[int, list[int]]


def learnable(known: dict[str, wordnet.Noun], held: list[str]) -> list[str]:
    """The nouns whose definition is no near-duplicate of a held-out one."""
    numbers = [
        number
        for number, noun in known.items()
        if noun.above and WORDS[0] <= len(noun.definition.split()) <= WORDS[1]
    ]
    definitions = [known[number].definition for number in numbers]
    same = near_duplicates.near_duplicates(definitions, held)
    return [number for number, copied in zip(numbers, same, strict=True) if not copied]


def encode(tokenizer: BertTokenizer, known: dict[str, wordnet.Noun], numbers: list[str]) -> Nouns:
    """The definitions as tokens, and where the nouns stand in the tree."""
    texts = [known[number].definition for number in numbers]
    tokens = tokenizer(texts, truncation=True)["input_ids"]
    ids = np.zeros((len(texts), CONTEXT), dtype=np.int64)
    ancestors = torch.full((len(texts), ANCESTORS), -1, dtype=torch.int32)
    steps = torch.zeros((len(texts), ANCESTORS), dtype=torch.int32)
    below: dict[int, list[int]] = defaultdict(list)
    index = {number: place for place, number in enumerate(known)}
    for place, number in enumerate(numbers):
        ids[place, : len(tokens[place])] = tokens[place]
        ways = sorted(wordnet.climbed(number, known).items(), key=lambda way: way[1])
        for column, (up, count) in enumerate(ways[:ANCESTORS]):
            ancestors[place, column], steps[place, column] = index[up], count
            if count <= wordnet.LONGEST_CLIMB:
                below[index[up]].append(place)
    return Nouns(ids, (ids != 0).sum(axis=1), ancestors, steps, below)


def distances(nouns: Nouns, one: np.ndarray, two: np.ndarray) -> torch.Tensor:
    """Steps between the nouns at `one` and those at `two` by their nearest common hypernym."""
    same = nouns.ancestors[one][:, :, None] == nouns.ancestors[two][:, None, :]
    same &= (nouns.ancestors[one] >= 0)[:, :, None]
    paths = nouns.steps[one][:, :, None] + nouns.steps[two][:, None, :]
    return torch.where(same, paths, FARTHEST).flatten(1).amin(1).clamp(max=FARTHEST)


def embed(model: ModernBertModel, ids: torch.Tensor) -> torch.Tensor:
    """The mean of the tokens' vectors, of length 1; as the task's session pools them."""
    mask = (ids != 0).long()
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    total = (hidden * mask[:, :, None]).sum(1)
    return torch.nn.functional.normalize(total, dim=-1)


class CorrelationLoss:
    """One minus the correlation of the cosines of a batch with the ranks of their distances.

    All pairs of a batch count, weighted so that each distance has the share of the shipped rows.
    """

    def __init__(self, model: ModernBertModel, nouns: Nouns) -> None:
        self.model, self.nouns = model, nouns
        self.rng = np.random.default_rng(common.SEED)
        steps = torch.arange(FARTHEST + 1).float()
        # The shipped rows have distances 1, 2, 3, 4 and then every second one.
        self.rank = -torch.where(steps <= 4, steps, 4 + (steps - 4) / 2)
        self.share = torch.where(steps <= 4, 1.0, 0.5)

    def __call__(self) -> torch.Tensor:
        places = self._batch()
        longest = self.nouns.lengths[places].max()
        vectors = embed(self.model, torch.from_numpy(self.nouns.ids[places, :longest]))
        one, two = np.triu_indices(len(places), 1)
        cosines = (vectors @ vectors.T)[one, two]
        steps = distances(self.nouns, places[one], places[two]).long()
        weights = (self.share / torch.bincount(steps, minlength=FARTHEST + 1).clamp(min=1))[steps]
        weights = torch.where(steps > 0, weights, 0.0)
        weights = weights / weights.sum()
        return 1 - weighted_correlation(cosines, self.rank[steps], weights)

    def _batch(self) -> np.ndarray:
        """Random nouns, each with relatives below one of its hypernyms."""
        nouns, rng = self.nouns, self.rng
        anchors = rng.integers(0, len(nouns.ids), ANCHORS)
        places = [*anchors]
        for anchor in anchors:
            ups = [up for up in nouns.ancestors[anchor].tolist() if up in nouns.below]
            for _ in range(RELATIVES):
                places.append(rng.choice(nouns.below[rng.choice(ups)]))
        return np.unique(places)


def weighted_correlation(
    values: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Pearson's correlation with weights whose sum is 1."""
    values = values - (weights * values).sum()
    truth = truth - (weights * truth).sum()
    scale = (weights * values**2).sum() * (weights * truth**2).sum()
    return (weights * values * truth).sum() / (scale + 1e-9).sqrt()


def word_overlap(work: Workload) -> list[Output]:
    """The Jaccard similarity of the words of each pair."""
    outputs = []
    for request in work.requests:
        one, two = (
            set(re.findall(r"\w+", str(request.inputs[name]).lower())) for name in SENTENCES
        )
        outputs.append(Output(score=len(one & two) / len(one | two)))
    return outputs


def tfidf_cosine(work: Workload, texts: list[str]) -> list[Output]:
    """The cosine of the TF-IDF vectors of each pair, with frequencies of the training texts."""
    vectorizer = TfidfVectorizer(sublinear_tf=True).fit(texts)
    one, two = (
        vectorizer.transform([str(request.inputs[name]) for request in work.requests])
        for name in SENTENCES
    )
    return [Output(score=float(score)) for score in one.multiply(two).sum(axis=1).A1]


def train(job: common.Job) -> None:
    """Write requests, tokenizer, model, its quality and the card of one size."""
    common.set_seeds()
    rows = wordnet.make_rows(job.raw)
    common.write_rows("sentence-similarity", rows)
    held = [str(row[name]) for row in rows for name in SENTENCES]
    known = wordnet.nouns(job.raw)
    numbers = learnable(known, held)
    texts = [known[number].definition for number in numbers]
    folder = embedded.model_path("sentence-similarity", job.size)
    tokenizer = text_classification.make_tokenizer(texts, folder, VOCABULARY, CONTEXT)
    nouns = encode(tokenizer, known, numbers)
    print(f"{len(texts):,} definitions to learn from, {len(held):,} held out", flush=True)
    model = ModernBertModel(
        modern_bert.config(tokenizer, WIDTHS[job.size], LAYERS, HEADS[job.size])
    )
    steps = job.steps(STEPS[job.size])
    name = f"sentence-similarity {job.size}"
    modern_bert.learn(model, name, steps, RATE[job.size], CorrelationLoss(model, nouns))
    minutes = job.minutes()
    common.save_half(model, folder)
    duplicates = near_duplicates.near_duplicate_share(held, texts)
    write_card(job, folder, texts, minutes, duplicates)


def write_card(
    job: common.Job, folder: Path, texts: list[str], minutes: float, duplicates: float
) -> None:
    """Measure the model on the held-out rows; write its card."""
    work = served_quality.load_workload("sentence-similarity")
    value, count = served_quality.evaluate(work, served_quality.serve(work, job.size))
    baseline, _ = served_quality.evaluate(work, tfidf_cosine(work, texts))
    overlap, _ = served_quality.evaluate(work, word_overlap(work))
    rows = f"({count:,} shipped rows)"
    model = ModernBertModel.from_pretrained(folder)
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench sentence-similarity, {job.size}",
            description="A ModernBERT encoder of definitions of things. The cosine of two "
            "definitions is the greater the nearer the two things are in WordNet's tree of kinds.",
            parameters={"encoder": common.parameter_count([model])},
            data="Definitions of nouns in WordNet 3.0, Debian package `wordnet-base` 1:3.0-37: "
            f"{len(texts):,} to learn from. The definitions of the shipped rows and their "
            "near-duplicates were left out; the other nouns of the same tree were not.",
            data_licence="WordNet 3.0 licence; its notice is in `data/README.md`.",
            command=f"{common.COMMAND} sentence-similarity --size {job.size}",
            minutes=minutes,
            steps=f"{job.steps(STEPS[job.size]):,} steps of at most "
            f"{ANCHORS * (1 + RELATIVES)} definitions",
            quality={
                f"Spearman correlation with the nearness in the tree {rows}": f"{value:.3f}",
                f"of the cosine of TF-IDF vectors {rows}": f"{baseline:.3f}",
                f"of the share of common words (Jaccard) {rows}": f"{overlap:.3f}",
            },
            settings=f"At most {CONTEXT} tokens; mean of the tokens' vectors, cosine.",
            headline=common.Quality(
                metric=work.task.metric.name,
                value=value,
                baseline_name="the cosine of TF-IDF vectors",
                baseline_value=baseline,
                sample_count=count,
                held_out_near_duplicate_share=duplicates,
            ),
            quick=job.quick,
        ),
    )
