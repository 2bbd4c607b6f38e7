"""Words in a figure are drawn as they are, whatever characters they hold."""

from io import BytesIO

import pytest
from matplotlib.figure import Figure

import electra_edu as edu
from electra_edu.plots.blocks import Fact, Facts, Text, Token, Tokens
from electra_edu.plots.charts import BarChart, Series


@pytest.mark.fault("Errors", seen="two $ in a word were read as a formula: it vanished, or the figure failed to draw")
@pytest.mark.parametrize("word", ["$a$b$", r"$\frac$", "$5 or $6", r"\$x$", "a$b", "x\ud800"])
def test_figures_draw_words_as_they_are(word: str) -> None:
    figure = Figure(figsize=(8.7, 4))
    blocks = [
        Tokens((Token(word, word, word[:1]),), word, key=(("ink", word, word),)),
        Facts((Fact(word, word),)),
        Text(word),
        BarChart(word, (word,), (Series(word, (1.0,)), Series("b", (2.0,))), word),
    ]
    edu.plots.draw_blocks(figure, blocks)
    edu.plots.token_strip(figure.add_axes((0, 0, 1, 0.1)), [(word, 0.5)], [word])
    figure.savefig(BytesIO(), format="svg")
    drawn = [text for axes in figure.axes for text in axes.texts]
    said = [text._preprocess_math(text.get_text()) for text in drawn]
    assert not any(is_math for _, is_math in said)
    shown = word.replace("\ud800", "?")
    assert sum(shown in string for string, _ in said) >= 8
