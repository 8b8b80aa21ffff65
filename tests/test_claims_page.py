"""docs/claims.md and other_box plots: up to date, complete, with every caveat."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from bench.impact import claims
from tools.claims import __main__ as writer
from tools.claims import figures

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "claims.md").read_text(encoding="utf-8")


def test_page_and_plots_are_up_to_date():
    assert writer.stale() == []


def test_changed_page_or_plot_is_stale(tmp_path, monkeypatch):
    writer.write(tmp_path)
    monkeypatch.setattr(writer, "DOCS", tmp_path)
    assert writer.stale() == []
    (tmp_path / "claims.md").write_text(PAGE + "\n")
    (tmp_path / "claims-bloom.png").unlink()
    assert sorted(writer.stale()) == ["claims-bloom.png", "claims.md"]


@pytest.mark.parametrize("claim", claims.load_claims(), ids=lambda claim: claim.id)
def test_every_claim_is_on_the_page_with_caveat_and_source(claim):
    section = PAGE.partition(f"# {claim.id}. ")[2].partition("\n#")[0]
    assert claim.caveat in section and claim.source in section
    values = re.findall(r"^\| .*\d", section, re.MULTILINE)
    assert bool(values) == (claim.kind == "computed")
    for one in claim.quantities:
        assert one.quantity in section
        assert all(f"`{name}`" in section for name in one.rests_on)


@pytest.mark.parametrize("name", figures.FIGURES)
def test_plot_is_small_and_has_its_numbers_and_caveat_as_text(name):
    assert f"(claims-{name}.png)" in PAGE
    path = DOCS / f"claims-{name}.png"
    assert path.stat().st_size < 120_000
    text = Image.open(path).info["Description"]
    assert "Computed from published facts, not measured." in text
    assert len(re.findall(r"^.+: .*\d", text, re.MULTILINE)) >= 3


@pytest.mark.parametrize("name", figures.FIGURES)
def test_texts_are_inside_the_plot_and_do_not_overlap(name):
    from test_plots import texts

    figure = figures.FIGURES[name]()
    positions, (width, height) = texts(figure), figure.bbox.size
    for i, (text, box) in enumerate(positions):
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height, text
        for other, other_box in positions[i + 1 :]:
            overlap_x = min(box.x1, other_box.x1) - max(box.x0, other_box.x0)
            overlap_y = min(box.y1, other_box.y1) - max(box.y0, other_box.y0)
            assert overlap_x < 1 or overlap_y < 2, (text, other)


def test_plot_has_the_recomputed_values():
    text = Image.open(DOCS / "claims-break-even.png").info["Description"]
    uses = claims.find_claims(("S13",))[0].quantities[0].value.value
    assert f"BLOOMz-7B: {uses / 1e6:,.1f} million" in text
