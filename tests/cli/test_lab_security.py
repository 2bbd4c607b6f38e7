"""`electra-edu lab` in a folder that somebody else prepared: nothing hidden in it is executed or believed."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from jupyter_client import BlockingKernelClient

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds; a test that passes never waits for it
SEEN = "a jupyter_server_config.py in the lessons folder ran, and the server answered everyone without a token"

# Modules that the server, the kernel, or a worker of the kernel imports, some of them only when they are needed
MODULES = (
    "jupyterlab",
    "jupyter_server",
    "torch",
    "numpy",
    "sitecustomize",
    "usercustomize",
    "matplotlib",
    "tensorflow",
)
CONFIGS = ("jupyter_config", "jupyter_server_config", "jupyter_lab_config", "ipython_config", "ipython_kernel_config")
OPEN = {"IdentityProvider": {"token": ""}, "ServerApp": {"token": "", "password": "", "disable_check_xsrf": True}}


def plant(folder: Path, traces: Path) -> None:
    """Hide in `folder` whatever Jupyter, IPython or Python might read; each leaves a file in `traces` if it runs."""
    traces.mkdir()

    def program(name: str) -> str:
        return f"open({str(traces / name)!r}, 'w').close()\n"

    def write(path: Path, text: str, name: str = "") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(program(name) + text if name else text)

    for home in (".", ".electra_edu/jupyter", ".jupyter", "etc/jupyter", ".ipython/profile_default", "profile_default"):
        for config in CONFIGS:
            label = f"{home}-{config}".replace("/", "_")
            opened = "c = get_config()\nc.ServerApp.token = c.IdentityProvider.token = ''\n"
            write(folder / home / f"{config}.py", opened, label)
            write(folder / home / f"{config}.json", json.dumps(OPEN))
        extensions = {"ServerApp": {"jpserver_extensions": {"planted_extension": True}}}
        write(folder / home / "jupyter_server_config.d" / "planted.json", json.dumps(extensions))
        write(folder / home / "startup" / "00.py", "", f"{home}-startup".replace("/", "_"))
        write(folder / home / "custom" / "custom.css", "body { display: none }")
    for data in (".electra_edu/data", ".local/share/jupyter", "share/jupyter", "."):
        kernel = {"argv": [sys.executable, "-c", program("kernelspec"), "{connection_file}"], "display_name": "planted"}
        for name in ("python3", "planted"):
            write(folder / data / "kernels" / name / "kernel.json", json.dumps(kernel | {"language": "python"}))
    for module in (*MODULES, "planted_extension"):
        write(folder / f"{module}.py", "", f"module-{module}")
    for template in ("lab", "templates/lab", "nbconvert/templates/lab"):
        code = program(f"template-{template}".replace("/", "_"))
        leak = "{{ cycler.__init__.__globals__.__builtins__.exec(" + json.dumps(code) + ") }}"
        write(folder / template / "index.html.j2", leak)
        write(folder / template / "conf.json", '{"base_template": "base", "mimetypes": {"text/html": true}}')
    servers = folder / "node_modules" / "bash-language-server" / "out" / "cli.js"
    write(servers, f"require('fs').writeFileSync({str(traces / 'language-server')!r}, '')")
    write(folder / ".env", f"JUPYTER_CONFIG_DIR={folder / '.jupyter'}\n")


class Server:
    """A JupyterLab that was started in a planted folder."""

    def __init__(self, folder: Path, runtime: Path, process: subprocess.Popen[bytes], port: int, token: str) -> None:
        self.folder, self.runtime, self.process, self.token = folder, runtime, process, token
        self.address = f"http://localhost:{port}"

    def ask(self, path: str, body: object = None, *, token: bool = True) -> tuple[int, bytes]:
        """Ask the server and return its status and answer."""
        headers = {"Authorization": f"token {self.token}"} if token else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, b""

    def wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(urllib.error.URLError, OSError):
                if self.ask("/api")[0] == 200:
                    return
            time.sleep(0.1)
        raise AssertionError("JupyterLab did not start")


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traces") / "ran"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, traces: Path) -> Iterator[Server]:
    """Run `electra-edu lab --dir .` in a planted folder, as someone does who unpacked it."""
    folder = tmp_path_factory.mktemp("shared")
    plant(folder, traces)
    runtime = tmp_path_factory.mktemp("runtime")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-P", "-m", "electra_edu", "lab", "--dir", ".", "--no-browser", "--port", str(port)]
    environment = os.environ | {
        "JUPYTER_TOKEN": token,
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("PYTHONSAFEPATH", None)
    process = subprocess.Popen(
        [*command, "--", "--allow-root"], cwd=folder, env=environment, start_new_session=True, stderr=subprocess.DEVNULL
    )
    server = Server(folder, runtime, process, port, token)
    try:
        server.wait()
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def ran(traces: Path) -> list[str]:
    return sorted(path.name for path in traces.iterdir())


@pytest.mark.slow
@pytest.mark.fault("Security", seen=SEEN)
def test_the_server_asks_for_its_token_and_runs_nothing_that_was_planted(server: Server, traces: Path) -> None:
    assert server.ask("/api/contents", token=False)[0] == 403
    assert server.ask("/api/contents")[0] == 200
    assert server.ask("/lab")[0] == 200
    assert server.ask("/lsp/status")[0] == 200  # looks for language servers
    assert server.ask("/nbconvert/html/00_start_here.ipynb")[0] == 200  # looks for templates
    specs = json.loads(server.ask("/api/kernelspecs")[1])["kernelspecs"]
    assert specs["python3"]["spec"]["argv"][0] == sys.executable
    assert "planted" not in specs
    assert ran(traces) == []


@pytest.mark.slow
@pytest.mark.fault(
    "Security", seen="a torch.py beside the lessons was imported in place of PyTorch by a lesson's kernel"
)
def test_a_kernel_imports_nothing_that_lies_beside_its_notebook(server: Server, traces: Path, tmp_path: Path) -> None:
    body = {"kernel": {"name": "python3"}, "name": "", "path": "00_start_here.ipynb", "type": "notebook"}
    status, answer = server.ask("/api/sessions", body)
    assert status == 201
    kernel = json.loads(answer)["kernel"]["id"]
    client = BlockingKernelClient(connection_file=str(server.runtime / f"kernel-{kernel}.json"))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(PATIENCE)
        code = (
            "import os, sys, subprocess, numpy, matplotlib, torch\n"
            f"assert os.getcwd() == {str(server.folder)!r}\n"
            "try:\n    import tensorflow\nexcept ImportError:\n    pass\n"
            "subprocess.run([sys.executable, '-c', 'import numpy'], check=True)\n"
        )
        reply = client.execute_interactive(code, timeout=PATIENCE, output_hook=lambda _message: None)
        assert reply["content"]["status"] == "ok", reply["content"]
    finally:
        client.shutdown()
        client.stop_channels()
    assert ran(traces) == []
