"""One JSON file per run, written atomically; reads every older schema version."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from bench.records import SCHEMA_VERSION, Result

MAX_BYTES = 10_000_000


class Unreadable(ValueError):
    """A file that is not a result; the message is one sentence that says why."""


def run_path(folder: Path, result: Result) -> Path:
    """Where a run lies under a results folder: `<task>/<YYYYMMDDTHHMMSSZ>-<run id>.json`."""
    stamp = result.created_at.replace("-", "").replace(":", "")
    return folder / result.task.id / f"{stamp}-{result.run_id}.json"


def to_json(result: Result) -> str:
    """The result as one line of JSON; floats keep every digit."""
    return json.dumps(result.model_dump(mode="json"), allow_nan=False, ensure_ascii=False)


def save(result: Result, path: Path) -> None:
    """Write the result so that a reader sees the old file or the new one, never half of either."""
    content = result.model_dump(mode="json")
    write_text(path, json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False))


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically: into a neighbour first, then renamed over `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            if not text.endswith("\n"):
                file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path) -> Result:
    """Read a result file. Raises Unreadable with a sentence where it is not one."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise Unreadable(f"{path} has {size} bytes; no real result has over {MAX_BYTES}")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path} can't be read: {error}") from error
    return parse(text, str(path))


def parse(text: str, name: str = "the result") -> Result:
    """Turn JSON text into a result. Raises Unreadable with a sentence where it is not one."""
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{name} is not JSON: {error}") from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise Unreadable(f"{name} has schema version {version!r}; known is {SCHEMA_VERSION}")
    try:
        return Result.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the record"
        raise Unreadable(f"{name} is not a valid result: {where}: {first['msg']}") from error


def check_writable(folder: Path) -> None:
    """Raise OSError now, before anything is measured, if a result could not be saved here."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe.") as probe:
        probe.write(b"\0" * 1_000_000)
        probe.flush()
        os.fsync(probe.fileno())


def schema() -> dict[str, Any]:
    """The JSON Schema of a result, draft 2020-12."""
    content = Result.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **content}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
