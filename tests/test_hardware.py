"""Accelerators by name: drivers' names, labels, embodied carbon."""

from __future__ import annotations

import pytest

from bench.impact import facts, hardware


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("A100 SXM4 80GB", "nvidia-a100-sxm4-40-80gb"),
        ("NVIDIA A100-SXM4-80GB", "nvidia-a100-sxm4-40-80gb"),
        ("NVIDIA H100 80GB HBM3", "nvidia-h100-sxm5-80gb"),
        ("h100 pcie", "nvidia-h100-pcie-80gb"),
        ("Tesla V100-SXM2-16GB", "nvidia-v100-sxm2-16-32gb"),
        ("NVIDIA GeForce RTX 4090", "nvidia-rtx-4090"),
        ("mi300x", "amd-mi300x"),
    ],
)
def test_hardware_is_found_by_the_names_of_people_and_drivers(name, key):
    assert hardware.find(name).key == key


def test_every_board_is_found_by_its_label():
    for board in facts.table("gpu").values():
        assert hardware.find(board.label) == board


def test_embodied_carbon_of_a_board_without_source_is_the_range_of_all():
    h100, has_source = hardware.embodied_kg(hardware.find("H100 PCIe"))
    rtx, rtx_has_source = hardware.embodied_kg(hardware.find("RTX 4090"))
    assert (has_source, rtx_has_source) == (True, False)
    assert rtx.low <= h100.low and rtx.high >= h100.high
