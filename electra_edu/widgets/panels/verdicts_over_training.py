"""VerdictsOverTraining: how the discriminator learns to tell fakes apart, and what a threshold makes of its logits."""

from dataclasses import dataclass

import torch
from torch import Tensor

from electra_edu.evaluation.detection.source import discriminator_of
from electra_edu.metrics import auc, detection_at, roc_curve
from electra_edu.plots.blocks import Block, Fact, Facts, Row, Text
from electra_edu.plots.charts import Curve, Dot, Floor, Histogram, LineChart, Series, Subplot, VerticalLine
from electra_edu.training import TrainingRun
from electra_edu.widgets.parts.code import run_lines, stages_until
from electra_edu.widgets.parts.instrument import Instrument, require_run
from electra_edu.widgets.parts.knobs import Slider

MAX_LOGIT = 6.0  # larger ones, of either sign, are counted in the outermost bins
BINS = 24
THRESHOLDS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The exam's logits at one step of training, and what does not depend on the threshold."""

    step: int
    logits: Tensor  # (N,)
    auc: float
    original_histogram: tuple[float, ...]  # share per bin
    replaced_histogram: tuple[float, ...]
    roc: tuple[tuple[float, ...], tuple[float, ...]]  # false and true positive rates


class VerdictsOverTraining(Instrument):
    """Histograms of the logits of the exam's original and replaced words, one pair for each `look`.

    Fill it while a run trains: `look()`, `run.advance(25)`, `look()`, … ; then show it.
    """

    def __init__(self, run: TrainingRun) -> None:
        """Watch the averaged discriminator of `run` and look at it once; raises ElectraEduError where it has none."""
        require_run(run)
        discriminator_of(run)
        self.run = run
        self._labels = run.exam.is_replaced[run.exam.is_ordinary].cpu()  # (N,)
        self.snapshots = [self._snapshot()]
        self.step = Slider("training step", (run.step,), run.step)
        self.threshold = Slider("accuse above", THRESHOLDS, 0.5, "{:.0%}".format)
        super().__init__("How a fake is caught", [[self.step, self.threshold]])

    def look(self) -> None:
        """Take a snapshot of the logits as they are now; the slider offers its step."""
        self.snapshots.append(self._snapshot())
        self.step.offer([each.step for each in self.snapshots], self.snapshots[-1].step)
        self.refresh()

    def blocks(self) -> list[Block]:
        """Return the scores at the threshold, both histograms, the ROC curve, and a sentence on what they mean."""
        snapshot = next(each for each in reversed(self.snapshots) if each.step == self.step.value)
        limit = self.threshold.value
        found = detection_at(snapshot.logits.sigmoid(), self._labels, limit)
        precision = "–" if found.precision != found.precision else f"{found.precision:.0%}"
        false_positives = float((snapshot.logits.sigmoid() > limit)[~self._labels].float().mean())
        facts = Facts(
            (
                Fact(f"{found.recall:.0%}", "recall: of the fakes are accused", "discriminator"),
                Fact(precision, "precision: of the accused are fakes", "discriminator"),
                Fact(f"{snapshot.auc:.2f}", "AUC: all thresholds at once"),
                Fact(
                    f"{found.accuracy:.1%}", f"accuracy; saying “original” always has {found.majority:.1%}", "neutral"
                ),
            )
        )
        edges = tuple(-MAX_LOGIT + i * 2 * MAX_LOGIT / BINS for i in range(BINS + 1))
        histogram = Histogram(
            f"Logits after {snapshot.step} steps",
            edges,
            (
                Series("original", snapshot.original_histogram, "neutral"),
                Series("replaced", snapshot.replaced_histogram, "discriminator", True),
            ),
            "logit of the discriminator",
            "share of its kind",
            VerticalLine(float(torch.logit(torch.tensor(limit))), f"{limit:.0%}"),
        )
        roc = LineChart(
            "Found against wrongly accused (ROC)",
            [
                Subplot(
                    "share of fakes found",
                    [Curve("", *snapshot.roc, "discriminator")],
                    ylim=(0.0, 1.0),
                    floor=Floor("guessing", (0.0, 1.0), (0.0, 1.0)),
                    dots=[Dot(false_positives, found.recall, f"above {limit:.0%}")],
                )
            ],
            "share of originals accused",
            (0.0, 1.0),
        )
        return [facts, Row((histogram, roc)), Text(self._verdict(snapshot, found.recall))]

    def code(self) -> list[str]:
        """Return calls that give the same scores, with a run at hand; for an earlier step it is trained again."""
        step, run = self.step.value, self.run
        return [
            *(
                ["import electra_edu as edu", ""]
                if step == run.step
                else run_lines(run, stages_until(run.stages, step))
            ),
            "exam = run.exam  # fixed: the same sentences and fakes for every run",
            "logits = run.average.discriminator(exam.corrupted, exam.original != run.config.pad_token_id).detach()",
            "logits, labels = logits[exam.is_ordinary].cpu(), exam.is_replaced[exam.is_ordinary].cpu()",
            f"print(edu.metrics.detection_at(logits.sigmoid(), labels, {self.threshold.value}))",
            "print(edu.metrics.auc(logits, labels))",
        ]

    def _verdict(self, snapshot: Snapshot, recall: float) -> str:
        if snapshot.auc < 0.6:
            return "The two histograms lie on each other: it cannot tell fakes from true words yet, at any threshold."
        if recall < 0.05:
            return "It can tell them apart a little, but nearly no word passes this threshold: move it to the left."
        return "Fakes lie further right. What the threshold cuts off on the right is accused, originals among it."

    @torch.no_grad()
    def _snapshot(self) -> Snapshot:
        exam, run = self.run.exam, self.run
        is_real = exam.original != run.config.pad_token_id
        logits = run.average.discriminator(exam.corrupted, is_real)[exam.is_ordinary].float().cpu()
        shares = []
        for kind in (~self._labels, self._labels):
            counts = torch.histc(logits[kind].clamp(-MAX_LOGIT, MAX_LOGIT), BINS, -MAX_LOGIT, MAX_LOGIT)
            shares.append(tuple((counts / kind.sum()).tolist()))
        return Snapshot(
            run.step, logits, auc(logits, self._labels), shares[0], shares[1], roc_curve(logits, self._labels)
        )
