"""Where a model comes from: the package, a folder, the hub, or a named architecture."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.backends import ModelNotFound, ModelSpec
from bench.system import registry
from bench.workloads import embedded, hub
from bench.workloads.architectures import (
    ARCHITECTURES,
    _named,
    architecture_names,
    architecture_table,
)

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt")

# Whose embedded tokenizer stands in for models of a task that has no trained one of its own.
STAND_INS = {
    "automatic-speech-recognition": "text-gen",
    "image-to-text": "text-classification",
    "text-to-video": "video-gen",
    "summarization": "text-classification",
    "question-answering": "text-classification",
    "sentence-similarity": "text-classification",
    "fill-mask": "text-classification",
}
WAY_OUT = (
    "use --model embedded/small, a local folder, or, for a named architecture, "
    "--weights random --dataset embedded"
)


@dataclass(frozen=True)
class ModelSource:
    """A folder that `from_pretrained` can open; before `fetch`, a hub id at a commit."""

    kind: Literal["embedded", "folder", "hub", "architecture"]
    location: str
    revision: str | None = None

    def public_name(self, name: str) -> str:
        """The name to write down: of a local folder its last part alone, since the rest is
        private."""
        return Path(self.location).name if self.kind == "folder" else name

    @property
    def folder(self) -> Path:
        """The folder it lies in; of a hub model, once it was fetched."""
        return Path(self.location)


def locate_model(spec: ModelSpec) -> ModelSource:
    """Find a model by its name. Raises ModelNotFound with a way out.

    With random weights a hub id whose architecture ships stands for it, and no hub is needed; a
    `revision` asks for the configuration and the tokenizer of the hub.
    """
    name = spec.model
    if name == "embedded" or name.startswith("embedded/"):
        return _embedded(_home(spec), name.partition("/")[2] or "small")
    if Path(name).is_dir():
        return _folder(Path(name))
    if spec.weights == "random" and spec.revision is None and (named := _named(name)):
        return ModelSource("architecture", str(ARCHITECTURES / named))
    if name in architecture_names() and not any(
        name in row["hub_ids"].split() for row in architecture_table()
    ):
        raise ModelNotFound(f"{name} names an architecture: add --weights random, or give a hub id")
    if name.startswith((".", "/", "~")):
        raise ModelNotFound(f"there is no folder {name}")
    try:
        return ModelSource("hub", name, hub.resolve_commit(name, spec.revision))
    except hub.HubUnavailable as error:
        near = [n for n in difflib.get_close_matches(name, _known(), n=2, cutoff=0.6) if n != name]
        hint = f" (did you mean {' or '.join(near)}?)" if near else ""
        raise ModelNotFound(f"{error}{hint}; {WAY_OUT}") from error


def fetch_model(source: ModelSource, download: Callable[[str, str | None], str]) -> ModelSource:
    """Bring a hub model here before anything is measured; anything else is here already.

    `download` takes the hub id and the commit and gives the folder. Raises ModelNotFound.
    """
    if source.kind != "hub":
        return source
    try:
        return replace(source, location=download(source.location, source.revision))
    except ModelNotFound:
        raise
    except Exception as error:
        # Network, disk and hub client fail in ways of their own; there is no model either way.
        raise ModelNotFound(hub.error_sentence(error, source.location)) from error


def small_file(source: ModelSource, name: str) -> str | None:
    """The text of one file of a model, also before the rest is fetched; None where it has none.

    Raises ModelNotFound where the hub does not give it.
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
            # As in `fetch`: whatever went wrong, there is no model.
            raise ModelNotFound(hub.error_sentence(error, source.location)) from error
    return path.read_text(encoding="utf-8") if path.exists() else None


def snapshot(patterns: Sequence[str]) -> Callable[[str, str | None], str]:
    """A download of the files at the top of a repository that match, and of those named below."""
    below = [pattern for pattern in patterns if "/" in pattern]
    top = [pattern for pattern in patterns if "/" not in pattern]

    def download(repository: str, revision: str | None) -> str:
        from huggingface_hub import snapshot_download

        if below:
            snapshot_download(repository, revision=revision, allow_patterns=below)
        return snapshot_download(
            repository, revision=revision, allow_patterns=top, ignore_patterns=["*/*"]
        )

    return download


def as_found(spec: ModelSpec, source: ModelSource) -> ModelSpec:
    """The spec of what really loads: an embedded model that ships as a configuration alone, for a
    task that nothing small was trained for, has random weights, and the result says so."""
    if source.kind == "embedded" and not any(source.folder.rglob("*.safetensors")):
        return replace(spec, weights="random")
    return spec


def tokenizer_folder(spec: ModelSpec, source: ModelSource, name: str = "") -> Path:
    """Where the tokenizer lies. A configuration alone has none: an embedded one stands in, whose
    ids are all inside its vocabulary; the result says so."""
    if owns_tokenizer(source, name):
        return source.folder / name
    home = STAND_INS.get(spec.tag) or _home(spec)
    return embedded.model_path(home, "small") / name.removesuffix("_2")


def owns_tokenizer(source: ModelSource, name: str = "") -> bool:
    """Whether a model comes with a tokenizer, in its folder or the one below that is named."""
    if source.kind in ("hub", "folder"):
        return True
    return any((source.folder / name / file).exists() for file in TOKENIZER_FILES)


def _home(spec: ModelSpec) -> str:
    """The embedded task whose models serve this one: itself, or the one of the same kind."""
    if spec.task_id in embedded.TASK_IDS:
        return spec.task_id
    return next((t for t in embedded.TASK_IDS if registry.task_tag(t) == spec.tag), spec.task_id)


def _embedded(task_id: str, size: str) -> ModelSource:
    try:
        return ModelSource("embedded", str(embedded.model_path(task_id, size)))
    except ValueError as error:
        raise ModelNotFound(str(error)) from error


def _folder(path: Path) -> ModelSource:
    if not (path / "config.json").exists() and not (path / "model_index.json").exists():
        raise ModelNotFound(f"{path} holds no model: neither config.json nor model_index.json")
    return ModelSource("folder", str(path.resolve()))


def _known() -> list[str]:
    return [*architecture_names(), *(f"embedded/{size}" for size in embedded.SIZES)]
