"""MaskExplorer: what it hides, how many, and what it says of both, by hand and against the library's masking."""

import json
import math
from typing import Any

import pytest
import torch
from small import small_corpus

from electra_edu.corpora import load_corpus
from electra_edu.plots.blocks import Facts, Token, Tokens
from electra_edu.plots.charts import Histogram
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.panels.mask_explorer import MAX_TOKENS, N_DRAWS, RATES, MaskExplorer

FIVE = "the cook stirs a soup"


def explorer(text: str = FIVE, **knobs: Any) -> MaskExplorer:
    """Return a panel on the small corpus with some knobs moved."""
    panel = MaskExplorer(small_corpus(), text)
    for name, value in knobs.items():
        getattr(panel, name).value = value
    return panel


def parts(panel: MaskExplorer) -> tuple[Tokens, Facts, Histogram]:
    """Return its three blocks."""
    read, facts, histogram = panel.blocks()
    assert isinstance(read, Tokens)
    assert isinstance(facts, Facts)
    assert isinstance(histogram, Histogram)
    return read, facts, histogram


def is_hidden(token: Token) -> bool:
    return token.text == "[MASK]"


def draws(panel: MaskExplorer, times: int) -> list[Tokens]:
    """Return what the generator reads in some draws."""
    made = []
    for _ in range(times):
        panel.again.click()
        made.append(parts(panel)[0])
    return made


class TestWords:
    def test_hidden_ones_keep_their_word_underneath_and_the_rest_is_as_typed(self) -> None:
        tokens = parts(explorer(mask_prob=0.40))[0].tokens
        assert [token.note or token.text for token in tokens] == ["[CLS]", *FIVE.split(), "[SEP]", "[PAD]", "[PAD]"]
        assert sum(map(is_hidden, tokens)) == 2
        for token in filter(is_hidden, tokens):
            assert (token.sign, token.color, token.about) == ("●", "generator", f"hidden: {token.note}")

    @pytest.mark.parametrize("rule", ["count", "coins"])
    def test_special_tokens_are_marked_and_never_hidden(self, rule: str) -> None:
        for read in draws(explorer(mask_prob=0.75, rule=rule), 30):
            special = [read.tokens[0], *read.tokens[-3:]]
            assert [(token.text, token.sign) for token in special] == [
                ("[CLS]", "–"),
                ("[SEP]", "–"),
                ("[PAD]", "–"),
                ("[PAD]", "–"),
            ]

    def test_an_unknown_word_is_shown_as_typed(self) -> None:
        assert [token.note or token.text for token in parts(explorer("the dragon sings"))[0].tokens[1:4]] == [
            "the",
            "dragon",
            "sings",
        ]

    def test_draw_again_hides_every_word_some_time(self) -> None:
        places = {
            place for read in draws(explorer(), 60) for place, token in enumerate(read.tokens) if is_hidden(token)
        }
        assert places == {1, 2, 3, 4, 5}

    @pytest.mark.parametrize(("text", "words"), [("  ", "no word"), ("soup " * (MAX_TOKENS + 1), "61 tokens")])
    def test_too_little_or_too_much_text_is_explained_in_the_panel(self, text: str, words: str) -> None:
        panel = explorer(text)
        assert len(panel.view.blocks) == 1
        assert words in panel.view.blocks[0]["text"]
        assert panel.drawer.code == ""
        panel.text.value = FIVE
        assert len(panel.view.blocks) == 3


class TestCounts:
    @pytest.mark.parametrize(
        ("n_words", "rate", "count"),
        [
            (1, 0.05, 1),  # at least one
            (10, 0.25, 3),  # 2.5, where Python's round() goes to the even neighbour
            (10, 0.15, 2),  # 1.5
            (9, 0.50, 5),  # 4.5
            (20, 0.15, 3),
            (60, 0.75, 45),
        ],
    )
    def test_by_a_fixed_count(self, n_words: int, rate: float, count: int) -> None:
        read, facts, histogram = parts(explorer("soup " * n_words, mask_prob=rate))
        assert sum(map(is_hidden, read.tokens)) == count
        assert facts.facts[0].value == f"{count} of {n_words}"
        assert facts.facts[1].value == str(count)
        assert histogram.series[0].values[count] == 1.0

    def test_every_rate_says_what_it_hides(self) -> None:
        for n_words in (3, 17, 18, 30):
            for rate in RATES:
                read, facts, _ = parts(explorer("soup " * n_words, mask_prob=rate))
                assert facts.facts[1].value == str(sum(map(is_hidden, read.tokens))), (n_words, rate)

    def test_coins_follow_the_binomial(self) -> None:
        values = parts(explorer("soup " * 20, mask_prob=0.15))[2].series[1].values
        for k, share in enumerate(values):
            exact = math.comb(20, k) * 0.15**k * 0.85 ** (20 - k)
            assert share == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / N_DRAWS) + 1e-3)
        assert sum(values) == pytest.approx(1.0)

    def test_both_histograms_share_their_edges(self) -> None:
        histogram = parts(explorer(mask_prob=0.75))[2]
        assert all(len(each.values) == len(histogram.edges) - 1 for each in histogram.series)
        assert histogram.edges[:2] == (-0.5, 0.5)

    @pytest.mark.parametrize(
        ("n_words", "rate", "said"), [(32, 0.15, "0.55%"), (5, 0.05, "77.38%"), (60, 0.5, "under 0.01%")]
    )
    def test_how_often_a_coin_hides_nothing(self, n_words: int, rate: float, said: str) -> None:
        assert parts(explorer("soup " * n_words, mask_prob=rate))[1].facts[2].value == said


class TestPanel:
    def test_the_same_seed_hides_the_same_words(self) -> None:
        assert parts(explorer())[0] == parts(explorer())[0]

    def test_leaves_the_global_generator_alone(self) -> None:
        before = torch.random.get_rng_state()
        explorer(rule="coins").again.click()
        assert torch.equal(before, torch.random.get_rng_state())

    @pytest.mark.parametrize("rule", ["count", "coins"])
    def test_show_code_hides_the_same_words(self, rule: str, capsys: pytest.CaptureFixture[str]) -> None:
        panel = MaskExplorer(load_corpus("toy"), " the dragon's cook talks to the girl beside the kettle . ")
        panel.rule.value, panel.mask_prob.value = rule, 0.40
        panel.again.click()
        assert panel.drawer.code.count("\n") < 12
        exec(panel.drawer.code, {})
        places = [place for place, token in enumerate(parts(panel)[0].tokens) if is_hidden(token)]
        assert json.loads(capsys.readouterr().out) == places

    def test_wants_a_corpus(self) -> None:
        with pytest.raises(ElectraEduError, match="load_corpus"):
            MaskExplorer("toy")  # type: ignore[arg-type]
