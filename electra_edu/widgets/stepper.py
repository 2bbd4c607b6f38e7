"""Stepper: one story through all seven stages of a joint training step, one stage at a time."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from electra_edu.course.hunt import token_names
from electra_edu.course.pulls import pulls
from electra_edu.errors import ElectraEduError
from electra_edu.generator import Generator, sample
from electra_edu.losses import masked_lm_loss, replaced_token_loss, replaced_token_losses
from electra_edu.masking import Corruption, Masking, corrupt, mask
from electra_edu.objectives import Trained
from electra_edu.plots.blocks import Bars, Block, Code, Fact, Facts, Pair, Series, Table, Text, Token, Tokens
from electra_edu.training import TrainingRun
from electra_edu.widgets.instrument import Instrument, button

STAGES = ("mask", "generator", "sample", "label", "discriminator", "losses", "gradients")
TOP = 4


@dataclass(frozen=True, eq=False)
class _Step:
    """Everything one pass of one story makes, with gradients still attached."""

    tokens: Tensor  # (1, T)
    is_real: Tensor  # (1, T)
    masking: Masking
    logits: Tensor  # (1, K, V)
    samples: Tensor  # (1, K)
    corruption: Corruption
    verdicts: Tensor  # (1, T)
    mlm_loss: Tensor
    rtd_loss: Tensor


class Stepper(Instrument):
    """A story on its way through mask, generator, sample, label, discriminator, losses and gradients.

    The last stage offers a training step: of the generator, of the discriminator, or of both. `stage` counts from 0.
    """

    def __init__(self, run: TrainingRun) -> None:
        """Step through `run`; its weights change when a training step is taken.

        Raises ElectraEduError where it has not both networks.
        """
        if not isinstance(run, TrainingRun) or not isinstance(run.model.generator, Generator):
            raise ElectraEduError(
                "run: must be a TrainingRun with a learned generator, for example of edu.preset('toy')."
            )
        _ = run.model.discriminator  # raises where there is none
        self.run, self.story, self.stage = run, 0, 0
        self._names = token_names(run.corpus)
        self._news = ""
        self.back = button("◀ Back", "The stage before", lambda: self.go(self.stage - 1))
        self.forward = button("Next ▶", "The stage after", lambda: self.go(self.stage + 1), "primary")
        self.next = button("Next story", "Take another story", self._next_story)
        self.step_generator = button(
            "Step generator", "One training step of the generator", lambda: self.step("generator")
        )
        self.step_discriminator = button(
            "Step discriminator", "One training step of the discriminator", lambda: self.step("discriminator")
        )
        self.step_both = button("Step both", "One training step of both networks", lambda: self.step("both"))
        train = [self.step_generator, self.step_discriminator, self.step_both]
        super().__init__("One step of joint training, in seven stages", [[self.back, self.forward, self.next, *train]])

    def go(self, stage: int) -> None:
        """Show a stage; beyond either end it stays where it is."""
        self.stage = min(max(stage, 0), len(STAGES) - 1)
        self.refresh()

    def step(self, trained: Trained) -> None:
        """Take one training step of the run, and begin again with the same story, words and draws."""
        before = self._pass()
        self.run.advance(1, trained)
        after = self._pass()
        parts = (("MLM", before.mlm_loss, after.mlm_loss), ("RTD", before.rtd_loss, after.rtd_loss))
        moved = ", ".join(f"{name} loss {old.item():.3f} → {new.item():.3f}" for name, old, new in parts)
        who = "both networks" if trained == "both" else f"the {trained} alone"
        self._news = f"Step {self.run.step}, {who}: on this story {moved} nats."
        self.go(0)

    def picked(self, action: str, index: int) -> None:
        """Go to the stage that was clicked."""
        if action == "stage":
            self.stage = min(max(index, 0), len(STAGES) - 1)

    def blocks(self) -> list[Block]:
        """Return the row of stages and what the present one makes."""
        row = Tokens(
            tuple(
                Token(name, sign=str(i), about=f"stage {i}", pressed=i - 1 == self.stage)
                for i, name in enumerate(STAGES, start=1)
            ),
            pick="stage",
        )
        shows: tuple[Callable[[_Step], list[Block]], ...] = (
            self._mask, self._generator, self._sample, self._label, self._discriminator, self._losses, self._gradients
        )  # fmt: skip
        news: list[Block] = [Text(self._news, "probe")] if self._news else []
        return [row, *news, *shows[self.stage](self._pass())]

    def code(self) -> str:
        """Return the whole step with the library's parts."""
        return "\n".join(
            [
                "model, config, rng = run.model, run.config, torch.Generator().manual_seed(0)",
                f"tokens = run.corpus.heldout[{self.story} : {self.story + 1}]",
                "is_real = tokens != 0",
                "masking = edu.masking.mask(tokens, config, rng, is_real)",
                "logits = model.generator(masking.tokens, is_real, positions=masking.positions)",
                "samples = edu.generator.sample(logits, config.temperature, rng)",
                "corruption = edu.masking.corrupt(tokens, masking, samples)",
                "verdicts = model.discriminator(corruption.tokens, is_real)",
                "print(corruption.is_replaced, verdicts.sigmoid())",
            ]
        )

    def _pass(self) -> _Step:
        """Do the step's forward half with the library's parts; the same story and seed give the same draws."""
        run, model = self.run, self.run.model
        rng = torch.Generator(run.device).manual_seed(0)
        tokens = run.corpus.heldout[self.story : self.story + 1].to(run.device)
        is_real = tokens != run.config.pad_token_id
        masking = mask(tokens, run.config, rng, is_real)
        logits = model.generator(masking.tokens, is_real, positions=masking.positions)
        samples = sample(logits.detach(), run.config.temperature, rng)
        corruption = corrupt(tokens, masking, samples)
        verdicts = model.discriminator(corruption.tokens, is_real)
        mlm_loss = masked_lm_loss(logits, tokens.gather(-1, masking.positions), masking.used)
        rtd_loss = replaced_token_loss(verdicts, corruption.is_replaced, is_real)
        return _Step(tokens, is_real, masking, logits, samples, corruption, verdicts, mlm_loss, rtd_loss)

    def _mask(self, step: _Step) -> list[Block]:
        made = [
            Token("[MASK]", self._name(step.tokens, i), "", "generator")
            if step.masking.is_masked[0, i]
            else self._plain(step, i)
            for i in self._places(step)
        ]
        hidden = int(step.masking.is_masked.sum())
        return [
            Code("masking = edu.masking.mask(tokens, config, rng, is_real)"),
            Tokens(tuple(made), "What the generator will read; below each [MASK] what it hides"),
            Text(
                f"{hidden} words are hidden, {self.run.config.mask_prob:.0%} of them. [CLS], [SEP] and [PAD] never are."
            ),
        ]

    def _generator(self, step: _Step) -> list[Block]:
        bars: list[Bars] = []
        for slot in self._slots(step)[:2]:
            place = int(step.masking.positions[0, slot])
            shares = step.logits[0, slot].detach().softmax(-1)
            best = shares.topk(TOP).indices.tolist()
            true = int(step.tokens[0, place])
            bars.append(
                Bars(
                    f"For the gap of “{self._names[true]}”",
                    tuple(self._names[i] for i in best),
                    (Series("probability", tuple(shares[best].tolist()), "generator"),),
                    "probability",
                    1.0,
                    best.index(true) if true in best else None,
                    True,
                )
            )
        shown: list[Block] = [Pair(bars[0], bars[1])] if len(bars) > 1 else list(bars)
        code = Code("logits = model.generator(masking.tokens, is_real, positions=masking.positions)")
        about = Text(f"One distribution over {len(self._names)} words for each gap. The likeliest {TOP} are shown.")
        return [code, *shown, about]

    def _sample(self, step: _Step) -> list[Block]:
        rows = []
        for slot in self._slots(step):
            shares = step.logits[0, slot].detach().softmax(-1)
            true, drawn = int(step.tokens[0, step.masking.positions[0, slot]]), int(step.samples[0, slot])
            rows.append((self._names[true], self._names[drawn], f"{shares[drawn]:.1%}", f"{shares[true]:.1%}"))
        head = ("true word", "drawn word", "its probability", "the true one's")
        return [
            Code("samples = edu.generator.sample(logits, config.temperature, rng)"),
            Table(head, tuple(rows), "One draw for each gap"),
            Text(
                "A drawn word is a number, an id. No gradient passes through it: here the two networks are cut apart."
            ),
        ]

    def _label(self, step: _Step) -> list[Block]:
        return [
            Code("corruption = edu.masking.corrupt(tokens, masking, samples)"),
            Tokens(self._labelled(step), "What the discriminator will read, and its labels (1 = replaced)"),
            Text("The label compares the word with the true one. A lucky guess (○) keeps the label 0."),
        ]

    def _discriminator(self, step: _Step) -> list[Block]:
        chance = step.verdicts[0].detach().sigmoid()
        made = []
        for i, token in zip(self._places(step), self._labelled(step), strict=True):
            level = float(chance[i])
            made.append(Token(token.text, f"{level:.0%}", token.sign, token.tone, level, f"label {token.note}"))
        return [
            Code("verdicts = model.discriminator(corruption.tokens, is_real)"),
            Tokens(
                tuple(made), "The probability that each word was replaced", key=(("discriminator", "●", "is replaced"),)
            ),
            Text("One logit per word, for all words: those that were never hidden are judged as well."),
        ]

    def _losses(self, step: _Step) -> list[Block]:
        weight = self.run.config.rtd_weight
        words, found = step.mlm_loss.item(), step.rtd_loss.item()
        losses = replaced_token_losses(step.verdicts.detach(), step.corruption.is_replaced)[0]
        most = max(float(losses.max()), 1e-9)
        made = [
            Token(token.text, f"{float(losses[i]):.2f}", token.sign, token.tone, float(losses[i]) / most)
            for i, token in zip(self._places(step), self._labelled(step), strict=True)
        ]
        return [
            Code("loss = mlm_loss + config.rtd_weight * rtd_loss"),
            Facts(
                (
                    Fact(
                        f"{words:.3f} nats", f"MLM loss: mean over {len(self._slots(step))} hidden words", "generator"
                    ),
                    Fact(f"{found:.3f} nats", f"RTD loss: mean over {int(step.is_real.sum())} tokens", "discriminator"),
                    Fact(f"{weight * found:.2f}", f"λ · RTD loss, with λ = {weight:g}", "discriminator"),
                    Fact(f"{words + weight * found:.2f}", "the sum that is minimised"),
                )
            ),
            Tokens(tuple(made), "The RTD loss of each word (nats)"),
        ]

    def _gradients(self, step: _Step) -> list[Block]:
        names = ("generator's own weights", "shared embeddings", "discriminator's own weights")
        mlm, rtd, cosine = pulls(self.run.model, step.mlm_loss, self.run.config.rtd_weight * step.rtd_loss)
        bars = Bars(
            "Where each loss sends a gradient",
            names,
            (Series("of the MLM loss", mlm, "generator"), Series("of λ · RTD loss", rtd, "discriminator", True)),
            "norm of the gradient",
        )
        share = mlm[1] / (mlm[1] + rtd[1]) if mlm[1] + rtd[1] else float("nan")
        shared = (
            f"On the shared embeddings MLM has {share:.0%} of the pull; the cosine of the two pulls is {cosine:+.2f}."
            if mlm[1]
            else "Nothing is shared here: each loss has its own network and nothing else."
        )
        return [
            Code("loss.backward()"),
            bars,
            Text(f"{shared} Neither loss reaches the other network's own weights."),
            Text("Now take a training step: of one network, or of both (the buttons above)."),
        ]

    def _labelled(self, step: _Step) -> tuple[Token, ...]:
        made = []
        for i in self._places(step):
            text = self._names[int(step.corruption.tokens[0, i])]
            if step.corruption.is_replaced[0, i]:
                made.append(Token(text, "1", "●", "discriminator"))
            elif step.masking.is_masked[0, i]:
                made.append(Token(text, "0", "○", "generator"))
            else:
                made.append(Token(text, "0"))
        return tuple(made)

    def _plain(self, step: _Step, place: int) -> Token:
        return Token(self._name(step.tokens, place))

    def _name(self, tokens: Tensor, place: int) -> str:
        return self._names[int(tokens[0, place])]

    def _places(self, step: _Step) -> range:
        """Return the story's places, [CLS], [SEP] and padding left out."""
        return range(1, int(step.is_real.sum()) - 1)

    def _slots(self, step: _Step) -> list[int]:
        """Return the used slots, in the order of the story."""
        used = step.masking.used[0].nonzero().flatten().tolist()
        return sorted(used, key=lambda slot: int(step.masking.positions[0, slot]))

    def _next_story(self) -> None:
        self.story = (self.story + 1) % len(self.run.corpus.heldout)
        self._news = ""
        self.go(0)
