"""Every committed lesson has short cells, public names, and outputs with alternative texts that need no kernel."""

import ast
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_BYTES = 1_500_000
MOST_LINES = 12
LIBRARIES = {"matplotlib", "torch", "numpy"} | sys.stdlib_module_names
ABSOLUTE_PATH = re.compile(r"(?<![\w./])/(home|root|Users|tmp|work|opt|usr|var|private)/|\b[A-Z]:\\")


def faults(notebook: dict[str, Any]) -> Iterator[str]:
    """Yield everything that is wrong with a notebook, cell by cell."""
    if "widgets" in notebook["metadata"]:
        yield "it holds widget state"
    count = 0
    for number, cell in enumerate(notebook["cells"], start=1):
        if ABSOLUTE_PATH.search(text(cell["source"])):
            yield f"cell {number}: an absolute path in its text"
        if cell["cell_type"] == "code":
            count += 1
            if cell["execution_count"] != count:
                yield f"cell {number}: execution count {cell['execution_count']} instead of {count}; make lessons"
            yield from (f"cell {number}: {fault}" for fault in code_faults(text(cell["source"])))
            for output in cell["outputs"]:
                yield from (f"cell {number}: {fault}" for fault in output_faults(output))


def code_faults(source: str) -> Iterator[str]:
    """Yield what is wrong with the code of a cell; magics are ignored."""
    lines = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith(("#", "%", "!"))]
    if len(lines) > MOST_LINES:
        yield f"{len(lines)} lines of code, more than {MOST_LINES}"
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.ClassDef):
            yield f"class {node.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] not in LIBRARIES and (alias.name, alias.asname) != ("electra_edu", "edu"):
                    yield f"import {alias.name}"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in LIBRARIES:
            yield f"from {node.module} import …"
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            yield f"the private name {node.attr}"


def output_faults(output: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with one output."""
    if output["output_type"] == "error":
        yield f"the error {output['ename']}"
    if output.get("name") == "stderr":
        yield "text on stderr"
    data = output.get("data", {})
    if "application/vnd.jupyter.widget-view+json" in data:
        yield "a widget's view, which no reader without a kernel can see"
    plain = text(data.get("text/plain", ""))
    if any(kind.startswith("image/") for kind in data) and (not plain or plain.startswith("<Figure")):
        yield "a picture without words: its text/plain should say what it shows"
    if ABSOLUTE_PATH.search(plain + text(output.get("text", ""))):
        yield "an absolute path in its output"


def text(lines: str | list[str]) -> str:
    """Return the text of a notebook's field, which may be a list of lines."""
    return lines if isinstance(lines, str) else "".join(lines)


def a_notebook(source: str = "1 + 1", output: dict[str, Any] | None = None, count: int | None = 1) -> dict[str, Any]:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "execution_count": count}
    cell["outputs"] = [] if output is None else [output]
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def display_data(**data: str) -> dict[str, Any]:
    kinds = {"plain": "text/plain", "png": "image/png", "view": "application/vnd.jupyter.widget-view+json"}
    return {"output_type": "display_data", "metadata": {}, "data": {kinds[name]: value for name, value in data.items()}}


def test_there_are_lessons() -> None:
    assert LESSONS
    assert LESSONS[0].name.startswith("00_")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_lesson_is_tidy(lesson: Path) -> None:
    assert lesson.stat().st_size < MOST_BYTES
    notebook = json.loads(lesson.read_text(encoding="utf-8"))
    nbformat.validate(notebook)
    found = "\n".join(faults(notebook))
    assert not found, found


@pytest.mark.parametrize(
    ("notebook", "fault"),
    [
        (a_notebook("class A: pass"), "class A"),
        (a_notebook("\n".join(f"a{i} = 1" for i in range(13))), "13 lines"),
        (a_notebook("from electra_edu.training import TrainingRun"), "from electra_edu.training"),
        (a_notebook("import electra_edu"), "import electra_edu"),
        (a_notebook("import ipywidgets as w"), "import ipywidgets"),
        (a_notebook("edu._hidden"), "_hidden"),
        (a_notebook("open('/home/me/text.txt')"), "absolute path"),
        (a_notebook(output={"output_type": "stream", "name": "stdout", "text": "saved in /tmp/x"}), "absolute path"),
        (a_notebook(output={"output_type": "stream", "name": "stderr", "text": "a warning"}), "stderr"),
        (a_notebook(output={"output_type": "error", "ename": "E", "evalue": "", "traceback": []}), "error E"),
        (a_notebook(output=display_data(view="{}", plain="Panel()")), "widget's view"),
        (a_notebook(output=display_data(png="…", plain="<Figure size 640x480 with 1 Axes>")), "picture without words"),
        (a_notebook(output=display_data(png="…")), "picture without words"),
        (a_notebook(count=None), "execution count None"),
        (a_notebook(count=2), "execution count 2"),
        ({**a_notebook(), "metadata": {"widgets": {}}}, "widget state"),
    ],
)
def test_a_fault_is_found(notebook: dict[str, Any], fault: str) -> None:
    found = list(faults(notebook))
    assert len(found) == 1
    assert fault in found[0]


def test_a_tidy_notebook_has_no_faults() -> None:
    source = "\n\n".join(["# a comment", "import electra_edu as edu", *(f"a{i} = 1 / {i}" for i in range(1, 12))])
    assert list(faults(a_notebook(source, display_data(png="…", plain="Loss falls from 6.2 to 2.3.")))) == []


def test_a_build_keeps_content_only(tmp_path: Path) -> None:
    path = tmp_path / "lesson.ipynb"
    source = (
        "display({'application/vnd.jupyter.widget-view+json': {'model_id': 'x'}, 'text/plain': 'Panel()'}, raw=True)\n"
        "display({'image/png': 'aGk=', 'text/plain': 'A curve that falls.'}, raw=True)\n"
        "object()"
    )
    notebook = {**a_notebook(source, count=None), "metadata": {"widgets": {"state": {}}}}
    path.write_text(json.dumps(notebook))
    spec = importlib.util.spec_from_file_location("build_lessons", ROOT / "tools" / "build_lessons.py")
    assert spec is not None
    assert spec.loader is not None
    build_lessons = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build_lessons)
    build_lessons.build(path)
    first = path.read_bytes()
    build_lessons.build(path)
    assert path.read_bytes() == first
    built = json.loads(first)
    assert list(faults(built)) == []
    assert [output["data"]["text/plain"] for output in built["cells"][0]["outputs"]] == [
        ["A curve that falls."],
        ["<object>"],
    ]
