"""The interactive report in a real Chromium: every control works, and no text of a study acts.

Set OPTBENCH_SCREENSHOTS to a folder to keep the pictures that the last tests take.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optbench.report.page.render import report_html
from tests.report import samples
from tests.support.packages import give_up
from tests.support.waiting import PATIENCE

HOW_TO_GET = {
    "chromium": "on Debian: apt-get install chromium",
    "chromedriver": "on Debian: apt-get install chromium-driver",
    "selenium": "pip install '.[browser]'",
}
"""Program or package that the browser tests need -> how to install it."""
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Page:
    """The report in a browser."""

    def __init__(self, driver: Any, path: Path) -> None:
        self.driver = driver
        self.address = path.as_uri()

    def open(self, width: int = 1440, height: int = 1000, **media: str) -> None:
        """Load the page again, at a size, with media features such as prefers_color_scheme."""
        run = self.driver.execute_cdp_cmd
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        run("Emulation.setDeviceMetricsOverride", size)
        wanted = {"prefers_color_scheme": "light", "prefers_reduced_motion": "reduce", **media}
        features = [{"name": k.replace("_", "-"), "value": v} for k, v in wanted.items()]
        run("Emulation.setEmulatedMedia", {"features": features})
        for log in ("browser", "performance"):
            self.driver.get_log(log)
        self.go_to(self.address)

    def go_to(self, address: str) -> None:
        """Load the page at an address, and wait until all of its scripts have run.

        On a busy machine, the driver may return while the document is still read.
        """
        from selenium.webdriver.support.ui import WebDriverWait

        self.driver.get("about:blank")
        self.driver.get(address)
        loaded = "return document.readyState === 'complete' && 'drawEverything' in window"
        WebDriverWait(self.driver, PATIENCE).until(lambda driver: driver.execute_script(loaded))
        self.driver.execute_script("return window.drawEverything([])")  # waits for plotly

    def js(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(f"return {script}", *arguments)

    def draw(self) -> None:
        self.driver.execute_script("return window.drawEverything()")

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def choose(self, selector: str, value: str) -> None:
        from selenium.webdriver.support.ui import Select

        Select(self.find(selector)).select_by_value(value)

    def tick(self, selector: str) -> None:
        self.driver.execute_script("arguments[0].click()", self.find(selector))

    def shown(self, selector: str) -> list[str]:
        """Return the texts of the visible elements."""
        script = (
            "[...document.querySelectorAll(arguments[0])].filter(e => e.offsetParent !== null)"
            ".map(e => e.textContent.trim())"
        )
        return list(self.js(script, selector))

    def chart(self, selector: str, what: str) -> Any:
        """Draw the plotly chart of a figure, and return a property of it."""
        self.driver.execute_script(
            "return window.drawEverything([document.querySelector(arguments[0])])", selector
        )
        return self.js(
            f"JSON.parse(JSON.stringify(document.querySelector(arguments[0] + ' .plot').{what}))",
            selector,
        )

    def order(self) -> list[str]:
        return self.shown("#overall tbody tr:not([hidden]) th .name")


def need_a_browser() -> None:
    """Skip the test where something is missing; fail it where CI is set."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if importlib.util.find_spec("selenium") is None:
        missing.append("selenium")
    if missing:
        how = ", ".join(f"{name} ({HOW_TO_GET[name]})" for name in missing)
        give_up(f"not installed: {how}")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    need_a_browser()
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    binaries = [shutil.which(name) for name in ("chromium", "chromedriver")]
    options = webdriver.ChromeOptions()
    options.binary_location = str(binaries[0])
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(str(binaries[1])))
    browser.set_script_timeout(PATIENCE)  # a busy machine takes its time to draw all charts
    browser.set_page_load_timeout(PATIENCE)
    if hasattr(browser.command_executor, "client_config"):  # an older selenium has no limit here
        browser.command_executor.client_config.timeout = PATIENCE
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def loaded(driver: Any, tmp_path_factory: pytest.TempPathFactory) -> Page:
    sample = samples.study(
        labels=("alpha", "beta", samples.ATTACK),
        datasets=("iris",),
        initializers=("he-normal", samples.ATTACK),
        diverging=0.5,
        title=samples.ATTACK,
    )
    path = tmp_path_factory.mktemp("page") / "report.html"
    sample = samples.with_boards(sample, regimes=("batch", "mini-batch", "sgd"))
    html = report_html(*sample, environment={"python": "3.12"}, command="optbench run sample")
    path.write_text(html, encoding="utf-8")
    return Page(driver, path)


@pytest.fixture
def page(loaded: Page) -> Page:
    loaded.open()
    return loaded


@pytest.fixture
def own_tab(loaded: Page) -> Iterator[Page]:
    """The page in a tab of its own: after 50 entries of history, steps through it go astray."""
    driver = loaded.driver
    first = driver.current_window_handle
    driver.switch_to.new_window("tab")
    loaded.open()
    yield loaded
    driver.close()
    driver.switch_to.window(first)


def test_it_loads_in_silence_and_asks_for_nothing(page: Page) -> None:
    """The console stays empty, and the only request is for the file itself."""
    page.draw()
    assert page.js("[...document.querySelectorAll('figure .plot')].every(p => p.data)")
    assert page.driver.get_log("browser") == []
    events = [json.loads(e["message"])["message"] for e in page.driver.get_log("performance")]
    asked = [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]
    assert page.address in asked
    assert [u for u in asked if u != page.address and not u.startswith(("data:", "about:"))] == []


def test_a_name_that_attacks_does_nothing(page: Page) -> None:
    """Table, charts and hover texts show it unchanged; it becomes neither element nor script."""
    page.draw()
    page.driver.execute_script(
        "document.querySelectorAll('[data-chart=curve] .plot').forEach(p =>"
        " Plotly.Fx.hover(p, [{curveNumber: p.data.length - 1, pointNumber: 1}]))"
    )
    assert page.js("window.broken === undefined")
    assert page.js("document.querySelectorAll('img').length") == 0
    assert samples.ATTACK in page.order()
    labels = page.js(
        "[...document.querySelectorAll('[data-chart=slope] text')].map(t => t.textContent)"
    )
    assert any("<img src=x" in label for label in labels)


def test_sorting_by_mouse(page: Page) -> None:
    """A click sorts by the column, a second click in the other direction, and aria-sort says so."""
    head = page.find("#overall thead th.stick")
    assert page.find("#overall th[aria-sort=ascending]").text.startswith("Final loss")
    for direction in ("ascending", "descending"):
        head.find_element("tag name", "button").click()
        assert head.get_attribute("aria-sort") == direction
        names = page.order()
        assert names == sorted(names, key=str.lower, reverse=direction == "descending")
        assert (
            len(page.driver.find_elements("css selector", "#overall th[aria-sort$=scending]")) == 1
        )


def test_sorting_by_keyboard(page: Page) -> None:
    """Tab reaches every heading, and Enter and the space bar sort."""
    from selenium.webdriver.common.keys import Keys

    button = page.find("#overall thead th.stick button")
    button.send_keys(Keys.TAB)
    second = page.find("#overall thead th:nth-child(2) button")
    assert page.driver.switch_to.active_element == second
    for key, direction in ((Keys.ENTER, "ascending"), (Keys.SPACE, "descending")):
        button.send_keys(key)
        assert page.find("#overall thead th.stick").get_attribute("aria-sort") == direction


def test_numbers_sort_as_numbers_and_the_unknown_comes_last(page: Page) -> None:
    """Ten comes after nine, never after every number, and diverged runs not on top."""
    page.find("#cells thead th:nth-child(5) button").click()
    values = page.js(
        "[...document.querySelectorAll('#cells tbody tr')].map(r => r.cells[4].dataset.sort)"
    )
    numbers = [float(v) for v in values if v != ""]
    assert numbers == sorted(numbers)
    assert "inf" in values
    assert values.index("inf") >= len(values) - values.count("inf") - values.count("")


def test_filters_narrow_tables_and_charts(page: Page) -> None:
    """One regime shows only its charts, and scores that are means over its workloads."""
    everything = page.shown("#overall [data-col=score]")
    page.choose("[data-filter=regime]", "sgd")
    titles = page.shown("#curves figure h3")
    assert len(titles) == 2
    assert all(title.endswith("sgd") for title in titles)
    assert "2 of 6 workloads" in page.find("#scope").text
    means = page.js(
        "DATA.labels.map(l => DATA.workloads.filter(w => w.regime === 'sgd')"
        ".reduce((s, w) => s + w.rows[l].score[0], 0) / 2).toSorted((a, b) => b - a)"
    )
    shown = sorted((float(t) for t in page.shown("#overall [data-col=score]")), reverse=True)
    assert shown == pytest.approx(means, abs=0.0051)
    assert len(page.shown("#cells tbody tr")) == 6
    page.choose("[data-filter=regime]", "")
    assert page.shown("#overall [data-col=score]") == everything
    assert page.find("#scope").text == ""


def test_filters_work_together(page: Page) -> None:
    """Regime and initializer narrow further; a single dataset is not offered as a choice."""
    assert page.find("[data-filter=dataset]").get_attribute("disabled")
    page.choose("[data-filter=init]", samples.ATTACK)
    assert len(page.shown("#curves figure")) == 3
    page.choose("[data-filter=regime]", "batch")
    assert len(page.shown("#curves figure")) == 1
    assert page.chart("#budget figure", "data.length") > 0


def test_an_optimizer_can_be_taken_out(page: Page) -> None:
    """Its row and its curves are hidden; `none` and `all` apply to every entrant."""
    before = page.chart("#curves figure", "data.filter(t => t.name === 'alpha').length")
    page.tick(".chip input[data-label=alpha]")
    assert before == 1
    assert page.chart("#curves figure", "data.filter(t => t.name === 'alpha').length") == 0
    assert "alpha" not in page.order()
    page.find("#none").click()
    assert page.order() == []
    page.find("#all").click()
    assert len(page.order()) == 3


def test_the_cost_axis_switches(page: Page) -> None:
    """Curves, profiles and tables all use the chosen cost; the two menus agree."""
    for axis, words in (("seconds", "seconds of training"), ("updates", "updates")):
        page.choose("#axis2", axis)
        assert page.js("document.querySelector('#axis').value") == axis
        assert page.chart("#curves figure", "layout.xaxis.title.text") == words
        drawn = page.chart("#curves figure", "data.find(t => t.name === 'alpha').x")
        expected = page.js(
            "DATA.curves.find(c => c.w === 0 && c.label === 'alpha').x[arguments[0]]", axis
        )
        assert drawn[1:] == expected[1:]
        assert words in page.chart("#profiles figure", "layout.xaxis.title.text")
        heads = [h for h in page.shown("#overall thead th") if h.startswith("Time")]
        assert len(heads) == 1


def test_quantity_scale_and_bands_switch(page: Page) -> None:
    """The curves show loss or metric, logarithmic or linear, with or without bands."""
    assert page.chart("#curves figure", "layout.yaxis.type") == "log"
    assert page.chart("#curves figure", "data.filter(t => t.fill === 'toself').length") > 0
    page.tick("#bands")
    assert page.chart("#curves figure", "data.filter(t => t.fill === 'toself').length") == 0
    page.tick("#logy")
    page.tick("#logx")
    assert page.chart("#curves figure", "layout.yaxis.type") == "linear"
    assert page.chart("#curves figure", "layout.xaxis.type") == "linear"
    page.choose("#quantity", "val_metric")
    assert page.chart("#curves figure", "layout.yaxis.title.text") == "validation metric"
    assert page.chart("#curves figure", "data.find(t => t.name === 'alpha').y[0]") < 1


def test_light_and_dark_follow_the_reader_who_may_overrule(loaded: Page) -> None:
    """The scheme is that of the system until a button is pressed; the charts follow."""
    paper = "getComputedStyle(document.body).backgroundColor"
    loaded.open(prefers_color_scheme="dark")
    assert loaded.js(paper) == "rgb(20, 23, 28)"
    dark_grid = loaded.chart("#curves figure", "layout.xaxis.gridcolor")
    loaded.find("[data-theme-choice=light]").click()
    assert loaded.js(paper) == "rgb(255, 255, 255)"
    assert loaded.find("[data-theme-choice=light]").get_attribute("aria-pressed") == "true"
    assert loaded.chart("#curves figure", "layout.xaxis.gridcolor") != dark_grid


CONTRAST = """(() => {
  const TEXTS = 'h1,h2,h3,p,li,td,th,button,label,summary,code,.name';
  const rgb = (c) => (c.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const e of document.querySelectorAll(TEXTS)) {
    if (e.offsetParent === null || !e.textContent.trim() || e.disabled) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const what = [e.tagName, e.textContent.trim().slice(0, 30), ratio.toFixed(2)];
    if (ratio < 4.5) low.push(what.join(' '));
  }
  return low;
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(loaded: Page, scheme: str) -> None:
    """The contrast of every text is at least 4.5 to 1, in both schemes."""
    loaded.open(prefers_color_scheme=scheme)
    assert loaded.js(CONTRAST) == []


def test_a_telephone_needs_no_sideways_scrolling(loaded: Page) -> None:
    """At 390 px the page is as wide as the screen, and wide tables scroll in their frames."""
    loaded.open(390, 844)
    loaded.draw()
    assert loaded.js("document.documentElement.scrollWidth") == 390
    assert loaded.js(
        "[...document.querySelectorAll('figure .plot')].every(p => p.offsetWidth < 390)"
    )
    assert loaded.js("document.querySelector('#overall .stick').getBoundingClientRect().left") < 390


def test_motion_is_reduced_on_request(loaded: Page) -> None:
    """Scrolling is smooth unless the system asks for less motion."""
    scroll = "getComputedStyle(document.documentElement).scrollBehavior"
    loaded.open(prefers_reduced_motion="no-preference")
    assert loaded.js(scroll) == "smooth"
    loaded.open(prefers_reduced_motion="reduce")
    assert loaded.js(scroll) == "auto"


def test_controls_have_names(page: Page) -> None:
    """Every control has a name, and every chart a heading."""
    unnamed = (
        "[...document.querySelectorAll('button, select, input')]"
        ".filter(e => !e.textContent.trim() && !(e.labels && e.labels.length)).length"
    )
    assert page.js(unnamed) == 0
    assert page.js("[...document.querySelectorAll('section')].every(s => s.querySelector('h2'))")


def test_the_command_can_be_copied(page: Page) -> None:
    """The button copies the command, or selects it where copying is not allowed."""
    page.tick("#copy")
    assert page.js("getSelection().toString()") == "optbench run sample"


def test_the_boards_follow_the_regime(page: Page) -> None:
    """The panels of a regime take the place of those over everything."""
    title = ".answer[data-statement=these-workloads] h2"
    assert page.shown(title) == ["On these 9 workloads"]
    page.choose("[data-filter=regime]", "sgd")
    assert page.shown(title) == ["On these 3 workloads in single examples"]
    assert len(page.shown(".board")) == 8


def test_pairs_have_a_matrix_and_a_table(page: Page) -> None:
    """A board is chosen from a menu; the pairs of one entrant, or of everyone, are listed."""
    assert len(page.shown("#pair-table tbody tr")) == 3
    page.choose("#pair-board", "2")
    assert page.shown("#pair-table tbody tr td:nth-child(4)")[0].endswith("sooner")
    page.choose("#pair-of", "alpha")
    assert len(page.shown("#pair-table tbody tr")) == 2
    z = page.chart("[data-chart=pairs]", "data[0].z")
    assert len(z) == 3
    assert all((z[i][j] is None) == (i == j) for i in range(3) for j in range(3))


def test_the_view_is_in_the_address(page: Page) -> None:
    """Filters, picks, axes and scales can be shared: the same address shows the same view."""
    page.choose("[data-filter=regime]", "sgd")
    page.choose("#axis2", "seconds")
    page.tick("#logx")
    page.tick(".chip input[data-label=alpha]")
    page.choose("#pair-board", "1")
    address = page.js("location.href")
    assert all(
        part in address for part in ("regime=sgd", "axis=seconds", "without=logx", "off=alpha")
    )
    page.go_to(address)
    assert page.js("document.querySelector('[data-filter=regime]').value") == "sgd"
    assert page.js("document.querySelector('#axis').value") == "seconds"
    assert page.js("document.querySelector('#pair-board').value") == "1"
    assert not page.find("#logx").is_selected()
    assert "alpha" not in page.order()
    assert page.js("location.href") == address


def test_the_back_button_returns_to_the_view_before(own_tab: Page) -> None:
    """Each choice is an entry of the history, and so is the page without choices."""
    from selenium.webdriver.support.ui import WebDriverWait

    page = own_tab

    def go(step: int) -> None:
        before = page.js("location.href")
        page.driver.execute_script("history.go(arguments[0])", step)
        WebDriverWait(page.driver, PATIENCE).until(lambda _: page.js("location.href") != before)

    page.choose("[data-filter=regime]", "sgd")
    page.tick(".chip input[data-label=alpha]")
    page.choose("#slope-board", "speed")
    assert "alpha" not in page.order()
    go(-1)
    assert page.js("document.querySelector('#slope-board').value") == "final-loss"
    assert "alpha" not in page.order()
    go(-1)
    assert "alpha" in page.order()
    assert len(page.shown("#curves figure")) == 2
    go(-1)
    assert len(page.shown("#curves figure")) == 6
    assert page.js("document.querySelector('[data-filter=regime]').value") == ""
    go(1)
    assert len(page.shown("#curves figure")) == 2


def test_a_changed_address_does_no_harm(loaded: Page) -> None:
    """Values in the address that the report does not have are ignored."""
    loaded.open()
    hostile = "#view?regime=<b>&axis=__proto__&quantity=x&off=<img>&on=y&board=99&of=z&slope=length"
    loaded.go_to(loaded.address + hostile)
    loaded.draw()
    assert loaded.driver.get_log("browser") == []
    assert len(loaded.order()) == 3
    assert loaded.js("location.hash") == "#view"


def test_every_axis_has_two_labelled_ticks(page: Page) -> None:
    """However narrow its range, a logarithmic axis has at least two different labels."""
    texts = page.js(
        "[[1, 2], [0.9, 1.1], [0.0512, 0.0515], [1e-5, 3e-5], [4.1, 4.9], [1e-8, 1e8]]"
        ".map(([a, b]) => logTicks(a, b).map(tickText))"
    )
    assert all(len(set(ticks)) >= 2 for ticks in texts)
    page.draw()
    few = page.js(
        """[...document.querySelectorAll('figure[data-chart]')].flatMap((figure) =>
        ['xtick', 'ytick', 'x2tick', 'y2tick'].map((tick) => [figure.dataset.chart, tick,
        new Set([...figure.querySelectorAll(`.${tick} text`)].map((t) => t.textContent)).size]))
        .filter(([, , n]) => n === 1)"""
    )
    assert few == []


TEXTS_OUTSIDE = """[...document.querySelectorAll('figure[data-chart]')].flatMap((figure) => {
  const frame = figure.getBoundingClientRect();
  return [...figure.querySelectorAll('svg text')].filter((t) => {
    const box = t.getBoundingClientRect();
    return box.width && (box.left < frame.left || box.right > frame.right || box.top < frame.top);
  }).map((t) => figure.dataset.chart + ': ' + t.textContent);
})"""


@pytest.mark.parametrize("width", [1440, 390])
def test_no_name_in_a_chart_and_no_title_is_cut(driver: Any, tmp_path: Path, width: int) -> None:
    """Names beside curves, ticks and headings lie within their frames, long ones too."""
    sample = samples.study(("momentum", "a-name-of-twenty-six-signs", "schedule-free-adamw"))
    path = tmp_path / "long.html"
    sample = samples.with_boards(sample, regimes=("batch", "sgd"))
    path.write_text(report_html(*sample, environment={}, command="optbench run"), encoding="utf-8")
    page = Page(driver, path)
    page.open(width)
    page.draw()
    assert page.js(TEXTS_OUTSIDE) == []
    assert len(page.chart("#curves figure", "layout.annotations")) == 3
    cut = "[...document.querySelectorAll('h1, h2, h3')].filter(h => h.scrollWidth > h.clientWidth)"
    assert page.js(f"{cut}.map(h => h.textContent)") == []


TORN_NAMES = """[...document.querySelectorAll('.ranks tbody .name')].flatMap((name) => {
  return [...name.childNodes].filter((part) => part.nodeType === Node.TEXT_NODE).filter((part) => {
    const range = document.createRange();
    range.selectNodeContents(part);
    const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
    return lines.size > part.textContent.split('-').length;
  }).map((part) => part.textContent);
})"""
"""Parts of names with more lines than the hyphens allow."""
TOUCHING_TICKS = """[...document.querySelectorAll('.ranks .ticks')].filter((axis) => {
  const [first, second] = [...axis.children].map((tick) => tick.getBoundingClientRect());
  return first.width && first.right > second.left;
}).map((axis) => axis.textContent)"""


@pytest.mark.parametrize("width", [1440, 700, 390])
def test_boards_have_room_for_names_and_ticks(driver: Any, tmp_path: Path, width: int) -> None:
    """No word of a name is torn, wide letters or not, and ticks do not touch."""
    labels = ("momentum", "schedule-free-adamw", "sgd", "mmm", "adam[beta1=0.5,lr=0.001]")
    sample = samples.with_boards(samples.study(labels), regimes=("batch", "sgd"))
    path = tmp_path / "names.html"
    path.write_text(report_html(*sample, environment={}, command="optbench run"), encoding="utf-8")
    page = Page(driver, path)
    page.open(width)
    shown = page.shown("#answer .ranks tbody .name")
    assert len(shown) >= len(labels)
    assert page.js(TORN_NAMES) == []
    assert page.js(TOUCHING_TICKS) == []


@pytest.mark.parametrize("width", [1440, 390])
def test_chosen_values_are_seen_without_scrolling_sideways(loaded: Page, width: int) -> None:
    """In the table of results, whichever place the values have at this width."""
    loaded.open(width)
    outside = loaded.js(
        """[...document.querySelectorAll('#cells tbody tr')].filter((row) => {
        const frame = row.closest('.scroll').getBoundingClientRect();
        return ![...row.querySelectorAll('.code')].some((code) => {
          const { width, left, right } = code.getBoundingClientRect();
          return code.textContent && width && left >= frame.left && right <= frame.right;
        }); }).length"""
    )
    assert outside == 0
    cells = loaded.js("document.querySelectorAll('.tuned tbody td').length")
    assert cells == 3 * len(loaded.js("DATA.workloads"))


def test_the_first_screen_of_a_telephone_has_every_answer(loaded: Page) -> None:
    """One sentence for each board, above the fold, with the filters folded away."""
    loaded.open(390, 844)
    shown = "document.querySelector('#filters select').checkVisibility()"
    assert not loaded.js(shown)
    bottom = "document.querySelector('.brief li:last-child').getBoundingClientRect().bottom"
    assert len(loaded.shown("#answer .brief li")) == 4
    assert 0 < loaded.js(bottom) < 844
    loaded.find(".filter-box summary").click()
    assert loaded.js(shown)


def test_the_heat_map_follows_filters_and_picks(page: Page) -> None:
    """Rows are optimizers, best first from the top; columns are the workloads of the filters."""
    everything = page.chart("[data-chart=heat]", "data[0].z")
    assert everything == page.js("DATA.heat.score.toReversed()")
    page.choose("[data-filter=regime]", "sgd")
    page.tick(".chip input[data-label=alpha]")
    fewer = page.chart("[data-chart=heat]", "data[0].z")
    assert (len(fewer), len(fewer[0])) == (2, 2)
    assert len(page.shown(".tuned thead th")) == 3


def test_the_regimes_are_groups_in_boxes(page: Page) -> None:
    """A box for each group of each regime, on the board that is chosen."""
    for name in ("final-loss", "speed"):
        page.choose("#slope-board", name)
        boxes = page.chart("[data-chart=slope]", "layout.shapes.length")
        assert boxes == page.js("DATA.slopes[arguments[0]].groups.flat().length", name)


@pytest.mark.parametrize(("width", "columns"), [(500, 1), (700, 2), (1200, 2), (1440, 4)])
def test_boards_leave_no_hole(page: Page, width: int, columns: int) -> None:
    """Four boards are in one, two or four columns, never in three and one."""
    page.open(width)
    grid = "getComputedStyle(document.querySelector('.answer .boards')).gridTemplateColumns"
    assert len(page.js(grid).split()) == columns


def test_equal_profiles_are_moved_apart(page: Page) -> None:
    """Each curve stays visible; the hover text has the share that is true."""
    rho = page.js("DATA.profiles[CHOICE.axis].rho")
    traces = page.chart("#profiles figure", "data.map(t => [t.label, t.y, t.customdata])")
    shifts = [
        moved[0] - share[0]
        for label, moved, share in traces
        if share is not None and share == rho[label]
    ]
    assert len(shifts) == len(traces) > 1
    assert len({round(shift, 6) for shift in shifts}) == len(shifts)
    assert max(map(abs, shifts)) < 0.03


def test_everything_works_by_keyboard(page: Page) -> None:
    """The skip link comes first; picks and details obey the space bar and show the focus."""
    from selenium.webdriver.common.keys import Keys

    page.find("body").send_keys(Keys.TAB)
    assert page.driver.switch_to.active_element.get_attribute("href").endswith("#answer")
    page.find(".chip input[data-label=alpha]").send_keys(Keys.SPACE)
    assert "alpha" not in page.order()
    outline = "getComputedStyle(document.activeElement.closest('.chip')).outlineStyle"
    assert page.js(outline) == "solid"
    summary = page.find("#environment summary")
    summary.send_keys(Keys.SPACE)
    assert page.find("#environment details").get_attribute("open")
    assert page.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_print_is_light_complete_and_as_wide_as_a_sheet(loaded: Page) -> None:
    """Printed from a dark screen; afterwards the page is as it was."""
    loaded.open(prefers_color_scheme="dark")
    loaded.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    loaded.js("dispatchEvent(new Event('beforeprint'))")
    assert loaded.js("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert loaded.js("[...document.querySelectorAll('figure .plot')].every(p => p.data)")
    widths = "[...document.querySelectorAll('figure .plot svg.main-svg')].map(s => s.clientWidth)"
    assert max(loaded.js(widths)) <= 720
    assert loaded.js("document.querySelectorAll('details:not([open])').length") == 0
    assert loaded.shown(".chips, .controls, .theme, #copy") == []
    loaded.js("dispatchEvent(new Event('afterprint'))")
    assert loaded.js("document.documentElement.dataset.theme === undefined")
    assert not loaded.find("#environment details").get_attribute("open")


def test_a_crowd_is_grey_but_for_the_best(driver: Any, tmp_path: Path) -> None:
    """With forty entrants a few curves have colour and a name; a pick in the strip adds one."""
    path = tmp_path / "crowd.html"
    html = report_html(*samples.crowd(), environment={}, command="optbench run")
    path.write_text(html, encoding="utf-8")
    page = Page(driver, path)
    page.open()
    widths = "data.filter(t => t.fill !== 'toself').map(t => t.line.width)"
    drawn = page.chart("#curves figure", widths)
    assert (drawn.count(1), drawn.count(2)) == (1, 6)  # the median of the grey band, and the best
    band = "data.filter(t => t.name === '34 others' && t.fill === 'toself').length"
    assert page.chart("#curves figure", band) == 1
    assert len(page.chart("#curves figure", "layout.annotations")) == 6
    assert len(page.order()) == 40
    page.tick(".chip input:not(:checked)")
    assert page.chart("#curves figure", widths).count(2) == 7
    assert len(page.shown("#answer .board:first-child tbody tr")) == 10
    page.find("#answer .more").click()
    assert len(page.shown("#answer .board:first-child tbody tr")) == 40


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_screenshots_show_something(loaded: Page, tmp_path: Path, width: int, scheme: str) -> None:
    """The page is painted from top to bottom, without a blank part."""
    from matplotlib.image import imread

    loaded.open(width, prefers_color_scheme=scheme)
    loaded.draw()
    height = loaded.js("document.documentElement.scrollHeight")
    loaded.open(width, height, prefers_color_scheme=scheme)
    loaded.draw()
    taken = loaded.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    data = base64.b64decode(taken["data"])
    folder = Path(os.environ.get("OPTBENCH_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"report-{width}-{scheme}.png").write_bytes(data)
    picture = imread(io.BytesIO(data), format="png")
    assert picture.shape[1] == width
    strips = [picture[at : at + 600] for at in range(0, len(picture) - 600, 600)]
    assert all(float(np.std(strip[..., :3])) > 0.02 for strip in strips)
