"""Panels for lessons: one per idea, each a small class that takes a run or a text."""

from electra_edu.widgets._figure import machine, show
from electra_edu.widgets.bits_explorer import BitsExplorer
from electra_edu.widgets.check import check
from electra_edu.widgets.course_map import Map
from electra_edu.widgets.efficiency_explorer import EfficiencyExplorer
from electra_edu.widgets.find_the_fakes import FindTheFakes
from electra_edu.widgets.generator_bench import GeneratorBench
from electra_edu.widgets.header import Header
from electra_edu.widgets.label_explorer import LabelExplorer
from electra_edu.widgets.mask_explorer import MaskExplorer
from electra_edu.widgets.masked_model import MaskedModel
from electra_edu.widgets.prediction import Prediction
from electra_edu.widgets.quiz import Quiz
from electra_edu.widgets.stepper import Stepper
from electra_edu.widgets.training_lab import TrainingLab
from electra_edu.widgets.typed_sentence import TypedSentence
from electra_edu.widgets.verdicts_over_training import VerdictsOverTraining

__all__ = [
    "BitsExplorer",
    "EfficiencyExplorer",
    "FindTheFakes",
    "GeneratorBench",
    "Header",
    "LabelExplorer",
    "Map",
    "MaskExplorer",
    "MaskedModel",
    "Prediction",
    "Quiz",
    "Stepper",
    "TrainingLab",
    "TypedSentence",
    "VerdictsOverTraining",
    "check",
    "machine",
    "show",
]
