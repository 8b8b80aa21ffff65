"""Where a model comes from: the package, a folder, the hub, or a named architecture."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench import embedded, hub
from bench.backends import ModelNotFound, Spec

ARCHITECTURES = Path(__file__).parent / "architectures"
WAY_OUT = "use --model embedded/small, a local folder, or a named architecture with random weights"


@dataclass(frozen=True)
class Source:
    """What `from_pretrained` gets: a folder or a hub id, at a commit."""

    kind: Literal["embedded", "folder", "hub", "architecture"]
    location: str
    revision: str | None = None

    @property
    def folder(self) -> Path:
        """The folder with its configuration; of a hub model, everything but the weights."""
        if self.kind != "hub":
            return Path(self.location)
        from huggingface_hub import snapshot_download

        patterns = ["*.json", "*.txt", "*.model"]
        return Path(
            snapshot_download(self.location, revision=self.revision, allow_patterns=patterns)
        )


def locate(spec: Spec) -> Source:
    """Find a model by its name. Raises ModelNotFound with a way out."""
    name = spec.model
    if name == "embedded" or name.startswith("embedded/"):
        return _embedded(spec.task_id, name.partition("/")[2] or "small")
    if Path(name).is_dir():
        return _folder(Path(name))
    if spec.weights == "random" and name in architectures():
        return Source("architecture", str(ARCHITECTURES / name))
    if name in architectures() and "/" not in name and "." in name:
        raise ModelNotFound(f"{name} names an architecture: add --weights random, or give a hub id")
    try:
        return Source("hub", name, hub.commit(name, spec.revision))
    except hub.Unreachable as error:
        near = difflib.get_close_matches(name, _known(), n=2, cutoff=0.6)
        hint = f" (did you mean {' or '.join(near)}?)" if near else ""
        raise ModelNotFound(f"{error}{hint}; {WAY_OUT}") from error


def architectures() -> list[str]:
    """The architectures that ship as configurations, without weights."""
    return sorted(path.name for path in ARCHITECTURES.iterdir() if path.is_dir())


def tokenizer_folder(spec: Spec, source: Source, name: str = "") -> Path | str:
    """Where the tokenizer lies. A named architecture has none: the embedded one stands in, whose
    ids are all inside its vocabulary; the result says so."""
    if source.kind == "architecture":
        return embedded.model_path(spec.task_id, "small") / name
    return source.location if source.kind == "hub" else Path(source.location) / name


def _embedded(task_id: str, size: str) -> Source:
    try:
        return Source("embedded", str(embedded.model_path(task_id, size)))
    except ValueError as error:
        raise ModelNotFound(str(error)) from error


def _folder(path: Path) -> Source:
    if not (path / "config.json").exists() and not (path / "model_index.json").exists():
        raise ModelNotFound(f"{path} holds no model: neither config.json nor model_index.json")
    return Source("folder", str(path.resolve()))


def _known() -> list[str]:
    return [*architectures(), *(f"embedded/{size}" for size in embedded.SIZES)]
