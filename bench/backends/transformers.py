"""Models of Hugging Face transformers, and which architectures serve which task."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.backends import (
    ModelNotFound,
    ModelSpec,
    _classification_sessions,
    _media_sessions,
    _text_sessions,
)
from bench.backends._model_session import TransformersSession
from bench.backends._model_source import (
    ModelSource,
    download_files,
    fetch_model,
    locate_model,
    read_small_file,
    resolve_weights,
)
from bench.backends._torch_runtime import check_optimizations, input_device, map_errors

CONFIGURATION_FILES = ("*.json", "*.txt", "*.model", _text_sessions.POOLING_FILE)

# By whether pickled weights are allowed.
WEIGHT_FILES = {False: ("*.safetensors",), True: ("*.safetensors", "*.bin")}

SESSIONS: dict[str, Callable[[ModelSpec, ModelSource], TransformersSession]] = {
    "text-generation": _text_sessions.TextGenerationSession,
    "summarization": _text_sessions.SummarizationSession,
    "text-classification": _classification_sessions.classification_session,
    "token-classification": _classification_sessions.TokenClassificationSession,
    "question-answering": _text_sessions.QuestionAnsweringSession,
    "sentence-similarity": _text_sessions.SentenceSimilaritySession,
    "fill-mask": _text_sessions.FillMaskSession,
    "image-classification": _media_sessions.ImageClassificationSession,
    "object-detection": _media_sessions.ObjectDetectionSession,
    "image-to-text": _media_sessions.ImageCaptioningSession,
    "automatic-speech-recognition": _media_sessions.speech_session,
}
TAGS = tuple(SESSIONS)

# The mappings of transformers with the architectures that serve a pipeline tag. A tag that is not
# listed accepts any model: every encoder can embed sentences.
ARCHITECTURE_MAPPINGS = {
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


def prepare(spec: ModelSpec) -> ModelSource:
    """Find and download the model, before anything is measured. Raises ModelNotFound."""
    source = locate_model(spec)
    check_optimizations(spec)
    check_architecture(spec, source)
    input_device(spec)
    weights = () if spec.settings.weights == "random" else WEIGHT_FILES[spec.settings.allow_pickle]
    code = ("*.py",) if spec.settings.trust_remote_code else ()
    patterns = (*CONFIGURATION_FILES, *weights, *code)
    return fetch_model(source, partial(download_files, patterns=patterns))


def load(spec: ModelSpec, source: ModelSource | None = None) -> TransformersSession:
    """Load a prepared model. Raises ModelNotFound for an unfit model, BackendError on a failure."""
    with map_errors("load"):
        source = source or prepare(spec)
        return SESSIONS[spec.tag](resolve_weights(spec, source), source)


def check_architecture(spec: ModelSpec, source: ModelSource) -> None:
    """Raises ModelNotFound where a trained model's architecture does not serve the task."""
    unfit = ModelNotFound(f"{spec.model} is not a model for {spec.task_id}")
    text = read_small_file(source, "config.json")
    if text is None:
        raise unfit
    try:
        config = json.loads(text)
        classes: Any = config.get("architectures") or ()
    except (ValueError, AttributeError) as error:
        raise ModelNotFound(f"the config.json of {spec.model} cannot be read: {error}") from error
    trained = spec.settings.weights != "random" and source.kind in ("folder", "hub")
    if not trained or spec.settings.trust_remote_code or spec.tag not in ARCHITECTURE_MAPPINGS:
        return
    if classes and not any(name in _classes_for(spec.tag) for name in classes):
        raise ModelNotFound(f"{unfit}: it is a {classes[0]}")


def _classes_for(tag: str) -> set[str]:
    """The names of all model classes that serve a tag."""
    from transformers.models.auto import modeling_auto

    classes: set[str] = set()
    for name in ARCHITECTURE_MAPPINGS[tag]:
        mapping = getattr(modeling_auto, f"MODEL_FOR_{name}_MAPPING_NAMES", {})
        for names in mapping.values():
            classes.update([names] if isinstance(names, str) else names)
    return classes
