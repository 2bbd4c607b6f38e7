"""MaskedModel: the words it hides, the guesses it shows, and the language's own beside them."""

import json

import pytest
import torch
from page import send

import electra_edu as edu
from electra_edu.corpora.toy import exact_distribution
from electra_edu.plots.blocks import Facts, Row, Table, Text, Tokens
from electra_edu.plots.charts import BarChart
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.widgets.panels.masked_model import TOP, MaskedModel

KITCHEN = 5  # its position in the first held-out story: [CLS] the cook in the kitchen


@pytest.fixture(scope="module")
def run() -> TrainingRun:
    """Return a run that has learnt next to nothing: what is shown must hold all the same."""
    run = TrainingRun(edu.preset("toy", objective="bert"), edu.load_corpus("toy"), seed=0)
    run.advance(2)
    return run


def press(panel: MaskedModel, position: int) -> None:
    """Press a word of the story, as the page does; `position` counts [CLS], the view does not."""
    send(panel.view, {"action": "hide", "index": position - 1})


def parts(panel: MaskedModel) -> tuple[Tokens, Facts, BarChart, Table]:
    words, facts, pair = panel.blocks()
    assert isinstance(words, Tokens)
    assert isinstance(facts, Facts)
    assert isinstance(pair, Row)
    assert isinstance(pair.blocks[0], BarChart)
    assert isinstance(pair.blocks[1], Table)
    return words, facts, pair.blocks[0], pair.blocks[1]


def hidden_words(panel: MaskedModel) -> list[int]:
    words = panel.blocks()[0]
    assert isinstance(words, Tokens)
    return [i + 1 for i, token in enumerate(words.tokens) if token.text == "[MASK]"]


class TestHiding:
    def test_begins_with_one_word_hidden(self, run: TrainingRun) -> None:
        assert hidden_words(MaskedModel(run)) == [KITCHEN]

    def test_a_press_hides_a_word_and_a_second_shows_it(self, run: TrainingRun) -> None:
        panel = MaskedModel(run)
        press(panel, 2)
        assert hidden_words(panel) == [2, KITCHEN]
        words, facts, bars, table = parts(panel)
        assert [token.note for token in words.tokens if token.text == "[MASK]"] == ["1", "2"]
        assert facts.facts[0].value == "2 of 17"
        assert bars.title.startswith("Word 1:")  # asked about the one just hidden
        assert [row[0] for row in table.rows] == ["cook", "kitchen"]
        press(panel, 2)
        assert hidden_words(panel) == [KITCHEN]
        assert parts(panel)[2].title.startswith("Word 1:")

    def test_punctuation_specials_and_strange_messages_hide_nothing(self, run: TrainingRun) -> None:
        panel = MaskedModel(run)
        stop = run.corpus.tokenizer.token_to_id(".")
        places = (run.corpus.heldout[0] == stop).nonzero()[:, 0].tolist()
        for position in (*places, 0, -3, 20, 500):
            press(panel, position)
        send(panel.view, {"action": "show", "index": 1})
        assert hidden_words(panel) == [KITCHEN]

    def test_with_nothing_hidden_it_says_what_to_do(self, run: TrainingRun) -> None:
        panel = MaskedModel(run)
        panel.none.click()
        assert isinstance(panel.blocks()[1], Text)
        assert panel.drawer.code == ""
        press(panel, 2)
        assert hidden_words(panel) == [2]

    def test_the_next_story_begins_afresh_and_the_last_is_followed_by_the_first(self, run: TrainingRun) -> None:
        panel = MaskedModel(run)
        press(panel, 2)
        panel.next.click()
        assert panel.story == 1
        assert len(hidden_words(panel)) == 1
        panel.story = len(run.corpus.heldout) - 1
        panel.next.click()
        assert panel.story == 0


class TestGuesses:
    def test_are_the_networks_own_and_the_outlines_the_languages(self, run: TrainingRun) -> None:
        panel = MaskedModel(run)
        press(panel, 2)  # two gaps; asked about "cook"
        _, facts, bars, _ = parts(panel)
        tokens = run.corpus.heldout[0].clone()
        true = int(tokens[2])
        is_masked = torch.zeros(len(tokens), dtype=torch.bool)
        is_masked[[2, KITCHEN]] = True
        exact = exact_distribution(tokens, is_masked)[0]
        tokens[is_masked] = run.config.mask_token_id
        with torch.no_grad():
            guess = run.average.generator(tokens[None], tokens[None] != 0)[0, 2].softmax(-1)
        values, best = guess.topk(TOP)
        names = [run.corpus.tokenizer.id_to_token(i) for i in best.tolist()]
        assert list(bars.labels) == names
        assert bars.series[0].values == pytest.approx(values.tolist(), rel=1e-4)
        assert bars.series[1].values == pytest.approx(exact[best].tolist(), abs=1e-6)
        assert facts.facts[1].value == f"no. {guess.argsort(descending=True).tolist().index(true) + 1}"

    def test_rank_and_lit_bar_belong_to_the_true_word(self, run: TrainingRun) -> None:
        panel = MaskedModel(run)
        for _ in range(8):
            _, facts, bars, table = parts(panel)
            true = table.rows[0][0]
            assert f"“{true}”" in facts.facts[1].label
            rank = int(facts.facts[1].value.removeprefix("no. "))
            assert bars.highlighted == (rank - 1 if rank <= TOP else None)
            assert table.rows[0][1].startswith("✓" if rank == 1 else "✗")
            panel.next.click()

    def test_guessing_changes_neither_the_networks_nor_the_corpus(self, run: TrainingRun) -> None:
        before = {name: value.clone() for name, value in run.average.state_dict().items()}
        story = run.corpus.heldout[0].clone()
        panel = MaskedModel(run)
        press(panel, 2)
        assert run.step == 2
        assert all(torch.equal(value, before[name]) for name, value in run.average.state_dict().items())
        assert torch.equal(run.corpus.heldout[0], story)

    def test_show_code_prints_the_same_guesses(self, run: TrainingRun, capsys: pytest.CaptureFixture[str]) -> None:
        panel = MaskedModel(run)
        press(panel, 2)
        assert panel.drawer.code.count("\n") < 12
        exec(panel.drawer.code, {})
        printed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[-TOP:]]
        assert printed == list(parts(panel)[2].labels)

    def test_what_travels_to_the_page_is_json(self, run: TrainingRun) -> None:
        json.dumps(MaskedModel(run).view.blocks, allow_nan=False)


def test_wants_a_run_with_a_generator_that_learns() -> None:
    corpus = edu.load_corpus("toy")
    run = TrainingRun(edu.preset("toy", generator_kind="unigram"), corpus, seed=0)
    for wrong in (run, corpus, None):
        with pytest.raises(ElectraEduError, match="objective='bert'"):
            MaskedModel(wrong)  # type: ignore[arg-type]
