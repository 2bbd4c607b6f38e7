"""A TrainingRun as a Frame: its curves, one sentence, the verdict and what it has cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from electra_edu.corpora.corpus import Corpus
from electra_edu.plots.curves import HALF_LIFE
from electra_edu.plots.growing_curve import GrowingCurve
from electra_edu.plots.series import RunningAverage
from electra_edu.training import Stage, TrainingRun, diagnose
from electra_edu.training.stages import StageLog
from electra_edu.training.verdict import BestRecall
from electra_edu.widgets.charts.frame import (
    Chart,
    Floor,
    Frame,
    Kept,
    Mark,
    Role,
    Sentence,
    Series,
    Strip,
    Token,
    Verdict,
    thin,
)
from electra_edu.widgets.panels.run_labels import NAMES, change_label, settings_label

RAW = ("mlm_loss", "rtd_loss")  # drawn faint, as they are
KEPT_POINTS = 120  # of a curve that stays behind
SMOOTH = ("mlm_loss", "rtd_loss", "rtd_floor", "recall")  # drawn as running averages


@dataclass(frozen=True, eq=False)
class KeptRun:
    """The curves that a run left behind, with the settings it was trained with."""

    corpus: str
    sha256: str  # of the corpus
    curves: Mapping[str, Kept]

    def of(self, name: str, corpus: Corpus) -> Kept:
        """Return one curve as it is drawn below a run on `corpus`: its own corpus is named where it is another."""
        curve = self.curves[name]
        return curve if corpus.sha256 == self.sha256 else replace(curve, label=f"{self.corpus}: {curve.label}")


class RunFrames:
    """Makes the frames of one run, from curves that grow with it: a frame costs the same however long the run is.

    What is new in the run's history is read when it is needed, whoever trained it. One thread at a time.
    """

    def __init__(self, run: TrainingRun, task: str | None) -> None:
        """Take the run and the task of its probe scores (None: no labels)."""
        self.run = run
        self.task = task
        self.probes: dict[int, float] = {}  # scores of the task by step
        self._raw = {name: GrowingCurve() for name in RAW}
        self._smooth = {name: GrowingCurve() for name in SMOOTH}
        self._averages = {name: RunningAverage(HALF_LIFE) for name in SMOOTH}
        self._auc, self._probe = GrowingCurve(), GrowingCurve()
        self._best_recall = BestRecall()
        self._probe_scores: tuple[float, float] | None = None  # the best and the last
        self._log = StageLog(run.first_config)
        self._n_records = self._n_evaluations = 0
        self._replaced: list[int] = run.exam.is_replaced.sum(-1).tolist()  # words of each exam sentence

    def grow(self) -> None:
        """Read what is new in the run."""
        for record in self.run.history[self._n_records :]:
            self._n_records += 1
            self._best_recall.add(record.recall)
            for name, curve in self._raw.items():
                curve.add(record.step, getattr(record, name))
            for name, curve in self._smooth.items():
                curve.add(record.step, self._averages[name].add(getattr(record, name)))
        for evaluation in self.run.evaluations[self._n_evaluations :]:
            self._n_evaluations += 1
            self._auc.add(evaluation.step, evaluation.auc)

    def probed(self, step: int, score: float) -> None:
        """Take a probe's score."""
        if step not in self.probes:
            self._probe.add(step, score)
        self.probes[step] = score
        best = score if self._probe_scores is None else max(score, self._probe_scores[0])
        self._probe_scores = best, score

    def stages(self) -> list[Stage]:
        """Return what was asked of the run so far, as `TrainingRun.stages` does, without reading all of it again."""
        return self._log.read(self.run.history, self.run.changes)

    def row_from(self, start: int) -> int:
        """Find the next exam sentence from `start` on in which two words or more were replaced; any, if none was."""
        n_rows = len(self._replaced)
        rows = [(start + i) % n_rows for i in range(n_rows)]
        return next((row for row in rows if self._replaced[row] >= 2), start % n_rows)

    def keep(self, usual_rate: float | None = None) -> KeptRun:
        """Return this run's smoothed curves, to stay behind the next run's; for `usual_rate` see `settings_label`."""
        self.grow()
        run = self.run
        label = settings_label(run.first_config, self.stages(), usual_rate) + (f", seed {run.seed}" if run.seed else "")
        curves = {name: Kept(label, *thin(*curve.points(), KEPT_POINTS)) for name, curve in self._smooth.items()}
        curves["auc"] = Kept(label, *thin(*self._auc.points(), KEPT_POINTS))
        return KeptRun(run.corpus.name, run.corpus.sha256, curves)

    def frame(
        self,
        row: int = 0,
        kept: Sequence[KeptRun] = (),
        stopped: str | None = None,
        note: str = "",
        speed: float = math.nan,
    ) -> Frame:
        """Draw the run as it stands, with the exam's sentence `row` and the curves of earlier runs.

        `stopped` is the error that ended it; `note` goes before the status line.
        """
        self.grow()
        run = self.run
        best = self._best_recall.value
        verdict = diagnose(run.history, run.evaluations, run.corpus.unigram_entropy, stopped, best, self._probe_scores)
        return Frame(
            charts=[
                Chart("Losses", [self._generator_strip(kept), self._rtd_strip(kept)]),
                Chart("Is it learning?", [self._scores(kept)]),
            ],
            marks=[Mark(change.step, change_label(change)) for change in run.changes if change.field in NAMES],
            sentence=self._sentence(row),
            verdict=Verdict(verdict.kind, verdict.text),
            status=" · ".join(filter(None, [note, self._status(speed)])),
        )

    def _generator_strip(self, kept: Sequence[KeptRun]) -> Strip:
        return Strip(
            "generator loss",
            "nats",
            self._lines("mlm_loss", "generator loss", "generator"),
            "generator",
            floor=Floor("word frequencies only", self.run.corpus.unigram_entropy),
            kept=self._kept("mlm_loss", kept),
        )

    def _rtd_strip(self, kept: Sequence[KeptRun]) -> Strip:
        floor_x, floor_y = self._smooth["rtd_floor"].points()
        return Strip(
            "RTD loss",
            "nats",
            self._lines("rtd_loss", "RTD loss", "discriminator"),
            "discriminator",
            floor=Floor("H(p): constant guess", floor_y, floor_x) if floor_x else None,
            kept=self._kept("rtd_loss", kept),
        )

    def _scores(self, kept: Sequence[KeptRun]) -> Strip:
        series = [
            Series("AUC, exam", "discriminator", *self._auc.points()),
            Series("recall", "discriminator", *self._smooth["recall"].points(), style="dotted"),
        ]
        if self.task:
            name = self.task.replace("_", " ") + " probe"
            series.append(Series(name, "probe", *self._probe.points(), style="markers"))
        return Strip("score", "0 to 1", series, y_range=(0.0, 1.0), kept=self._kept("auc", kept))

    def _lines(self, field: str, name: str, role: Role) -> list[Series]:
        raw, bold = self._raw[field].points(), self._smooth[field].points()
        return [Series(name, role, *raw, style="raw"), Series(name, role, *bold)]

    def _kept(self, field: str, kept: Sequence[KeptRun]) -> list[Kept]:
        return [each.of(field, self.run.corpus) for each in kept]

    @torch.no_grad()
    def _sentence(self, row: int) -> Sentence:
        exam, tokenizer = self.run.exam, self.run.corpus.tokenizer
        corrupted = exam.corrupted[row : row + 1]
        is_real = corrupted != self.run.config.pad_token_id
        probabilities = self.run.average.discriminator(corrupted, is_real).sigmoid()[0].tolist()
        triples = zip(exam.original[row].tolist(), corrupted[0].tolist(), probabilities, strict=True)
        tokens = []
        for (original, shown, probability), ordinary in zip(triples, exam.is_ordinary[row].tolist(), strict=True):
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
