"""The pages of the report at both widths and by keyboard, and the search over all samples, opened from a disk in a real
browser.
"""

import shutil
from pathlib import Path

import orjson
import pytest

from nemo_sdg.export.report import write_against, write_report, write_search_pages
from nemo_sdg.export.report.quality import Models
from tests.e2e.browser import Watched
from tests.fakes.synthetic_run import write_run

LAYOUT = """() => {
  const hidden = [...document.querySelectorAll("main *")].filter((node) => {
    const style = getComputedStyle(node);
    return style.overflowY !== "visible" && node.scrollHeight > node.clientHeight + 2 && node.clientHeight > 20;
  }).map((node) => node.className);
  const boxes = [...document.querySelectorAll("header > *, .verdicts li > *")].map((n) => n.getBoundingClientRect());
  const crossing = boxes.filter((a, i) => boxes.slice(i + 1).some((b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2));
  return [document.documentElement.scrollWidth - document.documentElement.clientWidth, hidden, crossing.length];
}"""
"""how much wider than the window the page is, what scrolls inside it, boxes that cross others"""
UNNAMED = """() => [...document.querySelectorAll("button, summary, a, input, select")].filter((node) => {
  const label = node.getAttribute("aria-label"), shown = (node.innerText || "").trim();
  if (label) return shown && !label.toLowerCase().includes(shown.toLowerCase());
  return !node.textContent.trim() && !node.closest("label");
}).map((node) => node.outerHTML.slice(0, 90))"""
"""controls without a name, or with one that does not hold the words that one sees"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic run with its pages: report, search, and the run beside itself."""
    run_dir = write_run(tmp_path_factory.mktemp("made") / "run", 90)
    other = Path(shutil.copytree(run_dir, run_dir.parent / "other"))
    write_search_pages(run_dir)
    write_against(run_dir, other, Models(missing={}))
    write_report(run_dir)
    return run_dir / "report"


@pytest.mark.parametrize("width", [1400, 400])
def test_every_page_fits_its_window_and_its_controls_have_names(made: Path, watched: Watched, width: int) -> None:
    watched.page.set_viewport_size({"width": width, "height": 900})
    for name in ("index.html", "against-other.html", "search.html"):
        watched.page.goto((made / name).as_uri())
        watched.until("document.readyState === 'complete'")
        page = watched.page
        if name == "index.html":
            watched.until("document.documentElement.dataset.ready === 'true'")
            page.locator("#records summary").first.click()
            page.evaluate("document.querySelectorAll('#records details').forEach((node) => { node.open = true; })")
            page.wait_for_timeout(50)
        assert page.evaluate(LAYOUT) == [0, [], 0], name
        assert page.evaluate(UNNAMED) == [], name
    assert watched.errors == []


def test_keyboard_reaches_the_samples_in_a_few_steps(made: Path, watched: Watched) -> None:
    page = watched.open(made / "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").startswith("Skip to the samples")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#records .record') !== null")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")
    page.locator("#menu summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("nav a").first.is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("nav a").first.is_visible()


def test_search_finds_every_sample_from_a_disk(made: Path, watched: Watched) -> None:
    page = watched.open(made / "search.html")
    sample = orjson.loads((made.parent / "curated" / "shard-00000.jsonl").read_bytes().splitlines()[-1])
    page.locator("#words").fill(sample["sample_id"])
    watched.until("document.documentElement.dataset.found === '1'")
    shown = page.locator("#results").inner_text()
    assert sample["question"] in shown
    assert sample["answer"]["text"].strip() in shown
    for unwritten in ("wordthatnobodywrote", "constructor"):  # the second is a name that every object of a page has
        page.locator("#words").fill(sample["sample_id"])
        watched.until("document.querySelector('#told').textContent.startsWith('1 found')")
        page.locator("#words").fill(unwritten)
        watched.until("document.querySelector('#told').textContent.startsWith('Nothing')")
    assert {url.split("/report/")[0] for url in watched.requests} == {made.parent.as_uri()}
    assert watched.errors == []


def test_search_without_its_files_says_why(made: Path, watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "search.html").write_bytes((made / "search.html").read_bytes())
    watched.page.goto((tmp_path / "search.html").as_uri())
    watched.until(
        "document.querySelector('#told').textContent.includes('the folder search/ must lie beside this page')"
    )


def test_search_says_which_file_is_damaged_and_goes_on(made: Path, watched: Watched, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "report")
    page = watched.open(tmp_path / "report" / "search.html")
    for path in (tmp_path / "report" / "search").glob("terms-*.js"):
        path.write_bytes(b'nemo("' + path.stem.encode() + b'","H4sI");')
    page.locator("#words").fill("water")
    watched.until("document.querySelector('#told').textContent.includes('is damaged')")


def test_paper_is_white_and_has_the_name_of_the_run(made: Path, watched: Watched) -> None:
    page = watched.open(made / "index.html")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("h1").is_visible()
    assert not page.locator("#theme").is_visible()
    page.emulate_media(media="screen")
