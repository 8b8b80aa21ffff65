"""Plug-in; which architectures answer a task."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bench.backends import ModelNotFound, ModelSpec, _torch_runtime
from bench.backends._classification_sessions import TokenClassificationSession, classification
from bench.backends._media_sessions import (
    ImageCaptioningSession,
    ImageClassificationSession,
    ObjectDetectionSession,
    speech,
)
from bench.backends._model_session import TransformersSession
from bench.backends._model_source import (
    ModelSource,
    as_found,
    fetch_model,
    locate_model,
    small_file,
    snapshot,
)
from bench.backends._text_sessions import (
    POOLING,
    FillMaskSession,
    QuestionAnsweringSession,
    SentenceSimilaritySession,
    SummarizationSession,
    TextGenerationSession,
)
from bench.backends._torch_runtime import input_device, map_errors

CONFIGURATION = ("*.json", "*.txt", "*.model", POOLING)
WEIGHTS = {False: ("*.safetensors",), True: ("*.safetensors", "*.bin")}
SESSIONS: dict[str, Callable[[ModelSpec, ModelSource], TransformersSession]] = {
    "text-generation": TextGenerationSession,
    "summarization": SummarizationSession,
    "text-classification": classification,
    "token-classification": TokenClassificationSession,
    "question-answering": QuestionAnsweringSession,
    "sentence-similarity": SentenceSimilaritySession,
    "fill-mask": FillMaskSession,
    "image-classification": ImageClassificationSession,
    "object-detection": ObjectDetectionSession,
    "image-to-text": ImageCaptioningSession,
    "automatic-speech-recognition": speech,
}
TAGS = tuple(SESSIONS)


def prepare(spec: ModelSpec) -> ModelSource:
    """Find the model, and bring it here, before anything is measured. Raises ModelNotFound."""
    source = locate_model(spec)
    _torch_runtime.check_optimizations(spec)
    check_architecture(spec, source)
    input_device(spec)
    weights = () if spec.weights == "random" else WEIGHTS[spec.allow_pickle]
    code = ("*.py",) if spec.trust_remote_code else ()
    return fetch_model(source, snapshot((*CONFIGURATION, *weights, *code)))


def load(spec: ModelSpec, source: ModelSource | None = None) -> TransformersSession:
    """Load a prepared model. Raises ModelNotFound where it is none, Failed where it breaks."""
    with map_errors("load"):
        source = source or prepare(spec)
        return SESSIONS[spec.tag](as_found(spec, source), source)


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


def check_architecture(spec: ModelSpec, source: ModelSource) -> None:
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
