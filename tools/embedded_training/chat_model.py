"""The chat model before training: tokenizer with chat template, and a Llama's initial weights."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tools.embedded_training import chat_rows, common

VOCABULARY = 768
CONTEXT = 2048
ANSWER_LIMIT = 256
WIDTH, LAYERS, HEADS, INNER = 128, 4, 4, 256
HEAD = WIDTH // HEADS
ROTARY_BASE = 500_000.0
START, END, SYSTEM, USER, ASSISTANT = (
    f"<|{name}|>" for name in ("start", "end", "system", "user", "assistant")
)
PAD = "<|pad|>"
THINK = ("<think>", "</think>")
FLAG = "thinking on"

# Words with the space before them; each digit alone; a space or a comma with the digit after it.
WORD = r" ?\p{L}+|\d|[,.:]? (?=\d)|\n|[^\s\p{L}\d]+| "

CHAT_TEMPLATE = """\
{{- '<|start|>' }}
{%- set system = messages[0].content if messages[0].role == 'system' else '' %}
{%- if enable_thinking is defined and enable_thinking %}
{%- set system = (system ~ '\\n' if system else '') ~ 'thinking on' %}
{%- endif %}
{%- if system %}{{ '<|system|>' ~ system ~ '<|end|>' }}{% endif %}
{%- for message in messages if message.role != 'system' %}
{{- '<|' ~ message.role ~ '|>' ~ message.content ~ '<|end|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"""


def make_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of training problems, with the chat template, saved."""
    texts = []
    for problem, mode in islice(chat_rows.training_problems(common.SEED + 9), 8000):
        texts += [problem.prompt, answer_text(problem, mode)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORD), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = [PAD, START, END, SYSTEM, USER, ASSISTANT]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(THINK),
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # The tags stay in decoded text: they are part of the answer.
    tokenizer.add_tokens(list(THINK))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=START,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[SYSTEM, USER, ASSISTANT],
        padding_side="left",
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder, save_jinja_files=False)
    return fast


def prompt_text(problem: chat_rows.Problem, mode: str) -> str:
    """The prompt as the chat template renders it."""
    flag = f"{SYSTEM}{FLAG}{END}" if mode == "think" else ""
    return f"{START}{flag}{USER}{problem.prompt}{END}{ASSISTANT}"


def answer_text(problem: chat_rows.Problem, mode: str) -> str:
    """The answer in one mode: after thinking, after steps, or alone."""
    answer = f"Answer: {problem.answer}"
    if mode == "think":
        return f"{THINK[0]}{problem.steps}{THINK[1]}\n{answer}"
    return f"{problem.steps}\n{answer}" if mode == "steps" else answer


def make_model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=CONTEXT,
        rope_theta=ROTARY_BASE,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **common.EAGER,
    )
    model = LlamaForCausalLM(config)
    prepare_induction(model)
    model.generation_config.update(max_new_tokens=ANSWER_LIMIT, do_sample=False)
    return model


@torch.no_grad()
def prepare_induction(model: LlamaForCausalLM) -> None:
    """Initial weights with an induction circuit, which else takes most of the training to form.

    A head of the first layer writes the token before each token into a subspace of its own; three
    heads of the second layer attend to positions whose former token is the present one, and copy
    (C. Olsson et al. 2022, "In-context learning and induction heads"). Training is free to change
    all of it. Other weights keep the library's initial values.
    """
    basis = torch.linalg.qr(torch.randn(WIDTH, WIDTH)).Q.T
    constant, before, tokens = basis[0], basis[1 : 1 + HEAD], basis[1 + HEAD :]
    embedding = model.get_input_embeddings().weight
    noise = torch.randn(len(embedding), len(tokens))
    embedding.copy_(0.9 * noise / noise.norm(dim=1, keepdim=True) @ tokens + 0.5 * constant)
    first, second = (model.model.layers[at].self_attn for at in (0, 1))
    pairs = HEAD // 2
    frequency = ROTARY_BASE ** (-torch.arange(pairs) / pairs)
    # The fastest rotations tell neighbours apart; the keys are ahead by one position.
    fast = (torch.arange(pairs) < 4).float()
    query = torch.cat([fast, torch.zeros(pairs)])
    key = torch.cat([frequency.cos() * fast, frequency.sin() * fast])
    first.q_proj.weight[:HEAD] = 2.2 * query[:, None] * constant
    first.k_proj.weight[:HEAD] = 2.2 * key[:, None] * constant
    first.v_proj.weight[:HEAD] = tokens[:HEAD]
    first.o_proj.weight[:, :HEAD] = 0.09 * before.T
    # Slow rotations keep a match of content over the length of a prompt.
    slow = torch.tensor([at for at in range(HEAD) if at % pairs >= 6])
    for head in range(len(tokens) // HEAD + 1):
        rows = slice(head * HEAD, (head + 1) * HEAD)
        copied = tokens[rows]
        for projection in (second.q_proj, second.k_proj, second.v_proj):
            projection.weight[rows] = 0
        second.q_proj.weight[rows][slow] = 1.8 * tokens[: len(slow)]
        second.k_proj.weight[rows][slow] = 1.8 * before[: len(slow)]
        second.v_proj.weight[rows][: len(copied)] = copied
        second.o_proj.weight[:, rows] = 0
        second.o_proj.weight[:, rows][:, : len(copied)] = 0.2 * copied.T
