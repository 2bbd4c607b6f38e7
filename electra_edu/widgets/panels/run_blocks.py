"""A TrainingRun as blocks: its curves, one sentence, the verdict and what it has cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from electra_edu.corpora.corpus import Corpus
from electra_edu.plots.blocks import Block, Row, Status, Token, Tokens, Verdict
from electra_edu.plots.charts import Color, Curve, Floor, LineChart, Subplot, VerticalLine
from electra_edu.plots.curves import HALF_LIFE
from electra_edu.plots.growing_curve import GrowingCurve
from electra_edu.plots.series import RunningAverage
from electra_edu.training import Stage, TrainingRun, diagnose
from electra_edu.training.stages import StageLog
from electra_edu.training.verdict import BestRecall
from electra_edu.widgets.panels.run_labels import NAMES, change_label, settings_label

RAW = ("mlm_loss", "rtd_loss")  # drawn faint, as they are
SMOOTH = ("mlm_loss", "rtd_loss", "rtd_floor", "recall")  # drawn as running averages
PALE_POINTS = 120  # at most, of a curve of an earlier run
NEW_SENTENCE = "New sentence"
SIGNS: dict[tuple[bool, bool], tuple[str, Color, str]] = {  # (accused, replaced): its sign, colour and meaning
    (True, True): ("✓", "discriminator", "caught"),
    (False, True): ("✗", "generator", "missed"),
    (True, False): ("!", "warning", "wrongly accused"),
}
THRESHOLD = 0.5  # the discriminator accuses a token from this probability on


@dataclass(frozen=True, eq=False)
class EarlierRun:
    """The curves of an earlier run, pale, named after the settings it was trained with."""

    corpus: str
    sha256: str  # of the corpus
    curves: Mapping[str, Curve]

    def curve(self, name: str, corpus: Corpus) -> Curve:
        """Return one curve as it is drawn below a run on `corpus`: its own corpus is named where it is another."""
        curve = self.curves[name]
        return curve if corpus.sha256 == self.sha256 else replace(curve, name=f"{self.corpus}: {curve.name}")


class RunBlocks:
    """Makes the blocks that show one run, from curves that grow with it.

    They cost the same however long the run is. What is new in the run's history is read when it is needed, whoever
    trained it. One thread at a time.
    """

    def __init__(self, run: TrainingRun, task: str | None) -> None:
        """Take the run and the task of its probe scores (None: no labels)."""
        self.run = run
        self.task = task
        self._raw = {name: GrowingCurve() for name in RAW}
        self._smooth = {name: GrowingCurve() for name in SMOOTH}
        self._averages = {name: RunningAverage(HALF_LIFE) for name in SMOOTH}
        self._auc, self._probe = GrowingCurve(), GrowingCurve()
        self._best_recall = BestRecall()
        self._probe_step = -1
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
        if step > self._probe_step:
            self._probe.add(step, score)
            self._probe_step = step
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

    def earlier(self, usual_rate: float | None = None) -> EarlierRun:
        """Return this run's smoothed curves, to be drawn behind the next run's.

        For `usual_rate` see `settings_label`.
        """
        self.grow()
        run = self.run
        label = settings_label(run.first_config, self.stages(), usual_rate) + (f", seed {run.seed}" if run.seed else "")
        grown = self._smooth | {"auc": self._auc}
        curves = {name: Curve(label, *curve.thinned(PALE_POINTS), "neutral", "pale") for name, curve in grown.items()}
        return EarlierRun(run.corpus.name, run.corpus.sha256, curves)

    def blocks(
        self,
        sentence: int = 0,
        earlier: Sequence[EarlierRun] = (),
        stopped: str | None = None,
        note: str = "",
        speed: float = math.nan,
    ) -> list[Block]:
        """Return the run as it stands, with one sentence of the exam and the curves of earlier runs.

        `stopped` is the error that ended it; `note` goes before the status line.
        """
        self.grow()
        run = self.run
        best = self._best_recall.value
        verdict = diagnose(run.history, run.evaluations, run.corpus.unigram_entropy, stopped, best, self._probe_scores)
        changes = [VerticalLine(each.step, change_label(each)) for each in run.changes if each.field in NAMES]
        losses = [self._generator_loss(earlier), self._rtd_loss(earlier)]
        return [
            Row(
                (
                    LineChart(
                        "Losses", losses, "steps", lines=changes, empty="Press Train: the curves will grow here."
                    ),
                    LineChart("Is it learning?", [self._scores(earlier)], "steps", lines=changes),
                )
            ),
            self._sentence(sentence),
            Verdict(verdict.kind, verdict.text),
            Status(" · ".join(filter(None, [note, self._status(speed)]))),
        ]

    def _generator_loss(self, earlier: Sequence[EarlierRun]) -> Subplot:
        floor = Floor("word frequencies only", self.run.corpus.unigram_entropy)
        curves = self._loss("mlm_loss", "generator loss", "generator", earlier)
        return Subplot("generator loss", curves, "nats", "generator", floor=floor)

    def _rtd_loss(self, earlier: Sequence[EarlierRun]) -> Subplot:
        x, y = self._smooth["rtd_floor"].points()
        floor = Floor("H(p): constant guess", y, x) if x else None
        curves = self._loss("rtd_loss", "RTD loss", "discriminator", earlier)
        return Subplot("RTD loss", curves, "nats", "discriminator", floor=floor)

    def _loss(self, field: str, name: str, color: Color, earlier: Sequence[EarlierRun]) -> list[Curve]:
        return [
            *(each.curve(field, self.run.corpus) for each in earlier),
            Curve(name, *self._raw[field].points(), color, "raw"),
            Curve(name, *self._smooth[field].points(), color),
        ]

    def _scores(self, earlier: Sequence[EarlierRun]) -> Subplot:
        curves = [
            *(each.curve("auc", self.run.corpus) for each in earlier),
            Curve("AUC, exam", *self._auc.points(), "discriminator"),
            Curve("recall", *self._smooth["recall"].points(), "discriminator", "dotted"),
        ]
        if self.task:
            name = self.task.replace("_", " ") + " probe"
            curves.append(Curve(name, *self._probe.points(), "probe", marker="circle"))
        return Subplot("score", curves, "0 to 1", ylim=(0.0, 1.0))

    @torch.no_grad()
    def _sentence(self, row: int) -> Tokens:
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
                tokens.append(token_of(text, probability if self.run.step else None, truth))
        return Tokens(
            tuple(tokens),
            "A held-out sentence with the same fakes all through. Below each word: P(replaced).",
            key=tuple((color, sign, meaning) for sign, color, meaning in SIGNS.values()),
            button=NEW_SENTENCE,
        )

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


def token_of(text: str, probability: float | None, original: str | None = None) -> Token:
    """Return a token as the discriminator reads it: shaded by the probability that it was replaced.

    None and NaN stand for a token that was not judged yet. `original` is the true word where the token was replaced.
    """
    if probability is not None and math.isnan(probability):
        probability = None
    is_accused = probability is not None and probability >= THRESHOLD
    sign, color, meaning = SIGNS.get((is_accused, original is not None), ("", "ink", ""))
    truth = "" if original is None else f"true word: {original}; "
    return Token(
        text.removeprefix("##") or text,
        note=f"{sign} –".strip() if probability is None else f"{sign} {probability:.0%}".strip(),
        color=color,
        about=f"{truth}{meaning}",
        tint=probability or 0.0,
        continues=text.startswith("##"),
    )
