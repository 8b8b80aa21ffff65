"""Models through the transformers library; a kind of model is a class in a helper room."""

from __future__ import annotations

from collections.abc import Callable

from bench.backends import Spec, _kinds, _levers
from bench.backends._image_sessions import Captions, Detection, ImageClassification
from bench.backends._label_sessions import TokenClassification, classification
from bench.backends._reading_sessions import POOLING, Answering, Filling, Similarity
from bench.backends._sessions import ModelSession
from bench.backends._speech_sessions import speech
from bench.backends._text_sessions import Generation, Summarization
from bench.backends.source import Source, as_found, fetch, locate, snapshot
from bench.backends.torch_device import guarded, the_device

CONFIGURATION = ("*.json", "*.txt", "*.model", POOLING)
WEIGHTS = {False: ("*.safetensors",), True: ("*.safetensors", "*.bin")}
SESSIONS: dict[str, Callable[[Spec, Source], ModelSession]] = {
    "text-generation": Generation,
    "summarization": Summarization,
    "text-classification": classification,
    "token-classification": TokenClassification,
    "question-answering": Answering,
    "sentence-similarity": Similarity,
    "fill-mask": Filling,
    "image-classification": ImageClassification,
    "object-detection": Detection,
    "image-to-text": Captions,
    "automatic-speech-recognition": speech,
}
TAGS = tuple(SESSIONS)


def prepare(spec: Spec) -> Source:
    """Find the model, and bring it here, before anything is measured. Raises ModelNotFound."""
    source = locate(spec)
    _levers.check(spec)
    _kinds.check(spec, source)
    the_device(spec)
    weights = () if spec.weights == "random" else WEIGHTS[spec.allow_pickle]
    code = ("*.py",) if spec.trust_remote_code else ()
    return fetch(source, snapshot((*CONFIGURATION, *weights, *code)))


def load(spec: Spec, source: Source | None = None) -> ModelSession:
    """Load a prepared model. Raises ModelNotFound where it is none, Failed where it breaks."""
    with guarded("load"):
        source = source or prepare(spec)
        return SESSIONS[spec.tag](as_found(spec, source), source)
