"""The site in a browser: search, sorting, filters, comparison, accessibility, hostile text.

Over 300 lines because all tests share the browser and its pages.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from boards import entries_of
from site_results import (
    FAILED,
    HOSTILE,
    READY,
    mixed_results,
    wait_for,
    write_site_of,
)
from synthetic_results import result_with_energy, synthetic_result

from bench.leaderboard import board_files, ranking
from bench.leaderboard.board_entry import make_entry
from bench.leaderboard.verification import Submission
from bench.results import formatting, storage
from bench.results.record import Estimate

pytestmark = pytest.mark.slow

COLUMNS = [
    "rank",
    "model",
    "energy",
    "net",
    "joules",
    "quality",
    "seconds",
    "charges",
    "grams",
    "grade",
]


@pytest.fixture(scope="module")
def browser():
    """Chromium, where it is installed."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None and os.environ.get("CI"):
        pytest.fail("CI tests the site in a browser: install Chromium")
    if program is None:
        pytest.skip("no Chromium on this machine")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def mixed_site(tmp_path_factory):
    return write_site_of(tmp_path_factory.mktemp("board"), *mixed_results())


@pytest.fixture
def open_page(browser):
    """Open a page of a site; the test fails on a console error or a request to anywhere else."""
    context, errors = browser.new_context(), []

    def open_url(address, **options):
        page = context.new_page()
        if options:
            page.set_viewport_size(options)
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda r: errors.append(r.url) if is_external(r.url) else None)
        page.goto(address)
        wait_for(page, READY)
        return page

    yield open_url
    context.close()
    assert errors == []


def is_external(url):
    return not url.startswith(("file:", "data:", "http://127.0.0.1:"))


@pytest.fixture
def board_page(open_page, mixed_site):
    return open_page((mixed_site / "index.html").as_uri(), width=1400, height=900)


def model_names(page):
    return page.locator("#rows .name").all_inner_texts()


def url_fragment(page):
    return page.evaluate("location.hash")


def test_board_shows_groups_ties_and_listed_results(board_page):
    assert model_names(board_page) == ["m-10", "m-9", "m-8", "m-3", "m-6", "m-5", "m-4", "m-7"]
    ranks = [
        text.replace("\n", " ") for text in board_page.locator("#rows td.rank").all_inner_texts()
    ]
    assert [r[:2] for r in ranks] == ["1–", "1–", "3", "1", "—", "—", "—", "—"]
    badges = board_page.locator("#rows .badge").all_inner_texts()
    assert {"random weights", "quick", "failed", "modelled"} <= set(badges)
    assert "CUDA ran out of memory." in board_page.locator("#rows .why").inner_text()
    assert board_page.locator("#shown").inner_text() == "8 results"
    assert board_page.locator("#rows tr.modelled").count() == 1
    assert board_page.locator("#rows .heading").count() == 4


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_sorts_both_ways_with_missing_values_last(board_page, column):
    header = board_page.locator(f"th[data-key={column}] button")
    seen = []
    for direction in ("ascending", "descending"):
        header.click()
        assert board_page.locator("th[aria-sort]").get_attribute("aria-sort") == direction
        seen.append(model_names(board_page))
    missing = {"rank": 4, "grade": 4, "quality": 1, "model": 0, "net": 2}.get(column, 1)
    known = [order[: len(order) - missing] for order in seen]
    assert sorted(seen[0]) == sorted(seen[1]) and len(seen[0]) == 8
    if column not in ("rank", "grade", "quality"):
        assert known[0] == known[1][::-1]
    first = {"model": "m-3", "energy": "m-7", "quality": "m-10", "rank": "m-10"}
    assert seen[0][0] == first.get(column, seen[0][0])
    assert set(seen[0][8 - missing :]) == set(seen[1][8 - missing :])
    header.click()
    assert board_page.locator("th[aria-sort]").count() == 0


def test_search_and_filters_select_rows_and_are_kept_in_the_url(board_page, open_page):
    board_page.fill("input[name=q]", "M-1")
    assert (
        model_names(board_page) == ["m-10"]
        and board_page.locator("#shown").inner_text() == "1 result"
    )
    board_page.fill("input[name=q]", "")
    for name, value, left in (
        ("kind", "modelled", ["m-7"]),
        ("task", "text-gen", ["m-7"]),
        ("device", "NVIDIA L4 at 72 W", ["m-3"]),
        ("size", "1 B to 10 B", ["m-9"]),
        ("weights", "random", ["m-6"]),
        ("dtype", "float16", ["m-9"]),
        ("batch", "8", ["m-10"]),
    ):
        board_page.select_option(f"select[name={name}]", value)
        assert model_names(board_page) == left, name
        assert f"{name}=" in url_fragment(board_page)
        board_page.select_option(f"select[name={name}]", "")
    board_page.select_option("select[name=weights]", "pretrained")
    board_page.locator("th[data-key=energy] button").click()
    board_page.select_option("select[name=region]", "FR")
    before = model_names(board_page)
    again = open_page(board_page.url)
    assert model_names(again) == before and "weights=pretrained" in again.url
    assert "France" in again.locator("#region-name").inner_text()
    again.fill("input[name=q]", "nobody has this")
    assert model_names(again) == [] and "No result matches" in again.locator("#rows").inner_text()


def test_selected_region_changes_all_co2e_figures(board_page):
    def grams():
        return float(board_page.locator("#rows td:nth-child(10) .value").first.inner_text())

    world = grams()
    board_page.select_option("select[name=region]", "FR")
    assert grams() == pytest.approx(world * 44.18 / 472.94, rel=0.03)
    assert "in France" in board_page.locator("#equivalent-figures").inner_text()


def test_result_page_has_trials_power_warnings_and_command(board_page, mixed_site):
    board_page.locator(".name", has_text="m-10").click()
    board_page.wait_for_selector(".figures")
    assert re.search(r"result\.html#image-gen/[0-9a-f]{16}$", board_page.url)
    text = board_page.locator("main").inner_text()
    for part in ("Rank 1", "5 of 5" if "5 of 5" in text else "★", "Trials", "Synthetic CPU 9000"):
        assert part in text
    assert board_page.locator(".chart circle.dot").count() == 10
    power = board_page.locator("svg.chart", has=board_page.locator("polyline")).get_attribute(
        "aria-label"
    )
    assert "gpu:0: 300 to 500 W" in power
    command = board_page.locator("pre").inner_text()
    assert command.startswith("joulebench run image-gen ") and "--model m-10" in command
    board_page.locator("summary").click()
    assert board_page.locator("table.plain tbody tr").count() == 14
    raw = board_page.locator("a", has_text="Raw record").get_attribute("href")
    assert raw.startswith("../submissions/image-gen/") and raw.endswith(".json")
    assert "No warnings." in text or "Warnings" in text


def test_unknown_result_has_a_message(open_page, mixed_site):
    address = (mixed_site / "result.html").as_uri()
    for name in ("", "#image-gen/0000000000000000", "#../../x", "#image-gen/<script>"):
        page = open_page(address + name)
        assert page.locator("h1").inner_text() == "No such result"


def test_results_compare_side_by_side(board_page):
    boxes = board_page.locator("#rows input[type=checkbox]")
    boxes.nth(0).check()
    assert board_page.locator("#compare").is_hidden()
    boxes.nth(1).check()
    boxes.nth(2).check()
    assert "pick=" in url_fragment(board_page)
    board_page.locator("#compare").click()
    board_page.wait_for_selector("table.side")
    assert board_page.locator("table.side thead .name").all_inner_texts() == ["m-10", "m-9", "m-8"]
    versus = board_page.locator("table.side tr", has_text="against the first").locator("td")
    cells = versus.all_inner_texts()
    assert "a tie" in cells[1] and "takes more" in cells[2]
    assert board_page.locator("tr.differs", has_text="Run with").count() == 1
    assert board_page.locator("tr.differs", has_text="Boundary").count() == 0
    board_page.locator("button", has_text="remove").first.click()
    wait_for(board_page, "document.querySelectorAll('table.side thead .name').length === 2")
    board_page.select_option("#add", label=board_page.locator("#add option").nth(1).inner_text())
    wait_for(board_page, "document.querySelectorAll('table.side thead .name').length === 3")


def test_slider_updates_the_equivalents(board_page):
    def phones():
        match = re.search(
            r"([\d.,]+) \([^)]*\) phones", board_page.locator("#equivalent-figures").inner_text()
        )
        return float(match[1].replace(",", ""))

    before = phones()
    slider = board_page.locator("input[name=per-day]")
    slider.focus()
    for _ in range(10):
        board_page.keyboard.press("ArrowRight")
    assert board_page.locator("#per-day").inner_text() == "10,000,000"
    assert phones() == pytest.approx(10 * before, rel=0.02)
    kwh = 0.1 * 1e7 / 1000
    assert phones() == pytest.approx(kwh / 0.019, rel=0.02)


def test_all_controls_are_reachable_by_keyboard(board_page):
    board_page.keyboard.press("Tab")
    assert board_page.evaluate("document.activeElement.textContent") == "Skip to the results"
    reached = set()
    for _ in range(90):
        board_page.keyboard.press("Tab")
        reached.add(
            board_page.evaluate(
                "(e => e.name || e.id || e.className || e.type)(document.activeElement)"
            )
        )
        is_visible = board_page.evaluate(
            "(e => e === document.body || getComputedStyle(e).outlineStyle !== 'none')"
            "(document.activeElement)"
        )
        assert is_visible, "the focus must be visible"
    assert {"q", "task", "kind", "device", "region", "name", "checkbox", "per-day"} <= reached
    board_page.locator("th[data-key=quality] button").focus()
    board_page.keyboard.press("Enter")
    assert model_names(board_page)[0] == "m-10" and "sort=quality" in url_fragment(board_page)
    board_page.locator("#rows input[type=checkbox]").first.focus()
    board_page.keyboard.press("Space")
    assert board_page.locator("#selection").is_visible()
    board_page.locator("#rows .name").first.focus()
    board_page.keyboard.press("Enter")
    board_page.wait_for_selector(".figures")


def test_many_results_are_shown_in_pages(open_page, tmp_path):
    folder = write_site_of(
        tmp_path, *(result_with_energy(0.1 + i / 100, model=f"m{i:03}") for i in range(120))
    )
    page = open_page((folder / "task-image-gen.html").as_uri())
    assert model_names(page) == [f"m{i:03}" for i in range(50)]
    page.click("#later")
    page.click("#later")
    assert model_names(page) == [f"m{i:03}" for i in range(100, 120)]
    assert page.locator("#page").inner_text() == "Page 3 of 3" and "page=3" in url_fragment(page)
    assert page.locator("#later").is_disabled()
    page.fill("input[name=q]", "m11")
    assert (
        model_names(page) == [f"m{i:03}" for i in range(110, 120)]
        and page.locator("#pages").is_hidden()
    )


def test_task_page_shows_published_figures_separately(open_page, mixed_site):
    page = open_page((mixed_site / "task-image-gen.html").as_uri())
    assert "m-7" not in model_names(page) and "m-10" in model_names(page)
    page.locator("#published summary").click()
    page.wait_for_selector("#published tbody tr")
    text = page.locator("section.published").inner_text()
    assert "not ranked with these results" in text and "AI Energy Score" in text
    page.fill("#published input", "sdxl-turbo")
    assert "sdxl-turbo" in page.locator("#published tbody tr").first.inner_text()
    empty = open_page((mixed_site / "task-asr.html").as_uri())
    assert "No submissions yet" in empty.locator("main").inner_text()


PAGES = (
    "index.html",
    "task-image-gen.html",
    "task-asr.html",
    "result.html#{one}",
    "compare.html#{two}",
)


def page_urls(folder):
    runs = (folder / "data" / "image-gen" / "details-all.js").read_text()
    ids = [f"image-gen/{name}" for name in re.findall(r'"([0-9a-f]{16})":\{"why_not_ranked"', runs)]
    return [f"{folder.as_uri()}/{p.format(one=ids[0], two=','.join(ids[:3]))}" for p in PAGES]


@pytest.mark.parametrize("width", [360, 390, 800, 1130, 1280, 1600])
def test_no_page_is_wider_than_the_screen(open_page, mixed_site, width):
    for address in page_urls(mixed_site):
        page = open_page(address, width=width, height=900)
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(open_page, mixed_site, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for address in page_urls(mixed_site):
        for width in (1400, 390):
            page = open_page(address, width=width, height=900)
            page.emulate_media(color_scheme=scheme)
            for summary in page.locator("summary").all():
                summary.click()
            violations = axe.run(page, options={"preload": False}).response["violations"]
            serious = [v["id"] for v in violations if v["impact"] in ("serious", "critical")]
            assert serious == [], (address, [n["html"] for v in violations for n in v["nodes"]][:3])


def test_site_works_from_a_web_server(open_page, mixed_site):
    handler = partial(SimpleHTTPRequestHandler, directory=str(mixed_site.parent))
    handler.log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = open_page(f"http://127.0.0.1:{server.server_port}/site/index.html")
        assert len(model_names(page)) == 8
        page.locator(".name").first.click()
        page.wait_for_selector(".figures")
        server.shutdown()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_in_the_browser(open_page, tmp_path, name):
    result = result_with_energy(0.1, model=name, device=name, dataset=name, dtype=name)
    submission = Submission(result, (), storage.content_id(result), None)
    failed = synthetic_result(
        model=name, energies=[], failure=FAILED.model_copy(update={"message": name})
    )
    entries = [make_entry(submission), *entries_of([failed])]
    board_files.write_board(ranking.rank_entries(entries), tmp_path)
    page = open_page((tmp_path / "site" / "index.html").as_uri())
    assert page.locator("#rows .name").first.inner_text() == " ".join(
        formatting.printable(name).split()
    )
    assert page.locator("main script, main img, main style").count() == 0
    page.locator(".name").first.click()
    page.wait_for_selector(".standing")
    assert page.locator("main script, main img, main style").count() == 0
    command = page.locator("pre").inner_text()
    assert "\n" not in command and "\u202e" not in page.locator("body").inner_text()
    # A quote in a name must not end a word of the command.
    assert "rm -rf" not in command or "'\"'\"'; rm -rf" in command


def test_browser_and_python_format_figures_equally(board_page):
    generator = random.Random(11)
    cases = []
    for _ in range(400):
        value = 10 ** generator.uniform(-7, 6)
        half = value * 10 ** generator.uniform(-4, 0.3)
        cases.append([value, value - half, value + half, generator.choice([None, 0.05, 0.75])])
    expected = []
    for value, low, high, error in cases:
        estimate = Estimate(value=value, low=low, high=high, confidence_level=0.95, sample_count=5)
        unit, scale = formatting.energy_unit(value)
        expected.append(
            [
                list(formatting.format_interval(estimate)),
                list(formatting.format_nonnegative(estimate, scale, error)),
                list(formatting.format_rough(value, low, high)),
                formatting.format_number(value, 2),
                formatting.format_count(round(value)),
                unit,
                formatting.format_percent(min(1.0, value)),
            ]
        )
    formatted = board_page.evaluate(
        """cases => cases.map(([value, low, high, error]) => {
            const ends = [value, low, high];
            const [unit, scale] = format.energyUnit(value);
            return [format.interval(ends), format.nonnegative(ends, scale, error),
                format.rough(ends), format.number(value, 2), format.count(Math.round(value)), unit,
                format.percent(Math.min(1, value))];
        })""",
        cases,
    )
    assert formatted == expected
