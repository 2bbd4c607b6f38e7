"""Fixtures of the browser tests: one JupyterLab and one Chromium for all, a fresh tab for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_lab import Lab, Server, chromium, launch, serve
from playwright.sync_api import Browser, sync_playwright

NO_BROWSER = (
    "No Chromium or Chrome was found, and the browser journey needs one. Debian, Ubuntu: sudo apt install chromium. "
    "Elsewhere: install Chrome, or set ELECTRA_EDU_CHROMIUM to its program. ELECTRA_EDU_NO_BROWSER=1 skips the journey."
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder as browser tests, but for the endurance run."""
    for item in items:
        if Path(__file__).parent in item.path.parents and "soak" not in item.keywords:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if os.environ.get("ELECTRA_EDU_NO_BROWSER") == "1":
        pytest.skip("ELECTRA_EDU_NO_BROWSER=1")
    executable = chromium()
    if executable is None:
        pytest.fail(NO_BROWSER, pytrace=False)
    with sync_playwright() as playwright, launch(playwright, executable) as browser:
        yield browser


@pytest.fixture(scope="session")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab with the learner's copies of all lessons; after `browser`, so that no browser means no server."""
    folder = tmp_path_factory.mktemp("learner")
    with serve(folder / "lessons", folder / "jupyter.log") as server:
        yield server


@pytest.fixture
def lab(browser: Browser, server: Server) -> Iterator[Lab]:
    """A tab that must end without an error in its console and without having asked for anything outside."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    lab = Lab(server, context.new_page())
    yield lab
    lab.close()
    context.close()
    assert not lab.errors, "\n".join(lab.errors)
    assert not lab.outside, f"the page asked for {lab.outside}"
