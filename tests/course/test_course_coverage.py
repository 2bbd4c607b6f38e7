"""The text that the course teaches, section by section: which cells teach each, and each of its key parameters."""

import json
from pathlib import Path
from typing import Any

import pytest

from electra_edu.config import FIELD_NAMES
from electra_edu.course import lesson

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = {  # heading of the chapter -> lesson, tag of a cell, words that this cell and its neighbours must use
    "ELECTRA": ("00", "introduction", ("BERT", "masked language modelling", "replaced token detection", "GLUE")),
    "The Generator-Discriminator Architecture": ("00", "architecture", ("generator", "discriminator", "ELECTRA")),
    "The Inefficiency of Masked Language Modeling": ("01", "inefficiency", ("[MASK]", "guess", "loss")),
    "Generator Training": ("03", "generator-training", ("cross-entropy", "distribution", "generator_size_fraction")),
    "Generator Training: sampling": ("03", "sampling", ("draws", "likeliest", "Temperature")),
    "Generator Training: masking": ("02", "masking", ("vocabulary", "MaskExplorer")),
    "Discriminator Training": ("04", "discriminator-training", ("logit", "probability", "label is 1 = replaced")),
    "The Replaced Token Detection Objective": ("05", "objective", ("label", "loss", "LabelExplorer")),
    "Joint Training": ("06", "joint-training", ("hides some words", "two losses", "Stepper")),
}
LATER = {  # headings that belong to lessons that are not written yet
    "Why No Adversarial Training?": "07",
    "Sample Efficiency": "08",
    "ELECTRA Scaling": "09",
    "Weight Sharing": "10",
    "Fine-tuning ELECTRA": "11",
    "Using Pre-trained ELECTRA": "12",
    "Performance Comparison": "13",
    "Limitations and Impact": "13",
    "Summary": "13",
}
PARAMETERS = {  # the chapter's "Key Parameters" -> lesson
    "mask_prob": "02",
    "rtd_weight": "06",
    "generator_size_fraction": "03",
    "temperature": "03",
    "learning_rate": "06",
    "weight_sharing": "06",
    "max_seq_length": "01",
}


def cells(number: str) -> list[dict[str, Any]]:
    """Return the cells of a lesson."""
    path = ROOT / "notebooks" / f"{lesson(number).file}.ipynb"
    return list(json.loads(path.read_text(encoding="utf-8"))["cells"])


def around(number: str, tag: str) -> str:
    """Return the text of the cell with this tag, and of the two after it."""
    found = cells(number)
    places = [i for i, cell in enumerate(found) if tag in cell["metadata"].get("tags", [])]
    assert len(places) == 1, f"lesson {number}: {len(places)} cells are tagged {tag!r}"
    return "\n".join("".join(cell["source"]) for cell in found[places[0] : places[0] + 3])


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section_is_taught(heading: str) -> None:
    number, tag, words = SECTIONS[heading]
    text = around(number, f"teaches:{tag}")
    missing = [word for word in words if word not in text]
    assert not missing, f"lesson {number}, {heading}: the cells tagged {tag!r} do not speak of {missing}"


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_key_parameter_is_taught(name: str) -> None:
    assert name in FIELD_NAMES
    number = PARAMETERS[name]
    assert around(number, f"parameter:{name}")
    text = "\n".join("".join(cell["source"]) for cell in cells(number))
    assert name.replace("_", " ") in text or name in text


@pytest.mark.parametrize("heading", LATER)
def test_what_comes_later_is_not_forgotten(heading: str) -> None:
    """Once the lesson is written, its heading moves to SECTIONS."""
    assert not lesson(LATER[heading]).is_written


def test_no_tag_is_left_over() -> None:
    """A tag that no table names is a slip."""
    known = {f"teaches:{tag}" for _, tag, _ in SECTIONS.values()} | {f"parameter:{name}" for name in PARAMETERS}
    numbers = {number for number, _, _ in SECTIONS.values()} | set(PARAMETERS.values())
    used = {tag for number in numbers for cell in cells(number) for tag in cell["metadata"].get("tags", [])}
    assert used == known
