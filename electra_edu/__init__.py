"""electra_edu: an ELECTRA you can take apart, and a course around it.

`import electra_edu as edu`, then `edu.preset`, `edu.load_corpus`, `edu.TrainingRun`; the panels are in `edu.widgets`.
"""

from electra_edu import (
    corpora,
    course,
    detection,
    doctor,
    efficiency,
    experiments,
    finetuning,
    generator,
    interop,
    masking,
    metrics,
    objectives,
    plots,
    probes,
    tasks,
    widgets,
)
from electra_edu.config import ElectraConfig, preset
from electra_edu.corpora import Corpus, load_corpus
from electra_edu.detection import detect
from electra_edu.electra import Electra, ElectraOutput
from electra_edu.errors import ElectraEduError, TrainingStopped
from electra_edu.training import Evaluation, StepRecord, TrainingRun
from electra_edu.widgets.check import check

__version__ = "0.1.0"

__all__ = [
    "Corpus",
    "Electra",
    "ElectraConfig",
    "ElectraEduError",
    "ElectraOutput",
    "Evaluation",
    "StepRecord",
    "TrainingRun",
    "TrainingStopped",
    "check",
    "corpora",
    "course",
    "detect",
    "detection",
    "doctor",
    "efficiency",
    "experiments",
    "finetuning",
    "generator",
    "interop",
    "load_corpus",
    "masking",
    "metrics",
    "objectives",
    "plots",
    "preset",
    "probes",
    "tasks",
    "widgets",
]
