"""Run an experiment's trials, several at a time, in a folder that remembers: what is finished is never run again."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from electra_edu.evaluation.probes import probe_suite
from electra_edu.experiments.experiment import Experiment, Trial, corpus_named
from electra_edu.experiments.trials import Row, TrialFiles, one_thread, run_trial
from electra_edu.experiments.workers import settings
from electra_edu.support.errors import ElectraEduError, TrainingStopped
from electra_edu.training import TrainingRun

TIMED_STEPS = 4  # of each arm, before an estimate; the first is left out
FINE_TUNING_SECONDS = 2.0  # for one task and number of labels: `min_steps` decides, whatever the network


@dataclass(frozen=True)
class Outcome:
    """What there is after a run: the rows of all finished trials in order, and why others failed."""

    rows: list[Row]  # of a trial all or none
    failed: dict[str, str]  # "arm, seed 3" -> the error
    trials: int  # that the experiment has
    network: Path | None = None  # the folder of the networks that it keeps, once they are trained


def run_experiment(
    experiment: Experiment,
    folder: Path,
    *,
    jobs: int | None = None,
    retry: bool = False,
    on_trial: Callable[[int, int], None] = lambda _done, _of: None,
) -> Outcome:
    """Run what is not finished yet and return all there is.

    Each trial keeps its result in `folder` as it ends, and its run at every budget; a run that was killed at any moment
    goes on when called again. Trials that failed are left alone unless `retry`. `jobs` trials run at a time, one thread
    each (as many as there are cores when None). Worker processes end with this one. `on_trial` is called with
    how many trials are done, and of how many, at the start and after each.

    Raises ElectraEduError for a corpus that is not there, settings that
    cannot be trained and a folder that cannot be written.
    """
    from joblib import Parallel, delayed  # here: the course never needs it

    experiment.check()
    trials = {trial.key: trial for trial in experiment.trials()}  # the same run under two names is run once
    due = [trial for key, trial in trials.items() if _is_due(TrialFiles(folder, key), retry)]
    n_jobs = min(jobs or os.cpu_count() or 1, max(len(due), 1))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        on_trial(len(trials) - len(due), len(trials))
        ended = Parallel(n_jobs=n_jobs, return_as="generator_unordered", **settings())(
            delayed(run_trial)(trial, folder) for trial in due
        )
        for n, _ in enumerate(ended, len(trials) - len(due) + 1):
            on_trial(n, len(trials))
    except OSError as error:
        raise ElectraEduError(f"{folder} cannot be written ({error}). Choose another folder.") from error
    outcome = gather(experiment, folder)
    for name, trial in ((_name_of(trial), trial) for trial in trials.values()):
        if TrialFiles(folder, trial.key).result() is None and name not in outcome.failed:
            outcome.failed[name] = "left no result: the code or the folder changed meanwhile. Run it again."
    return outcome


def gather(experiment: Experiment, folder: Path) -> Outcome:
    """Return what `folder` has of the experiment, without running anything: arms in order, then seeds, then budgets."""
    rows: list[Row] = []
    failed: dict[str, str] = {}
    network = None
    trials = sorted(experiment.trials(), key=lambda trial: (experiment.arms.index(trial.arm), trial.seed))
    for trial in trials:
        files = TrialFiles(folder, trial.key)
        rows += [{"arm": _arm_of(trial, row), **trial.arm.changes, **row} for row in files.result() or []]
        failure = files.failure()
        if failure is not None:
            failed[_name_of(trial)] = failure
        if trial.keep and files.result() is not None:
            network = files.network
    return Outcome(rows, failed, len(trials), network)


def estimate(experiment: Experiment, folder: Path, jobs: int | None = None) -> float:
    """Return about how many seconds are still to run, from a few steps of each arm and one scoring on this computer."""
    due = [trial for trial in experiment.trials() if TrialFiles(folder, trial.key).result() is None]
    if not due:
        return 0.0
    corpus = corpus_named(experiment.corpus)
    n_evaluations = len(experiment.budgets) * max(1, len(experiment.layers))
    seconds, scoring = 0.0, None
    with one_thread():
        for arm in experiment.arms:
            n_trials = sum(trial.arm == arm for trial in due)
            if not n_trials:
                continue
            run = TrainingRun(arm.config(corpus, experiment.budgets[-1]), corpus, device="cpu")
            if scoring is None:
                began = time.perf_counter()
                run.evaluate()
                probe_suite(run.average.encoder, corpus)
                scoring = time.perf_counter() - began
            try:
                timed = run.advance(TIMED_STEPS)
            except TrainingStopped:  # such a run ends early; that it does is said when it runs
                continue
            pace = (timed[-1].seconds - timed[0].seconds) / (timed[-1].flops - timed[0].flops)
            seconds += n_trials * (pace * experiment.budgets[-1] * arm.is_trained + scoring * n_evaluations)
            if experiment.fine_tuning is not None:
                what = experiment.fine_tuning
                seconds += n_trials * len(what.tasks) * len(what.labels_per_class) * FINE_TUNING_SECONDS
    return seconds / min(jobs or os.cpu_count() or 1, len(due))


def _name_of(trial: Trial) -> str:
    return f"{trial.arm.name}, seed {trial.seed}"


def _arm_of(trial: Trial, row: Row) -> str:
    """Name what a row is about: the arm, and the layer where several are probed."""
    if "layer" not in row:
        return trial.arm.name
    return f"{trial.arm.name}, block {row['layer']}" if row["layer"] else f"{trial.arm.name}, embeddings"


def _is_due(files: TrialFiles, retry: bool) -> bool:
    return files.result() is None and (retry or files.failure() is None)
