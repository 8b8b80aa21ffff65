"""The site in a real browser: it loads, searches, sorts, filters, compares, and trusts nobody."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from synthetic_results import result_with_energy, synthetic_result

from bench.leaderboard import board_entry, board_files, ranking
from bench.leaderboard import site as pages
from bench.leaderboard.board_entry import make_entry
from bench.leaderboard.verification import Submission
from bench.results import formatting, storage
from bench.results.record import Estimate, Failure, PowerTrace

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
    "'; rm -rf ~ #\n$(reboot)",
    "__proto__",
    "a\u202egnp.exe\u0007",
)
FAILED = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")
DRAWN = 'script:is([src="board.js"], [src="result.js"], [src="compare.js"])'
READY = f"document.body.dataset.ready || !document.querySelector({DRAWN!r})"
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


def until(page, expression, seconds=30):
    """Wait for something on a page, asking from outside: its policy lets no text run inside."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def site(folder, *results):
    board_files.write_board(ranking.rank_entries(board_entry.entries_of(results)), folder)
    return folder / "site"


def profiled(result):
    """The result with a profile trial in which a card drew 300 W, then 500 W."""
    trace = PowerTrace(domain="gpu:0", seconds=(0.0, 1.0, 2.0), watts=(300.0, 500.0, 500.0))
    update = {"index": 99, "phase": "profile", "power_trace": (trace,)}
    trial = result.trials[-1].model_copy(update=update)
    return result.model_copy(update={"trials": (*result.trials, trial)})


def some():
    """A ranked group with a tie, a modelled, a random, a quick, a barred and a failed result."""
    return [
        profiled(
            result_with_energy(0.1, 0.01, model="m-10", batch=8, steps=20, quality=(0.5, 0.4, 0.6))
        ),
        result_with_energy(0.101, 0.01, model="m-9", dtype="float16", parameters=7_000_000_000),
        result_with_energy(0.3, 0.001, model="m-8", quality=None, parameters=None),
        result_with_energy(0.01, model="m-7", kind="modelled", task="text-gen"),
        result_with_energy(0.21, model="m-6", weights="random"),
        result_with_energy(0.22, model="m-5", profile="quick"),
        synthetic_result(model="m-4", energies=[], failure=FAILED),
        result_with_energy(0.2, 0.001, model="m-3", device="NVIDIA L4", limit=72.0, seconds=2000.0),
    ]


# Without a browser


def test_a_page_loads_only_the_files_of_the_site_and_has_nothing_inline(tmp_path):
    folder = site(tmp_path, *some())
    assert (
        "unsafe" not in pages.CONTENT_SECURITY_POLICY
        and pages.CONTENT_SECURITY_POLICY.startswith("default-src 'none'")
    )
    for page in folder.glob("*.html"):
        text = page.read_text()
        assert f'content="{pages.CONTENT_SECURITY_POLICY.replace(chr(39), "&#39;")}"' in text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", text)
        for source in re.findall(r'<script src="([^"]*)"', text):
            assert (folder / source).is_file(), source


def test_the_same_results_give_the_same_site_and_what_was_there_before_goes(tmp_path):
    results = some()
    first = site(tmp_path / "a", *results)
    (tmp_path / "b" / "site").mkdir(parents=True)
    (tmp_path / "b" / "site" / "old.html").write_text("old")
    second = site(tmp_path / "b", *reversed(results))
    files = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(second) for p in second.rglob("*") if p.is_file())
    assert all((first / f).read_bytes() == (second / f).read_bytes() for f in files)


def test_what_strangers_write_enters_no_page_and_breaks_no_data(tmp_path):
    strange = [result_with_energy(0.1, model=x, device=x, dataset=x, dtype=x) for x in HOSTILE]
    folder = site(tmp_path, *strange)
    tame = [f"word-{number}" for number in range(len(HOSTILE))]
    clean = [result_with_energy(0.1, model=x, device=x, dataset=x, dtype=x) for x in tame]
    plain = site(tmp_path / "p", *clean)
    for page in plain.glob("*.html"):
        assert (folder / page.name).read_text() == page.read_text()
    (line,) = (folder / "data" / "board.js").read_text().splitlines()
    content = json.loads(line.removeprefix("jb.board(").removesuffix(");"))
    (task,) = (task for task in content["tasks"] if task["count"])
    place = content["fields"].index("model")
    assert {row[place] for row in task["first"]} == set(HOSTILE)


def test_an_empty_board_has_a_site_that_says_what_to_do(tmp_path):
    text = (site(tmp_path) / "index.html").read_text()
    assert "No submissions yet" in text and "<table" not in text
    assert (tmp_path / "site" / "task-image-gen.html").is_file(), "others published some"


def test_rows_and_details_are_split_once_there_are_many(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "FIRST_ROWS", 5)
    monkeypatch.setattr(pages, "MAX_ROWS_PER_FILE", 8)
    monkeypatch.setattr(pages, "MAX_DETAILS_PER_FILE", 2)
    folder = site(tmp_path, *(result_with_energy(0.1 + i / 100, model=f"m{i}") for i in range(30)))
    data = folder / "data" / "image-gen"
    rows = [line for p in data.glob("rows-?.js") for line in p.read_text().splitlines()]
    assert len(rows) == 30 and len(list(data.glob("details-?.js"))) > 5


# In a browser


@pytest.fixture(scope="module")
def browser():
    """Chromium, where it is installed."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None and os.environ.get("CI"):
        pytest.fail("CI looks at the site in a browser: install Chromium")
    if program is None:
        pytest.skip("no Chromium on this machine")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as play:
        found = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def made_site(tmp_path_factory):
    return site(tmp_path_factory.mktemp("board"), *some())


@pytest.fixture
def visit(browser):
    """Open a page of a site; the test fails on a console error or a request to anywhere else."""
    context, wrong = browser.new_context(), []

    def open_page(address, **options):
        found = context.new_page()
        if options:
            found.set_viewport_size(options)
        found.on("console", lambda message: wrong.append(message.text))
        found.on("pageerror", lambda error: wrong.append(str(error)))
        found.on("request", lambda r: wrong.append(r.url) if foreign(r.url) else None)
        found.goto(address)
        until(found, READY)
        return found

    yield open_page
    context.close()
    assert wrong == []


def foreign(url):
    return not url.startswith(("file:", "data:", "http://127.0.0.1:"))


@pytest.fixture
def opened(visit, made_site):
    return visit((made_site / "index.html").as_uri(), width=1400, height=900)


def names(page):
    return page.locator("#rows .name").all_inner_texts()


def state(page):
    return page.evaluate("location.hash")


def test_the_board_shows_groups_ties_and_the_unranked(opened):
    assert names(opened) == ["m-10", "m-9", "m-8", "m-3", "m-6", "m-5", "m-4", "m-7"]
    ranks = [text.replace("\n", " ") for text in opened.locator("#rows td.rank").all_inner_texts()]
    assert [r[:2] for r in ranks] == ["1=", "1=", "3", "1", "—", "—", "—", "—"]
    badges = opened.locator("#rows .badge").all_inner_texts()
    assert {"random weights", "quick", "failed", "modelled"} <= set(badges)
    assert "CUDA ran out of memory." in opened.locator("#rows .why").inner_text()
    assert opened.locator("#shown").inner_text() == "8 results"
    assert opened.locator("#rows tr.modelled").count() == 1
    assert opened.locator("#rows .heading").count() == 4


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_sorts_both_ways_and_missing_values_stay_last(opened, column):
    header = opened.locator(f"th[data-key={column}] button")
    seen = []
    for direction in ("ascending", "descending"):
        header.click()
        assert opened.locator("th[aria-sort]").get_attribute("aria-sort") == direction
        seen.append(names(opened))
    missing = {"rank": 4, "grade": 4, "quality": 1, "model": 0}.get(column, 1)
    known = [order[: len(order) - missing] for order in seen]
    assert sorted(seen[0]) == sorted(seen[1]) and len(seen[0]) == 8
    if column not in ("rank", "grade", "quality"):
        assert known[0] == known[1][::-1]
    first = {"model": "m-3", "energy": "m-7", "quality": "m-10", "rank": "m-10"}
    assert seen[0][0] == first.get(column, seen[0][0])
    assert set(seen[0][8 - missing :]) == set(seen[1][8 - missing :])
    header.click()
    assert opened.locator("th[aria-sort]").count() == 0


def test_search_and_filters_narrow_the_board_and_the_address_keeps_them(opened, visit):
    opened.fill("input[name=q]", "M-1")
    assert names(opened) == ["m-10"] and opened.locator("#shown").inner_text() == "1 result"
    opened.fill("input[name=q]", "")
    for name, value, left in (
        ("kind", "modelled", ["m-7"]),
        ("task", "text-gen", ["m-7"]),
        ("device", "NVIDIA L4 at 72 W", ["m-3"]),
        ("size", "1 B to 10 B", ["m-9"]),
        ("weights", "random", ["m-6"]),
        ("dtype", "float16", ["m-9"]),
        ("batch", "8", ["m-10"]),
    ):
        opened.select_option(f"select[name={name}]", value)
        assert names(opened) == left, name
        assert f"{name}=" in state(opened)
        opened.select_option(f"select[name={name}]", "")
    opened.select_option("select[name=weights]", "pretrained")
    opened.locator("th[data-key=energy] button").click()
    opened.select_option("select[name=region]", "FR")
    before = names(opened)
    again = visit(opened.url)
    assert names(again) == before and "weights=pretrained" in again.url
    assert "France" in again.locator("#region-name").inner_text()
    again.fill("input[name=q]", "nobody has this")
    assert names(again) == [] and "No result matches" in again.locator("#rows").inner_text()


def test_the_region_that_the_reader_picks_changes_co2e_everywhere(opened):
    def grams():
        return float(opened.locator("#rows td:nth-child(10) .value").first.inner_text())

    world = grams()
    opened.select_option("select[name=region]", "FR")
    assert grams() == pytest.approx(world * 44.18 / 472.94, rel=0.03)
    assert "in France" in opened.locator("#equivalent-figures").inner_text()


def test_a_result_has_a_page_with_its_trials_power_warnings_and_command(opened, made_site):
    opened.locator(".name", has_text="m-10").click()
    opened.wait_for_selector(".figures")
    assert re.search(r"result\.html#image-gen/[0-9a-f]{16}$", opened.url)
    text = opened.locator("main").inner_text()
    for part in ("Rank 1", "5 of 5" if "5 of 5" in text else "★", "Trials", "Synthetic CPU 9000"):
        assert part in text
    assert opened.locator(".chart circle.dot").count() == 6
    power = opened.locator("svg.chart", has=opened.locator("polyline")).get_attribute("aria-label")
    assert "gpu:0: 300 to 500 W" in power
    assert "joulebench run image-gen --model m-10" in opened.locator("pre").inner_text()
    opened.locator("summary").click()
    assert opened.locator("table.plain tbody tr").count() == 10
    raw = opened.locator("a", has_text="Raw record").get_attribute("href")
    assert raw.startswith("../submissions/image-gen/") and raw.endswith(".json")
    assert "No warnings." in text or "Warnings" in text


def test_a_result_that_is_not_there_is_said_so(visit, made_site):
    address = (made_site / "result.html").as_uri()
    for name in ("", "#image-gen/0000000000000000", "#../../x", "#image-gen/<script>"):
        page = visit(address + name)
        assert page.locator("h1").inner_text() == "No such result"


def test_two_results_compare_side_by_side(opened):
    boxes = opened.locator("#rows input[type=checkbox]")
    boxes.nth(0).check()
    assert opened.locator("#compare").is_hidden()
    boxes.nth(1).check()
    boxes.nth(2).check()
    assert "pick=" in state(opened)
    opened.locator("#compare").click()
    opened.wait_for_selector("table.side")
    assert opened.locator("table.side thead .name").all_inner_texts() == ["m-10", "m-9", "m-8"]
    versus = opened.locator("table.side tr", has_text="against the first").locator("td")
    cells = versus.all_inner_texts()
    assert "a tie" in cells[1] and "takes more" in cells[2]
    assert opened.locator("tr.differs", has_text="Run with").count() == 1
    assert opened.locator("tr.differs", has_text="Boundary").count() == 0
    opened.locator("button", has_text="remove").first.click()
    until(opened, "document.querySelectorAll('table.side thead .name').length === 2")
    opened.select_option("#add", label=opened.locator("#add option").nth(1).inner_text())
    until(opened, "document.querySelectorAll('table.side thead .name').length === 3")


def test_the_slider_answers_at_once(opened):
    def phones():
        found = re.search(
            r"([\d.,]+) \([^)]*\) phones", opened.locator("#equivalent-figures").inner_text()
        )
        return float(found[1].replace(",", ""))

    before = phones()
    slider = opened.locator("input[name=per-day]")
    slider.focus()
    for _ in range(10):
        opened.keyboard.press("ArrowRight")
    assert opened.locator("#per-day").inner_text() == "10,000,000"
    assert phones() == pytest.approx(10 * before, rel=0.02)
    kwh = 0.1 * 1e7 / 1000
    assert phones() == pytest.approx(kwh / 0.019, rel=0.02)


def test_the_keyboard_alone_reaches_everything(opened):
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.textContent") == "Skip to the results"
    reached = set()
    for _ in range(90):
        opened.keyboard.press("Tab")
        reached.add(
            opened.evaluate(
                "(e => e.name || e.id || e.className || e.type)(document.activeElement)"
            )
        )
        seen = opened.evaluate(
            "(e => e === document.body || getComputedStyle(e).outlineStyle !== 'none')"
            "(document.activeElement)"
        )
        assert seen, "where the focus is can be seen"
    assert {"q", "task", "kind", "device", "region", "name", "checkbox", "per-day"} <= reached
    opened.locator("th[data-key=quality] button").focus()
    opened.keyboard.press("Enter")
    assert names(opened)[0] == "m-10" and "sort=quality" in state(opened)
    opened.locator("#rows input[type=checkbox]").first.focus()
    opened.keyboard.press("Space")
    assert opened.locator("#selection").is_visible()
    opened.locator("#rows .name").first.focus()
    opened.keyboard.press("Enter")
    opened.wait_for_selector(".figures")


def test_many_results_come_in_pages(visit, tmp_path):
    folder = site(
        tmp_path, *(result_with_energy(0.1 + i / 100, model=f"m{i:03}") for i in range(120))
    )
    page = visit((folder / "task-image-gen.html").as_uri())
    assert names(page) == [f"m{i:03}" for i in range(50)]
    page.click("#later")
    page.click("#later")
    assert names(page) == [f"m{i:03}" for i in range(100, 120)]
    assert page.locator("#page").inner_text() == "Page 3 of 3" and "page=3" in state(page)
    assert page.locator("#later").is_disabled()
    page.fill("input[name=q]", "m11")
    assert (
        names(page) == [f"m{i:03}" for i in range(110, 120)] and page.locator("#pages").is_hidden()
    )


def test_the_page_of_a_task_shows_what_others_published_apart(visit, made_site):
    page = visit((made_site / "task-image-gen.html").as_uri())
    assert "m-7" not in names(page) and "m-10" in names(page)
    page.locator("#published summary").click()
    page.wait_for_selector("#published tbody tr")
    text = page.locator("section.published").inner_text()
    assert "not ranked with these results" in text and "AI Energy Score" in text
    page.fill("#published input", "sdxl-turbo")
    assert "sdxl-turbo" in page.locator("#published tbody tr").first.inner_text()
    empty = visit((made_site / "task-asr.html").as_uri())
    assert "No submissions yet" in empty.locator("main").inner_text()


PAGES = (
    "index.html",
    "task-image-gen.html",
    "task-asr.html",
    "result.html#{one}",
    "compare.html#{two}",
)


def addresses(folder):
    runs = (folder / "data" / "image-gen" / "details-all.js").read_text()
    ids = [f"image-gen/{name}" for name in re.findall(r'"([0-9a-f]{16})":\{"why_not_ranked"', runs)]
    return [f"{folder.as_uri()}/{p.format(one=ids[0], two=','.join(ids[:3]))}" for p in PAGES]


@pytest.mark.parametrize("width", [360, 390, 800, 1130, 1280, 1600])
def test_nothing_is_wider_than_the_screen(visit, made_site, width):
    for address in addresses(made_site):
        page = visit(address, width=width, height=900)
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(visit, made_site, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for address in addresses(made_site):
        for width in (1400, 390):
            page = visit(address, width=width, height=900)
            page.emulate_media(color_scheme=scheme)
            for summary in page.locator("summary").all():
                summary.click()
            found = axe.run(page, options={"preload": False}).response["violations"]
            grave = [v["id"] for v in found if v["impact"] in ("serious", "critical")]
            assert grave == [], (address, [n["html"] for v in found for n in v["nodes"]][:3])


def test_it_works_from_a_static_host_too(visit, made_site):
    handler = partial(SimpleHTTPRequestHandler, directory=str(made_site.parent))
    handler.log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = visit(f"http://127.0.0.1:{server.server_port}/site/index.html")
        assert len(names(page)) == 8
        page.locator(".name").first.click()
        page.wait_for_selector(".figures")
        server.shutdown()


@pytest.mark.parametrize("name", HOSTILE)
def test_strange_names_are_text_in_a_browser(visit, tmp_path, name):
    result = result_with_energy(0.1, model=name, device=name, dataset=name, dtype=name)
    submission = Submission(result, (), storage.content_id(result), None, None)
    strange = synthetic_result(
        model=name, energies=[], failure=FAILED.model_copy(update={"message": name})
    )
    entries = [make_entry(submission), *board_entry.entries_of([strange])]
    board_files.write_board(ranking.rank_entries(entries), tmp_path)
    page = visit((tmp_path / "site" / "index.html").as_uri())
    assert page.locator("#rows .name").first.inner_text() == " ".join(
        formatting.printable(name).split()
    )
    assert page.locator("main script, main img, main style").count() == 0
    page.locator(".name").first.click()
    page.wait_for_selector(".standing")
    assert page.locator("main script, main img, main style").count() == 0
    command = page.locator("pre").inner_text()
    assert "\n" not in command and "\u202e" not in page.locator("body").inner_text()
    # A quote that a name brings along ends no word of the command.
    assert "rm -rf" not in command or "'\"'\"'; rm -rf" in command


def test_figures_read_the_same_in_the_browser_and_in_python(opened):
    dice = random.Random(11)
    cases = []
    for _ in range(400):
        value = 10 ** dice.uniform(-7, 6)
        half = value * 10 ** dice.uniform(-4, 0.3)
        cases.append([value, value - half, value + half, dice.choice([None, 0.05, 0.75])])
    ours = []
    for value, low, high, error in cases:
        found = Estimate(value=value, low=low, high=high, confidence_level=0.95, sample_count=5)
        unit, scale = formatting.energy_unit(value)
        ours.append(
            [
                list(formatting.format_interval(found)),
                list(formatting.format_nonnegative(found, scale, error)),
                list(formatting.format_rough(value, low, high)),
                formatting.format_number(value, 2),
                formatting.format_count(round(value)),
                unit,
                formatting.format_percent(min(1.0, value)),
            ]
        )
    theirs = opened.evaluate(
        """cases => cases.map(([value, low, high, error]) => {
            const found = [value, low, high];
            const [unit, scale] = format.energyUnit(value);
            return [format.interval(found), format.nonnegative(found, scale, error), format.rough(found),
                format.number(value, 2), format.count(Math.round(value)), unit,
                format.percent(Math.min(1, value))];
        })""",
        cases,
    )
    assert theirs == ours
