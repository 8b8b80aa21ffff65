"""The page: escapes strangers, allows only its own style and script, says what is modelled."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from html.parser import HTMLParser

import pytest
from made import made_around, made_result

from bench import leaderboard, pages
from bench.records import Failure

VOID = {"meta", "link", "input", "br"}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
    "a\u202egnp.exe\u0007",
)
STRANGE = f"<i>{'x' * 200}"


class Page(HTMLParser):
    """Tags with their attributes, and the text inside each."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.inside = [], [], {}
        self.feed(text)
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        tag = self.open[-1] if self.open else ""
        self.inside[tag] = self.inside.get(tag, "") + data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def page(*results):
    return pages.index(leaderboard.document(leaderboard.board(results)))


def test_the_policy_allows_exactly_the_style_and_the_script_on_the_page():
    text = page(made_around(0.1))
    parsed = Page(text)
    (policy,) = (m["content"] for m in parsed.all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(parsed.inside[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert len(parsed.all(tag)) == 1


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline_that_the_policy_blocks():
    for tag, attributes in Page(page(made_around(0.1), made_around(0.2, kind="modelled"))).tags:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "action"):
            assert re.match(r"(\.\./|#|data:,$)", attributes.get(name, "#")), (tag, attributes)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_strangers_write_stays_text(name):
    failed = Failure(stage="load", code="other", message=name)
    results = [
        made_around(0.1, model=name, device=name, dataset=name, dtype=name),
        made_result(model=name, energies=[], failure=failed),
    ]
    clean = [
        made_around(0.1, model="m", device="d", dataset="s", dtype="t"),
        made_result(model="m", energies=[], failure=failed.model_copy(update={"message": "x"})),
    ]
    text, plain = page(*results), page(*clean)
    assert [tag for tag, _ in Page(text).tags] == [tag for tag, _ in Page(plain).tags]
    assert [set(a) for _, a in Page(text).tags] == [set(a) for _, a in Page(plain).tags]
    assert "\u202e" not in text and "\u0007" not in text
    assert name != "{{ 7 * 7 }}" or "{{ 7 * 7 }}" in Page(text).inside["span"]


def test_modelled_energy_is_marked_on_every_row():
    text = page(*(made_around(0.1 * i, kind="modelled", model=f"m{i}") for i in range(1, 4)))
    rows = re.findall(r'<tr role="row" class="modelled".*?</tr>', text, re.S)
    assert len(rows) == 3
    assert all('<span class="badge">modelled</span>' in row and "±50" in row for row in rows)


def test_a_measured_row_is_not_called_modelled():
    (row,) = re.findall(r'<tr role="row" class="measured".*?</tr>', page(made_around(0.1)), re.S)
    assert "modelled" not in row


def cells(text):
    found = re.findall(r'<td [^>]*data-label="([^"]*)">(.*?)</td>', text, re.S)
    return {label: re.sub(r"<[^>]*>", " ", cell).split() for label, cell in found}


def test_charges_and_grams_stand_beside_their_interval():
    shown = cells(page(made_around(0.019, 0.001)))
    assert shown["Phone charges per 1,000"] == ["1.00", "0.95–1.05"]
    world, ends, *france = shown["g CO₂e per 1,000, world"]
    assert (world, ends) == ("9.0", "8.5–9.4")
    assert france == ["France", "0.84", "0.80–0.88"]


def test_a_modelled_figure_has_two_digits_whatever_its_trials_say():
    shown = cells(page(made_around(0.0169541, 1e-5, kind="modelled")))
    assert shown["Energy, Wh per 1,000"][0] == "17" and shown["J per image"][0] == "61"
    assert shown["Phone charges per 1,000"][0] == "0.89"
    sure = cells(page(made_around(0.0169541, 1e-5)))
    assert sure["Energy, Wh per 1,000"][0] == "16.95"


def test_no_energy_or_time_is_below_zero_and_all_is_100_percent():
    energies = [100.0, 9000.0, 100.0, 200.0, 150.0]
    made = made_result(energies=energies, kind="modelled", quality=(1.0, 0.97, 1.0))
    assert made.summary.energy_kwh_per_1000.low < 0
    shown = cells(page(made))
    for label in ("Energy, Wh per 1,000", "J per image", "Phone charges per 1,000"):
        assert shown[label][1].startswith("0–"), shown[label]
    assert shown["Quality, %"][:2] == ["100", "97.0–100"]


def test_a_failed_run_says_why_in_sight():
    failed = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")
    text = page(made_result(energies=[], failure=failed))
    assert re.search(r'<span class="why">Failed at load: CUDA ran out of memory\.</span>', text)


def test_an_empty_board_has_a_page_that_says_what_to_do():
    text = page()
    assert "Nothing was submitted yet" in text and "<table" not in text
    Page(text)


def test_ties_and_figures_are_on_the_page():
    text = page(made_around(0.1, 0.02, model="a"), made_around(0.101, 0.02, model="b"))
    assert text.count('class="tie"') == 2
    for words in ("Wh per 1,000", "Phone charges", "EPA", "France", "472.94", "life-cycle"):
        assert words in text
    headers = [a for a in Page(text).all("th") if a.get("scope") == "col"]
    assert len(headers) == 9 and len(Page(text).all("caption")) == 1


def test_a_filter_with_one_choice_is_not_shown():
    def filters(*results):
        return {select["name"] for select in Page(page(*results)).all("select")}

    one, other = made_around(0.1), made_around(0.2, dtype="float16", model="b")
    assert filters(one, made_around(0.2, dtype=None, model="b")) == {"task", "kind"}
    assert filters(one, other) == {"task", "kind", "dtype"}
    assert filters(one, other, made_around(0.3, batch=2)) == {"task", "kind", "dtype", "batch"}


def test_the_same_results_give_the_same_page():
    results = [made_around(0.1, model="a"), made_around(0.2, model="b")]
    assert page(*results) == page(*reversed(results))


@pytest.fixture(scope="module")
def browser():
    """Chromium, where it is installed."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as play:
        found = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser, tmp_path):
    """The page of four results in a browser that fails on a console error or a request."""
    path = tmp_path / "index.html"
    path.write_text(
        page(
            made_around(
                0.1, model="m-10", dtype=STRANGE, batch=8, steps=20, quality=(0.5, 0.4, 0.6)
            ),
            made_around(0.2, model="m-9", quality=(0.9, 0.8, 1.0)),
            made_around(0.3, model="<b>m-8</b>", quality=None),
            made_around(0.01, model="m-7", kind="modelled", task="text-gen"),
        )
    )
    found, wrong = browser.new_page(), []
    found.on("console", lambda message: wrong.append(message.text))
    found.on("pageerror", lambda error: wrong.append(str(error)))
    found.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else wrong.append(r))
    found.goto(path.as_uri())
    yield found
    found.close()
    assert wrong == []


def names(opened):
    return [text for text in opened.locator("tbody tr:visible .name").all_inner_texts() if text]


def test_columns_sort_with_the_keyboard_and_missing_values_stay_last(opened):
    assert names(opened) == ["m-10", "m-9", "<b>m-8</b>", "m-7"]
    header = opened.locator("th[data-key=quality] button").first
    header.focus()
    opened.keyboard.press("Enter")
    assert names(opened)[:3] == ["m-10", "m-9", "<b>m-8</b>"]
    opened.keyboard.press("Enter")
    assert names(opened)[:3] == ["m-9", "m-10", "<b>m-8</b>"]
    assert opened.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_filters_hide_rows_and_say_how_many_are_left(opened):
    opened.select_option("select[name=kind]", "modelled")
    assert names(opened) == ["m-7"] and opened.locator("#shown").inner_text() == "1 result"
    opened.select_option("select[name=kind]", "")
    opened.select_option("select[name=task]", "image-gen")
    opened.fill("input[name=text]", "M-1")
    assert names(opened) == ["m-10"]


def test_precision_and_batch_can_be_filtered_and_steps_searched(opened):
    opened.select_option("select[name=dtype]", STRANGE)
    assert names(opened) == ["m-10"]
    opened.select_option("select[name=dtype]", "float32")
    assert names(opened) == ["m-9", "<b>m-8</b>", "m-7"]
    opened.select_option("select[name=dtype]", "")
    opened.select_option("select[name=batch]", "8")
    assert names(opened) == ["m-10"]
    opened.select_option("select[name=batch]", "")
    opened.fill("input[name=text]", "20 Steps")
    assert names(opened) == ["m-10"]


@pytest.mark.parametrize("width", [360, 390, 800, 1130, 1280, 1600])
def test_nothing_is_wider_than_the_screen(opened, width):
    opened.set_viewport_size({"width": width, "height": 900})
    for summary in opened.locator("summary").all():
        summary.click()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
