"""Finding and downloading a model: embedded, a folder, the hub, or a named architecture."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.backends import ModelNotFound, ModelSpec
from bench.system import registry
from bench.workloads import architectures, embedded, hub

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt")

# By pipeline tag, the task whose embedded tokenizer serves a model without one of its own.
FALLBACK_TOKENIZERS = {
    "automatic-speech-recognition": "text-gen",
    "image-to-text": "text-classification",
    "text-to-video": "video-gen",
    "summarization": "text-classification",
    "question-answering": "text-classification",
    "sentence-similarity": "text-classification",
    "fill-mask": "text-classification",
}
ALTERNATIVES = (
    "use --model embedded/small, a local folder, or, for a named architecture, "
    "--weights random --dataset embedded"
)


@dataclass(frozen=True)
class ModelSource:
    """The origin of a model. `location` is a folder, or, before `fetch_model`, a hub id.

    `revision` is the commit of a hub model.
    """

    kind: Literal["embedded", "folder", "hub", "architecture"]
    location: str
    revision: str | None = None

    def public_name(self, name: str) -> str:
        """The name for the record: of a local folder the last part only, as paths are private."""
        return Path(self.location).name if self.kind == "folder" else name

    @property
    def folder(self) -> Path:
        """The folder of the model; of a hub model, after `fetch_model`."""
        return Path(self.location)


def locate_model(spec: ModelSpec) -> ModelSource:
    """Find a model by its name. Raises ModelNotFound, with alternatives.

    With random weights, a hub id of a shipped architecture means that architecture and needs no
    hub, unless a `revision` is named.
    """
    name = spec.model
    if name == "embedded" or name.startswith("embedded/"):
        try:
            folder = embedded.model_path(_embedded_task(spec), name.partition("/")[2] or "small")
        except ValueError as error:
            raise ModelNotFound(str(error)) from error
        return ModelSource("embedded", str(folder))
    if Path(name).is_dir():
        folder = Path(name)
        if not any((folder / file).exists() for file in ("config.json", "model_index.json")):
            raise ModelNotFound(
                f"{folder} holds no model: neither config.json nor model_index.json"
            )
        return ModelSource("folder", str(folder.resolve()))
    is_configuration = spec.settings.weights == "random" and spec.settings.revision is None
    if is_configuration and (architecture := architectures.architecture_of(name)):
        return ModelSource("architecture", str(architectures.ARCHITECTURES / architecture))
    hub_ids = " ".join(row["hub_ids"] for row in architectures.architecture_table()).split()
    known = architectures.architecture_names()
    if name in known and name not in hub_ids:
        raise ModelNotFound(f"{name} names an architecture: add --weights random, or give a hub id")
    if name.startswith((".", "/", "~")):
        raise ModelNotFound(f"there is no folder {name}")
    try:
        return ModelSource("hub", name, hub.resolve_commit(name, spec.settings.revision))
    except hub.HubUnavailable as error:
        known += [f"embedded/{size}" for size in embedded.SIZES]
        near = [n for n in difflib.get_close_matches(name, known, n=2, cutoff=0.6) if n != name]
        hint = f" (did you mean {' or '.join(near)}?)" if near else ""
        raise ModelNotFound(f"{error}{hint}; {ALTERNATIVES}") from error


def fetch_model(source: ModelSource, download: Callable[[str, str | None], str]) -> ModelSource:
    """Download a hub model, before anything is measured; other sources are returned unchanged.

    `download` takes the hub id and the commit and returns the folder. Raises ModelNotFound.
    """
    if source.kind != "hub":
        return source
    try:
        return replace(source, location=download(source.location, source.revision))
    except ModelNotFound:
        raise
    except Exception as error:
        # Network, disk and hub client each have their own exceptions; all mean no model.
        raise ModelNotFound(hub.error_sentence(error, source.location)) from error


def read_small_file(source: ModelSource, name: str) -> str | None:
    """The text of one file of a model, also before `fetch_model`; None where there is no such file.

    Raises ModelNotFound where the hub refuses or cannot be reached.
    """
    path = source.folder / name
    if source.kind == "hub":
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import RemoteEntryNotFoundError

        try:
            path = Path(hf_hub_download(source.location, name, revision=source.revision))
        except RemoteEntryNotFoundError:
            return None
        except Exception as error:
            # As in `fetch_model`: any exception means no model.
            raise ModelNotFound(hub.error_sentence(error, source.location)) from error
    return path.read_text(encoding="utf-8") if path.exists() else None


def download_files(repository: str, revision: str | None, patterns: Sequence[str]) -> str:
    """Download the files of a hub model that match. Returns their folder.

    A pattern without a slash matches at the top of the repository only.
    """
    from huggingface_hub import snapshot_download

    nested = [pattern for pattern in patterns if "/" in pattern]
    if nested:
        snapshot_download(repository, revision=revision, allow_patterns=nested)
    top = [pattern for pattern in patterns if "/" not in pattern]
    return snapshot_download(
        repository, revision=revision, allow_patterns=top, ignore_patterns=["*/*"]
    )


def resolve_weights(spec: ModelSpec, source: ModelSource) -> ModelSpec:
    """The spec with `weights="random"` for an embedded model that ships without weights.

    No small model was trained for its task; the record then says "random".
    """
    if source.kind == "embedded" and not any(source.folder.rglob("*.safetensors")):
        return replace(spec, settings=spec.settings.with_changes(weights="random"))
    return spec


def tokenizer_folder(spec: ModelSpec, source: ModelSource, name: str = "") -> Path:
    """The folder of the tokenizer, `name` below the model's folder.

    A shipped configuration has none: an embedded tokenizer serves, whose ids all lie within its
    vocabulary, and the record says so.
    """
    if _has_own_tokenizer(source, name):
        return source.folder / name
    task_id = FALLBACK_TOKENIZERS.get(spec.tag) or _embedded_task(spec)
    return embedded.model_path(task_id, "small") / name.removesuffix("_2")


def tokenizer_origin(source: ModelSource, name: str = "") -> str:
    """The origin of the tokenizer for the record: "its own" or "embedded"."""
    return "its own" if _has_own_tokenizer(source, name) else "embedded"


def _has_own_tokenizer(source: ModelSource, name: str) -> bool:
    """Whether a model has a tokenizer, in its folder or in the folder `name` below it."""
    if source.kind in ("hub", "folder"):
        return True
    return any((source.folder / name / file).exists() for file in TOKENIZER_FILES)


def _embedded_task(spec: ModelSpec) -> str:
    """The task whose embedded models serve this one: itself, or the one with the same tag."""
    if spec.task_id in embedded.TASK_IDS:
        return spec.task_id
    return next(
        (task for task in embedded.TASK_IDS if registry.task_tag(task) == spec.tag), spec.task_id
    )
