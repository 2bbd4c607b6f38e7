"""electra_edu: an ELECTRA you can take apart, and a course around it.

`import electra_edu as edu`, then `edu.preset`, `edu.load_corpus`, `edu.TrainingRun`; the panels are in `edu.widgets`.
Each name brings its module with it when it is first used, so that the import itself costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for type checkers and editors; at run time `_PLACES` says where a name is
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

_PLACES = {  # name -> the module below this one that has it; every other name of `__all__` is such a module itself
    "Corpus": "corpora",
    "Electra": "electra",
    "ElectraConfig": "config",
    "ElectraEduError": "errors",
    "ElectraOutput": "electra",
    "Evaluation": "training",
    "StepRecord": "training",
    "TrainingRun": "training",
    "TrainingStopped": "errors",
    "check": "widgets.check",
    "detect": "detection",
    "load_corpus": "corpora",
    "preset": "config",
}


def __getattr__(name: str) -> object:
    """Load the module of a name that is used for the first time; afterwards it is an ordinary attribute."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_PLACES.get(name, name)}")
    value = globals()[name] = getattr(module, name) if name in _PLACES else module
    return value


def __dir__() -> list[str]:
    """List the names that have not been used yet too."""
    return sorted({*globals(), *__all__})
