"""`SensorReadError`: the one exception that a failed reading of a sensor raises."""

from __future__ import annotations


class SensorReadError(Exception):
    """A reading failed; `reason` is a clause that says why.

    `unsupported`: the device or its driver does not have this reading.
    """

    def __init__(self, reason: str, unsupported: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unsupported = unsupported
