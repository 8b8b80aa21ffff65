"""Text models through the transformers library: generation and classification."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.backends import ModelNotFound, Served, Spec
from bench.backends.source import Source, fetch, locate, snapshot, tokenizer_folder
from bench.backends.torch_device import (
    drain,
    dtype_name,
    guarded,
    parameter_count,
    the_device,
    versions,
)
from bench.records import Backend, Model, Work
from bench.task import Output, Request

TAGS = ("text-generation", "text-classification")
CONFIGURATION = ("*.json", "*.txt", "*.model")
WEIGHTS = {False: ("*.safetensors",), True: ("*.safetensors", "*.bin")}


class TextSession(ABC):
    """A text model with its tokenizer on one device; a subclass says how it answers a batch."""

    auto_class: str

    def __init__(self, spec: Spec, source: Source) -> None:
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        self._spec, self._device = spec, the_device(spec)
        self._net = _network(spec, source, self.auto_class, self._device)
        self._tokenizer = _tokenizer(spec, source)
        self.model = Model(
            id=source.public_name(spec.model),
            revision=source.revision,
            weights="random" if spec.weights == "random" else "pretrained",
            dtype=str(self._net.dtype).removeprefix("torch."),
            parameter_count=parameter_count(self._net),
            settings={
                "batch_size": spec.batch_size,
                "device": self._device,
                "source": source.kind,
                "attention": str(getattr(self._net.config, "_attn_implementation", None)),
                "allow_pickle": spec.allow_pickle,
                "trust_remote_code": spec.trust_remote_code,
                "tokenizer": "embedded" if source.kind == "architecture" else "its own",
            },
        )
        self.backend = Backend(name="transformers", versions=versions())

    def serve(self, requests: Sequence[Request]) -> Served:
        import torch

        size = self._spec.batch_size
        tokens_in = tokens_out = 0
        outputs: list[Output] = []
        with guarded("serve"), torch.inference_mode():
            for start in range(0, len(requests), size):
                texts = [str(r.inputs["text"]) for r in requests[start : start + size]]
                encoded = self._encode(texts)
                tokens_in += int(encoded["attention_mask"].sum())
                answers, new_tokens = self._answer(encoded)
                outputs += answers
                tokens_out += new_tokens
            drain(self._device)
        work = Work(
            inference_count=len(outputs),
            input_token_count=tokens_in,
            output_token_count=tokens_out or None,
        )
        return Served(work, tuple(outputs))

    def close(self) -> None:
        import gc

        import torch

        del self._net
        gc.collect()
        if self._device != "cpu":
            torch.cuda.empty_cache()

    def _encode(self, texts: list[str]) -> Any:
        encoded = self._tokenizer(
            texts,
            return_tensors="pt",
            padding=len(texts) > 1,
            truncation=True,
            max_length=self._longest(),
        )
        return encoded.to(self._device)

    def _longest(self) -> int:
        """The longest input in tokens that the model and its tokenizer take."""
        positions = getattr(self._net.config, "max_position_embeddings", None) or 10**6
        return max(1, min(int(positions), int(self._tokenizer.model_max_length)) - self._reserve())

    def _reserve(self) -> int:
        """How many positions must stay free for the answer."""
        return 0

    @abstractmethod
    def _answer(self, encoded: Any) -> tuple[list[Output], int]:
        """The outputs of one batch, and how many tokens were emitted."""


class Generation(TextSession):
    """A causal language model that writes exactly `new_tokens` tokens."""

    auto_class = "AutoModelForCausalLM"

    def __init__(self, spec: Spec, source: Source) -> None:
        super().__init__(spec, source)
        self._tokenizer.padding_side = self._tokenizer.truncation_side = "left"
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    def _reserve(self) -> int:
        return int(self._spec.parameters["new_tokens"] or 0)

    def _answer(self, encoded: Any) -> tuple[list[Output], int]:
        count = self._reserve()
        ids = self._net.generate(
            **encoded,
            min_new_tokens=count,
            max_new_tokens=count,
            do_sample=False,
            num_beams=1,
            pad_token_id=self._tokenizer.pad_token_id,
        )
        new = ids[:, encoded["input_ids"].shape[1] :]
        texts = self._tokenizer.batch_decode(new, skip_special_tokens=True)
        return [Output(text=text) for text in texts], int(new.numel())


class Classification(TextSession):
    """A sequence classifier: one forward pass, one label."""

    auto_class = "AutoModelForSequenceClassification"

    def _answer(self, encoded: Any) -> tuple[list[Output], int]:
        best = self._net(**encoded).logits.argmax(dim=-1).tolist()
        names = self._net.config.id2label
        return [Output(label=str(names[index])) for index in best], 0


SESSIONS: dict[str, type[TextSession]] = {
    "text-generation": Generation,
    "text-classification": Classification,
}


def prepare(spec: Spec) -> Source:
    """Find the model, and bring it here, before anything is measured. Raises ModelNotFound."""
    source = locate(spec)
    if source.kind != "hub" and not (Path(source.location) / "config.json").exists():
        raise ModelNotFound(f"{spec.model} is not a model for {spec.task_id}")
    the_device(spec)
    weights = () if spec.weights == "random" else WEIGHTS[spec.allow_pickle]
    code = ("*.py",) if spec.trust_remote_code else ()
    return fetch(source, snapshot((*CONFIGURATION, *weights, *code)))


def load(spec: Spec, source: Source | None = None) -> TextSession:
    """Load a prepared model. Raises ModelNotFound where it is none, Failed where it breaks."""
    with guarded("load"):
        return SESSIONS[spec.tag](spec, source or prepare(spec))


def _network(spec: Spec, source: Source, auto_class: str, device: str) -> Any:
    import torch
    import transformers

    auto = getattr(transformers, auto_class)
    dtype = getattr(torch, dtype_name(spec))
    common = {"trust_remote_code": spec.trust_remote_code}
    try:
        if spec.weights == "random":
            config = transformers.AutoConfig.from_pretrained(source.location, **common)
            torch.manual_seed(0)
            with torch.device(device):
                net = auto.from_config(
                    config, dtype=dtype, trust_remote_code=spec.trust_remote_code
                )
        else:
            net = auto.from_pretrained(
                source.location,
                dtype=dtype,
                use_safetensors=None if spec.allow_pickle else True,
                **common,
            )
    except (OSError, ValueError) as error:
        raise ModelNotFound(_why(spec, error)) from error
    return net.to(device).eval()


def _tokenizer(spec: Spec, source: Source) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            tokenizer_folder(spec, source),
            trust_remote_code=spec.trust_remote_code,
        )
    except (OSError, ValueError) as error:
        raise ModelNotFound(_why(spec, error)) from error


def _why(spec: Spec, error: Exception) -> str:
    """One sentence for what the library says in many."""
    text = " ".join(str(error).split())
    if "safetensors" in text:
        return f"{spec.model} has no safetensors weights: --allow-pickle loads older formats"
    if "Unrecognized configuration class" in text:
        return f"{spec.model} is not a model for {spec.task_id}"
    if "trust_remote_code" in text:
        return f"{spec.model} needs code of its own: --trust-remote-code runs it"
    return f"{spec.model} can't be loaded: {text[:200]}"
