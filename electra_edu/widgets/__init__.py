"""Panels for lessons: one per idea, each a small class that takes a run or a text."""

from electra_edu.widgets.charts.pictures import machine, show
from electra_edu.widgets.lesson.check import check
from electra_edu.widgets.lesson.course_map import Map
from electra_edu.widgets.lesson.header import Header
from electra_edu.widgets.lesson.prediction import Prediction
from electra_edu.widgets.lesson.quiz import Quiz
from electra_edu.widgets.panels.bits_explorer import BitsExplorer
from electra_edu.widgets.panels.efficiency_explorer import EfficiencyExplorer
from electra_edu.widgets.panels.find_the_fakes import FindTheFakes
from electra_edu.widgets.panels.generator_bench import GeneratorBench
from electra_edu.widgets.panels.label_explorer import LabelExplorer
from electra_edu.widgets.panels.mask_explorer import MaskExplorer
from electra_edu.widgets.panels.masked_model import MaskedModel
from electra_edu.widgets.panels.stepper import Stepper
from electra_edu.widgets.panels.training_lab import TrainingLab
from electra_edu.widgets.panels.typed_sentence import TypedSentence
from electra_edu.widgets.panels.verdicts_over_training import VerdictsOverTraining

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
