"""Chat: a Llama model that answers made problems, with steps between <think> tags if asked."""

from __future__ import annotations

import copy
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from bench.workloads import embedded
from tools.embedded_training import chat_rows, common, near_duplicates
from tools.embedded_training.chat_model import (
    ANSWER_LIMIT,
    END,
    FLAG,
    answer_text,
    make_model,
    make_tokenizer,
    prompt_text,
)

BATCH = 32
CYCLES = (3000, 2000)  # steps; the rate rises and falls once in each
RATE = 3e-3
MATRIX_RATE = 0.012
IGNORED = -100
ANSWER = re.compile(r"Answer:(.*)")


def batches(tokenizer: PreTrainedTokenizerFast) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Token ids and labels, padded on the right; prompts have the label -100.

    Rows of similar length share a batch, so that little is padding.
    """
    rng = random.Random(common.SEED)
    stream = chat_rows.training_problems()
    while True:
        pool = list(islice(stream, BATCH * 32))
        heads, tails = [], []
        for problem, mode in pool:
            heads.append(prompt_text(problem, mode))
            tails.append(answer_text(problem, mode) + END)
        rows = list(zip(tokenizer(heads)["input_ids"], tokenizer(tails)["input_ids"], strict=True))
        rows.sort(key=lambda row: len(row[0]) + len(row[1]))
        groups = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
        rng.shuffle(groups)
        for group in groups:
            width = max(len(head) + len(tail) for head, tail in group)
            ids = torch.full((BATCH, width), int(tokenizer.pad_token_id))
            labels = torch.full((BATCH, width), IGNORED)
            for at, (head, tail) in enumerate(group):
                size = len(head) + len(tail)
                ids[at, :size] = torch.tensor(head + tail)
                labels[at, len(head) : size] = torch.tensor(tail)
            yield ids, labels


def rate_factor(step: int, steps: int) -> float:
    """Learning rate over its peak: warm-up, constant, linear decay over the last fifth."""
    return max(0.02, min(1.0, (step + 1) / 100, (steps - step) / (0.2 * steps)))


def learn(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, first: int, steps: int
) -> None:
    """Next-token training on the answers alone, from batch `first` on.

    Gradients come from a bfloat16 copy of the model, which is faster than autocast on a CPU.
    Muon (K. Jordan et al. 2024) updates the matrices of the layers, AdamW the other weights.
    """
    worker = copy.deepcopy(model).bfloat16().train()
    weights, copies = list(model.parameters()), list(worker.parameters())
    in_layers = {name for name, weight in model.named_parameters() if "layers" in name}
    matrices = [w for name, w in model.named_parameters() if name in in_layers and w.ndim == 2]
    others = [w for name, w in model.named_parameters() if name not in in_layers or w.ndim != 2]
    optimizers = [
        torch.optim.Muon(matrices, lr=MATRIX_RATE, weight_decay=0.01, momentum=0.95),
        torch.optim.AdamW(others, lr=RATE, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_factor(step, steps))
        for optimizer in optimizers
    ]
    for step, (ids, labels) in enumerate(islice(batches(tokenizer), first, first + steps)):
        with torch.no_grad():
            torch._foreach_copy_(copies, weights)
        hidden = worker.model(input_ids=ids).last_hidden_state[:, :-1]
        answers = labels[:, 1:] != IGNORED
        scores = worker.lm_head(hidden[answers]).float()
        loss = cross_entropy(scores, labels[:, 1:][answers])
        worker.zero_grad(set_to_none=True)
        loss.backward()
        for weight, twin in zip(weights, copies, strict=True):
            weight.grad = twin.grad.float()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
        if step % 50 == 0:
            print(f"chat step {step}/{steps} loss {loss.item():.3f}", flush=True)
    model.eval()


@dataclass(frozen=True)
class Outcome:
    """One generated answer: its kind of problem, length, and whether it ended and is right."""

    kind: str
    tokens: int
    ended: bool
    solved: bool


@torch.inference_mode()
def outcomes(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Mapping[str, str]],
    thinking: bool = False,
    batch: int = 50,
) -> list[Outcome]:
    """Greedy answers to the rows, sorted by prompt length; at most `ANSWER_LIMIT` tokens each."""
    found = []
    ordered = sorted(rows, key=lambda row: len(row["prompt"]))
    for at in range(0, len(ordered), batch):
        part = ordered[at : at + batch]
        chats = [[{"role": "user", "content": row["prompt"]}] for row in part]
        ids = tokenizer.apply_chat_template(
            chats,
            add_generation_prompt=True,
            enable_thinking=thinking,
            return_dict=True,
            return_tensors="pt",
            padding=True,
        )
        full = model.generate(**ids, max_new_tokens=ANSWER_LIMIT, do_sample=False)
        for row, new in zip(part, full[:, ids["input_ids"].shape[1] :].tolist(), strict=True):
            ended = tokenizer.eos_token_id in new
            size = new.index(tokenizer.eos_token_id) + 1 if ended else len(new)
            text = tokenizer.decode(new[:size], skip_special_tokens=True)
            found.append(Outcome(row["kind"], size, ended, is_solved(text, row["answer"])))
    return found


def is_solved(text: str, answer: str) -> bool:
    """Whether the text after the last "Answer:" is the expected answer, less case and full stop."""
    given = ANSWER.findall(text)
    return bool(given) and given[-1].strip().rstrip(".").lower() == answer.lower()


def baseline_share(rows: Sequence[Mapping[str, str]]) -> float:
    """The share of rows that have the commonest answer of their kind in training."""
    answers: dict[str, Counter[str]] = {kind: Counter() for kind in chat_rows.KINDS}
    for problem, _ in islice(chat_rows.training_problems(), 20_000):
        answers[problem.kind][problem.answer] += 1
    common_answer = {kind: counts.most_common(1)[0][0] for kind, counts in answers.items()}
    return sum(row["answer"] == common_answer[row["kind"]] for row in rows) / len(rows)


def duplicate_share(rows: Sequence[Mapping[str, str]], count: int) -> float:
    """The share of rows with a near-duplicate among the first `count` training prompts."""
    prompts = [row["prompt"] for row in rows]
    stream = (problem.prompt for problem, _ in islice(chat_rows.training_problems(), count))
    duplicate = [False] * len(rows)
    # In parts, because the shingles of all training prompts would take gigabytes.
    while part := list(islice(stream, 10_000)):
        found = near_duplicates.near_duplicates(prompts, part)
        duplicate = [one or other for one, other in zip(duplicate, found, strict=True)]
    return sum(duplicate) / len(rows)


def share(found: Sequence[Outcome], name: str) -> float:
    """The share of outcomes that `ended` or are `solved`."""
    return sum(getattr(outcome, name) for outcome in found) / len(found)


def train(job: common.Job) -> None:
    """Write the held-out rows, tokenizer, model and its card; there is one size."""
    common.set_seeds()
    for name in embedded.DATA_WITHOUT_TASK:
        common.write_rows(name, chat_rows.held_out_rows(name))
    folder = embedded.chat_path()
    tokenizer = make_tokenizer(folder)
    model = make_model(tokenizer)
    steps = 0
    for cycle in CYCLES:
        learn(model, tokenizer, steps, job.steps(cycle))
        steps += job.steps(cycle)
    minutes, cpu_minutes = job.minutes(), time.process_time() / 60
    common.save_half(model, folder)
    write_card(job, steps, minutes, cpu_minutes)


def write_card(job: common.Job, steps: int, minutes: float, cpu_minutes: float) -> None:
    """Evaluate the saved model on the shipped rows and write its card and `quality.json`."""
    folder = embedded.chat_path()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    chat, reason = ([dict(row) for row in embedded.rows(name)] for name in ("chat", "reason"))
    results = {
        "chat": outcomes(model, tokenizer, chat),
        "reason, thinking on": outcomes(model, tokenizer, reason, thinking=True),
        "reason, thinking off": outcomes(model, tokenizer, reason),
    }
    quality = {}
    for name, found in results.items():
        count = f"({len(found):,} shipped rows)"
        lengths = [outcome.tokens for outcome in found]
        quality |= {
            f"{name}: answers solved {count}": f"{share(found, 'solved'):.1%}",
            f"{name}: answers that end within {ANSWER_LIMIT} tokens {count}": (
                f"{share(found, 'ended'):.1%}"
            ),
            f"{name}: tokens of an answer, mean and longest {count}": (
                f"{sum(lengths) / len(lengths):.1f} and {max(lengths)}"
            ),
        }
    for name, rows in (("chat", chat), ("reason", reason)):
        quality[f"{name}: the commonest training answer of the same kind ({len(rows):,} rows)"] = (
            f"{baseline_share(rows):.1%}"
        )
    for kind in chat_rows.KINDS:
        parts = {
            name: [outcome for outcome in found if outcome.kind == kind]
            for name, found in results.items()
        }
        shares = [f"{share(part, 'solved'):.0%} ({name})" for name, part in parts.items() if part]
        quality[f"`{kind}` problems solved"] = ", ".join(shares)
    common.write_card(
        folder,
        common.ModelCard(
            title="JouleBench chat, tiny",
            description="A Llama model with a chat template that answers made problems: sums in "
            "words, look-ups in a list, counting, sorting, comparing. It ends its answers by "
            "itself, and solves some problems and not others. It knows nothing else: use it to "
            "measure served work, not as an assistant.",
            parameters={"transformer, tied embeddings": common.parameter_count([model])},
            data="Synthetic: problems made from templates by `tools/embedded_training/"
            f"chat_rows.py`, {steps * BATCH:,} for training. The {len(chat) + len(reason):,} "
            "held-out ones have other sentences, other names of people and towns, and other "
            "two-digit numbers; words for things, one-digit numbers, and computed numbers (the "
            "terms of a sequence, the limit of a check) are on both sides.",
            data_licence="CC0-1.0, written for this project.",
            command=f"{common.COMMAND} chat --size tiny",
            minutes=minutes,
            steps=f"{steps:,} steps of {BATCH} problems, {cpu_minutes:.0f} minutes of processor "
            "time",
            quality=quality,
            headline=common.Quality(
                metric="solved",
                value=share(results["chat"], "solved"),
                baseline_name="the commonest training answer of the same kind of problem",
                baseline_value=baseline_share(chat),
                sample_count=len(chat),
                held_out_near_duplicate_share=duplicate_share([*chat, *reason], steps * BATCH),
            ),
            settings=f"Greedy, at most {ANSWER_LIMIT} new tokens, as `generation_config.json` "
            "says; one user message. With `enable_thinking=True` in the chat template, or the "
            f'system message "{FLAG}", the model writes its steps between <think> and </think> '
            "before the answer; without, it does so only if the prompt asks for steps, and "
            "without tags. The result follows the last `Answer:`. Training had no other system "
            "message, one message for each chat, and no prompt above 200 tokens. Pad on the left.",
            quick=job.quick,
        ),
    )
