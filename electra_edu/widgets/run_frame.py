"""A TrainingRun as a Frame: its curves, one sentence, the verdict and what it has cost."""

import math
from array import array
from collections.abc import Iterable

import torch

from electra_edu.config import ElectraConfig
from electra_edu.corpora.corpus import Corpus
from electra_edu.plots.curves import HALF_LIFE
from electra_edu.plots.series import RunningAverage
from electra_edu.training import Change, StepRecord, TrainingRun, judge
from electra_edu.widgets.controls import size_label
from electra_edu.widgets.frame import Chart, Floor, Frame, Kept, Mark, Sentence, Series, Strip, Token, Verdict, thin

FIELDS = ("mlm_loss", "rtd_loss", "rtd_floor", "recall")
NAMES = {"mask_prob": "mask", "rtd_weight": "λ", "temperature": "temperature", "learning_rate": "rate"}


def settings_label(config: ElectraConfig) -> str:
    """Say in a few words what a kept curve was trained with."""
    sharing = "" if config.weight_sharing == "embeddings" else f", sharing {config.weight_sharing}"
    size = size_label(config.generator_size_fraction)
    return f"mask {config.mask_prob:.0%}, λ {config.rtd_weight:g}, size {size}{sharing}"


class RunFrames:
    """Makes the frames of one run; keeps its curves so that a frame costs the same however long the run is."""

    def __init__(self, run: TrainingRun, task: str | None, kept: Iterable[tuple[str, dict[str, Kept]]] = ()) -> None:
        """Take the run, the task of its probe scores (None: no labels), and the curves kept from earlier runs."""
        self.run = run
        self.task = task
        self.kept = list(kept)
        self.probes: dict[int, float] = {}
        self._steps = array("d")
        self._raw = {name: array("d") for name in FIELDS}
        self._smooth = {name: array("d") for name in FIELDS}
        self._averages = {name: RunningAverage(HALF_LIFE) for name in FIELDS}
        self._row = self._interesting_row(0)
        self.grow(run.history)

    def grow(self, records: Iterable[StepRecord]) -> None:
        """Add new steps to the curves."""
        for record in records:
            self._steps.append(record.step)
            for name in FIELDS:
                value = getattr(record, name)
                self._raw[name].append(value)
                self._smooth[name].append(self._averages[name].add(value))

    def next_sentence(self) -> None:
        """Show another held-out sentence from now on."""
        self._row = self._interesting_row(self._row + 1)

    def keep(self) -> tuple[str, dict[str, Kept]]:
        """Return this run's smoothed curves, to stay behind the next run's, with a label."""
        label = settings_label(self.run.config)
        curves = {name: Kept(label, *thin(self._steps, self._smooth[name], 120)) for name in FIELDS}
        steps = [evaluation.step for evaluation in self.run.evaluations]
        curves["auc"] = Kept(label, steps, [evaluation.auc for evaluation in self.run.evaluations])
        return label, curves

    def frame(self, stopped: str | None = None, note: str = "", speed: float = math.nan) -> Frame:
        """Draw the run as it stands. `stopped` is the error that ended it; `note` goes before the status line."""
        run = self.run
        verdict = judge(run.history, run.evaluations, run.corpus.unigram_entropy, stopped)
        return Frame(
            charts=[
                Chart("Losses", [self._generator_strip(), self._rtd_strip()]),
                Chart("Is it learning?", [self._scores()]),
            ],
            marks=[Mark(change.step, change_label(change)) for change in run.changes if change.field in NAMES],
            sentence=self._sentence(),
            verdict=Verdict(verdict.kind, verdict.text),
            status=" · ".join(filter(None, [note, self._status(speed)])),
        )

    def _generator_strip(self) -> Strip:
        return Strip(
            "generator loss",
            "nats",
            self._lines("mlm_loss", "generator loss", "generator"),
            "generator",
            floor=Floor("word frequencies only", self.run.corpus.unigram_entropy),
            kept=self._kept("mlm_loss"),
        )

    def _rtd_strip(self) -> Strip:
        floor_x, floor_y = thin(self._steps, self._smooth["rtd_floor"])
        return Strip(
            "RTD loss",
            "nats",
            self._lines("rtd_loss", "RTD loss", "discriminator"),
            "discriminator",
            floor=Floor("H(p): constant guess", floor_y, floor_x) if floor_x else None,
            kept=self._kept("rtd_loss"),
        )

    def _scores(self) -> Strip:
        evaluations = self.run.evaluations
        series = [
            Series("AUC, exam", "discriminator", [e.step for e in evaluations], [e.auc for e in evaluations]),
            Series("recall", "discriminator", *thin(self._steps, self._smooth["recall"]), style="dotted"),
        ]
        if self.task:
            name = self.task.replace("_", " ") + " probe"
            series.append(Series(name, "probe", list(self.probes), list(self.probes.values()), style="markers"))
        return Strip("score", "0 to 1", series, y_range=(0.0, 1.0), kept=self._kept("auc"))

    def _lines(self, field: str, name: str, role: str) -> list[Series]:
        raw, bold = thin(self._steps, self._raw[field]), thin(self._steps, self._smooth[field])
        return [Series(name, role, *raw, style="raw"), Series(name, role, *bold)]  # type: ignore[arg-type]

    def _kept(self, field: str) -> list[Kept]:
        return [curves[field] for _, curves in self.kept]

    def _interesting_row(self, start: int) -> int:
        """Find the next exam sentence in which two words or more were replaced; any, if there is none."""
        replaced = self.run.exam.is_replaced.sum(-1).tolist()
        rows = [(start + i) % len(replaced) for i in range(len(replaced))]
        return next((row for row in rows if replaced[row] >= 2), start % len(replaced))

    @torch.no_grad()
    def _sentence(self) -> Sentence:
        exam, tokenizer = self.run.exam, self.run.corpus.tokenizer
        row = slice(self._row, self._row + 1)
        corrupted = exam.corrupted[row]
        is_real = corrupted != self.run.config.pad_token_id
        probabilities = self.run.average.discriminator(corrupted, is_real).sigmoid()[0].tolist()
        triples = zip(exam.original[self._row].tolist(), corrupted[0].tolist(), probabilities, strict=True)
        tokens = []
        for (original, shown, probability), ordinary in zip(triples, exam.is_ordinary[self._row].tolist(), strict=True):
            if ordinary:
                truth = tokenizer.id_to_token(original) if original != shown else None
                text = tokenizer.id_to_token(shown) or ""
                tokens.append(Token(text, probability if self.run.step else None, original=truth))
        return Sentence(tokens, "A held-out sentence with the same fakes all through. Below each word: P(replaced).")

    def _status(self, speed: float) -> str:
        run = self.run
        parts = [
            f"step {run.step:,}",
            f"{run.tokens / 1e3:,.0f} k tokens",
            f"{run.flops / 1e12:.2f} TFLOP",
            f"{run.seconds:.1f} s",
        ]
        return " · ".join(parts + ([] if math.isnan(speed) else [f"{speed:.0f} steps/s"]))


def probe_task(corpus: Corpus) -> str | None:
    """Name the task whose probe score a panel shows, or None for a text without topics.

    The modules of "docs" have too few held-out sequences each for a score that means something.
    """
    return "topic" if "topic" in corpus.heldout_labels else None


def change_label(change: Change) -> str:
    """Say a change as a learner would: "λ 50 → 10", "mask 15% → 30%"."""
    form = ".0%" if change.field == "mask_prob" else ".3g"
    before, after = format(change.before, form), format(change.after, form)
    return f"{NAMES[change.field]} {before} → {after}"
