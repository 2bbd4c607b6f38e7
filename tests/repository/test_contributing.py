"""CONTRIBUTING.md: its picture and its listing are the package's, and the functions that it names exist."""

import ast
import re
from pathlib import Path

import pytest
from test_layers import MODULES, PACKAGE, ROOMS, imports, place_of

ROOT = PACKAGE.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# `room/file.py: name`, or `room/file.py: Class.name`; the file is one of the package.
REFERENCES = sorted(set(re.findall(r"`([\w/]+\.py): ([\w.]+)`", TEXT)))
DRAWN = [room for room in ROOMS if not room.startswith("__")]
WALK = "From a slider to the loss"


def chapter(heading: str) -> str:
    """Return the text below a heading, up to the next one."""
    found = re.search(rf"^#+ {heading}\n(.*?)(?=^#+ |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


def block(heading: str) -> list[str]:
    """Return the lines of the first code block below a heading."""
    return chapter(heading).split("```")[1].strip("\n").splitlines()


def defined(path: Path) -> set[str]:
    """List the functions, classes, methods and constants of a module."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def test_every_import_goes_down_in_the_picture() -> None:
    lines = block("The rooms")
    assert max(map(len, lines)) <= 100
    # The words on the right explain; the rooms stand on the left.
    level = {room: i for i, line in enumerate(lines) for room in re.findall(r"\w+", line[:40])}
    assert sorted(level) == sorted(DRAWN)
    upwards = []
    for module in MODULES:
        importing = place_of(module)[0]
        for name in imports((PACKAGE / module).read_text(encoding="utf-8")):
            imported = place_of(name)[0] if name.startswith("electra_edu.") else importing
            if importing in level and imported in level and imported != importing:
                upwards += [f"{module}: {name}"] * (level[imported] <= level[importing])
    assert upwards == []


def test_the_listing_is_the_order_of_the_rooms() -> None:
    lines = [line.strip() for line in block("The listing")]
    package = lines[lines.index("electra_edu/") + 1 :][: len(DRAWN)]
    assert [re.split(r"/|\.py", line)[0] for line in package] == DRAWN
    for line in lines:
        assert len(line) <= 100
        assert re.fullmatch(r"electra_edu/|\S+  +\S.*", line), f"no description: {line}"
    others = [line.split("/")[0] for line in lines if line not in package]
    assert all((ROOT / name).is_dir() for name in others)


def test_the_walk_has_ten_lines_for_both_settings() -> None:
    steps = re.findall(r"^\d+\. .*(?:\n   .*)*", chapter(WALK), re.MULTILINE)
    assert len(steps) == 10
    assert all(re.search(r"`[\w/]+\.py: [\w.]+`", step) for step in steps)
    assert {"mask_prob", "rtd_weight"} <= set(re.findall(r"\w+", chapter(WALK)))


@pytest.mark.parametrize(("file", "name"), REFERENCES)
def test_a_named_function_exists(file: str, name: str) -> None:
    place = ROOT / file if (ROOT / file).is_file() else PACKAGE / file
    assert name in defined(place)
