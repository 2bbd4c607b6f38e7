"""Experiments: several ways to train, held against each other at equal cost and over several seeds."""

from electra_edu.experiments.race import RACES, Contender, Entry, race, run_entry, summary

__all__ = ["RACES", "Contender", "Entry", "race", "run_entry", "summary"]
