"""Check an installed electra_edu: `python smoke_test.py`, with the Python that it is installed for.

It trains for a few steps, saves and loads the run, and executes a lesson, all in an empty folder. A checkout around
this file is not imported: Python looks for modules beside a script, and tools/ holds no package.
"""

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

import electra_edu as edu
from electra_edu.cli.lessons import lessons_folder

LESSON = "01_why_mlm_wastes_signal.ipynb"


def train() -> None:
    """Train, save, load and use a run of the toy preset."""
    run = edu.TrainingRun(edu.preset("toy"), edu.load_corpus("toy"), seed=0)
    assert len(run.advance(3)) == 3
    run.save("run")
    loaded = edu.TrainingRun.load("run")
    assert loaded.evaluate() == run.evaluate()
    words = edu.detect(loaded, "the chef cooked the soup")
    assert [word for word, _ in words] == ["the", "chef", "cooked", "the", "soup"]


def execute_lesson() -> None:
    """Execute one of the lessons that came with the package."""
    notebook = nbformat.read(lessons_folder() / LESSON, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(Path.cwd())}}).execute()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        for name in ("PROGRESS", "STATE", "CACHE"):
            os.environ[f"ELECTRA_EDU_{name}"] = str(Path(folder, name.lower()))
        train()
        execute_lesson()
    print(f"electra_edu {edu.__version__} in {Path(edu.__file__).parent}: trained, saved, loaded, and taught a lesson.")
