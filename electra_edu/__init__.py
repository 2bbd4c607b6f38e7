"""electra_edu: an ELECTRA you can take apart, and a course around it.

`import electra_edu as edu`, then `edu.preset`, `edu.load_corpus`, `edu.TrainingRun`; the panels are in `edu.widgets`.
Each name brings its module with it when it is first used, so that the import itself costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for type checkers and editors; at run time the two tables below say where a name is
    from electra_edu import corpora, course, efficiency, experiments, interop, metrics, plots, widgets
    from electra_edu.cli import doctor
    from electra_edu.config import ElectraConfig, objectives, preset
    from electra_edu.corpora import Corpus, load_corpus
    from electra_edu.evaluation import detection, finetuning, probes, tasks
    from electra_edu.evaluation.detection import detect
    from electra_edu.model import generator, masking
    from electra_edu.model.electra import Electra, ElectraOutput
    from electra_edu.support.errors import ElectraEduError, TrainingStopped
    from electra_edu.training import Evaluation, StepRecord, TrainingRun
    from electra_edu.widgets.lesson.check import check

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

_MODULES = {  # name -> the module that it is; every other module of `__all__` lies directly below this one
    "detection": "evaluation.detection",
    "doctor": "cli.doctor",
    "finetuning": "evaluation.finetuning",
    "generator": "model.generator",
    "masking": "model.masking",
    "objectives": "config.objectives",
    "probes": "evaluation.probes",
    "tasks": "evaluation.tasks",
}
_PLACES = {  # name -> the module that defines it
    "Corpus": "corpora",
    "Electra": "model.electra",
    "ElectraConfig": "config",
    "ElectraEduError": "support.errors",
    "ElectraOutput": "model.electra",
    "Evaluation": "training",
    "StepRecord": "training",
    "TrainingRun": "training",
    "TrainingStopped": "support.errors",
    "check": "widgets.lesson.check",
    "detect": "evaluation.detection",
    "load_corpus": "corpora",
    "preset": "config",
}


def __getattr__(name: str) -> object:
    """Load the module of a name that is used for the first time; afterwards it is an ordinary attribute."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _PLACES:
        value: object = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    else:
        value = import_module(f"{__name__}.{_MODULES.get(name, name)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the names that have not been used yet too."""
    return sorted({*globals(), *__all__})
