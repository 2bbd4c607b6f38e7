"""Stepper: seven stages against one pass of the library, and steps that move what they say and nothing else."""

import math
from typing import Any

import pytest
import torch
from small import rng, small_config, small_corpus, small_run, weights

from electra_edu.course.single_batch import SingleBatchTrainer
from electra_edu.model.electra import ElectraOutput
from electra_edu.plots.blocks import Code, Facts, Row, Table, Text, Tokens
from electra_edu.plots.charts import BarChart
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.widgets.panels.stepper import STAGES, Stepper


def trained(**changes: Any) -> TrainingRun:
    run = small_run(**changes)
    run.advance(20)
    return run


@pytest.fixture(scope="module")
def run() -> TrainingRun:
    return trained()


def expected(run: TrainingRun, seed: int = 0) -> ElectraOutput:
    """Pass the batch through the run's own networks in one call."""
    out: ElectraOutput = run.model(run.corpus.train[:16], rng=rng(seed))
    return out


def of_kind(panel: Stepper, kind: type) -> Any:
    """Return the last block of a kind."""
    return [block for block in panel.blocks() if isinstance(block, kind)][-1]


def names(run: TrainingRun, ids: Any) -> list[str]:
    return [run.corpus.tokenizer.id_to_token(int(i)) for i in ids]


def at(run: TrainingRun, stage: str) -> Stepper:
    panel = Stepper(run)
    panel.go(STAGES.index(stage))
    return panel


class TestStages:
    def test_mask(self, run: TrainingRun) -> None:
        out, story = expected(run), of_kind(at(run, "mask"), Tokens)
        for position, token in enumerate(story.tokens):
            true = names(run, run.corpus.train[0])[position]
            assert (token.text, token.note) == (("[MASK]", true) if out.is_masked[0, position] else (true, ""))
        assert len(story.tokens) == int(out.is_real[0].sum())

    def test_generator(self, run: TrainingRun) -> None:
        out, panel = expected(run), at(run, "generator")
        pair = of_kind(panel, Row)
        position = panel.trainer.masked_positions(0)[0]
        slot = panel.trainer.masking.positions[0].tolist().index(position)
        shares = out.mlm_logits[0, slot].detach().softmax(-1)
        best = shares.topk(4).indices
        assert list(pair.blocks[0].labels[:4]) == names(run, best)
        assert pair.blocks[0].series[0].values[:4] == pytest.approx(shares[best].tolist())
        true = int(run.corpus.train[0, position])
        assert pair.blocks[1].rows[0] == (
            names(run, [true])[0],
            f"{float(shares[true]):.1%}",
            f"{-math.log(float(shares[true])):.2f} nats",
        )

    def test_the_distribution_is_the_one_that_is_drawn_from(self) -> None:
        run = trained(temperature=2.0)
        trainer, out = SingleBatchTrainer(run), expected(run)
        for position, share in zip(trainer.masked_positions(0), trainer.probabilities(0), strict=True):
            slot = trainer.masking.positions[0].tolist().index(position)
            assert share.tolist() == pytest.approx((out.mlm_logits[0, slot].detach() / 2).softmax(-1).tolist())

    def test_the_drawn_word_is_always_among_the_bars(self, run: TrainingRun) -> None:
        panel, unlikely = at(run, "sample"), 0
        for _ in range(panel.trainer.batch_size):
            for position in panel.trainer.masked_positions(panel.story):
                panel.picked("select", position)
                bars = of_kind(panel, Row).blocks[0]
                read = names(run, [panel.trainer.out.corrupted[panel.story, position]])[0]
                assert len(bars.labels) == len(set(bars.labels)) == 5
                assert bars.labels[bars.highlighted] == read
                unlikely += bars.highlighted == 4
            panel.next.click()
        assert unlikely

    def test_sample_and_label(self, run: TrainingRun) -> None:
        out = expected(run)
        for stage in ("sample", "label"):
            story = of_kind(at(run, stage), Tokens).tokens
            assert [token.text for token in story] == names(run, out.corrupted[0][: len(story)])
        labels = [token.note for token in of_kind(at(run, "label"), Tokens).tokens]
        assert labels == [str(int(label)) for label in out.is_replaced[0][: len(labels)]]
        rows = of_kind(at(run, "sample"), Row).blocks[1].rows
        for position, (true, drawn, which) in zip(out.is_masked[0].nonzero().flatten().tolist(), rows, strict=True):
            assert (which == "another word") is bool(out.is_replaced[0, position]) is (true != drawn)

    def test_discriminator_and_losses(self, run: TrainingRun) -> None:
        out = expected(run)
        assert out.rtd_logits is not None
        chance = out.rtd_logits[0].detach().sigmoid()
        for position, token in enumerate(of_kind(at(run, "discriminator"), Tokens).tokens):
            assert token.note == f"{float(chance[position]):.0%}"
            assert token.level == pytest.approx(float(chance[position]))
        for position, token in enumerate(of_kind(at(run, "losses"), Tokens).tokens):
            p = float(chance[position])
            assert token.note == f"{-math.log(p if out.is_replaced[0, position] else 1 - p):.2f}"
        mlm, rtd = (float(loss) for loss in (out.mlm_loss.detach(), out.rtd_loss.detach()))  # type: ignore[union-attr]
        facts = of_kind(at(run, "losses"), Facts).facts
        assert [fact.value for fact in facts] == [f"{value:.3f}" for value in (mlm, rtd, 10 * rtd, mlm + 10 * rtd)]

    def test_gradients(self, run: TrainingRun) -> None:
        out, model = expected(run), run.model
        shared = list(model.discriminator.encoder.embeddings.parameters())
        flat = []
        for loss in (out.mlm_loss, 10.0 * out.rtd_loss):  # type: ignore[operator]
            found = torch.autograd.grad(loss, shared, retain_graph=True)
            flat.append(torch.cat([gradient.flatten() for gradient in found]))
        bars = of_kind(at(run, "gradients"), BarChart)
        mlm, rtd = (series.values for series in bars.series)
        assert bars.labels[1] == "shared weights"
        assert (mlm[1], rtd[1]) == pytest.approx((float(flat[0].norm()), float(flat[1].norm())), rel=1e-4)
        assert min(mlm[0], rtd[2]) > 0
        assert mlm[2] == rtd[0] == 0
        share, cosine, nothing = (fact.value for fact in of_kind(at(run, "gradients"), Facts).facts)
        assert share == f"{mlm[1] / (mlm[1] + rtd[1]):.0%}"
        angle = float(torch.cosine_similarity(flat[0], flat[1], dim=0))
        assert cosine == f"{angle:+.2f}".replace("-", "−")
        assert nothing == "0"

    def test_every_stage_has_its_line_of_code(self, run: TrainingRun) -> None:
        lines = {of_kind(at(run, stage), Code).code for stage in STAGES}
        assert len(lines) == 7

    def test_show_code_is_the_step(self, run: TrainingRun) -> None:
        import electra_edu as edu

        panel, found = Stepper(run), {"run": run, "torch": torch, "edu": edu}
        assert panel.drawer.code.count("\n") < 12
        exec(panel.drawer.code, found)
        out: Any = found["out"]
        assert torch.equal(out.corrupted, found["read"].tokens)  # type: ignore[attr-defined]
        torch.testing.assert_close(found["verdicts"], out.rtd_logits)
        assert all(weight.grad is None for weight in run.model.parameters())


class TestNavigation:
    def test_next_and_back_stop_at_the_ends(self, run: TrainingRun) -> None:
        panel = Stepper(run)
        assert panel.back.disabled
        for _ in range(9):
            panel.forth.click()
        assert (panel.stage, panel.forth.disabled) == (6, True)
        for _ in range(9):
            panel.back.click()
        assert panel.stage == 0

    def test_stages_and_gaps_are_picked(self, run: TrainingRun) -> None:
        panel = Stepper(run)
        panel.picked("stage", 1)
        assert panel.stage == 1
        last = panel.trainer.masked_positions(0)[-1]
        panel.picked("select", last)
        assert panel.selected == len(panel.trainer.masked_positions(0)) - 1
        assert of_kind(panel, Tokens).tokens[last].pressed
        for action, index in (("stage", 7), ("select", 0), ("stage", -1)):
            panel.picked(action, index)
        assert (panel.stage, panel.selected) == (1, len(panel.trainer.masked_positions(0)) - 1)

    def test_another_story_of_the_batch(self, run: TrainingRun) -> None:
        panel = Stepper(run)
        panel.next.click()
        words = [token.note or token.text for token in of_kind(panel, Tokens).tokens]
        assert words == names(run, run.corpus.train[1])[: len(words)]
        for _ in range(15):
            panel.next.click()
        assert panel.story == 0


class TestSteps:
    @pytest.mark.parametrize(
        ("which", "moved"),
        [
            ("generator", "generator's own, shared"),
            ("discriminator", "shared, discriminator's own"),
            ("both", "generator's own, shared, discriminator's own"),
        ],
    )
    def test_move_what_they_say(self, run: TrainingRun, which: Any, moved: str) -> None:
        panel = at(run, "gradients")
        model = panel.trainer.model
        own = {
            "generator's own": [model.generator.bias, model.generator.dense.weight],
            "shared": [model.discriminator.encoder.embeddings.token.weight],
            "discriminator's own": [model.discriminator.output.weight],
        }
        before = {name: [weight.detach().clone() for weight in some] for name, some in own.items()}
        panel.steps[which].click()
        really = [name for name, some in own.items() if not all(map(torch.equal, before[name], some))]
        assert ", ".join(really) == moved
        rows = of_kind(panel, Table).rows
        assert (rows[0][0], rows[1][3]) == ("before", moved)
        assert panel.stage == 0

    def test_lower_the_loss_they_are_taken_on(self, run: TrainingRun) -> None:
        for which, loss in (("generator", "mlm"), ("discriminator", "rtd")):
            trainer = SingleBatchTrainer(run)
            for _ in range(5):
                trainer.step(which)  # type: ignore[arg-type]
            assert getattr(trainer.steps[-1], loss) < getattr(trainer.initial, loss)

    @pytest.mark.parametrize("warmup_steps", [2, 100])
    def test_both_is_the_step_of_a_run(self, warmup_steps: int) -> None:
        # A run whose whole corpus is the batch, drawn with the same numbers
        run = trained(batch_size=16, optimizer="adamw", warmup_steps=warmup_steps)
        trainer = SingleBatchTrainer(run)
        run.batches.at = lambda _step: run.corpus.train[:16]  # type: ignore[method-assign]
        for _ in range(2):
            run.rng.manual_seed(0)
            run.advance(1)
            trainer.step("both")
            if warmup_steps > 2:  # its rate grows on, the trainer's stays
                break
        for mine, of_run in zip(weights(trainer.model), weights(run.model), strict=True):
            torch.testing.assert_close(mine, of_run)

    def test_a_step_changes_the_pulls(self, run: TrainingRun) -> None:
        trainer = SingleBatchTrainer(run)
        before = trainer.gradient_norms
        trainer.step("both")
        assert trainer.gradient_norms.mlm["shared"] != before.mlm["shared"]

    def test_dropout_does_not_blur_the_comparison(self) -> None:
        run = trained(dropout=0.2)
        assert SingleBatchTrainer(run).initial == SingleBatchTrainer(run).initial

    def test_the_run_stays_as_it_is(self, run: TrainingRun) -> None:
        before, state = weights(run.model), run.rng.get_state()
        momenta = [
            value.clone() for each in run.optimizers for value in each.state[each.param_groups[0]["params"][0]].values()
        ]
        panel = at(run, "gradients")
        for which in ("generator", "discriminator", "both"):
            panel.go(6)
            panel.steps[which].click()
        assert all(map(torch.equal, before, weights(run.model)))
        assert torch.equal(state, run.rng.get_state())
        after = [value for each in run.optimizers for value in each.state[each.param_groups[0]["params"][0]].values()]
        assert all(map(torch.equal, momenta, after))
        assert run.step == 20

    def test_buttons_wait_for_the_last_stage_and_start_over_forgets(self, run: TrainingRun) -> None:
        panel = Stepper(run)
        assert all(each.disabled for each in (*panel.steps.values(), panel.again))
        panel.go(6)
        assert not any(each.disabled for each in panel.steps.values())
        panel.steps["both"].click()
        assert not panel.again.disabled
        panel.again.click()
        assert panel.trainer.steps == []
        assert not any(isinstance(block, Table) for block in panel.blocks())

    def test_the_table_keeps_the_last_steps(self, run: TrainingRun) -> None:
        panel = Stepper(run)
        for _ in range(6):
            panel.step("generator")
        assert [row[0] for row in of_kind(panel, Table).rows] == ["generator only"] * 4
        assert isinstance(panel.blocks()[-1], Text)


class TestOtherModels:
    def test_nothing_shared(self) -> None:
        panel = at(trained(weight_sharing="none"), "gradients")
        mlm, rtd = (series.values for series in of_kind(panel, BarChart).series)
        assert (mlm[1], rtd[1]) == (0, 0)
        assert [fact.value for fact in of_kind(panel, Facts).facts][:2] == ["–", "–"]
        panel.steps["generator"].click()
        assert of_kind(panel, Table).rows[1][1:] == (*of_kind(panel, Table).rows[1][1:3], "generator's own")

    @pytest.mark.parametrize("changes", [{"dropout": 0.2}, {"mask_token_prob": 0.5}, {"optimizer": "paper-adam"}])
    def test_every_stage_can_be_shown(self, changes: dict[str, Any]) -> None:
        panel = Stepper(trained(**changes))
        for stage in range(7):
            panel.go(stage)
            assert not any(isinstance(block, Text) and block.color == "stop" for block in panel.blocks())
        panel.step("both")

    @pytest.mark.parametrize("wrong", ["run", None])
    def test_wants_a_run(self, wrong: Any) -> None:
        with pytest.raises(ElectraEduError, match="TrainingRun"):
            Stepper(wrong)

    @pytest.mark.parametrize("changes", [{"objective": "bert"}, {"generator_kind": "uniform"}])
    def test_wants_a_learned_pair(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ElectraEduError, match="learned generator and a discriminator"):
            Stepper(TrainingRun(small_config(**changes), small_corpus(), device="cpu"))
