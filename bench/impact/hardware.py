"""Accelerators by the names that people and drivers use: thermal design power, embodied carbon."""

from __future__ import annotations

import difflib
import re
from statistics import median_high

from bench.impact import facts
from bench.results.interval import Interval

# Words that distinguish no two boards.
IGNORED_WORDS = {"nvidia", "amd", "google", "tesla", "geforce", "instinct", "gpu"}
# The driver's name of the H100 SXM5 is "H100 80GB HBM3".
ALIASES = {"hbm3": "sxm5"}


def find(name: str) -> facts.Fact:
    """The TDP in W of the board with this name ("A100 SXM4 80GB", "NVIDIA H100 80GB HBM3").

    Raises ValueError, with the nearest names, where no board or several match.
    """
    words = _words(name)
    matches = [board for board in facts.table("gpu").values() if words and _matches(words, board)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise ValueError(f"{name!r} is ambiguous: give one of {_names(matches)}")
    raise ValueError(f"there is no hardware {name!r}; the nearest are {_names(_nearest(name))}")


def embodied_kg(board: facts.Fact | None) -> tuple[Interval, bool]:
    """kgCO2e of manufacturing one board, and whether the sources are about this board.

    For an unknown board, or one that no source covers, it is the range over all boards that a
    source covers.
    """
    kinds = dict.fromkeys(
        key.rpartition("/")[0] for key in facts.table("embodied") if key.startswith("gpu/")
    )
    of_board = [k for k in kinds if board and board.key.startswith(k.removeprefix("gpu/"))]
    ranges = [facts.embodied_range(kind) for kind in of_board or kinds]
    median = median_high(sources.value for sources in ranges)
    low, high = min(sources.low for sources in ranges), max(sources.high for sources in ranges)
    return Interval(median, low, high), bool(of_board)


def _matches(words: set[str], board: facts.Fact) -> bool:
    label = _words(board.label)
    return all(word in label or (word == "sxm" and "sxm" in " ".join(label)) for word in words)


def _words(name: str) -> set[str]:
    """The distinguishing words of a name: "A100 SXM4 40/80GB" -> {a100, sxm4, 40gb, 80gb}."""
    text = re.sub(r"(\d+)/(\d+)\s*gb", r"\1gb \2gb", name.lower())
    text = re.sub(r"(\d+)\s*gb\b", r"\1gb", text)
    words = re.findall(r"[a-z0-9]+", text)
    return {ALIASES.get(word, word) for word in words if word not in IGNORED_WORDS}


def _nearest(name: str) -> list[facts.Fact]:
    """The three boards whose labels share most words, then most characters, with a name."""
    words = _words(name)

    def similarity(board: facts.Fact) -> float:
        label = _words(board.label)
        a, b = (" ".join(sorted(part)) for part in (words, label))
        return len(words & label) + difflib.SequenceMatcher(None, a, b).ratio()

    return sorted(facts.table("gpu").values(), key=similarity, reverse=True)[:3]


def _names(boards: list[facts.Fact]) -> str:
    return ", ".join(board.label.removeprefix("NVIDIA ") for board in boards)
