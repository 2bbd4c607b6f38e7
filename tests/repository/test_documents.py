"""The documents name files that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (".github", "benchmarks", "docs", "electra_edu", "notebooks", "tests", "tools")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])
FILE = re.compile(r"(?<![\w./-])([\w./-]*[\w-]\.(?:py|md|toml|ipynb|css|js|yml|cff))\b")

# Files that a learner's folder may hold, as examples.
NOT_OURS = {"torch.py", "jupyter_server_config.py"}


def files() -> Iterator[str]:
    """List the files of the repository, each path with a slash before it."""
    yield from (f"/{path.name}" for path in ROOT.iterdir())
    for room in ROOMS:
        yield from (f"/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / room).rglob("*.*"))


def named_files(text: str) -> set[str]:
    """Return the file names in a text, without those that stand for any file."""
    return {name for name in FILE.findall(text) if not re.search("NN|NAME", name)} - NOT_OURS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_exist(document: Path) -> None:
    there = set(files())
    named = named_files(re.sub(r"https?://\S+", "", document.read_text(encoding="utf-8")))
    assert {name for name in named if not any(path.endswith(f"/{name.removeprefix('../')}") for path in there)} == set()


def test_file_names_are_found_in_text() -> None:
    text = "`tests/test_x.py`, (docs/findings.md), electra_edu/NAME.py, lessons/NN.json and NN_name.ipynb; v1.py"
    assert named_files(text) == {"tests/test_x.py", "docs/findings.md", "v1.py"}
