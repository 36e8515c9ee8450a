"""The report of a real run in a real browser: from the funnel to examples of drops, filters, search, theme; no error,
no request, no script from a record.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nemo_sdg.export.report import write_report
from nemo_sdg.export.report.sections import charts
from tests.e2e.browser import Watched
from tests.e2e.harness import command
from tests.fakes.synthetic_run import write_run

WORD = "Bewässerungsanlage"
HOSTILE = [
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">",
    "</script><script>document.title='owned'</script><svg onload=\"document.title='owned'\">",
    (
        "<a href=\"javascript:document.title='owned'\">click</a> <iframe "
        "src='data:text/html,<script>1</script>'></iframe> http://127.0.0.1:1/x"
    ),
    (
        "\u202etxet desrever\u202c \u2066isolate\u2069 \u200bzero\u0000\u001b[31m "
        "\u0627\u0644\u0639\u0631\u0628\u064a\u0629"
    ),
    "word" * 250_000,
]


OVERLAPS = """() => [...document.querySelectorAll("figure svg")]
.filter((svg) => svg.getBoundingClientRect().width > 0).flatMap((svg) => {
  const boxes = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
  const frame = svg.getBoundingClientRect(), crossing = [];
  const outside = boxes.filter(([, b]) => b.left < frame.left - 2 || b.right > frame.right + 2);
  boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
    const x = Math.min(p.right, q.right) - Math.max(p.left, q.left);
    const y = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (x > 3 && y > 5) crossing.push(svg.getAttribute("aria-label") + ": " + a + " / " + b);
  }));
  return [...outside.map(([name]) => "outside: " + name), ...crossing];
})"""
"""texts of figures that are cut off or cross another"""


def visible_records(page: Any) -> int:
    return int(page.locator("#records > details").count())


def test_a_run_leaves_a_report_that_one_can_walk_through(undisturbed: Path, watched: Watched) -> None:
    path = undisturbed / "report" / "index.html"
    page = watched.open(path)
    assert watched.requests == [path.as_uri()]
    assert "finished" in page.locator("header").inner_text()

    # The first screen answers, ten samples follow, and the packed documents show their parts.
    assert page.locator("#good h2").inner_text().startswith("Is this corpus good?")
    assert page.locator("#good .verdicts li").count() >= 8
    assert page.locator("#first article").count() == 10
    packed = page.locator("#packed details").first
    assert packed.locator(".p-question").count() > 3
    assert packed.locator(".p-answer").count() >= 1
    assert packed.locator(".p-end").count() == 1

    # From a bar of the funnel to its examples.
    bar = page.locator("button.bar[data-reason]").first
    step, reason = bar.get_attribute("data-reason").split(":")
    bar.click()
    assert page.locator("#outcome").input_value() == f"{step}:{reason}"
    first = page.locator("#records > details").first
    assert first.get_attribute("open") is not None
    assert reason in first.inner_text()
    assert {text.strip() for text in page.locator("#records .tag.dropped").all_inner_texts()} == {f"{step}: {reason}"}

    # One task of the funnel.
    page.locator("#scope").select_option("task:qs_science")
    assert "8 attempts in" in page.locator("#bars").inner_text()

    # A kept sample shows all that it is made of.
    page.locator("#clear").click()
    page.locator("#outcome").select_option("kept")
    page.locator("#task").select_option("qs_science")
    page.locator("#kind").select_option("multiple_choice")
    page.locator("#agreement").select_option("100-101")
    watched.until("document.querySelectorAll('#records > details').length > 0")
    sample = page.locator("#records > details").first
    sample.locator("summary").first.click()
    sample.locator(".inside").wait_for()
    text = sample.inner_text()
    for words in (
        "Seed",
        "Sample",
        "votes as parsed",
        "prompts and raw outputs",
        "Training text, context",
        "Training text, no_context",
        "verified",
    ):
        assert words in text
    sample.get_by_text("prompts and raw outputs").click()
    sample.get_by_text("prompt", exact=True).first.click()
    assert "raw output" in sample.inner_text()
    assert sample.locator(".text.mono").first.inner_text().strip()
    context = sample.locator("mark").inner_text()
    assert context
    assert context in sample.locator(".card", has_text="Training text, context").inner_text()
    assert context not in sample.locator(".card", has_text="Training text, no_context").inner_text()
    question = sample.locator(".q").inner_text()

    # Search finds it again, and finds nothing where there is nothing.
    page.locator("#clear").click()
    page.locator("#search").fill(question)
    watched.until("document.querySelectorAll('#records > details').length < 10")
    assert visible_records(page) >= 1
    page.locator("#search").fill(f"{WORD} {WORD}x")
    watched.until("document.querySelectorAll('#records > details').length === 0")
    assert page.locator("#found").inner_text().startswith("0 of")

    # Theme.
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert watched.errors == []
    assert watched.requests == [path.as_uri()]


@pytest.mark.parametrize("width", [1200, 390])
def test_nothing_is_cut_off_and_figures_do_not_overlap(undisturbed: Path, watched: Watched, width: int) -> None:
    watched.page.set_viewport_size({"width": width, "height": 900})
    page = watched.open(undisturbed / "report" / "index.html")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert page.evaluate(OVERLAPS) == []
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("figure svg")].filter((svg) => !svg.getAttribute("aria-label")).length"""
    )
    assert unnamed == 0


@pytest.fixture(scope="module")
def two_axes() -> list[charts.Drawing]:
    """Figures whose data begin at other places, and are longer and longer."""
    drawn = []
    for number in range(20):
        start, length = 0.13 + 2.62 * number, 0.02 * 1.96**number
        curve = ([start, start + length, start + 2 * length], [0.0, 40.0 + number, 13.0])
        drawn.append(
            charts.lines(
                f"n{number}",
                f"figure {number}",
                [("output tokens/s", {"answers": curve}), ("saturation (%)", {"answers": curve})],
                xlabel="time (s)",
            )
        )
    return drawn


@pytest.mark.parametrize("width", list(charts.WIDTHS))
def test_numbers_of_two_axes_stand_clear_of_each_other_wherever_the_data_begins(
    two_axes: list[charts.Drawing], tmp_path: Path, watched: Watched, width: str
) -> None:
    size = charts.WIDTHS[width]
    figures = [f'<figure style="width: {size}px">{getattr(figure, width)}</figure>' for figure in two_axes]
    path = tmp_path / "figures.html"
    path.write_text(f"<meta charset=utf-8><style>svg {{ width: 100% }}</style>{''.join(figures)}", encoding="utf-8")
    page = watched.page
    page.goto(path.as_uri())
    assert page.locator("figure svg").count() == 20
    assert page.evaluate(OVERLAPS) == []


def test_hostile_samples_do_nothing_and_the_page_stays_usable(tmp_path: Path, watched: Watched) -> None:
    run_dir = write_run(tmp_path / "run", 12, special=HOSTILE)
    shard = run_dir / "curated" / "shard-00000.jsonl"
    shard.write_bytes(shard.read_bytes().replace(b'"reasoning":"', b'"reasoning":"\xff\xfe', 1))
    page = watched.open(write_report(run_dir))
    title = page.title()
    for _ in range(3):
        page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    assert page.locator("#records a, #records img, #records iframe, #records script").count() == 0
    page.locator("#search").fill("javascript:document")
    watched.until("document.querySelector('#found').textContent.match(/^[1-9]/)")
    assert "<a href=" in page.locator("#records").inner_text()
    page.locator("#clear").click()
    watched.until("document.querySelectorAll('#records > details').length > 5")
    page.evaluate("document.querySelectorAll('#records > details').forEach((node) => { node.open = true; })")
    watched.until("[...document.querySelectorAll('.char')].some((node) => node.textContent === 'U+202E')")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.locator("button.bar[data-reason]").first.click()
    assert page.title() == title
    assert watched.errors == []
    assert len(watched.requests) == 1


def test_served_page_comes_with_its_policy_and_nothing_else(root: Path, undisturbed: Path, watched: Watched) -> None:
    process = subprocess.Popen(
        command(root, "report", str(undisturbed), "--no-measure", "--serve", "--port", "0"),
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        assert lines[0].startswith("written to ")
        address = re.search(r"http://127\.0\.0\.1:\d+/", lines[1])
        assert address is not None, lines
        answers: list[Any] = []
        watched.page.on("response", lambda answer: answers.append(answer))
        watched.open(address[0])
        assert watched.requests == [address[0]]
        assert "default-src 'none'" in answers[0].headers["content-security-policy"]
        assert watched.errors == []
        assert watched.page.request.get(f"{address[0]}config.yaml").status == 404
    finally:
        process.kill()
        process.wait()
