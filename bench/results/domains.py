"""Energy domains, such as gpu:0, cpu-package:0, cpu-time and wall: kind, number, label, overlap."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class DomainKind(StrEnum):
    """The kinds of domains with a label of their own; a meter may name others ("soc-cpu")."""

    gpu = "gpu"
    cpu_package = "cpu-package"
    cpu_time = "cpu-time"  # modelled: the CPU time of the work, of all packages together
    dram = "dram"
    wall = "wall"


_LABELS: dict[str, str] = {
    DomainKind.gpu: "GPU",
    DomainKind.cpu_package: "CPU package",
    DomainKind.cpu_time: "CPU time",
    DomainKind.dram: "DRAM",
    DomainKind.wall: "wall",
}


def kind_of(name: str) -> str:
    """The kind of a domain: "gpu" of "gpu:0", "wall" of "wall"."""
    return name.partition(":")[0]


def overlap(name: str, other: str) -> bool:
    """Whether energy of both domains would count the same joules twice.

    The wall covers all, and CPU time is spent in the CPU packages.
    """
    kinds = {kind_of(name), kind_of(other)}
    on_cpu = {DomainKind.cpu_time, DomainKind.cpu_package}
    return name == other or DomainKind.wall in kinds or kinds == on_cpu


def is_gpu(name: str) -> bool:
    """Whether a domain name is that of a GPU."""
    return kind_of(name) == DomainKind.gpu


def gpu_domain(index: int) -> str:
    """The domain name of the GPU with this driver index."""
    return f"{DomainKind.gpu}:{index}"


def kind_label(kind: str) -> str:
    """The label of a kind of domain, "CPU package"; an unknown kind as it is named."""
    return _LABELS.get(kind, kind)


def by_kind(names: Iterable[str]) -> dict[str, list[str]]:
    """Domain names grouped by kind, in order of first appearance."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(kind_of(name), []).append(name)
    return groups
