"""What a check found: how grave it is, what it is, and how to cure it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

# "refused": it can't be on the board. "no-rank": it is listed, and says why. "note": good to know.
Severity = Literal["refused", "no-rank", "note"]

CURES = {
    "unreadable": "Send the file as `joulebench run` wrote it, with a version that reads it.",
    "irreproducible": "Send the file as the run wrote it; if it is that, run again with this "
    "version.",
    "impossible": "Look at the sensors with `joulebench doctor`, then run again.",
    "duplicate": "Nothing to mend: this run was submitted. Run again for another result.",
    "misplaced": "Add results with `joulebench submit`; a submission is never moved or edited.",
    "signature": "Sign it again: `joulebench submit RESULT --sign KEY`.",
    "unknown-signer": "Add the signer's public key to the file `allowed_signers`, if you trust it.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a submission: `message` and `cure` are sentences."""

    severity: Severity
    code: str
    message: str
    cure: str

    def words(self) -> str:
        """The finding as a person reads it."""
        return f"{self.severity}: {self.message} {self.cure}"


def refusals(code: str, messages: Iterable[str]) -> Iterator[Finding]:
    """A refusal with the cure of its code for every message."""
    for message in messages:
        yield Finding("refused", code, message, CURES[code])
