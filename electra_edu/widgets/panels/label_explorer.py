"""LabelExplorer: how the true words of a story become labels, predictions and one loss per token."""

import copy
import math

import torch
from torch import Tensor

from electra_edu.course.vocabulary import token_names
from electra_edu.evaluation.detection.source import discriminator_of
from electra_edu.model.electra import ElectraOutput
from electra_edu.model.losses import replaced_token_losses
from electra_edu.model.masking import mask
from electra_edu.plots.blocks import Block, Fact, Facts, Row, Table, Token, Tokens
from electra_edu.plots.charts import BarChart, Color, Series
from electra_edu.training import TrainingRun
from electra_edu.widgets.parts.instrument import Instrument, require_run
from electra_edu.widgets.parts.knobs import Button, Slider

RATES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50)
LEFT_VISIBLE = (0.0, 0.15, 0.5)  # shares of the chosen tokens that stay visible; the official code's is 15%
CASES = ("never chosen", "chosen, left visible", "hidden, guessed right", "hidden, replaced")
SIGNS = ("", "=", "○", "●")
N_STORIES = 128  # over which the cases are counted
FULL_BAR = 3.0  # nats


class LabelExplorer(Instrument):
    """A held-out story as the discriminator of `run` reads it: for each token its label, its loss, and why.

    `selected` is the position of the token that is explained step by step; that of [CLS] is 0.
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
        self._case_shares: dict[tuple[object, ...], list[tuple[float, float]]] = {}
        self.mask_prob = Slider("mask rate", RATES, 0.25, "{:.0%}".format, "46%")
        self.left_visible = Slider("chosen but left visible", LEFT_VISIBLE, 0.15, "{:.0%}".format, "46%")
        self.again = Button("Draw again", "Choose other words, and draw other guesses", self._draw_again)
        self.next = Button("Next story", "Take another held-out story", self._next_story)
        self.selected = 0
        self._key: tuple[object, ...] = ()  # what the pass on the screen depends on
        super().__init__("What each token teaches", [[self.mask_prob, self.left_visible], [self.again, self.next]])

    def blocks(self) -> list[Block]:
        """Return the story with its losses, their sum and mean, one token step by step, and the share of each case."""
        out, read = self._story_pass()
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
            Row((self._explanation(out, read, losses), self._shares_of_cases())),
        ]

    def code(self) -> list[str]:
        """Return calls that give the same loss, with a run at hand."""
        return [
            "import copy",
            "import torch",
            "",
            "model = copy.copy(run.average)  # the same weights, other settings",
            f"model.config = run.config.replace(mask_prob={self.mask_prob.value:g}, "
            f"mask_token_prob={1 - self.left_visible.value:g})",
            f"tokens = run.corpus.heldout[{self.story} : {self.story + 1}].to(run.device)",
            f"out = model(tokens, rng=torch.Generator(run.device).manual_seed({self.seed}))",
            "bce = torch.nn.functional.binary_cross_entropy_with_logits",
            "losses = bce(out.rtd_logits, out.is_replaced.float(), reduction='none')  # (1, T)",
            "print(losses[out.is_real].mean(), out.rtd_loss)",
        ]

    def picked(self, action: str, index: int) -> None:
        """Explain this token."""
        if action == "select" and 0 <= index < self.run.corpus.max_seq_length:
            self.selected = index

    def _draw_again(self) -> None:
        self.seed += 1

    def _next_story(self) -> None:
        self.story = (self.story + 1) % len(self.run.corpus.heldout)

    def _words(self, out: ElectraOutput, read: Tensor, losses: Tensor) -> Tokens:
        cases = _cases(out, read, self.run.config.mask_token_id)[0].tolist()
        made = []
        for position, token in enumerate(out.corrupted[0].tolist()):
            name, pressed = self._names[token], position == self.selected
            if not out.is_real[0, position]:
                made.append(Token(name, "–", "–", "neutral", None, "padding: no loss", pressed))
                continue
            case, loss, label = cases[position], float(losses[position]), int(out.is_replaced[0, position])
            sign = "=●" if case == 1 and label else SIGNS[case]
            color: Color = "discriminator" if label else ("ink" if case == 0 else "generator")
            about = f"{CASES[case]}: label {label}, loss {loss:.2f} nats"
            made.append(Token(name, f"{label} · {loss:.2f}", sign, color, min(1.0, loss / FULL_BAR), about, pressed))
        return Tokens(
            tuple(made),
            "What the discriminator reads. Below each token: its label, and its loss in nats. Click one.",
            "select",
            (
                ("discriminator", "●", "hidden, replaced: label 1"),
                ("generator", "○", "hidden, guessed right: 0"),
                ("generator", "=", "chosen, left visible: 0, or 1 if drawn otherwise (=●)"),
                ("neutral", "–", "padding: no label"),
            ),
        )

    def _explanation(self, out: ElectraOutput, read: Tensor, losses: Tensor) -> Table:
        position, tokens = self.selected, self._tokens()
        true = self._names[int(tokens[0, position])]
        rows = [("1  the true token", true), ("2  the generator reads", self._names[int(read[0, position])])]
        if not out.is_real[0, position]:
            rows.append(("no label, no loss", "padding is no text"))
            return Table(("step", "this token"), tuple(rows), f"Token {position}, “{true}”, step by step")
        if out.is_masked[0, position]:
            rows.append(("3  it draws", self._names[int(out.corrupted[0, position])]))
        else:
            rows.append(("3  it draws", "nothing here"))
        assert out.rtd_logits is not None
        logit, label = float(out.rtd_logits[0, position]), int(out.is_replaced[0, position])
        replaced = 1 / (1 + math.exp(-logit))
        right = replaced if label else 1 - replaced
        rows += [
            ("4  label y", f"{label}: {'replaced' if label else 'original'}"),
            ("5  logit D", f"{logit:+.2f}".replace("-", "−")),
            ("6  σ(D) = P(replaced)", f"{replaced:.1%}"),
            ("    the paper's D = P(original)", f"{1 - replaced:.1%}"),
            (f"7  loss = −ln {right:.3f}", f"{float(losses[position]):.3f} nats"),
        ]
        return Table(("step", "this token"), tuple(rows), f"Token {position}, “{true}”, step by step")

    def _shares_of_cases(self) -> BarChart:
        """Return how many tokens each case has and how much of the loss, over many stories."""
        key = (self.mask_prob.value, self.left_visible.value, self.run.step, self.run.config)
        if key not in self._case_shares:
            out, read = self._pass(self.run.corpus.heldout[:N_STORIES].to(self.run.device))
            losses = replaced_token_losses(out.rtd_logits, out.is_replaced)  # type: ignore[arg-type]
            cases = _cases(out, read, self.run.config.mask_token_id)
            n, total = int(out.is_real.sum()), float(losses[out.is_real].sum())
            where = [(cases == case) & out.is_real for case in range(len(CASES))]
            self._case_shares[key] = [(float(some.sum()) / n, float(losses[some].sum()) / total) for some in where]
        shares = self._case_shares[key]
        return BarChart(
            f"The share of each case, {N_STORIES} stories",
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
        """Return one pass over tokens (B, T) with the settings of the knobs, and what the generator read: (B, T)."""
        model = copy.copy(self.run.average)  # the same weights; only its settings are others
        model.config = model.config.replace(mask_prob=self.mask_prob.value, mask_token_prob=1 - self.left_visible.value)
        out = model(tokens, rng=self._rng())
        return out, mask(tokens, model.config, self._rng()).tokens

    def _rng(self) -> torch.Generator:
        return torch.Generator(self.run.device).manual_seed(self.seed)

    def _tokens(self) -> Tensor:
        return self.run.corpus.heldout[self.story : self.story + 1].to(self.run.device)  # (1, T)

    def _story_pass(self) -> tuple[ElectraOutput, Tensor]:
        """Return the pass over the story; a new one selects a replaced token, or else a chosen one."""
        key = (self.story, self.seed, self.mask_prob.value, self.left_visible.value, self.run.step, self.run.config)
        if key != self._key:
            self._key, self._last_pass = key, self._pass(self._tokens())
            out = self._last_pass[0]
            self.selected = int((out.is_masked.int() + out.is_replaced.int())[0].argmax())
        return self._last_pass


def _cases(out: ElectraOutput, read: Tensor, mask_token_id: int) -> Tensor:
    """Return which of the CASES each token is: (B, T) int."""
    hidden = torch.where(out.is_replaced, 3, 2)
    return torch.where(read == mask_token_id, hidden, 1).masked_fill(~out.is_masked, 0)
