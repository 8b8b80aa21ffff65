"""Backends run models. One file a backend, with `TAGS`, `prepare(spec)` and `load(spec, source)`.

`TAGS` are the pipeline tags that it serves. `prepare` finds and downloads the model before
anything is measured; `load` brings it into memory as a Session. Both raise ModelNotFound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from bench.results.record import Backend, Model, Work
from bench.results.settings import DTYPES, ModelSettings
from bench.task import Output, Request, Setting


@dataclass(frozen=True)
class ModelSpec:
    """Which model to load, and how.

    `parameters` are the fixed ones of the workload, `labels` its reference labels, from which a
    generative or zero-shot model chooses; `settings` may be a whole `RunConfig`.
    """

    task_id: str
    tag: str
    model: str
    parameters: Mapping[str, Setting]
    settings: ModelSettings = field(default_factory=ModelSettings)
    devices: tuple[str, ...] = ("cpu",)
    labels: tuple[str, ...] = ()

    @property
    def dtype(self) -> str:
        """The precision to load: float32, float16 or bfloat16.

        "auto" is float32, and float16 for text generation on a GPU, as in the published studies.
        """
        if self.settings.dtype != "auto":
            return DTYPES[self.settings.dtype]
        on_gpu = self.devices[0] != "cpu"
        return "float16" if on_gpu and self.tag == "text-generation" else "float32"


class ServedBatch(NamedTuple):
    """The counted work, and one output a request, in order."""

    work: Work
    outputs: tuple[Output, ...]


class Session(Protocol):
    """A loaded model.

    It may have `gpu_uuids`, the UUIDs of the GPUs that hold it as its framework reports them: a run
    fails where the energy of another GPU is measured.
    """

    model: Model
    backend: Backend

    def serve(self, requests: Sequence[Request]) -> ServedBatch:
        """Serve all requests and return when the device has finished.

        Raises BackendError.
        """
        ...

    def close(self) -> None:
        """Release the memory."""
        ...


class ModelNotFound(ValueError):
    """A model that cannot be used; the message is one sentence with a remedy (exit code 2)."""


class BackendError(RuntimeError):
    """A failure of a run, which is recorded as a result (exit code 3).

    `stage` is "load" or "serve"; `code` is "out-of-memory", "unsupported", "error" or
    "wrong-gpu".
    """

    def __init__(self, stage: str, code: str, message: str) -> None:
        super().__init__(message)
        self.stage, self.code, self.message = stage, code, message
