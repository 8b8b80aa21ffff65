"""Stars by AI Energy Score's rule, and a logarithmic grade.

Stars divide the range of a group into five bands of equal width, so that one result of very high
energy gives all the others five stars. The grade is logarithmic: A is below twice the least energy
of the group, B below four times, and every further letter is one more doubling; after Z comes AA.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

GRADE_RULE = (
    "A: less than twice the least energy of its group. Every further letter is one more doubling: "
    "B from 2 times, C from 4, D from 8, and so on; after Z comes AA."
)
STARS_RULE = (
    "AI Energy Score’s rule: five bands of equal width between the least and the greatest energy "
    "of the group, five stars for the lowest band."
)


def stars(energies_kwh: Sequence[float]) -> list[int]:
    """One to five stars by AI Energy Score's published rule, 5 for the least energy.

    Five bands of equal width between the least and the greatest energy of one group (in kWh, or
    any one unit); all 5 where they are equal. Raises ValueError for an energy that is not finite.
    """
    if not energies_kwh:
        return []
    if not all(math.isfinite(energy) for energy in energies_kwh):
        raise ValueError("stars need finite energies")
    least, greatest = min(energies_kwh), max(energies_kwh)
    if greatest == least:
        return [5] * len(energies_kwh)
    width = (greatest - least) / 5
    return [5 - min(4, math.floor((energy - least) / width)) for energy in energies_kwh]


def grades(energies_kwh: Sequence[float]) -> list[str]:
    """A letter for every doubling above the least energy of one group: "A", "B", … "Z", "AA".

    Raises ValueError for an energy that is not positive and finite.
    """
    if not all(0 < energy < math.inf for energy in energies_kwh):
        raise ValueError("grades need positive energies")
    least = min(energies_kwh, default=1.0)
    # frexp gives the exponent of two exactly, where a logarithm would round 8 to a little below 3.
    return [_letters(math.frexp(energy / least)[1] - 1) for energy in energies_kwh]


def _letters(doublings: int) -> str:
    text, rest = "", doublings + 1
    while rest > 0:
        rest, letter = divmod(rest - 1, 26)
        text = chr(ord("A") + letter) + text
    return text
