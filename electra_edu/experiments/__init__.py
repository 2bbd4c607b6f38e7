"""Experiments: several ways to train, held against each other at equal cost and over several seeds."""

from electra_edu.experiments.definition import experiment_names, load_experiment
from electra_edu.experiments.experiment import Arm, Experiment, grid
from electra_edu.experiments.race import RACES, race, race_of
from electra_edu.experiments.records import Record, load_record, network_folder, record_names, write_record
from electra_edu.experiments.runner import Outcome, estimate, run_experiment
from electra_edu.experiments.statistics import Interval, curves, mean_interval, race_to, summary
from electra_edu.experiments.trials import Row

__all__ = [
    "RACES",
    "Arm",
    "Experiment",
    "Interval",
    "Outcome",
    "Record",
    "Row",
    "curves",
    "estimate",
    "experiment_names",
    "grid",
    "load_experiment",
    "load_record",
    "mean_interval",
    "network_folder",
    "race",
    "race_of",
    "race_to",
    "record_names",
    "run_experiment",
    "summary",
    "write_record",
]
