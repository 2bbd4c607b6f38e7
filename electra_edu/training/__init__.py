"""Training: a TrainingRun takes steps; its records say what happened, a verdict what they mean."""

from electra_edu.training.records import Change, Evaluation, StepRecord
from electra_edu.training.run import TrainingRun
from electra_edu.training.stages import Stage
from electra_edu.training.verdict import Verdict, diagnose

__all__ = ["Change", "Evaluation", "Stage", "StepRecord", "TrainingRun", "Verdict", "diagnose"]
