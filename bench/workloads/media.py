"""Decoding of images and sounds from a file, from bytes, or from a decoded object."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy
    from PIL.Image import Image

SAMPLE_RATE_HZ = 16_000

# Names of columns that hold images or sounds.
IMAGE_COLUMNS = ("image", "img")
SOUND_COLUMNS = ("audio",)


class UndecodableMedia(ValueError):
    """Data that cannot be decoded as an image or a sound; the message is one sentence."""


class MediaRow(Mapping[str, Any]):
    """A row of a data set, whose images and sounds are decoded on access.

    File names are relative to `folder`; where it is None, as for data from the hub, no file is
    opened. The column "tile", (x0, y0, x1, y1) in pixels, crops the image. Access raises
    UndecodableMedia.
    """

    def __init__(self, values: Mapping[str, Any], folder: Path | None) -> None:
        self._values, self._folder = values, folder

    def __getitem__(self, column: str) -> Any:
        value = self._values[column]
        if value is None or column not in (*IMAGE_COLUMNS, *SOUND_COLUMNS):
            return value
        if isinstance(value, str):
            if self._folder is None:
                raise UndecodableMedia(f"the column {column!r} names a file and does not hold it")
            value = self._folder / value
        if column in SOUND_COLUMNS:
            return decode_sound(value)
        tile = self._values.get("tile")
        return _tiled_image(value).crop(tuple(tile)) if tile else decode_image(value)

    def __contains__(self, column: object) -> bool:
        return column in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def decode_image(value: Any) -> Image:
    """An RGB image from a PIL image, a file, or {"bytes": …, "path": …}.

    Raises UndecodableMedia.
    """
    import PIL.Image

    try:
        image = value if hasattr(value, "convert") else PIL.Image.open(_file(value))
        return image.convert("RGB")
    except (OSError, ValueError, TypeError, PIL.Image.DecompressionBombError) as error:
        raise UndecodableMedia(f"{_name(value)} cannot be read as an image: {error}") from error


# An image of which consecutive rows take one tile each is decoded once.
_tiled_image = lru_cache(maxsize=1)(decode_image)


def decode_sound(value: Any) -> numpy.ndarray[Any, Any]:
    """Mono samples at `SAMPLE_RATE_HZ` as float32 from -1 to 1, of shape (samples,).

    From a file, {"bytes": …, "path": …}, or {"array": …, "sampling_rate": …}. Raises
    UndecodableMedia.
    """
    import numpy

    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package without its library
        raise UndecodableMedia(
            "sounds are decoded with soundfile: pip install soundfile"
        ) from error
    try:
        if isinstance(value, Mapping) and value.get("array") is not None:
            samples, rate = numpy.asarray(value["array"], "float32"), int(value["sampling_rate"])
        else:
            samples, rate = soundfile.read(_file(value), dtype="float32")
    except (OSError, ValueError, TypeError, soundfile.LibsndfileError) as error:
        raise UndecodableMedia(f"{_name(value)} cannot be read as a sound: {error}") from error
    if samples.ndim == 2:
        samples = samples.mean(axis=1)
    if rate != SAMPLE_RATE_HZ:
        import soxr

        samples = soxr.resample(samples, rate, SAMPLE_RATE_HZ)
    return numpy.ascontiguousarray(samples, dtype="float32")


def _file(value: Any) -> Any:
    """The path or the open file for a decoder."""
    if isinstance(value, Mapping):
        content = value.get("bytes")
        return io.BytesIO(content) if content else str(value["path"])
    return str(value)


def _name(value: Any) -> str:
    """The last part of a path, for messages: paths are private."""
    path = value.get("path") if isinstance(value, Mapping) else value
    return Path(str(path)).name if isinstance(path, str | Path) else "a row"
