"""How many of a group are significantly better and worse than each: without looking at each pair.

Of two results, a is better where the logarithm of its energy is smaller by more than the root of
the sum of both spreads squared. Results are dealt into classes of nearly the same spread; within a
class all but a narrow band around that distance is settled by a sorted list, and only the band is
looked at pair by pair. A hundred thousand equals then take seconds, and the answer is the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.results import statistics
from bench.results.calibration import Instrument

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

GAIN_TO_SPREAD = statistics.NORMAL_95 / 3**0.5
CLASS_WIDTH = 1.05
SLACK = 1e-12
BLOCK = 1_000_000


@dataclass(frozen=True, slots=True)
class Mark:
    """What ranking needs of a result, worked out once: it is compared with all its equals."""

    log_energy: float
    half_width: float
    gain: float
    instrument: Instrument | None


def less(a: Mark, b: Mark) -> bool:
    """Whether a took significantly less energy than b: what `compare(a, b).high < 1` says."""
    same = a.instrument is not None and a.instrument == b.instrument
    gains = () if same else (GAIN_TO_SPREAD * a.gain, GAIN_TO_SPREAD * b.gain)
    return (
        b.log_energy - a.log_energy
        > sum(x * x for x in (a.half_width, b.half_width, *gains)) ** 0.5
    )


def better_and_worse(marks: Sequence[Mark]) -> tuple[list[int], list[int]]:
    """For each mark, how many of the others are significantly better, and how many worse."""
    place = np.array([mark.log_energy for mark in marks])
    width = np.array([mark.half_width for mark in marks])
    whole = np.hypot(width, GAIN_TO_SPREAD * np.array([mark.gain for mark in marks]))
    found = []
    for towards in (place, -place):
        counts = _beyond(towards, whole)
        for card in _cards(marks):
            # On one card the scale error cancels: its results are counted again without it.
            counts[card] -= _beyond(towards[card], whole[card])
            counts[card] += _beyond(towards[card], width[card])
        found.append(counts.tolist())
    return found[0], found[1]


def _cards(marks: Sequence[Mark]) -> Iterator[list[int]]:
    """The results of every instrument that read more than one of them."""
    by_card: dict[Instrument, list[int]] = defaultdict(list)
    for number, mark in enumerate(marks):
        if mark.instrument is not None:
            by_card[mark.instrument].append(number)
    yield from (card for card in by_card.values() if len(card) > 1)


def _beyond(place: Floats, spread: Floats) -> Counts:
    """For each i, the number of j with place[i] - place[j] > hypot(spread[i], spread[j])."""
    counts = np.zeros(len(place), dtype=np.int64)
    classes = np.floor(np.log(np.maximum(spread, 1e-9)) / np.log(CLASS_WIDTH))
    for number in np.unique(classes):
        members = np.flatnonzero(classes == number)
        members = members[np.argsort(place[members], kind="stable")]
        counts += _beyond_class(place, spread, place[members], spread[members])
    return counts


def _beyond_class(place: Floats, spread: Floats, other: Floats, its: Floats) -> Counts:
    """As `_beyond`, over others of nearly the same spread, sorted by their place."""
    near = place - np.hypot(spread, its.min())
    far = place - np.hypot(spread, its.max())
    surely = np.searchsorted(other, far - SLACK, side="left")
    perhaps = np.searchsorted(other, near + SLACK, side="right")
    counts: Counts = surely.astype(np.int64)
    band = perhaps - surely
    at = np.flatnonzero(band)
    # Blocks of pairs, so that memory stays small whatever the band.
    ends = np.cumsum(band[at])
    start = 0
    while start < len(at):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + BLOCK)))
        mine = np.repeat(at[start:stop], band[at[start:stop]])
        first = np.repeat(surely[at[start:stop]], band[at[start:stop]])
        within = np.arange(len(mine)) - np.repeat(
            ends[start:stop] - band[at[start:stop]] - done, band[at[start:stop]]
        )
        theirs = first + within
        beyond = place[mine] - other[theirs] > np.sqrt(spread[mine] ** 2 + its[theirs] ** 2)
        counts += np.bincount(mine[beyond], minlength=len(place))
        start = stop
    return counts
