"""Models through the transformers library; a kind of model is a class in a helper room."""

from __future__ import annotations

from bench.backends import Spec, _kinds
from bench.backends._sessions import ModelSession
from bench.backends._text_sessions import Classification, Generation
from bench.backends.source import Source, fetch, locate, snapshot
from bench.backends.torch_device import guarded, the_device

TAGS = ("text-generation", "text-classification")
CONFIGURATION = ("*.json", "*.txt", "*.model")
WEIGHTS = {False: ("*.safetensors",), True: ("*.safetensors", "*.bin")}
SESSIONS: dict[str, type[ModelSession]] = {
    "text-generation": Generation,
    "text-classification": Classification,
}


def prepare(spec: Spec) -> Source:
    """Find the model, and bring it here, before anything is measured. Raises ModelNotFound."""
    source = locate(spec)
    _kinds.check(spec, source)
    the_device(spec)
    weights = () if spec.weights == "random" else WEIGHTS[spec.allow_pickle]
    code = ("*.py",) if spec.trust_remote_code else ()
    return fetch(source, snapshot((*CONFIGURATION, *weights, *code)))


def load(spec: Spec, source: Source | None = None) -> ModelSession:
    """Load a prepared model. Raises ModelNotFound where it is none, Failed where it breaks."""
    with guarded("load"):
        return SESSIONS[spec.tag](spec, source or prepare(spec))
