"""Accelerators by the names that people and drivers give them, and what making one emitted."""

from __future__ import annotations

import difflib
import re

from bench.impact import facts
from bench.results.interval import Interval

# Words of a name that tell no two boards apart, and the driver's word for a board of another name.
EMPTY = {"nvidia", "amd", "google", "tesla", "geforce", "instinct", "gpu"}
ALIASES = {"hbm3": "sxm5"}
SERVER_GPUS = 8


def find(name: str) -> facts.Fact:
    """The board that a name means ("A100 SXM4 80GB", "NVIDIA H100 80GB HBM3"), with its TDP in W.

    Raises ValueError, naming the nearest, where none or several answer to it.
    """
    boards = facts.gpus()
    asked = _words(name)
    found = [board for board in boards.values() if asked and _answers(asked, board)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"{name!r} may be {_listed(found)}: say which")
    raise ValueError(f"there is no hardware {name!r}; the nearest are {_listed(_nearest(name))}")


def embodied(board: facts.Fact | None) -> tuple[Interval, bool]:
    """What making one board emitted, kgCO2e over all sources, and whether the sources are its own.

    For a board without a source of its own, or an unknown one, the range over all boards that have
    one.
    """
    kinds = dict.fromkeys(
        key.rpartition("/")[0] for key in facts.table("embodied") if key.startswith("gpu/")
    )
    own = [kind for kind in kinds if board and board.key.startswith(kind.removeprefix("gpu/"))]
    ranges = [facts.embodied(kind) for kind in own or kinds]
    middles = sorted(middle(found).value for found in ranges)
    low, high = min(found.low for found in ranges), max(found.high for found in ranges)
    return Interval(middles[len(middles) // 2], low, high), bool(own)


def middle(found: facts.FactRange) -> Interval:
    """A range of several sources, with the middle one (the upper of two) as its value."""
    values = sorted(fact.value for fact in found.facts if fact.unit == found.unit)
    return Interval(values[len(values) // 2], found.low, found.high)


def _answers(asked: set[str], board: facts.Fact) -> bool:
    has = _words(board.label)
    return all(word in has or (word == "sxm" and any("sxm" in w for w in has)) for word in asked)


def _words(name: str) -> set[str]:
    """The words of a name that matter: "A100 SXM4 40/80GB" -> {a100, sxm4, 40gb, 80gb}."""
    text = re.sub(r"(\d+)/(\d+)\s*gb", r"\1gb \2gb", name.lower())
    text = re.sub(r"(\d+)\s*gb\b", r"\1gb", text)
    found = re.findall(r"[a-z0-9]+", text)
    return {ALIASES.get(word, word) for word in found if word not in EMPTY}


def _nearest(name: str) -> list[facts.Fact]:
    asked = " ".join(sorted(_words(name)))

    def likeness(board: facts.Fact) -> float:
        shared = len(_words(name) & _words(board.label))
        label = " ".join(sorted(_words(board.label)))
        return shared + difflib.SequenceMatcher(None, asked, label).ratio()

    return sorted(facts.gpus().values(), key=likeness, reverse=True)[:3]


def _listed(boards: list[facts.Fact]) -> str:
    return ", ".join(board.label.removeprefix("NVIDIA ") for board in boards)
