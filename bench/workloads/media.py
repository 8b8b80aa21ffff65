"""Images and sounds as requests hold them, decoded from a file, from bytes or from what is open."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy
    from PIL.Image import Image

RATE = 16_000
IMAGES = ("image", "img")
SOUNDS = ("audio",)


class UndecodableMedia(ValueError):
    """A file that is no image or no sound; the message is one sentence."""


class MediaRow(Mapping[str, Any]):
    """A row of a data set whose images and sounds are decoded when they are asked for.

    Names of files count from `folder`; where it is None, as for rows of strangers, none is opened.
    With "tile", four pixel coordinates, only that part of the image is taken. Getting an item
    raises Undecodable where a file is no image or no sound.
    """

    def __init__(self, values: Mapping[str, Any], folder: Path | None) -> None:
        self._values, self._folder = values, folder

    def __getitem__(self, column: str) -> Any:
        value = self._values[column]
        if value is None or column not in (*IMAGES, *SOUNDS):
            return value
        if isinstance(value, str):
            if self._folder is None:
                raise UndecodableMedia(f"the column {column!r} names a file and does not hold it")
            value = self._folder / value
        if column in SOUNDS:
            return sound(value)
        tile = self._values.get("tile")
        return _sheet(value).crop(tuple(tile)) if tile else image(value)

    def __contains__(self, column: object) -> bool:
        return column in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@lru_cache(maxsize=1)
def _sheet(path: Path) -> Image:
    """An image of which many rows take a part: it is read once for all that follow each other."""
    return image(path)


def image(value: Any) -> Image:
    """Pixels in RGB, from an open image, a file, or {"bytes": …, "path": …}. Raises Undecodable."""
    from PIL import Image as Images

    try:
        found = value if hasattr(value, "convert") else Images.open(_source(value))
        return found.convert("RGB")
    except (OSError, ValueError, TypeError, Images.DecompressionBombError) as error:
        raise UndecodableMedia(f"{_name(value)} can't be read as an image: {error}") from error


def sound(value: Any) -> numpy.ndarray[Any, Any]:
    """Samples of a sound, mono at 16 kHz as float32 from -1 to 1. Raises Undecodable.

    From a file, {"bytes": …, "path": …}, or {"array": …, "sampling_rate": …}.
    """
    import numpy

    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package without its library
        raise UndecodableMedia("sounds are decoded by soundfile: pip install soundfile") from error
    try:
        if isinstance(value, Mapping) and value.get("array") is not None:
            samples, rate = numpy.asarray(value["array"], "float32"), int(value["sampling_rate"])
        else:
            samples, rate = soundfile.read(_source(value), dtype="float32")
    except (OSError, ValueError, TypeError, soundfile.LibsndfileError) as error:
        raise UndecodableMedia(f"{_name(value)} can't be read as a sound: {error}") from error
    if samples.ndim == 2:
        samples = samples.mean(axis=1)
    if rate != RATE:
        import soxr

        samples = soxr.resample(samples, rate, RATE)
    return numpy.ascontiguousarray(samples, dtype="float32")


def _source(value: Any) -> Any:
    """What a decoder can open."""
    if isinstance(value, Mapping):
        content = value.get("bytes")
        return io.BytesIO(content) if content else str(value["path"])
    return str(value)


def _name(value: Any) -> str:
    """The last part of a file's name, since the rest is private."""
    path = value.get("path") if isinstance(value, Mapping) else value
    return Path(str(path)).name if isinstance(path, str | Path) else "a row"
