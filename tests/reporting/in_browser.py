"""What tests of the page share: headless Chromium, with nothing but the file."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gene_eval.results.records import TaskResult

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'gene-bench[test]'")

# Playwright brings no browser of its own here; Debian's is fine.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: apt-get install chromium")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

EVIL = "<script>alert(1)</script>"
MODELS = ["hub/one", "two", EVIL, "four", "random", "shuffled:two"]
TASKS = [f"source{number % 8}_task_{number}" for number in range(16)]

Make = Callable[..., list[TaskResult]]
expect = sync_api.expect


@contextmanager
def launched(profile: Path) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=CHROMIUM,
            headless=True,
            args=ARGUMENTS,
            chromium_sandbox=False,
            viewport={"width": 1280, "height": 800},
        )
        context.set_default_timeout(10_000)
        yield context
        context.close()


def first_cells(page: Any, caption: str) -> list[str]:
    """Names of the rows, without their signs and buttons."""
    return page.locator(f'[aria-label="{caption}"] tbody tr:not(.details) > th > a').all_inner_texts()


def shows(page: Any, heading: str) -> None:
    """Wait for a view: it is drawn after its address has changed."""
    expect(page.locator("h2")).to_have_text(heading)


def go(page: Any, view: str, heading: str) -> None:
    page.evaluate("view => { location.hash = '#default/' + view; }", view)
    shows(page, heading)


def heads(page: Any, caption: str) -> Any:
    return page.locator(f'[aria-label="{caption}"] thead button')
