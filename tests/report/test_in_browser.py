"""What only a browser can tell: that pages look right, print, and obey the keys."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from accessible import COMPLAINTS
from browser import Browser, browser
from made_pages import T1W, T2W, a_published_dataset, rejected, say

from bidsanon.audit import FaceDecisions
from bidsanon.pipeline.report import report
from bidsanon.pipeline.report_request import make_report_request
from bidsanon.pipeline.review import Review, make_review_request
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor
from bidsanon.report.review import ReviewSite
from bidsanon.report.serving import LocalServer

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BROKEN = "[...document.images].filter(image => !image.naturalWidth).length"
FOCUSED = "document.activeElement.textContent.trim()"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dataset = a_published_dataset(tmp_path_factory.mktemp("browsed") / "ds")
    description = dataset / "dataset_description.json"
    long = {"License": f"https://example.org/{'licence' * 20}", "Name": "study" * 40}
    description.write_text(json.dumps(json.loads(description.read_text()) | long))
    with pytest.MonkeyPatch.context() as patch:
        say(patch, rejected(T1W))
        report(make_report_request(dataset), progress=Silent(), redactor=Redactor())
    return dataset


@pytest.fixture(params=["index.html", "sub-01_ses-a.html"])
def page(request: pytest.FixtureRequest, dataset: Path) -> str:
    return (dataset.with_name("ds.private") / "reports" / str(request.param)).as_uri()


@pytest.mark.parametrize("width", [360, 1280])
def test_pages_fit_any_screen_and_every_picture_is_there(
    chromium: Browser, page: str, width: int
) -> None:
    chromium.asked.clear()
    chromium.complaints.clear()
    chromium.open(page, width=width)
    assert chromium.ask(OVERFLOW) == 0
    assert chromium.ask(BROKEN) == 0
    assert {url for url in chromium.asked if not url.startswith("data:")} == {page}
    assert not chromium.complaints


def test_pages_follow_the_scheme_of_colours(chromium: Browser, page: str) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    chromium.open(page)
    light = chromium.ask(ground)
    chromium.open(page, dark=True)
    assert (light, chromium.ask(ground)) == ("rgb(246, 247, 249)", "rgb(18, 22, 29)")
    assert chromium.picture() != b""


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        ("document.querySelector('h2').style.color = '#aab'", "contrast"),
        ("document.querySelector('h2').outerHTML = '<h5>x</h5>'", "heading 5 after"),
        ("document.documentElement.lang = ''", "no language"),
        ("document.images[0].alt = ''", "without words"),
        ("document.querySelector('summary').style.cssText = 'padding:0;font-size:9px'", "hard"),
        ("document.querySelector('.scroll').removeAttribute('tabindex')", "scrolled by keys"),
    ],
)
def test_what_keeps_people_from_reading_is_found(
    chromium: Browser, dataset: Path, harm: str, complaint: str
) -> None:
    page = dataset.with_name("ds.private") / "reports" / "sub-01_ses-a.html"
    chromium.open(page.as_uri(), width=360)
    chromium.ask(f"{{ {harm}; }}")
    (found,) = chromium.ask(COMPLAINTS)
    assert complaint in found


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_pages_keep_nobody_from_reading_them(
    chromium: Browser, page: str, width: int, *, dark: bool
) -> None:
    chromium.open(page, width=width, dark=dark)
    chromium.ask("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    assert chromium.ask(COMPLAINTS) == []


def test_the_first_thing_the_tab_key_meets_skips_to_the_content(
    chromium: Browser, page: str
) -> None:
    chromium.open(page)
    chromium.press("Tab")
    assert chromium.ask(FOCUSED) == "Skip to the content"
    assert chromium.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert chromium.ask("document.activeElement.getBoundingClientRect().top") >= 0


def test_what_is_folded_is_printed(chromium: Browser, dataset: Path) -> None:
    page = dataset.with_name("ds.private") / "reports" / "sub-01_ses-a.html"
    chromium.open(page.as_uri())
    folded = "[...document.querySelectorAll('details:not([open]) dl.figures')][0]"
    assert not chromium.ask(f"{folded}.checkVisibility()")
    chromium("Emulation.setEmulatedMedia", media="print")
    assert chromium.ask(f"{folded}.checkVisibility()")
    assert chromium.printed().startswith(b"%PDF")
    chromium("Emulation.setEmulatedMedia", media="")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, LocalServer]]:
    dataset = a_published_dataset(tmp_path / "ds")
    review = Review.of(make_review_request(dataset))
    with LocalServer(ReviewSite("ds", review)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield dataset, server
        server.shutdown()
        thread.join()


def decided(dataset: Path) -> dict[str, str]:
    decisions = FaceDecisions.read(dataset.with_name("ds.private"))
    return {one.image: one.verdict.value for one in decisions.made}


def shown(image: str) -> str:
    """An image is shown, and can be decided about."""
    there = f"document.getElementById('image').textContent === '{image}'"
    return f"{there} && !document.getElementById('accept').disabled"


def test_keys_decide_and_each_decision_is_saved_at_once(
    chromium: Browser, served: tuple[Path, LocalServer]
) -> None:
    dataset, server = served
    chromium.complaints.clear()
    chromium.open(server.url)
    chromium.wait(shown(T1W))
    assert chromium.ask("document.images.length") == 12
    chromium.wait(f"{BROKEN} === 0")

    chromium.press("r")
    chromium.wait(shown(T2W))
    assert decided(dataset) == {T1W: "rejected"}
    chromium.press("a")
    status = "document.getElementById('status').textContent"
    chromium.wait(f"{status}.endsWith('All are decided.')")
    assert decided(dataset) == {T1W: "rejected", T2W: "accepted"}

    chromium.press("u")
    chromium.wait(f"{status}.startsWith('Taken back') && {shown(T2W)}")
    assert decided(dataset) == {T1W: "rejected"}
    chromium.press("ArrowLeft")
    chromium.wait(shown(T1W))
    assert chromium.ask("document.getElementById('decision').textContent") == "Rejected"
    assert "1 of 2 decided" in chromium.ask("document.getElementById('progress').textContent")
    assert not chromium.complaints


def test_keys_can_be_switched_off_and_leave_other_keys_alone(
    chromium: Browser, served: tuple[Path, LocalServer]
) -> None:
    dataset, server = served
    chromium.open(server.url)
    chromium.wait(shown(T1W))
    chromium("Input.dispatchKeyEvent", type="keyDown", key="r", code="KeyR", modifiers=2)
    chromium("Input.dispatchKeyEvent", type="keyUp", key="r", code="KeyR", modifiers=2)
    chromium.ask("document.getElementById('keys').click()")
    chromium.press("a")
    chromium.press("ArrowRight")
    assert chromium.ask("document.getElementById('image').textContent") == T1W
    assert decided(dataset) == {}
    chromium.ask("document.getElementById('accept').click()")
    chromium.wait(shown(T2W))
    assert decided(dataset) == {T1W: "accepted"}


def test_a_page_that_lost_its_server_says_that_nothing_is_saved(
    chromium: Browser, served: tuple[Path, LocalServer]
) -> None:
    dataset, server = served
    chromium.open(server.url)
    chromium.wait(shown(T1W))
    chromium.ask("document.getElementById('end').click()")
    status = "document.getElementById('status').textContent"
    chromium.wait(f"{status}.startsWith('bidsanon review has ended')")
    chromium.open("about:blank#next")
    assert decided(dataset) == {}


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_of_review_fits_any_screen(
    chromium: Browser, served: tuple[Path, LocalServer], width: int
) -> None:
    chromium.open(served[1].url, width=width, dark=True)
    chromium.wait(shown(T1W))
    assert chromium.ask(OVERFLOW) == 0
    assert chromium.ask(COMPLAINTS) == []


def test_keys_reach_what_there_is_in_its_order(
    chromium: Browser, served: tuple[Path, LocalServer]
) -> None:
    chromium.open(served[1].url)
    chromium.wait(shown(T1W))
    met = []
    while "Done" not in met[-1:]:
        chromium.press("Tab")
        met.append(chromium.ask(FOCUSED) or chromium.ask("document.activeElement.id"))
        assert len(met) < 20
        assert chromium.ask("getComputedStyle(document.activeElement).outlineStyle") != "none"
    wanted = ["Skip to the content", T1W, T2W, "Figures", "A Accept", "R Reject", "Next", "keys"]
    found = [next(n for n, text in enumerate(met) if text.startswith(one)) for one in wanted]
    assert found == sorted(found)
