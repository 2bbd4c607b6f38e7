"""Checks of what a figure is asked to draw: errors name the argument."""

from collections.abc import Sequence
from typing import TypeVar

from matplotlib.axes import Axes

from electra_edu.support import arguments

Kind = TypeVar("Kind")


def check_axes(axes: object) -> None:
    """Raise ElectraEduError unless `axes` are matplotlib's."""
    arguments.instance("axes", axes, Axes, "matplotlib.figure.Figure().subplots()")


def listed(name: str, values: object, kind: type[Kind], example: str) -> Sequence[Kind]:
    """Return a list whose members are all of one kind; raise ElectraEduError for any other."""
    members = arguments.items(name, values, example)
    return [arguments.instance(name, member, kind, example) for member in members]
