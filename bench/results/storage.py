"""Atomic writes, reading with limits, canonical JSON and content id, output folder."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from bench.results import record_v1
from bench.results.record import Result
from bench.results.versions import SCHEMA_VERSION

MAX_BYTES = 10_000_000


class UnreadableRecord(ValueError):
    """A file is not a result; the message says why in one sentence."""


def run_path(folder: Path, result: Result) -> Path:
    """The path of a run in a results folder: `<task>/<YYYYMMDDTHHMMSSZ>-<run id>.json`."""
    stamp = result.created_at.replace("-", "").replace(":", "")
    return folder / result.task.id / f"{stamp}-{result.run_id}.json"


def to_json(result: Result, indent: int | None = None) -> str:
    """The result as JSON, on one line without `indent`; floats keep every digit."""
    content = result.model_dump(mode="json")
    return json.dumps(content, indent=indent, allow_nan=False, ensure_ascii=False)


def save_result(result: Result, path: Path) -> None:
    """Write a result atomically: a reader sees the old file or the new one. Raises OSError."""
    write_text(path, to_json(result, indent=1))


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically: a temporary file, then renamed to `path`. Raises OSError."""
    write_parts(path, (text if text.endswith("\n") else f"{text}\n",))


def write_parts(path: Path, parts: Iterable[str | bytes]) -> None:
    """As `write_text`, for a text or bytes that are generated in parts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(p.encode() if isinstance(p, str) else p for p in parts)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load_result(path: Path) -> Result:
    """Read a result file. Raises UnreadableRecord."""
    return parse_result(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises UnreadableRecord where it is no regular file or too large."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableRecord(f"{path} is not a regular file")
        if status.st_size > MAX_BYTES:
            raise UnreadableRecord(f"{path} has {status.st_size} bytes, more than {MAX_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableRecord(f"{path} cannot be read: {error.strerror or error}") from error


def parse_result(text: str | bytes, name: str = "the result") -> Result:
    """The result in JSON text of schema version 1 or 2; `name` is its name in messages.

    Raises UnreadableRecord.
    """
    try:
        return Result.model_validate_json(text, strict=True)
    except ValidationError as error:
        invalid = error
    try:
        content = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise UnreadableRecord(f"{name} is not JSON: {error}") from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if type(version) is not int or version not in (1, SCHEMA_VERSION):
        newer = type(version) is int and version > SCHEMA_VERSION
        hint = ": a newer JouleBench can read it" if newer else ""
        raise UnreadableRecord(
            f"{name} has schema version {version!r:.40}; known is {SCHEMA_VERSION}{hint}"
        )
    if version == 1:
        try:
            return Result.model_validate_json(json.dumps(record_v1.upgrade(content)), strict=True)
        except ValidationError as error:
            invalid = error
    first = invalid.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the record"
    raise UnreadableRecord(
        f"{name} is not a valid result: {where:.200}: {first['msg']:.200}"
    ) from invalid


def check_writable(folder: Path) -> None:
    """Raise OSError if a result cannot be saved in this folder, before anything is measured."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe.") as probe:
        probe.write(b"\0" * 1_000_000)
        probe.flush()
        os.fsync(probe.fileno())


def result_schema() -> dict[str, Any]:
    """The JSON Schema of a result, draft 2020-12."""
    content = Result.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **content}


def canonical_json(result: Result) -> str:
    """The result as canonical JSON: sorted keys, no spaces, and one newline at the end."""
    content = result.model_dump(mode="json")
    text = json.dumps(
        content, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return f"{text}\n"


def content_id(content: Result | bytes) -> str:
    """The first 16 hex digits of the SHA-256 of a record's bytes: the name of a submission."""
    text = content if isinstance(content, bytes) else canonical_json(content).encode()
    return hashlib.sha256(text).hexdigest()[:16]


def default_output_folder() -> Path:
    """Where results go: `results/runs` inside a checkout of the project, else `results`."""
    in_checkout = Path("tasks").is_dir() and Path("bench/task.py").is_file()
    return Path("results/runs") if in_checkout else Path("results")
