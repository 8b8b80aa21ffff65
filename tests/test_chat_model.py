"""The embedded chat model and its made problems: template, held-out split, answers."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

import pytest

pytest.importorskip("torch")

from bench.workloads import embedded
from tools.embedded_training import chat, chat_model, chat_rows

SETS = embedded.DATA_WITHOUT_TASK
SAMPLE = 64
LIMIT = 1_800_000


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(embedded.chat_path())


@pytest.fixture(scope="module")
def model() -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(embedded.chat_path()).eval()


def rows(name: str) -> list[dict[str, Any]]:
    return [dict(row) for row in embedded.rows(name)]


def sample(name: str) -> list[dict[str, Any]]:
    """Rows of every kind, equally many, in their shipped order."""
    found, count = [], Counter[str]()
    kinds = {row["kind"] for row in rows(name)}
    for row in rows(name):
        if count[row["kind"]] < SAMPLE // len(kinds):
            found.append(row)
            count[row["kind"]] += 1
    return found


def test_model_is_a_small_llama_with_its_own_end_token(model: Any, tokenizer: Any) -> None:
    config = model.config
    assert config.model_type == "llama" and config.max_position_embeddings == 2048
    assert tokenizer.eos_token == chat_model.END
    assert config.eos_token_id == model.generation_config.eos_token_id == tokenizer.eos_token_id
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight
    size = sum(file.stat().st_size for file in embedded.chat_path().iterdir())
    assert size <= LIMIT


def test_digits_are_tokens_and_text_survives_encoding(tokenizer: Any) -> None:
    text = "Élan has 407, 35 and 6:05.\n<think>4 + 35 = 39.</think> naïve ☃"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("12 + 345 = 357")["input_ids"])
    assert [token for token in tokens if token.isdigit()] == list("12345357")


def test_chat_template_renders_messages_and_the_thinking_flag(tokenizer: Any) -> None:
    chats = [
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Two?"},
    ]

    def render(messages: list[dict[str, str]], **options: object) -> str:
        return tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, **options
        )

    plain = "<|start|><|user|>One?<|end|><|assistant|>1<|end|><|user|>Two?<|end|><|assistant|>"
    assert render(chats) == render(chats, enable_thinking=False) == plain
    flagged = plain.replace("<|start|>", "<|start|><|system|>thinking on<|end|>")
    assert render(chats, enable_thinking=True) == flagged
    assert render([{"role": "system", "content": "thinking on"}, *chats]) == flagged


def test_training_text_is_what_the_chat_template_renders(tokenizer: Any) -> None:
    problem, mode = next(iter(chat_rows.training_problems()))
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": problem.prompt}],
        add_generation_prompt=True,
        enable_thinking=mode == "think",
        tokenize=False,
    )
    assert chat_model.prompt_text(problem, mode) == rendered


@pytest.mark.parametrize("name", SETS)
def test_baseline_solves_few_problems(name: str) -> None:
    assert 0 < chat.baseline_share(rows(name)) < 0.2


@pytest.mark.parametrize(("name", "thinking"), [("chat", False), ("reason", True)])
def test_model_ends_its_answers_and_solves_some(
    name: str, thinking: bool, model: Any, tokenizer: Any
) -> None:
    """95 % end by themselves; solved are 20 to 80 %, each less two binomial standard errors."""
    part = sample(name)
    found = chat.outcomes(model, tokenizer, part, thinking, batch=16)
    assert len(found) == len(part) >= 55
    assert chat.share(found, "ended") >= 0.95
    tolerance = 2 * math.sqrt(0.2 * 0.8 / len(found))
    assert 0.2 - tolerance <= chat.share(found, "solved") <= 0.8 + tolerance
    assert chat.share(found, "solved") > chat.baseline_share(part)


def test_thinking_is_written_between_tags_only_where_it_is_enabled(
    model: Any, tokenizer: Any
) -> None:
    part = rows("reason")[:8]
    for thinking in (True, False):
        chats = [[{"role": "user", "content": row["prompt"]}] for row in part]
        ids = tokenizer.apply_chat_template(
            chats,
            add_generation_prompt=True,
            enable_thinking=thinking,
            return_dict=True,
            return_tensors="pt",
            padding=True,
        )
        full = model.generate(**ids)
        texts = tokenizer.batch_decode(
            full[:, ids["input_ids"].shape[1] :], skip_special_tokens=True
        )
        tagged = [re.match(r"<think>.+</think>\nAnswer: ", text) is not None for text in texts]
        assert sum(tagged) >= 7 if thinking else not any("think" in text for text in texts)


def test_model_card_states_shares_by_kind_and_the_baseline() -> None:
    card = (embedded.chat_path() / "README.md").read_text(encoding="utf-8")
    for text in ("license: apache-2.0", "CC0-1.0", "Synthetic", "commonest training answer"):
        assert text in card
    assert "python -m tools.embedded_training chat" in card
    for name in ("chat", "reason, thinking on", "reason, thinking off"):
        assert re.search(rf"\| {name}: answers solved \(600 shipped rows\) \| [\d.]+% \|", card)
    for kind in chat_rows.KINDS:
        assert re.search(rf"\| `{kind}` problems solved \| \d+%", card)
    quality = json.loads((embedded.chat_path() / "quality.json").read_text(encoding="utf-8"))
    assert quality["trained"] and quality["held_out_near_duplicate_share"] == 0
    assert 0.2 <= quality["value"] <= 0.8 and quality["baseline_value"] < quality["value"]
    assert quality["sample_count"] == chat_rows.ROWS
