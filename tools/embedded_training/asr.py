"""Speech recognition: real recordings with transcriptions; a configuration without weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.workloads import embedded
from tools.embedded_training import common, configurations, sources

RATE = 16_000


def recordings(raw: Path) -> list[tuple[str, Path, str]]:
    """(name, file, words) of every clip: five of LibriVox, five of playing cards."""
    found = []
    data = sources.sphinx_folder(raw)
    for folder, list_file in (("librivox", "transcription"), ("cards", "cards.transcription")):
        for line in (data / folder / list_file).read_text(encoding="utf-8").splitlines():
            said, _, name = line.strip().rstrip(")").rpartition("(")
            text = " ".join(said.replace("<s>", " ").replace("</s>", " ").split())
            short = name.removeprefix("sense_and_sensibility_01_austen_64kb-")
            found.append((f"{folder}-{short}", data / folder / f"{name}.wav", text))
    return found


def write_data(raw: Path) -> None:
    """Write every clip as 16-bit FLAC at 16 kHz, and the rows with transcriptions."""
    import soundfile
    import soxr

    folder = embedded.FOLDER / "data" / "asr"
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for name, file, text in recordings(raw):
        samples, rate = soundfile.read(file, dtype="float32")
        if rate != RATE:
            samples = soxr.resample(samples, rate, RATE)
        soundfile.write(folder / f"{name}.flac", samples, RATE, subtype="PCM_16")
        rows.append({"audio": f"asr/{name}.flac", "text": text})
    common.write_rows("asr", rows)


def train(job: common.Job) -> None:
    """Write the data and the configuration of one size; no weights are trained."""
    write_data(job.raw)
    configurations.write("asr", job.size)
