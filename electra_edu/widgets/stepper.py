"""Stepper: one training step of ELECTRA, taken apart into seven stages that can be walked through."""

from electra_edu.course.hunt import token_names
from electra_edu.course.walk import Walk
from electra_edu.errors import ElectraEduError
from electra_edu.losses import replaced_token_losses
from electra_edu.objectives import Trained
from electra_edu.plots.blocks import Bars, Block, Code, Fact, Facts, Pair, Series, Table, Text, Token, Tokens
from electra_edu.training import TrainingRun
from electra_edu.widgets.instrument import Instrument, button, choices

STAGES = ("mask", "generator", "sample", "label", "discriminator", "losses", "gradients")
TOP = 5
SHOWN_STEPS = 4  # of the steps taken, in the table

ABOUT = (
    "Some words are hidden behind [MASK]: the generator must not see what it has to guess.",
    "The generator gives every word of the vocabulary a probability in each gap. Click a gap.",
    "One word is drawn from each distribution. A drawn word is a number: no gradient passes through it.",
    "A token is “replaced”, label 1, exactly where it differs from the true one.",
    "The discriminator reads the filled-in text and judges every token. Below each: P(replaced).",
    "Two losses, both means: over the gaps, and over all real tokens. Below each token: its RTD loss.",
    "Backwards: how hard each loss pulls at which weights. Now take a step with one of the two, or with both.",
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

    Walks on copies of the networks and optimisers of `run`, which stays as it is. `asked` is the gap whose
    distribution is shown.
    """

    def __init__(self, run: TrainingRun, seed: int = 0) -> None:
        """Copy the networks of `run`; raises ElectraEduError where they are not a learned pair."""
        if not isinstance(run, TrainingRun):
            raise ElectraEduError(f"run={run!r}: must be a TrainingRun, for example edu.TrainingRun(config, corpus).")
        self.run, self.walk, self.asked = run, Walk(run, seed), 0
        self._names = token_names(run.corpus)
        self.stage = choices("stage", range(1, 8), 1, lambda stage: f"{stage} {STAGES[stage - 1]}", "44%")
        self.back = button("‹ Back", "The stage before", lambda: self._move(-1))
        self.forth = button("Next ›", "The next stage", lambda: self._move(1), "primary")
        self.steps = {
            "generator": button(
                "Step generator only", "One optimiser step on the MLM loss", lambda: self._step("generator")
            ),
            "discriminator": button(
                "Step discriminator only", "One optimiser step on λ · RTD loss", lambda: self._step("discriminator")
            ),
            "both": button("Step both", "One optimiser step on the sum", lambda: self._step("both")),
        }
        self.again = button("Start over", "Forget the steps taken here", self._start_over)
        super().__init__(
            "One step, stage by stage",
            [[self.stage, self.back, self.forth], [*self.steps.values(), self.again]],
        )

    def blocks(self) -> list[Block]:
        """Return what there is to see at this stage, and the line of code that does it."""
        stage, walk = self.stage.value, self.walk
        self.back.disabled, self.forth.disabled = stage == 1, stage == len(STAGES)
        for each in self.steps.values():
            each.disabled = stage != len(STAGES)
        self.again.disabled = not walk.taken
        shown: list[Block] = [Text(f"{stage} of 7. {ABOUT[stage - 1]}"), Code(CODE[stage - 1])]
        if stage < 7:
            shown.insert(1, self._story(stage))
        if stage in (2, 3):
            shown.append(self._gap(drawn=stage == 3))
        elif stage == 6:
            shown.append(self._losses())
        elif stage == 7:
            shown += self._pulls()
        elif stage == 1:
            shown += self._taken()
        return shown

    def code(self) -> str:
        """Return the whole step in public calls."""
        return "\n".join(
            [
                "import copy",
                "model, config = copy.deepcopy(run.model), run.config  # the run keeps its own",
                f"tokens = run.corpus.train[:{self.walk.batch}]",
                f"rng = torch.Generator().manual_seed({self.walk.seed})",
                "is_real = tokens != config.pad_token_id",
                *CODE[:5],
                f"out = model(tokens, rng=torch.Generator().manual_seed({self.walk.seed}))  # all of this in one call",
                "(out.mlm_loss + config.rtd_weight * out.rtd_loss).backward()",
            ]
        )

    def picked(self, action: str, index: int) -> None:
        """Show the distribution in another gap."""
        places = self.walk.places
        if action == "ask" and index in places:
            self.asked = places.index(index)

    def _story(self, stage: int) -> Tokens:
        """Return the batch's first story as it stands at this stage."""
        walk, made = self.walk, []
        out, gaps = walk.out, walk.places
        assert out.rtd_logits is not None
        losses = replaced_token_losses(out.rtd_logits, out.is_replaced)[0].detach()
        verdicts = out.rtd_logits[0].detach().sigmoid()
        for place, (true, now) in enumerate(zip(walk.tokens[0].tolist(), out.corrupted[0].tolist(), strict=True)):
            if not out.is_real[0, place]:
                break
            is_gap, is_fake = place in gaps, bool(out.is_replaced[0, place])
            name = self._names[now if stage > 2 else true]
            sign, note, level, tone = "", "", None, "ink"
            if is_gap:
                tone, sign = "generator", "●" if stage < 4 else ""
                if stage <= 2:
                    name, note = self._names[int(walk.masking.tokens[0, place])], self._names[true]
                elif stage == 3:
                    note = self._names[true]
            if stage >= 4:
                sign, tone = ("1", "discriminator") if is_fake else ("0", "ink")
            if stage in (5, 6):
                level = float(verdicts[place]) if stage == 5 else min(1.0, float(losses[place]) / 3)
                note = f"{float(verdicts[place]):.0%}" if stage == 5 else f"{float(losses[place]):.2f}"
            pressed = stage in (2, 3) and is_gap and gaps.index(place) == self.asked
            made.append(Token(name, note, sign, tone, level, "", pressed))  # type: ignore[arg-type]
        keys = {
            True: (("generator", "●", "a gap; below it the true word"),),
            False: (("ink", "0", "label: original"), ("discriminator", "1", "label: replaced")),
        }
        title = f"The first of {walk.batch} stories"
        return Tokens(tuple(made), title, "ask" if stage in (2, 3) else "", keys[stage < 4])  # type: ignore[arg-type]

    def _gap(self, drawn: bool) -> Block:
        """Return the likeliest words of the gap asked about, and all gaps in a table."""
        walk = self.walk
        out = walk.out
        shares = walk.shares  # (gaps of the first story, V)
        asked = min(self.asked, len(walk.places) - 1)
        best = shares[asked].topk(TOP).indices.tolist()
        place = walk.places[asked]
        true, now = int(walk.tokens[0, place]), int(out.corrupted[0, place])
        if drawn and now not in best:
            best = [*best[:-1], now]
        bars = Bars(
            f"Gap at token {place}: true word “{self._names[true]}”",
            tuple(self._names[word] for word in best),
            (Series("probability", tuple(shares[asked][best].tolist()), "generator"),),
            "probability" + (f"; drawn: “{self._names[now]}”" if drawn else ""),
            1.0,
            best.index(now) if drawn else (best.index(true) if true in best else None),
            True,
        )
        rows = []
        for gap, at in enumerate(walk.places):
            word, guess = int(walk.tokens[0, at]), int(out.corrupted[0, at])
            chance = float(shares[gap][word])
            if drawn:
                fate = "the true word: original" if word == guess else "another word: replaced"
                rows.append((self._names[word], self._names[guess], fate))
            else:
                rows.append((self._names[word], f"{chance:.1%}", f"{-float(shares[gap][word].log()):.2f} nats"))
        head = ("true word", "drawn", "so it is") if drawn else ("true word", "its probability", "loss, −ln of it")
        return Pair(bars, Table(head, tuple(rows), "All gaps of this story"))

    def _losses(self) -> Block:
        out, weight = self.walk.out, self.run.config.rtd_weight
        now = self.walk.taken[-1] if self.walk.taken else self.walk.start
        mlm, rtd = now.mlm, now.rtd
        return Facts(
            (
                Fact(f"{mlm:.3f}", f"MLM loss: mean over {int(out.mlm_used.sum())} gaps of the batch", "generator"),
                Fact(f"{rtd:.3f}", f"RTD loss: mean over {int(out.is_real.sum())} real tokens", "discriminator"),
                Fact(f"{weight * rtd:.3f}", f"λ · RTD loss, λ = {weight:g}", "discriminator"),
                Fact(f"{mlm + weight * rtd:.3f}", "their sum: what is minimised"),
            )
        )

    def _pulls(self) -> list[Block]:
        pulls = self.walk.pulls
        bars = Bars(
            "Who pulls where: norms of the two gradients",
            ("generator's own weights", "shared embeddings", "discriminator's own weights"),
            (
                Series("MLM loss", (pulls.mlm_own, pulls.mlm_shared, 0.0), "generator"),
                Series("λ · RTD loss", (0.0, pulls.rtd_shared, pulls.rtd_own), "discriminator", True),
            ),
            "norm of the gradient",
        )
        total = pulls.mlm_shared + pulls.rtd_shared
        share = f"{pulls.mlm_shared / total:.0%}" if total else "–"
        facts = Facts(
            (
                Fact(share, "of the pull on the shared embeddings is MLM's", "generator"),
                Fact(f"{pulls.cosine:+.2f}".replace("-", "−"), "cosine: 1 same direction, 0 unrelated, −1 opposite"),
                Fact(f"{pulls.rtd_on_generator:g}", "gradient of the RTD loss on the generator's own weights"),
            )
        )
        return [bars, facts]

    def _taken(self) -> list[Block]:
        """Return the losses after the steps taken so far, the newest last."""
        walk = self.walk
        if not walk.taken:
            return []
        rows = [
            (each.name, f"{each.mlm:.4f}", f"{each.rtd:.4f}", each.moved)
            for each in [walk.start, *walk.taken][-SHOWN_STEPS:]
        ]
        return [
            Table(("step", "MLM loss", "RTD loss", "weights that moved"), tuple(rows), "The same batch, step by step"),
            Text(
                "The same words are hidden again, with the same random numbers. A loss whose network was not trained "
                "moves too: through the shared table, and since the discriminator is given other fakes.",
                "neutral",
            ),
        ]

    def _move(self, by: int) -> None:
        self.stage.value = min(len(STAGES), max(1, self.stage.value + by))

    def _step(self, trained: Trained) -> None:
        if self.stage.value != len(STAGES):
            return
        self.walk.step(trained)
        self.stage.value = 1

    def _start_over(self) -> None:
        self.walk = Walk(self.run, self.walk.seed)
        self.stage.value = 1
        self.refresh()
