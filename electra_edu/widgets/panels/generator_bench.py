"""GeneratorBench: what generators of several sizes put into the gaps of a story, at any temperature."""

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
from electra_edu.plots.blocks import Block, Curve, Fact, Facts, LineChart, Row, Token, Tokens
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.widgets.panels.run_labels import size_label
from electra_edu.widgets.parts.instrument import Instrument
from electra_edu.widgets.parts.knobs import Button, Menu, Slider
from electra_edu.widgets.parts.word_bars import word_bars

TEMPERATURES = (0.25, 0.5, 0.7, 1.0, 1.4, 2.0, 4.0)
DRAWS = {"draw from the distribution": "sample", "take the likeliest word": "argmax"}
GAPS = 3  # in the story on the screen
STORIES = 128  # over which the shares are counted
TOP = 6


_Moment: TypeAlias = tuple[int, ElectraConfig]  # a run's steps and settings


@dataclass(frozen=True)
class _Answers:
    """How often one generator hits the true word, over the same gaps for all."""

    gaps: int
    argmax: float  # share of gaps where the likeliest word is the true one
    right: tuple[float, ...]  # expected share of true words among drawn ones, per temperature
    entropy: tuple[float, ...]  # nats, per temperature
    argmax_fits: float | None  # share of gaps where the likeliest word is the true one or fits as well; None if unknown
    fits: tuple[float, ...]  # expected share of such words among drawn ones, per temperature; empty if unknown


class GeneratorBench(Instrument):
    """A held-out story with three gaps, filled by one of several generators; `runs` differ in generator size."""

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
        self.corpus, self.story, self.seed, self.asked = runs[0].corpus, 0, 0, 0
        self._names, self._is_word = token_names(self.corpus), ordinary_words(self.corpus)
        self._seen: list[_Moment] = []  # when the runs looked at the story ...
        self._counted: list[_Moment] = []  # ... and when the shares were counted
        sizes = sorted(self.runs)
        self.size = Slider("generator size", sizes, sizes[len(sizes) // 2], size_label)
        self.temperature = Slider("temperature", TEMPERATURES, 1.0, "{:g}".format)
        self.how = Menu("how to choose", DRAWS, width="330px")
        self.again = Button("Draw again", "Draw other words from the same distribution", self._draw_again)
        self.next = Button("Next story", "Take another story", self._next_story)
        self._open()
        super().__init__("The generator's bench", [[self.size, self.temperature], [self.how, self.again, self.next]])

    def blocks(self) -> list[Block]:
        """Return the filled story, the distribution in one gap, and how often drawn words are the true ones."""
        self._ask()
        logits = self._logits[self.size.value]  # (GAPS, V)
        shares = (logits / self.temperature.value).softmax(-1)
        drawn = self._drawn(logits)
        story, facts = self._story(drawn), self._facts()
        true = int(self._tokens[self._places[self.asked]])
        title = f"Gap {self.asked + 1}: the true word is “{self._names[true]}”"
        exact = None if self._exact is None else self._exact[self.asked]
        own = shares[self.asked]
        best = (own if exact is None else torch.maximum(own, exact)).topk(TOP).indices.tolist()  # what fits is in sight
        bars = word_bars(title, self._names, "this generator", own, exact, true, best)
        answers = self._answers[self.size.value]
        fits = (Curve("drawn: true or fits", TEMPERATURES, answers.fits, "probe"),) if answers.fits else ()
        chart = LineChart(
            f"How many words are right, {answers.gaps} gaps",
            (
                Curve("drawn: true", TEMPERATURES, answers.right, "generator"),
                *fits,
                Curve("likeliest: true", (TEMPERATURES[0], TEMPERATURES[-1]), (answers.argmax,) * 2, "neutral", True),
            ),
            "temperature",
            "share of the gaps",
            ylim=(0.0, 1.0),
            marker=self.temperature.value,
            marker_name=f"T = {self.temperature.value:g}",
        )
        return [story, facts, Row((bars, chart))]

    def code(self) -> list[str]:
        """Return calls that ask one generator for the same gaps, and choose words as it does here."""
        temperature = f"{self.temperature.value:g}"
        drawn = f"edu.generator.sample(logits, {temperature}, torch.Generator().manual_seed({self.seed}))"
        return [
            "import torch",
            "import electra_edu as edu",
            "",
            f"run = runs[{self._order.index(self.runs[self.size.value])}]",
            f"tokens = run.corpus.heldout[{self.story} : {self.story + 1}].to(run.device, copy=True)",
            "is_real = tokens != run.config.pad_token_id",
            f"tokens[0, {self._places}] = run.config.mask_token_id",
            f"logits = run.average.generator(tokens, is_real)[0, {self._places}].detach().cpu()",
            f"print((logits / {temperature}).softmax(-1))",
            f"words = {'logits.argmax(-1)' if self.how.value == 'argmax' else drawn}",
            "print([run.corpus.tokenizer.id_to_token(word) for word in words.tolist()])",
        ]

    def picked(self, action: str, index: int) -> None:
        """Show the distribution in the gap at this place of the story."""
        place = index + 1  # the view leaves [CLS] out
        if action == "ask" and place in self._places:
            self.asked = self._places.index(place)

    def _facts(self) -> Facts:
        answers, at = self._answers[self.size.value], TEMPERATURES.index(self.temperature.value)
        is_argmax = self.how.value == "argmax"
        right = answers.argmax if is_argmax else answers.right[at]
        good: tuple[Fact, ...] = ()
        if answers.argmax_fits is not None and right < 1:
            share = ((answers.argmax_fits if is_argmax else answers.fits[at]) - right) / (1 - right)
            good = (Fact(f"{share:.0%}", "of its fakes fit into the gap", "probe"),)
        return Facts(
            (
                Fact(f"{right:.0%}", "of its words are the true one: label 0", "generator"),
                Fact(f"{1 - right:.0%}", "of the hidden words are replaced: label 1", "discriminator"),
                *good,
                Fact("0 nats" if is_argmax else f"{answers.entropy[at]:.1f} nats", "entropy: how varied its draws are"),
            )
        )

    def _story(self, drawn: Tensor) -> Tokens:
        made = []
        for place in range(1, len(self._tokens)):
            token = int(self._tokens[place])
            if token < len(SPECIAL_TOKENS):  # [SEP] and padding
                break
            if place not in self._places:
                made.append(Token(self._names[token], is_plain=True))
                continue
            gap = self._places.index(place)
            word, is_true = self._names[drawn[gap]], int(drawn[gap]) == token
            label = "0 original" if is_true else "1 replaced"
            about = f"gap {gap + 1}: {label}; press to see its distribution"
            made.append(Token(word, label, str(gap + 1), "generator", None, about, gap == self.asked))
        return Tokens(
            tuple(made), "A story with three words drawn by the generator. Click one to see its choices.", "ask"
        )

    def _drawn(self, logits: Tensor) -> Tensor:
        if self.how.value == "argmax":
            return logits.argmax(-1)
        return sample(logits, self.temperature.value, torch.Generator().manual_seed(self.seed))

    def _draw_again(self) -> None:
        self.seed += 1

    def _next_story(self) -> None:
        self.story = (self.story + 1) % len(self.corpus.heldout)
        self._open()

    def _open(self) -> None:
        """Choose the gaps of the story, and let every generator look at them."""
        self._tokens = self.corpus.heldout[self.story].cpu()
        ordinary = [i for i in range(1, len(self._tokens)) if self._is_word[self._tokens[i]]]
        chance = torch.randperm(len(ordinary), generator=torch.Generator().manual_seed(self.story))
        self._places = sorted(ordinary[i] for i in chance[:GAPS].tolist())
        self._seen = []
        self._ask()
        self._exact = exact_probabilities(self.corpus, self._tokens, self._places)
        known = self._logits[self.size.value].softmax(-1) if self._exact is None else self._exact
        self.asked = int(torch.special.entr(known).sum(-1).argmax())  # a gap with a choice, if there is one

    def _ask(self) -> None:
        """Let every generator look at the story, and at all the others, anew after it was trained on."""
        now = [(run.step, run.config) for run in self.runs.values()]
        if now != self._seen:
            self._seen = now
            self._logits = {size: masked_logits(run, self._tokens, self._places) for size, run in self.runs.items()}
            if now != self._counted:
                self._counted = now
                self._answers = {size: _answers(run) for size, run in self.runs.items()}


@torch.no_grad()
def _answers(run: TrainingRun) -> _Answers:
    """Let a generator guess the same gaps of the first held-out stories, whatever its size."""
    tokens = run.corpus.heldout[:STORIES].to(run.device)
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
    return _Answers(
        len(truth), float((best == truth).float().mean()), tuple(right), tuple(entropy), best_fits, tuple(fits)
    )
