"""Which kinds of transformers model answer a task: found by their configuration alone.

A model whose weights were trained for something else would get a fresh, random head: it would run,
and its answers would mean nothing, without a word about it.
"""

from __future__ import annotations

import json
from typing import Any

from bench.backends import ModelNotFound, Spec
from bench.backends.source import Source, small_file

# Tags -> the auto classes of transformers whose models can answer. A tag that is not here takes any
# model (an embedding can be had from every encoder).
KINDS = {
    "text-generation": ("CAUSAL_LM",),
    "summarization": ("SEQ_TO_SEQ_CAUSAL_LM",),
    "text-classification": ("SEQUENCE_CLASSIFICATION", "CAUSAL_LM", "SEQ_TO_SEQ_CAUSAL_LM"),
    "token-classification": ("TOKEN_CLASSIFICATION",),
    "question-answering": ("QUESTION_ANSWERING", "SEQ_TO_SEQ_CAUSAL_LM"),
    "fill-mask": ("MASKED_LM", "PRETRAINING"),
    "image-classification": ("IMAGE_CLASSIFICATION",),
    "object-detection": ("OBJECT_DETECTION",),
    "image-to-text": ("IMAGE_TEXT_TO_TEXT", "MULTIMODAL_LM"),
    "automatic-speech-recognition": ("SPEECH_SEQ_2_SEQ", "CTC"),
}


def check(spec: Spec, source: Source) -> None:
    """Raises ModelNotFound where the configuration is of no model for the task."""
    wrong = ModelNotFound(f"{spec.model} is not a model for {spec.task_id}")
    text = small_file(source, "config.json")
    if text is None:
        raise wrong
    try:
        config = json.loads(text)
        own: Any = config.get("architectures") or ()
    except (ValueError, AttributeError) as error:
        raise ModelNotFound(f"the config.json of {spec.model} can't be read: {error}") from error
    trained = spec.weights != "random" and source.kind in ("folder", "hub")
    if not trained or spec.trust_remote_code or spec.tag not in KINDS:
        return
    if own and not any(name in _classes(spec.tag) for name in own):
        raise ModelNotFound(f"{wrong}: it is a {own[0]}")


def _classes(tag: str) -> set[str]:
    """Names of all model classes that answer a tag."""
    from transformers.models.auto import modeling_auto

    found: set[str] = set()
    for kind in KINDS[tag]:
        mapping = getattr(modeling_auto, f"MODEL_FOR_{kind}_MAPPING_NAMES", {})
        for names in mapping.values():
            found.update([names] if isinstance(names, str) else names)
    return found
