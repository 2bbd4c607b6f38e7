"""GeneratorBench: how generators of several sizes fill in the masked words of a story, at any temperature."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from electra_edu.config import ElectraConfig
from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.course.fill_mask import exact_probabilities, masked_logits, possible_words
from electra_edu.course.vocabulary import ordinary_words, token_names
from electra_edu.model.generator import Generator, sample
from electra_edu.model.masking import mask
from electra_edu.plots.blocks import Block, Fact, Facts, Row, Token, Tokens
from electra_edu.plots.charts import Curve, LineChart, Subplot, VerticalLine
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.widgets.panels.run_labels import size_label
from electra_edu.widgets.parts.instrument import Instrument
from electra_edu.widgets.parts.knobs import Button, Menu, Slider
from electra_edu.widgets.parts.word_bars import word_bars

TEMPERATURES = (0.25, 0.5, 0.7, 1.0, 1.4, 2.0, 4.0)
DRAWS = {"draw from the distribution": "sample", "take the likeliest word": "argmax"}
N_MASKED = 3  # words of the story on the screen
N_STORIES = 128  # over which the shares are counted
TOP = 6  # words in the chart


_Version: TypeAlias = tuple[int, ElectraConfig]  # of a run's networks: its steps and settings


@dataclass(frozen=True)
class Accuracy:
    """How often one generator finds the true word, over the same masked positions for all."""

    n_masked: int
    argmax: float  # share of positions where the likeliest word is the true one
    right: tuple[float, ...]  # expected share of true words among drawn ones, per temperature
    entropy: tuple[float, ...]  # nats, per temperature
    argmax_fits: float | None  # share where the likeliest word is the true one or fits as well; None if unknown
    fits: tuple[float, ...]  # expected share of such words among drawn ones, per temperature; empty if unknown


class GeneratorBench(Instrument):
    """A held-out story with three masked words, filled in by one of several generators of different sizes.

    `masked` are the positions of these words, and `selected`, counted from 0, is the one whose distribution is shown.
    `exact` are the language's own probabilities at these positions, None where they are not known.
    """

    def __init__(self, runs: Sequence[TrainingRun]) -> None:
        """Compare the averaged generators of `runs`, which share a corpus; raises ElectraEduError where they do not."""
        given: object = runs
        runs = [] if isinstance(given, str) else list(arguments.items("runs", given, "[run]"))
        if not runs or not all(isinstance(run, TrainingRun) for run in runs):
            raise ElectraEduError("runs: must be one or more TrainingRuns, for example of sizes 1/8, 1/4 and 1.")
        learned = all(isinstance(run.average.generator, Generator) for run in runs)
        if not learned or len({run.corpus.sha256 for run in runs}) > 1:
            raise ElectraEduError("runs: must have learned generators and all be of the same corpus.")
        self._order = runs  # as they were given
        self.runs = {run.config.generator_size_fraction: run for run in runs}
        self.corpus, self.story, self.seed, self.selected = runs[0].corpus, 0, 0, 0
        self._names, self._is_word = token_names(self.corpus), ordinary_words(self.corpus)
        # The versions of the runs that filled in the story, and those whose shares were counted
        self._filled_in: list[_Version] = []
        self._counted: list[_Version] = []
        sizes = sorted(self.runs)
        self.size = Slider("generator size", sizes, sizes[len(sizes) // 2], size_label)
        self.temperature = Slider("temperature", TEMPERATURES, 1.0, "{:g}".format)
        self.how = Menu("how to choose", DRAWS, width="330px")
        self.again = Button("Draw again", "Draw other words from the same distribution", self._draw_again)
        self.next = Button("Next story", "Take another story", self._next_story)
        self._mask_words()
        super().__init__("The generator's bench", [[self.size, self.temperature], [self.how, self.again, self.next]])

    def blocks(self) -> list[Block]:
        """Return the filled-in story, how often words are right, and the distribution for one of them."""
        self._fill_in()
        logits = self._logits[self.size.value]  # (N_MASKED, V)
        shares = (logits / self.temperature.value).softmax(-1)
        drawn = self._drawn(logits)
        story, facts = self._story(drawn), self._facts()
        true = int(self._tokens[self.masked[self.selected]])
        title = f"Gap {self.selected + 1}: the true word is “{self._names[true]}”"
        exact = None if self.exact is None else self.exact[self.selected]
        own = shares[self.selected]
        best = (own if exact is None else torch.maximum(own, exact)).topk(TOP).indices.tolist()  # what fits is in sight
        bars = word_bars(title, self._names, "this generator", own, exact, true, best)
        accuracy = self.accuracy[self.size.value]
        likeliest = (accuracy.argmax,) * 2
        curves = [
            Curve("drawn: true", TEMPERATURES, accuracy.right, "generator"),
            Curve("likeliest: true", (TEMPERATURES[0], TEMPERATURES[-1]), likeliest, "neutral", "dashed"),
        ]
        if accuracy.fits:
            curves.insert(1, Curve("drawn: fits", TEMPERATURES, accuracy.fits, "probe"))
        chart = LineChart(
            f"How many words are right, {accuracy.n_masked} gaps",
            [Subplot("share of the gaps", curves, ylim=(0.0, 1.0))],
            "temperature",
            (TEMPERATURES[0], TEMPERATURES[-1]),
            lines=[VerticalLine(self.temperature.value, f"T = {self.temperature.value:g}")],
        )
        return [story, facts, Row((bars, chart))]

    def code(self) -> list[str]:
        """Return calls that let one generator fill in the same words, chosen as they are here."""
        temperature = f"{self.temperature.value:g}"
        drawn = f"edu.generator.sample(logits, {temperature}, torch.Generator().manual_seed({self.seed}))"
        return [
            "import torch",
            "import electra_edu as edu",
            "",
            f"run = runs[{self._order.index(self.runs[self.size.value])}]",
            f"tokens = run.corpus.heldout[{self.story} : {self.story + 1}].to(run.device, copy=True)",
            "is_real = tokens != run.config.pad_token_id",
            f"tokens[0, {self.masked}] = run.config.mask_token_id",
            f"logits = run.average.generator(tokens, is_real)[0, {self.masked}].detach().cpu()",
            f"print((logits / {temperature}).softmax(-1))",
            f"words = {'logits.argmax(-1)' if self.how.value == 'argmax' else drawn}",
            "print([run.corpus.tokenizer.id_to_token(word) for word in words.tolist()])",
        ]

    def picked(self, action: str, index: int) -> None:
        """Show the distribution for the masked word at this position of the story."""
        position = index + 1  # the view leaves [CLS] out
        if action == "select" and position in self.masked:
            self.selected = self.masked.index(position)

    def _draw_again(self) -> None:
        self.seed += 1

    def _next_story(self) -> None:
        self.story = (self.story + 1) % len(self.corpus.heldout)
        self._mask_words()

    def _facts(self) -> Facts:
        accuracy, at = self.accuracy[self.size.value], TEMPERATURES.index(self.temperature.value)
        is_argmax = self.how.value == "argmax"
        right = accuracy.argmax if is_argmax else accuracy.right[at]
        good: tuple[Fact, ...] = ()
        if accuracy.argmax_fits is not None and right < 1:
            share = ((accuracy.argmax_fits if is_argmax else accuracy.fits[at]) - right) / (1 - right)
            good = (Fact(f"{share:.0%}", "of its fakes fit into the gap", "probe"),)
        return Facts(
            (
                Fact(f"{right:.0%}", "of its words are the true one: label 0", "generator"),
                Fact(f"{1 - right:.0%}", "of the hidden words are replaced: label 1", "discriminator"),
                *good,
                Fact(
                    "0 nats" if is_argmax else f"{accuracy.entropy[at]:.1f} nats", "entropy: how varied its draws are"
                ),
            )
        )

    def _story(self, drawn: Tensor) -> Tokens:
        made = []
        for position in range(1, len(self._tokens)):
            token = int(self._tokens[position])
            if token < len(SPECIAL_TOKENS):  # [SEP] and padding
                break
            if position not in self.masked:
                made.append(Token(self._names[token], is_plain=True))
                continue
            slot = self.masked.index(position)
            word, is_true = self._names[drawn[slot]], int(drawn[slot]) == token
            label = "0 original" if is_true else "1 replaced"
            about = f"gap {slot + 1}: {label}; press to see its distribution"
            made.append(Token(word, label, str(slot + 1), "generator", None, about, slot == self.selected))
        return Tokens(
            tuple(made), "A story with three words drawn by the generator. Click one to see its choices.", "select"
        )

    def _drawn(self, logits: Tensor) -> Tensor:
        if self.how.value == "argmax":
            return logits.argmax(-1)
        return sample(logits, self.temperature.value, torch.Generator().manual_seed(self.seed))

    def _mask_words(self) -> None:
        """Choose the words to mask in the story, and let every generator fill them in."""
        self._tokens = self.corpus.heldout[self.story].cpu()
        ordinary = [i for i in range(1, len(self._tokens)) if self._is_word[self._tokens[i]]]
        order = torch.randperm(len(ordinary), generator=torch.Generator().manual_seed(self.story))
        self.masked = sorted(ordinary[i] for i in order[:N_MASKED].tolist())
        self._filled_in = []
        self._fill_in()
        self.exact = exact_probabilities(self.corpus, self._tokens, self.masked)
        known = self._logits[self.size.value].softmax(-1) if self.exact is None else self.exact
        self.selected = int(torch.special.entr(known).sum(-1).argmax())  # where there is a choice, if anywhere

    def _fill_in(self) -> None:
        """Let every generator fill in the story, and count its shares again, after a run was trained on."""
        now = [(run.step, run.config) for run in self.runs.values()]
        if now != self._filled_in:
            self._filled_in = now
            self._logits = {size: masked_logits(run, self._tokens, self.masked) for size, run in self.runs.items()}
            if now != self._counted:
                self._counted = now
                self.accuracy = {size: _accuracy(run) for size, run in self.runs.items()}


@torch.no_grad()
def _accuracy(run: TrainingRun) -> Accuracy:
    """Let a generator of any size guess the same masked words of the first held-out stories."""
    tokens = run.corpus.heldout[:N_STORIES].to(run.device)
    is_real = tokens != run.config.pad_token_id
    masking = mask(tokens.cpu(), run.config, torch.Generator().manual_seed(0))
    hidden = masking.is_masked  # (B, T)
    logits = run.average.generator(masking.tokens.to(run.device), is_real).cpu()[hidden]  # (N, V)
    truth = tokens.cpu()[hidden]  # (N,)
    fit = possible_words(run.corpus, tokens.cpu(), hidden)  # (N, V)
    right, entropy, fits = [], [], []
    for temperature in TEMPERATURES:
        p = (logits / temperature).softmax(-1)
        right.append(float(p.gather(1, truth[:, None]).mean()))
        entropy.append(float(torch.special.entr(p).sum(-1).mean()))
        if fit is not None:
            fits.append(float(p[fit].sum() / len(p)))
    best = logits.argmax(-1)
    best_fits = None if fit is None else float(fit.gather(1, best[:, None]).float().mean())
    return Accuracy(
        len(truth), float((best == truth).float().mean()), tuple(right), tuple(entropy), best_fits, tuple(fits)
    )
