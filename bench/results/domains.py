"""Energy domains, such as gpu:0, cpu-package:0, dram:0 and wall: kind, number, label, overlap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class DomainKind(StrEnum):
    """The kinds of domains with a label of their own; a meter may name others ("soc-cpu")."""

    gpu = "gpu"
    cpu_package = "cpu-package"
    dram = "dram"
    wall = "wall"


_LABELS: dict[str, str] = {
    DomainKind.gpu: "GPU",
    DomainKind.cpu_package: "CPU package",
    DomainKind.dram: "DRAM",
    DomainKind.wall: "wall",
}


@dataclass(frozen=True)
class Domain:
    """What one energy figure covers; `str(domain)` is its name in a record, "gpu:0"."""

    kind: str
    number: str = ""

    @classmethod
    @lru_cache(maxsize=256)
    def parse(cls, name: str) -> Domain:
        """The domain of a name such as "gpu:0" or "wall"."""
        kind, _, number = name.partition(":")
        return cls(kind, number)

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}" if self.number else str(self.kind)

    def overlaps(self, other: Domain) -> bool:
        """Whether energy of both would count the same joules twice: the wall covers the rest."""
        return self == other or DomainKind.wall in (self.kind, other.kind)


def is_gpu(name: str) -> bool:
    """Whether a domain name is that of a GPU."""
    return Domain.parse(name).kind == DomainKind.gpu


def gpu_domain(index: int) -> str:
    """The domain name of the GPU with this driver index."""
    return str(Domain(DomainKind.gpu, str(index)))


def kind_label(kind: str) -> str:
    """The label of a kind of domain, "CPU package"; an unknown kind as it is named."""
    return _LABELS.get(kind, kind)


def by_kind(names: Iterable[str]) -> dict[str, list[str]]:
    """Domain names grouped by kind, in order of first appearance."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(Domain.parse(name).kind, []).append(name)
    return groups
