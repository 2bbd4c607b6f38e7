"""LabelExplorer: one story on its way to a label, a logit and a loss for every word."""

import copy

import torch
from torch import Tensor

from electra_edu.course.hunt import token_names
from electra_edu.detection.source import discriminator_of
from electra_edu.electra import ElectraOutput
from electra_edu.errors import ElectraEduError
from electra_edu.losses import replaced_token_losses
from electra_edu.masking import mask
from electra_edu.plots.blocks import Bars, Block, Fact, Facts, Pair, Series, Table, Token, Tokens, Tone
from electra_edu.training import TrainingRun
from electra_edu.widgets.instrument import Instrument, button, choices

RATES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50)
CASES: dict[str, tuple[Tone, str, str]] = {  # case: tone, sign, its label
    "never chosen": ("ink", "", "0: it is the true word"),
    "chosen, left visible": ("neutral", "=", "by comparison; scored by MLM all the same"),
    "hidden, guessed right": ("generator", "○", "0: a lucky guess is an original"),
    "hidden, replaced": ("discriminator", "●", "1: it differs from the true word"),
}


class LabelExplorer(Instrument):
    """A story after masking and drawing: each word's case, label, logit and loss, and what they add up to."""

    def __init__(self, run: TrainingRun) -> None:
        """Use the averaged networks of `run`; raises ElectraEduError where there is no discriminator."""
        if not isinstance(run, TrainingRun):
            raise ElectraEduError(f"run={run!r}: must be a TrainingRun, for example edu.TrainingRun(config, corpus).")
        discriminator_of(run)
        self.run, self.story, self.seed = run, 0, 0
        self._names = token_names(run.corpus)
        self.mask_prob = choices("mask rate", RATES, 0.25, "{:.0%}".format)
        self.keep = choices("chosen but left visible", (0.0, 0.15), 0.15, "{:.0%}".format)
        self.again = button("Draw again", "Hide other words and draw others for them", self._draw_again)
        self.next = button("Next story", "Take another story", self._next_story)
        super().__init__("What each token teaches", [[self.mask_prob, self.keep], [self.again, self.next]])

    def blocks(self) -> list[Block]:
        """Return the story with its labels and losses, the sums, and the four cases."""
        out, cases = self._passed()
        assert out.rtd_logits is not None
        losses = replaced_token_losses(out.rtd_logits, out.is_replaced)[0]  # (T,)
        real = len(cases)
        facts = Facts(
            (
                Fact(f"{float(losses[:real].mean()):.2f} nats", "RTD loss: mean over all real tokens", "discriminator"),
                Fact(str(real), "tokens are scored by RTD, [CLS] and [SEP] too", "discriminator"),
                Fact(f"{float(out.mlm_loss):.2f} nats", "MLM loss: mean over the chosen words", "generator"),
                Fact(str(int(out.is_masked.sum())), "words are scored by MLM", "generator"),
            )
        )
        places = {case: [i for i, each in enumerate(cases) if each == case] for case in CASES}
        bars = Bars(
            "Who makes up the RTD loss",
            tuple(f"{case}: {len(those)}" for case, those in places.items()),
            (Series("loss", tuple(float(losses[those].sum()) for those in places.values()), "discriminator"),),
            "sum of the losses (nats)",
        )
        table = Table(
            ("case", "label"), tuple((case, label) for case, (_, _, label) in CASES.items()), "The four cases"
        )
        return [self._story(out, losses, cases), facts, Pair(bars, table)]

    def code(self) -> str:
        """Return calls that do the same with a run at hand."""
        return "\n".join(
            [
                "import copy",
                "",
                "model = copy.copy(run.average)  # the same weights, other settings",
                f"settings = {{'mask_prob': {self.mask_prob.value}, 'mask_token_prob': {1 - self.keep.value}}}",
                "model.config = run.config.replace(**settings)",
                f"tokens = run.corpus.heldout[{self.story} : {self.story + 1}]",
                f"out = model(tokens, rng=torch.Generator().manual_seed({self.seed}))",
                "print(out.is_replaced, out.rtd_logits, out.rtd_loss)",
            ]
        )

    @torch.no_grad()
    def _passed(self) -> tuple[ElectraOutput, list[str]]:
        """Pass the story through both networks; return the result, on the CPU, and the case of each real token."""
        run = self.run
        model = copy.copy(run.average)  # the same weights, other settings
        model.config = run.config.replace(mask_prob=self.mask_prob.value, mask_token_prob=1 - self.keep.value)
        tokens = run.corpus.heldout[self.story : self.story + 1].to(run.device)
        out = model(tokens, rng=torch.Generator(run.device).manual_seed(self.seed))
        # The pass does not tell what the generator read; the same seed hides the same words again.
        read = mask(tokens, model.config, torch.Generator(run.device).manual_seed(self.seed), out.is_real)
        was_hidden = (read.tokens != tokens)[0].tolist()
        cases = []
        for place in range(int(out.is_real.sum())):
            if not out.is_masked[0, place]:
                cases.append("never chosen")
            elif not was_hidden[place]:
                cases.append("chosen, left visible")
            else:
                cases.append("hidden, replaced" if out.is_replaced[0, place] else "hidden, guessed right")
        return out, cases

    def _story(self, out: ElectraOutput, losses: Tensor, cases: list[str]) -> Tokens:
        """Show what the discriminator reads, special tokens left out, with label and loss below each word."""
        assert out.rtd_logits is not None
        most = max(float(losses.max()), 1e-9)
        made = []
        for place, (token, case) in enumerate(zip(out.corrupted[0].tolist(), cases, strict=False)):
            if place in (0, len(cases) - 1):  # [CLS] and [SEP]
                continue
            tone, sign, _ = CASES[case]
            loss = float(losses[place])
            label = int(out.is_replaced[0, place])
            about = f"{case}; label {label}, logit {float(out.rtd_logits[0, place]):.1f}, loss {loss:.2f} nats"
            made.append(Token(self._names[token], f"{label} · {loss:.2f}", sign, tone, loss / most, about))
        key = tuple((tone, sign, case) for case, (tone, sign, _) in CASES.items() if sign)
        return Tokens(
            tuple(made), "What the discriminator reads. Below each word: its label, and its loss in nats.", key=key
        )

    def _draw_again(self) -> None:
        self.seed += 1
        self.refresh()

    def _next_story(self) -> None:
        self.story = (self.story + 1) % len(self.run.corpus.heldout)
        self.refresh()
