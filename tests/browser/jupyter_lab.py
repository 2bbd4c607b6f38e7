"""`Lab`: JupyterLab in Chromium as a learner has it, and the server behind it."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psutil
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright, Route, expect

from electra_edu.cli.lab import prepare
from electra_edu.cli.lessons import state_of

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60_000  # ms; long enough for a busy machine with two cores, a test that passes never waits for it
ALLOWED_ERRORS = (  # console errors that say nothing about the course
    "Failed to load resource: net::ERR_FAILED",  # a request to the outside, blocked and counted by `Lab.outside`
)
CHROMIUM_OPTIONS = (
    "--no-sandbox",  # Chromium refuses to run as root with it
    "--disable-dev-shm-usage",  # containers have a tiny /dev/shm
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str | None:
    """Return the browser of this computer, ELECTRA_EDU_CHROMIUM first."""
    candidates = (
        os.environ.get("ELECTRA_EDU_CHROMIUM"),
        "chromium",
        "chromium-browser",
        "google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    )
    return next((found for name in candidates if name and (found := shutil.which(name))), None)


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: where it listens, what it serves."""

    url: str
    token: str
    folder: Path
    process: subprocess.Popen[bytes]

    def kernels(self) -> list[psutil.Process]:
        """Return the processes under the server; without terminals, its kernels."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def memory(self) -> int:
        """Return the server's resident memory in bytes, kernels left out."""
        return psutil.Process(self.process.pid).memory_info().rss


@contextmanager
def serve(folder: Path, log: Path) -> Iterator[Server]:
    """Run `electra-edu lab` in `folder` until the block ends; nothing of it is left then."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "electra_edu", "lab", "--dir", str(folder), "--no-browser", "--port", str(port)]
    command += ["--", "--allow-root", "--LabApp.expose_app_in_browser=True"]
    environment = os.environ | {"JUPYTER_TOKEN": token, "PYTHONPATH": str(ROOT)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        server = Server(f"http://localhost:{port}", token, folder, process)
        _wait_until_up(server, log)
        yield server
    finally:
        _end(process)


def _wait_until_up(server: Server, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            urllib.request.urlopen(f"{server.url}/api?token={server.token}", timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server with all it started, kernels included: they lead process groups of their own."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    for left in alive:
        left.kill()
    assert not alive, f"these outlived the server: {alive}"


@contextmanager
def launch(playwright: Playwright, executable: str) -> Iterator[Browser]:
    """Run Chromium without a window until the block ends."""
    browser = playwright.chromium.launch(executable_path=executable, args=[*CHROMIUM_OPTIONS], headless=True)
    try:
        yield browser
    finally:
        browser.close()


@dataclass
class Lab:
    """One browser tab with JupyterLab, driven as a learner would.

    `errors` collects what the console called an error and exceptions nobody caught; `outside` the addresses beyond
    this computer that the page asked for, all of them refused.
    """

    server: Server
    page: Page
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen to the page and cut it off from the network."""
        self.page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.context.route(lambda url: not url.startswith((self.server.url, "data:", "blob:")), self._refuse)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(ALLOWED_ERRORS):
            self.errors.append(f"{message.text} ({message.location.get('url')})")

    def _refuse(self, route: Route) -> None:
        self.outside.append(route.request.url)
        route.abort()

    def open(self, lesson: str) -> None:
        """Open a notebook of the working folder in JupyterLab's first layout and wait until its kernel is ready."""
        self.goto(f"/lab/tree/{lesson}")

    def goto(self, path: str) -> None:
        """Open an address of the server that shows a notebook, as if JupyterLab had never been opened before."""
        state = state_of(self.server.folder)
        shutil.rmtree(state / "jupyter" / "lab" / "workspaces", ignore_errors=True)
        prepare(state)
        self.page.goto(f"{self.server.url}{path}?token={self.server.token}")
        self.page.wait_for_function("() => window.jupyterapp")
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        self.wait_idle()

    def command(self, name: str, **arguments: str) -> None:
        """Run a command of JupyterLab, as its menus do, and wait until it is done."""
        self.page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments])

    def run_all(self) -> None:
        """Run all cells and wait until the last has ended."""
        self.command("notebook:run-all-cells")
        self.wait_idle()

    def wait_idle(self) -> None:
        """Wait until the kernel is idle and no cell is waiting for it."""
        self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp.shell.currentWidget;
                const kernel = panel?.sessionContext?.session?.kernel;
                return kernel?.status === "idle"
                    && !panel.content.widgets.some((cell) => cell.promptNode?.textContent.includes("[*]"));
            }"""
        )

    def widget(self, css_class: str) -> Locator:
        """Find the widget that was given this class with `add_class`."""
        return self.page.locator(f".jp-OutputArea .{css_class}")

    def press(self, css_class: str) -> None:
        """Press a button."""
        self.widget(css_class).click()

    def move_slider(self, css_class: str, steps: int) -> None:
        """Move a slider by arrow keys: `steps` of them, to the right or, where negative, to the left.

        While Python is busy with one position the page keeps back the next, but not a click: wait for Python's answer
        to the move before pressing a button that depends on it.
        """
        handle = self.widget(css_class).locator(".noUi-handle")
        handle.focus()
        for _ in range(abs(steps)):
            handle.press("ArrowRight" if steps > 0 else "ArrowLeft")

    def theme(self, theme: Literal["light", "dark"]) -> None:
        """Change JupyterLab's theme."""
        name = f"JupyterLab {theme.title()}"
        self._splash_is_gone()
        if self.page.evaluate("() => document.body.dataset.jpThemeName") != name:
            self.command("apputils:change-theme", theme=name)
            self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
            self._splash_is_gone()

    def _splash_is_gone(self) -> None:
        """Wait for the end of the curtain over a change of theme; a second one under it ends in a console error."""
        self.page.wait_for_function("() => !document.getElementById('jupyterlab-splash')?.isConnected")

    def screenshot(self, path: Path) -> None:
        """Write what is on the screen as a PNG."""
        self.page.screenshot(path=path)

    def close(self) -> None:
        """End the notebook's kernel, if it has one, and close the tab."""
        self.page.evaluate("() => window.jupyterapp?.serviceManager.sessions.shutdownAll()")
        self.page.close()
