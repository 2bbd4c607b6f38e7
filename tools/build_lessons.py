"""Execute the lessons and keep their outputs: `python tools/build_lessons.py [NAME ...]`, all of them by default.

Terms and sources in the text get their explanations. While ELECTRA_EDU_BUILD=1, panels train briefly and from a fixed
seed. Outputs that differ between computers or need a running kernel are removed, so that a rebuilt lesson differs only
where its content does.
"""

import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from electra_edu.course.glossary import with_titles

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"  # without its kernel: "Error displaying widget"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # of an object in memory, new in every run
TIMEOUT = 300  # seconds for one cell


def build(path: Path) -> None:
    """Execute one notebook in an empty folder and write it back; raise CellExecutionError if a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = with_titles(cell.source)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        NotebookClient(
            notebook, timeout=TIMEOUT, resources=resources, coalesce_streams=True, store_widget_state=False
        ).execute()
    normalise(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def normalise(notebook: Any) -> None:
    """Remove, in place, what is not content: widget views and state, times, addresses, the version of Python."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({name: cell.metadata[name] for name in ("tags",) if name in cell.metadata})
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_normalised, cell.outputs) if output is not None]


def _normalised(output: Any) -> Any:
    """Return an output with its content only, or None if it has none."""
    if "data" not in output:
        return output
    if WIDGET_VIEW in output.data:  # its text/plain is only the widget's repr; a panel shows its picture beside it
        return None
    output.metadata = nbformat.from_dict(  # alternative texts stay
        {kind: {"alt": about["alt"]} for kind, about in output.metadata.items() if "alt" in about}
    )
    if "text/plain" in output.data:
        output.data["text/plain"] = ADDRESS.sub("", output.data["text/plain"])
    return output


def main(names: list[str]) -> None:
    """Build the lessons named, or all; stop at the first that fails."""
    os.environ["ELECTRA_EDU_BUILD"] = "1"
    paths = [NOTEBOOKS / Path(name).name for name in names] or sorted(NOTEBOOKS.glob("*.ipynb"))
    if missing := [path.name for path in paths if not path.exists()]:
        sys.exit(f"There is no lesson {', '.join(missing)} in {NOTEBOOKS.name}/.")
    for path in paths:
        start = time.perf_counter()
        try:
            build(path)
        except CellExecutionError as error:
            sys.exit(f"{path.name}: a cell failed; the file is unchanged.\n{error}")
        print(f"{path.name}: {time.perf_counter() - start:.0f} s, {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
