"""What the view of a Training Lab shows, by what it is."""

from typing import Any

from electra_edu.widgets import TrainingLab


def shown(lab: TrainingLab, kind: str) -> Any:
    """Return the block of this kind: "Tokens", "Verdict" or "Status"."""
    return next(block for block in lab.view.blocks if block["kind"] == kind)


def charts(lab: TrainingLab) -> list[Any]:
    """Return the two charts side by side: the losses and the scores."""
    row: list[Any] = lab.view.blocks[0]["blocks"]
    return row


def curves(lab: TrainingLab, chart: int = 0, subplot: int = 0, *, earlier: bool = False) -> list[Any]:
    """Return the curves of a subplot: those of this run or, pale, those of earlier ones."""
    found = charts(lab)[chart]["subplots"][subplot]["curves"]
    return [curve for curve in found if (curve["style"] == "pale") == earlier]
