"""LabelExplorer: labels, losses and what they add up to, against a pass made anew and against logarithms by hand."""

import copy
import math
import re
from typing import Any

import pytest
import torch
from small import PAD, small_run

import electra_edu as edu
from electra_edu.plots.blocks import Facts, Row, Table, Tokens
from electra_edu.plots.charts import BarChart
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.widgets.panels.label_explorer import CASES, LabelExplorer


@pytest.fixture(scope="module")
def run() -> TrainingRun:
    """Return a run whose generator guesses right now and then."""
    run = small_run(mask_token_prob=0.85, rtd_weight=1.0)
    run.advance(60)
    return run


def explorer(run: TrainingRun, **knobs: Any) -> LabelExplorer:
    panel = LabelExplorer(run)
    for name, value in knobs.items():
        getattr(panel, name).value = value
    return panel


def parts(panel: LabelExplorer) -> tuple[Tokens, Facts, Table, BarChart]:
    story, facts, pair = panel.blocks()
    assert isinstance(story, Tokens)
    assert isinstance(facts, Facts)
    assert isinstance(pair, Row)
    assert isinstance(pair.blocks[0], Table)
    assert isinstance(pair.blocks[1], BarChart)
    return story, facts, pair.blocks[0], pair.blocks[1]


def passed(panel: LabelExplorer, run: TrainingRun) -> Any:
    """Pass the panel's story through the networks as a lesson would."""
    model = copy.copy(run.average)
    model.config = run.config.replace(mask_prob=panel.mask_prob.value, mask_token_prob=1 - panel.left_visible.value)
    with torch.no_grad():
        return model(run.corpus.heldout[panel.story : panel.story + 1], rng=torch.Generator().manual_seed(panel.seed))


def draws(panel: LabelExplorer, times: int) -> list[tuple[Tokens, Facts, Table, BarChart]]:
    made = []
    for _ in range(times):
        panel.again.click()
        made.append(parts(panel))
    return made


class TestStory:
    def test_labels_and_losses_are_those_of_the_library(self, run: TrainingRun) -> None:
        panel = explorer(run, mask_prob=0.5)
        for _ in range(10):
            panel.again.click()
            out, tokens = passed(panel, run), parts(panel)[0].tokens
            for position, token in enumerate(tokens):
                assert token.text == run.corpus.tokenizer.id_to_token(int(out.corrupted[0, position]))
                if out.is_real[0, position]:
                    p = 1 / (1 + math.exp(-float(out.rtd_logits[0, position])))
                    label = int(out.is_replaced[0, position])
                    assert token.note == f"{label} · {-math.log(p if label else 1 - p):.2f}"

    def test_every_case_has_its_sign(self, run: TrainingRun) -> None:
        seen = set()
        panel = explorer(run, mask_prob=0.5, left_visible=0.5)
        for _ in range(60):
            panel.again.click()
            out = passed(panel, run)
            original = run.corpus.heldout[panel.story]
            for position, token in enumerate(parts(panel)[0].tokens):
                is_replaced = bool(out.corrupted[0, position] != original[position])
                seen.add(token.sign)
                if original[position] == PAD:
                    assert (token.sign, token.note, token.level) == ("–", "–", None)
                    continue
                assert ("●" in token.sign) is is_replaced is (token.note[0] == "1")
                assert (token.color == "discriminator") is is_replaced
                assert bool(out.is_masked[0, position]) is (token.sign != "")
        assert seen == {"", "=", "=●", "○", "●", "–"}

    def test_with_nothing_left_visible_no_word_says_so(self, run: TrainingRun) -> None:
        assert not any(
            "=" in token.sign for story, *_ in draws(explorer(run, left_visible=0.0), 20) for token in story.tokens
        )

    def test_it_begins_with_a_story_that_has_padding(self, run: TrainingRun) -> None:
        assert (run.corpus.heldout[LabelExplorer(run).story] == PAD).sum() >= 2
        panel = explorer(run)
        before = panel.story
        panel.next.click()
        assert panel.story == before + 1


class TestSums:
    def test_mean_sum_and_mean_with_padding(self, run: TrainingRun) -> None:
        panel = explorer(run)
        out, facts = passed(panel, run), parts(panel)[1].facts
        y = out.is_replaced.double()
        p = out.rtd_logits.double().sigmoid()
        losses = -(y * p.log() + (1 - y) * (1 - p).log())
        n = int(out.is_real.sum())
        assert [fact.value for fact in facts] == [
            f"{float(losses[out.is_real].sum()) / n:.3f}",
            f"{float(losses[out.is_real].sum()):.2f}",
            f"{float(losses.mean()):.3f}",
        ]
        assert facts[0].value == f"{float(out.rtd_loss):.3f}"
        assert str(n) in facts[0].label

    def test_a_story_without_padding_says_nothing_of_it(self, run: TrainingRun) -> None:
        panel = explorer(run)
        panel.story = int(((run.corpus.heldout == PAD).sum(-1)).argmin())
        full = int((run.corpus.heldout[panel.story] == PAD).sum())
        assert len(parts(panel)[1].facts) == (3 if full else 2)

    def test_what_each_case_weighs(self, run: TrainingRun) -> None:
        bars = parts(explorer(run, mask_prob=0.3))[3]
        assert bars.labels == CASES
        for series in bars.series:
            assert sum(series.values) == pytest.approx(1.0)
        tokens, losses = (series.values for series in bars.series)
        assert tokens[0] > 0.5
        assert losses[3] > tokens[3]
        assert parts(explorer(run, left_visible=0.0))[3].series[0].values[1] == 0


class TestWay:
    def test_of_a_replaced_token(self, run: TrainingRun) -> None:
        panel = explorer(run, mask_prob=0.5, left_visible=0.0)
        position, out = panel.selected, passed(panel, run)
        assert out.is_replaced[0, position]
        rows = dict(parts(panel)[2].rows)
        name = run.corpus.tokenizer.id_to_token
        p = float(out.rtd_logits[0, position].sigmoid())
        assert rows["1  the true token"] == name(int(run.corpus.heldout[panel.story, position]))
        assert rows["2  the generator reads"] == "[MASK]"
        assert rows["3  it draws"] == name(int(out.corrupted[0, position]))
        assert rows["4  label y"] == "1: replaced"
        assert rows["6  σ(D) = P(replaced)"] == f"{p:.1%}"
        assert rows["    the paper's D = P(original)"] == f"{1 - p:.1%}"
        assert rows[f"7  loss = −ln {p:.3f}"] == f"{-math.log(p):.3f} nats"

    def test_of_an_untouched_token_and_of_padding(self, run: TrainingRun) -> None:
        panel = explorer(run)
        panel.picked("select", 0)
        rows = dict(parts(panel)[2].rows)
        assert rows["2  the generator reads"] == rows["1  the true token"] == "[CLS]"
        assert rows["3  it draws"] == "nothing here"
        assert rows["4  label y"] == "0: original"
        p = 1 - float(passed(panel, run).rtd_logits[0, 0].sigmoid())
        assert f"7  loss = −ln {p:.3f}" in rows
        panel.picked("select", run.corpus.max_seq_length - 1)
        assert dict(parts(panel)[2].rows)["no label, no loss"] == "padding is no text"

    def test_what_is_picked_is_pressed_and_stays_until_other_words_are_drawn(self, run: TrainingRun) -> None:
        panel = explorer(run)
        panel.picked("select", 2)
        assert [token.pressed for token in parts(panel)[0].tokens].index(True) == 2
        for action, index in (("select", -1), ("select", 99), ("other", 3)):
            panel.picked(action, index)
        assert panel.selected == 2
        panel.again.click()
        assert passed(panel, run).is_masked[0, panel.selected]


class TestPanel:
    def test_the_run_stays_as_it_is(self, run: TrainingRun) -> None:
        config = run.average.config
        explorer(run, mask_prob=0.5).again.click()
        assert run.average.config == config
        assert run.step == 60

    def test_sees_a_run_that_went_on(self) -> None:
        run = small_run()
        panel = explorer(run)
        before = parts(panel)[1].facts[0].value, parts(panel)[3].series[1].values
        run.advance(20)
        assert parts(panel)[1].facts[0].value != before[0]
        assert parts(panel)[3].series[1].values != before[1]

    def test_show_code_gives_the_same_loss(self, run: TrainingRun, capsys: pytest.CaptureFixture[str]) -> None:
        panel = explorer(run, mask_prob=0.4)
        panel.again.click()
        assert panel.drawer.code.count("\n") < 12
        exec(panel.drawer.code, {"run": run, "torch": torch})
        values = [float(each) for each in re.findall(r"[0-9.]+", capsys.readouterr().out)]
        assert values == pytest.approx([float(parts(panel)[1].facts[0].value)] * 2, abs=6e-4)
        assert run.average.config.mask_prob == run.config.mask_prob

    @pytest.mark.parametrize("wrong", ["run", None])
    def test_wants_a_run(self, wrong: Any) -> None:
        with pytest.raises(ElectraEduError, match="TrainingRun"):
            LabelExplorer(wrong)

    def test_wants_a_discriminator(self) -> None:
        with pytest.raises(ElectraEduError, match="discriminator"):
            LabelExplorer(small_run(objective="bert"))

    def test_its_name_is_public(self) -> None:
        assert edu.widgets.LabelExplorer is LabelExplorer
