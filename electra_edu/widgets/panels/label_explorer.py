"""LabelExplorer: a story on its way from true words to labels, verdicts and one loss per token."""

import copy
import math

import torch
from torch import Tensor

from electra_edu.course.vocabulary import token_names
from electra_edu.evaluation.detection.source import discriminator_of
from electra_edu.model.electra import ElectraOutput
from electra_edu.model.losses import replaced_token_losses
from electra_edu.model.masking import mask
from electra_edu.plots.blocks import BarChart, Block, Color, Fact, Facts, Row, Series, Table, Token, Tokens
from electra_edu.training import TrainingRun
from electra_edu.widgets.parts.instrument import Instrument, require_run
from electra_edu.widgets.parts.knobs import Button, Slider

RATES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50)
KEPT = (0.0, 0.15, 0.5)  # shares of the chosen tokens that stay visible; the official code's is 15%
CASES = ("never chosen", "chosen, left visible", "hidden, guessed right", "hidden, replaced")
SIGNS = ("", "=", "○", "●")
STORIES = 128  # over which the cases are counted
FULL = 3.0  # nats of a full bar


class LabelExplorer(Instrument):
    """A held-out story as the discriminator of `run` reads it: for each token its label, its loss, and why.

    `asked` is the place of the token whose way is told, [CLS] being 0.
    """

    def __init__(self, run: TrainingRun) -> None:
        """Look at the averaged networks of `run`; raises ElectraEduError where there is no discriminator."""
        require_run(run)
        discriminator_of(run)
        self.run, self.seed = run, 0
        self._names = token_names(run.corpus)
        self._pad = run.config.pad_token_id
        short = (run.corpus.heldout == self._pad).sum(-1) >= 2  # padding is part of what there is to see
        self.story = int(short.int().argmax())
        self._shares: dict[tuple[object, ...], list[tuple[float, float]]] = {}
        self.mask_prob = Slider("mask rate", RATES, 0.25, "{:.0%}".format, "46%")
        self.keep = Slider("chosen but left visible", KEPT, 0.15, "{:.0%}".format, "46%")
        self.again = Button("Draw again", "Choose other words, and draw other guesses", self._draw_again)
        self.next = Button("Next story", "Take another held-out story", self._next_story)
        self.asked = 0
        self._key: tuple[object, ...] = ()  # what the pass on the screen was made from
        super().__init__("What each token teaches", [[self.mask_prob, self.keep], [self.again, self.next]])

    def blocks(self) -> list[Block]:
        """Return the story with its losses, their sum and mean, the way of one token, and what each case weighs."""
        out, read = self._look()
        losses = replaced_token_losses(out.rtd_logits, out.is_replaced)[0]  # type: ignore[arg-type]
        real = out.is_real[0]
        total, n_real, n_pads = float(losses[real].sum()), int(real.sum()), int((~real).sum())
        facts = [
            Fact(f"{total / n_real:.3f}", f"nats: the mean over {n_real} real tokens, the RTD loss", "discriminator"),
            Fact(f"{total:.2f}", "nats: their sum, as the paper's formula has it"),
        ]
        if n_pads:
            with_pads = float(losses.mean())
            facts.append(
                Fact(f"{with_pads:.3f}", f"would be the mean if the {n_pads} [PAD] counted as well", "warning")
            )
        return [
            self._words(out, read, losses),
            Facts(tuple(facts)),
            Row((self._way(out, read, losses), self._weights())),
        ]

    def code(self) -> list[str]:
        """Return calls that give the same loss, with a run at hand."""
        return [
            "import copy",
            "import torch",
            "",
            "model = copy.copy(run.average)  # the same weights, other settings",
            f"model.config = run.config.replace(mask_prob={self.mask_prob.value:g}, "
            f"mask_token_prob={1 - self.keep.value:g})",
            f"tokens = run.corpus.heldout[{self.story} : {self.story + 1}].to(run.device)",
            f"out = model(tokens, rng=torch.Generator(run.device).manual_seed({self.seed}))",
            "bce = torch.nn.functional.binary_cross_entropy_with_logits",
            "losses = bce(out.rtd_logits, out.is_replaced.float(), reduction='none')  # (1, T)",
            "print(losses[out.is_real].mean(), out.rtd_loss)",
        ]

    def picked(self, action: str, index: int) -> None:
        """Tell the way of this token."""
        if action == "ask" and 0 <= index < self.run.corpus.max_seq_length:
            self.asked = index

    def _words(self, out: ElectraOutput, read: Tensor, losses: Tensor) -> Tokens:
        cases = _cases(out, read, self.run.config.mask_token_id)[0].tolist()
        made = []
        for place, token in enumerate(out.corrupted[0].tolist()):
            name, pressed = self._names[token], place == self.asked
            if not out.is_real[0, place]:
                made.append(Token(name, "–", "–", "neutral", None, "padding: no loss", pressed))
                continue
            case, loss, label = cases[place], float(losses[place]), int(out.is_replaced[0, place])
            sign = "=●" if case == 1 and label else SIGNS[case]
            color: Color = "discriminator" if label else ("ink" if case == 0 else "generator")
            about = f"{CASES[case]}: label {label}, loss {loss:.2f} nats"
            made.append(Token(name, f"{label} · {loss:.2f}", sign, color, min(1.0, loss / FULL), about, pressed))
        return Tokens(
            tuple(made),
            "What the discriminator reads. Below each token: its label, and its loss in nats. Click one.",
            "ask",
            (
                ("discriminator", "●", "hidden, replaced: label 1"),
                ("generator", "○", "hidden, guessed right: 0"),
                ("generator", "=", "chosen, left visible: 0, or 1 if drawn otherwise (=●)"),
                ("neutral", "–", "padding: no label"),
            ),
        )

    def _way(self, out: ElectraOutput, read: Tensor, losses: Tensor) -> Table:
        place, tokens = self.asked, self._tokens()
        true = self._names[int(tokens[0, place])]
        rows = [("1  the true token", true), ("2  the generator reads", self._names[int(read[0, place])])]
        if not out.is_real[0, place]:
            rows.append(("no label, no loss", "padding is no text"))
            return Table(("step", "this token"), tuple(rows), f"The way of token {place}, “{true}”")
        if out.is_masked[0, place]:
            rows.append(("3  it draws", self._names[int(out.corrupted[0, place])]))
        else:
            rows.append(("3  it draws", "nothing here"))
        assert out.rtd_logits is not None
        logit, label = float(out.rtd_logits[0, place]), int(out.is_replaced[0, place])
        replaced = 1 / (1 + math.exp(-logit))
        right = replaced if label else 1 - replaced
        rows += [
            ("4  label y", f"{label}: {'replaced' if label else 'original'}"),
            ("5  logit D", f"{logit:+.2f}".replace("-", "−")),
            ("6  σ(D) = P(replaced)", f"{replaced:.1%}"),
            ("    the paper's D = P(original)", f"{1 - replaced:.1%}"),
            (f"7  loss = −ln {right:.3f}", f"{float(losses[place]):.3f} nats"),
        ]
        return Table(("step", "this token"), tuple(rows), f"The way of token {place}, “{true}”")

    def _weights(self) -> BarChart:
        """Return how many tokens each case has and how much of the loss, over many stories."""
        key = (self.mask_prob.value, self.keep.value, self.run.step, self.run.config)
        if key not in self._shares:
            out, read = self._pass(self.run.corpus.heldout[:STORIES].to(self.run.device))
            losses = replaced_token_losses(out.rtd_logits, out.is_replaced)  # type: ignore[arg-type]
            cases = _cases(out, read, self.run.config.mask_token_id)
            n, total = int(out.is_real.sum()), float(losses[out.is_real].sum())
            where = [(cases == case) & out.is_real for case in range(len(CASES))]
            self._shares[key] = [(float(some.sum()) / n, float(losses[some].sum()) / total) for some in where]
        shares = self._shares[key]
        return BarChart(
            f"What each kind weighs, {STORIES} stories",
            CASES,
            (
                Series("of the tokens", tuple(tokens for tokens, _ in shares), "neutral"),
                Series("of the loss", tuple(loss for _, loss in shares), "discriminator", True),
            ),
            "share",
            1.0,
            None,
            True,
        )

    @torch.no_grad()
    def _pass(self, tokens: Tensor) -> tuple[ElectraOutput, Tensor]:
        """Return one pass over tokens (B, T) with the knobs as they stand, and what the generator read: (B, T)."""
        model = copy.copy(self.run.average)  # the same weights; only its settings are others
        model.config = model.config.replace(mask_prob=self.mask_prob.value, mask_token_prob=1 - self.keep.value)
        out = model(tokens, rng=self._rng())
        return out, mask(tokens, model.config, self._rng()).tokens

    def _rng(self) -> torch.Generator:
        return torch.Generator(self.run.device).manual_seed(self.seed)

    def _tokens(self) -> Tensor:
        return self.run.corpus.heldout[self.story : self.story + 1].to(self.run.device)  # (1, T)

    def _look(self) -> tuple[ElectraOutput, Tensor]:
        """Return the story's pass; a new one asks about a token worth it: a replaced one, or else a chosen one."""
        key = (self.story, self.seed, self.mask_prob.value, self.keep.value, self.run.step, self.run.config)
        if key != self._key:
            self._key, self._seen = key, self._pass(self._tokens())
            out = self._seen[0]
            self.asked = int((out.is_masked.int() + out.is_replaced.int())[0].argmax())
        return self._seen

    def _draw_again(self) -> None:
        self.seed += 1

    def _next_story(self) -> None:
        self.story = (self.story + 1) % len(self.run.corpus.heldout)


def _cases(out: ElectraOutput, read: Tensor, mask_token_id: int) -> Tensor:
    """Return which of the CASES each token is: (B, T) int."""
    hidden = torch.where(out.is_replaced, 3, 2)
    return torch.where(read == mask_token_id, hidden, 1).masked_fill(~out.is_masked, 0)
