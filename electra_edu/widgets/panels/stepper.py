"""Stepper: one training step of ELECTRA, taken apart into seven stages."""

import math
from collections.abc import Callable
from functools import partial

from electra_edu.config.objectives import Trained
from electra_edu.course.single_batch import SingleBatchTrainer
from electra_edu.course.vocabulary import token_names
from electra_edu.model.losses import replaced_token_losses
from electra_edu.plots.blocks import Block, Code, Fact, Facts, Row, Table, Text, Token, Tokens
from electra_edu.plots.charts import BarChart, Color, Series
from electra_edu.support import arguments
from electra_edu.training import TrainingRun
from electra_edu.widgets.parts.instrument import Instrument, require_run
from electra_edu.widgets.parts.knobs import Button

STEPS: dict[Trained, tuple[str, str]] = {  # the buttons that take one: (their name, the loss)
    "generator": ("generator only", "the MLM loss"),
    "discriminator": ("discriminator only", "λ · RTD loss"),
    "both": ("both", "the sum"),
}
STAGES = ("mask", "generator", "sample", "label", "discriminator", "losses", "gradients")
TOP = 5
SHOWN_STEPS = 4  # of the steps taken, in the table
FULL_BAR = 3.0  # nats

ABOUT = (
    "Some words are hidden behind [MASK]: the generator must not see what it has to guess.",
    "In each gap the generator gives every word of the vocabulary a probability. Click a gap.",
    "One word is drawn from each distribution. A drawn word is a number, an id: no gradient passes through it.",
    "A token has the label 1, “replaced”, exactly where it differs from the true one.",
    "The discriminator reads the filled-in text and gives every token a probability, ever hidden or not.",
    "Two losses, both means over the whole batch: one over the gaps, one over all real tokens.",
    "Backwards: how large is each loss's gradient on which weights? Now take a step, on one loss or on both.",
)
BELOW = (
    "What the generator reads; below each gap the true word",
    "What the generator reads; below each gap the true word",
    "The drawn words; below each the true one",
    "What the discriminator reads; below each token its label",
    "Below each token the probability that it was replaced",
    "Below each token its RTD loss in nats",
)
CODE = (
    "masking = edu.masking.mask(tokens, config, rng)",
    "logits = model.generator(masking.tokens, is_real, positions=masking.positions)  # (B, K, V)",
    "samples = edu.generator.sample(logits, config.temperature, rng)  # (B, K)",
    "read = edu.masking.corrupt(tokens, masking, samples)  # read.tokens, read.is_replaced: (B, T)",
    "verdicts = model.discriminator(read.tokens, is_real)  # logits (B, T)",
    "loss = mlm_loss + config.rtd_weight * rtd_loss",
    "mlm_loss.backward(); (config.rtd_weight * rtd_loss).backward(); optimizer.step()",
)


class Stepper(Instrument):
    """Mask → generator → sample → label → discriminator → losses → gradients, on one small batch; then a real step.

    It works on copies of the networks and optimisers of `run`, which stays as it is. `stage` counts from 0, and so does
    `selected`, the masked word of the `story` whose distribution is shown.
    """

    def __init__(self, run: TrainingRun, seed: int = 0) -> None:
        """Copy the networks of `run`; raises ElectraEduError where they are not a learned pair."""
        require_run(run)
        self.run, self.trainer = run, SingleBatchTrainer(run, arguments.seed("seed", seed))
        self._run_step = run.step  # when it was copied
        self._trained: list[Trained] = []  # by the steps taken here
        self.stage, self.story, self.selected = 0, 0, 0
        self._names = token_names(run.corpus)
        self.back = Button("◀ Back", "The stage before", lambda: self._select(self.stage - 1))
        self.forth = Button("Next ▶", "The stage after", lambda: self._select(self.stage + 1), "primary")
        self.next = Button("Next story", "Show another story of the batch", self._next_story)
        self.steps = {
            trained: Button(f"Step {name}", f"One optimiser step on {loss}", partial(self._step, trained))
            for trained, (name, loss) in STEPS.items()
        }
        self.again = Button("Start over", "Forget the steps taken here", self._start_over)
        super().__init__(
            "One step, stage by stage",
            [[self.back, self.forth, self.next], [*self.steps.values(), self.again]],
        )

    def blocks(self) -> list[Block]:
        """Return the row of stages, the line of code of this one, and what there is to see at it."""
        stage, is_last = self.stage, self.stage == len(STAGES) - 1
        self.back.disabled, self.forth.disabled = stage == 0, is_last
        for each in self.steps.values():
            each.disabled = not is_last
        self.again.disabled = not self.trainer.steps
        row = Tokens(
            tuple(
                Token(name, sign=str(i + 1), about=f"stage {i + 1} of {len(STAGES)}", pressed=i == stage)
                for i, name in enumerate(STAGES)
            ),
            pick="stage",
        )
        shows: tuple[Callable[[], list[Block]], ...] = (
            self._steps_taken, self._guesses, self._samples, list, list, self._losses, self._gradient_norms
        )  # fmt: skip
        story = [] if is_last else [self._story()]
        return [row, Text(ABOUT[stage]), Code(CODE[stage]), *story, *shows[stage]()]

    def code(self) -> list[str]:
        """Return the whole step in public calls, after the steps that were taken here."""
        seed = self.trainer.seed
        taken = [f"for trained in {self._trained!r}: trainer.step(trained)"] if self._trained else []
        return [
            "import torch, electra_edu as edu, electra_edu.course.single_batch as single",
            f"trainer = single.SingleBatchTrainer(run, seed={seed})  # copies the run at step {self._run_step}",
            *taken,
            "model, config, tokens = trainer.model, trainer.model.config, trainer.tokens",
            f"is_real, rng = tokens != config.pad_token_id, torch.Generator(run.device).manual_seed({seed})",
            *CODE[:5],
            f"out = model(tokens, rng=torch.Generator(run.device).manual_seed({seed}))  # all of this in one call",
            "(out.mlm_loss + config.rtd_weight * out.rtd_loss).backward()",
        ]

    def picked(self, action: str, index: int) -> None:
        """Go to the stage that was clicked, or show the distribution for another masked word."""
        positions = self.trainer.masked_positions(self.story)
        if action == "stage" and 0 <= index < len(STAGES):
            self.stage = index
        elif action == "select" and index in positions:
            self.selected = positions.index(index)

    def go(self, stage: int) -> None:
        """Show a stage, counted from 0; before the first and after the last there is none."""
        self._select(stage)
        self.refresh()

    def step(self, trained: Trained) -> None:
        """Take one optimiser step on the batch, and begin again with the same words hidden."""
        self._step(trained)
        self.refresh()

    def _select(self, stage: int) -> None:
        self.stage = min(max(stage, 0), len(STAGES) - 1)

    def _step(self, trained: Trained) -> None:
        self.trainer.step(trained)
        self._trained.append(trained)
        self.stage = 0

    def _next_story(self) -> None:
        self.story, self.selected = (self.story + 1) % self.trainer.batch_size, 0

    def _start_over(self) -> None:
        self.trainer, self._run_step, self._trained = SingleBatchTrainer(self.run, self.trainer.seed), self.run.step, []
        self.stage = 0

    def _story(self) -> Tokens:
        """Return one of the batch's stories as it stands at this stage."""
        trainer, made = self.trainer, []
        out, masked = trainer.out, trainer.masked_positions(self.story)
        assert out.rtd_logits is not None
        losses = replaced_token_losses(out.rtd_logits, out.is_replaced)[self.story].detach()
        replaced = out.rtd_logits[self.story].detach().sigmoid()
        name = STAGES[self.stage]
        for position in range(int(out.is_real[self.story].sum())):
            true, hidden, read = (
                self._names[int(tokens[self.story, position])]
                for tokens in (trainer.tokens, trainer.masking.tokens, out.corrupted)
            )
            is_masked, label = position in masked, int(out.is_replaced[self.story, position])
            if name in ("mask", "generator", "sample"):
                if is_masked:
                    selected = name != "mask" and masked.index(position) == self.selected
                    text = read if name == "sample" else hidden
                    made.append(Token(text, true, "", "generator", None, f"hides “{true}”", selected))
                else:
                    made.append(Token(true, is_plain=True))
                continue
            color, sign = (("discriminator", "●") if label else ("generator", "○")) if is_masked else ("ink", "")
            shown: dict[str, tuple[str, float | None]] = {
                "label": (str(label), None),
                "discriminator": (f"{float(replaced[position]):.0%}", float(replaced[position])),
                "losses": (f"{float(losses[position]):.2f}", min(1.0, float(losses[position]) / FULL_BAR)),
            }
            note, level = shown[name]
            made.append(Token(read, note, sign, color, level, f"label {label}"))  # type: ignore[arg-type]
        key: tuple[tuple[Color, str, str], ...] = ()
        if self.stage > 2:
            key = (("discriminator", "●", "replaced: label 1"), ("generator", "○", "a lucky guess: label 0"))
        title = f"{BELOW[self.stage]} (story {self.story + 1} of the batch of {trainer.batch_size})"
        return Tokens(tuple(made), title, "select" if name in ("generator", "sample") else "", key)

    def _guesses(self) -> list[Block]:
        """Return the likeliest words for the selected position, and the loss at each masked one."""
        rows = [
            (self._names[true], f"{chance:.1%}", f"{-math.log(chance):.2f} nats")
            for true, _, chance in self._masked_words()
        ]
        table = Table(("true word", "its probability", "loss, −ln of it"), tuple(rows), "All gaps of this story")
        return [Row((self._bars(drawn=False), table))]

    def _samples(self) -> list[Block]:
        """Return the distribution that was drawn from, and the outcome for each masked word."""
        rows = [
            (self._names[true], self._names[read], "the true word again" if true == read else "another word")
            for true, read, _ in self._masked_words()
        ]
        return [
            Row((self._bars(drawn=True), Table(("true word", "drawn", "which is"), tuple(rows), "One draw for each")))
        ]

    def _masked_words(self) -> list[tuple[int, int, float]]:
        """Return the true word, the drawn word and the true one's probability for each masked word of the story."""
        shares, trainer = self.trainer.probabilities(self.story), self.trainer
        return [
            (
                true := int(trainer.tokens[self.story, position]),
                int(trainer.out.corrupted[self.story, position]),
                float(share[true]),
            )
            for share, position in zip(shares, trainer.masked_positions(self.story), strict=True)
        ]

    def _bars(self, drawn: bool) -> BarChart:
        shares = self.trainer.probabilities(self.story)[self.selected]
        true, read, _ = self._masked_words()[self.selected]
        best = shares.topk(TOP).indices.tolist()
        highlighted = read if drawn else true
        if highlighted not in best:
            best = [*best[:-1], highlighted]
        title = f"Drawn from: “{self._names[read]}” came out" if drawn else f"The gap of “{self._names[true]}”"
        series = Series("probability", tuple(shares[best].tolist()), "generator")
        return BarChart(
            title,
            tuple(self._names[word] for word in best),
            (series,),
            "probability",
            1.0,
            best.index(highlighted),
            True,
        )

    def _losses(self) -> list[Block]:
        out, weight = self.trainer.out, self.trainer.model.config.rtd_weight
        now = self.trainer.steps[-1] if self.trainer.steps else self.trainer.initial
        mlm, rtd = now.mlm, now.rtd
        facts = Facts(
            (
                Fact(f"{mlm:.3f}", f"MLM loss: mean over {int(out.mlm_used.sum())} gaps of the batch", "generator"),
                Fact(f"{rtd:.3f}", f"RTD loss: mean over {int(out.is_real.sum())} real tokens", "discriminator"),
                Fact(f"{weight * rtd:.3f}", f"λ · RTD loss, λ = {weight:g}", "discriminator"),
                Fact(f"{mlm + weight * rtd:.3f}", "their sum: what is minimised"),
            )
        )
        return [facts]

    def _gradient_norms(self) -> list[Block]:
        norms = self.trainer.gradient_norms
        bars = BarChart(
            "Norms of the two gradients",
            tuple(f"{name} weights" for name in norms.mlm),
            (
                Series("MLM loss", tuple(norms.mlm.values()), "generator"),
                Series("λ · RTD loss", tuple(norms.rtd.values()), "discriminator", True),
            ),
            "norm of the gradient",
        )
        on_generator = norms.rtd["generator's own"]
        total = norms.mlm["shared"] + norms.rtd["shared"]
        share = f"{norms.mlm['shared'] / total:.0%}" if total else "–"
        cosine = "–" if math.isnan(norms.cosine) else f"{norms.cosine:+.2f}".replace("-", "−")
        facts = Facts(
            (
                Fact(share, "of the gradient on the shared weights is MLM's", "generator"),
                Fact(cosine, "cosine: 1 same direction, 0 unrelated, −1 opposite"),
                Fact(f"{on_generator:g}", "gradient of the RTD loss on the generator's own weights"),
            )
        )
        return [bars, facts]

    def _steps_taken(self) -> list[Block]:
        """Return the losses after the steps taken so far, the newest last."""
        trainer = self.trainer
        if not trainer.steps:
            return []
        rows = [
            (each.name, f"{each.mlm:.4f}", f"{each.rtd:.4f}", each.moved)
            for each in [trainer.initial, *trainer.steps][-SHOWN_STEPS:]
        ]
        return [
            Table(("step", "MLM loss", "RTD loss", "weights that moved"), tuple(rows), "The same batch, step by step"),
            Text(
                "The same words are hidden again, with the same random numbers. A loss that was not trained on moves "
                "too: through the shared table, whose optimiser also keeps its momentum, and through other fakes.",
                "neutral",
            ),
        ]
