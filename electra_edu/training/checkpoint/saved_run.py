"""SavedRun: what a saved run consists of, as the content of its two files, checked when it is read."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from electra_edu.config import ElectraConfig
from electra_edu.support.errors import CheckpointError
from electra_edu.support.files import DamagedFileError
from electra_edu.training.checkpoint.history_columns import from_columns, to_columns
from electra_edu.training.checkpoint.saved_corpus import SavedCorpus
from electra_edu.training.records import Change, Evaluation, StepRecord
from electra_edu.training.state import TrainingState

HISTORY = "history."  # begins the names of the history's columns


@dataclass(frozen=True, eq=False)
class SavedRun:
    """A run between two steps. `to_dict` and `to_tensors` are what is written of it, `of` reads the same."""

    first_config: ElectraConfig  # the one that the run began with
    config: ElectraConfig  # the one in force, after the changes
    seed: int
    corpus: SavedCorpus
    device: str  # the kind of device in use
    devices: list[tuple[int, str]]  # (steps done, the kind of device from then on)
    threads: int
    history: list[StepRecord]
    evaluations: list[Evaluation]
    changes: list[Change]
    state: Mapping[str, Tensor]  # of `TrainingState.to_tensors`

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the tensors as plain values, for JSON."""
        last = self.history[-1] if self.history else None
        return {
            "config": self.config.to_dict(),
            "first_config": self.first_config.to_dict(),
            "seed": self.seed,
            **{name: getattr(last, name, 0) for name in ("step", "tokens", "flops")},
            "seconds": last.seconds if last else 0.0,
            "corpus": self.corpus.to_dict(),
            "device": self.device,
            "devices": self.devices,
            "threads": self.threads,
            "versions": {"torch": torch.__version__},
            "evaluations": [evaluation.to_dict() for evaluation in self.evaluations],
            "changes": [change.to_dict() for change in self.changes],
        }

    def to_tensors(self) -> dict[str, Tensor]:
        """Return the state's tensors, and the history as columns."""
        return dict(self.state) | {HISTORY + name: column for name, column in to_columns(self.history).items()}

    @classmethod
    def of(cls, about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Check and convert the content of the two files; raises an error of Python's or a DamagedFileError."""
        columns = {name.removeprefix(HISTORY): t for name, t in tensors.items() if name.startswith(HISTORY)}
        saved = cls(
            first_config=ElectraConfig.from_dict(about["first_config"]),
            config=ElectraConfig.from_dict(about["config"]),
            seed=int(about["seed"]),
            corpus=SavedCorpus.from_dict(about["corpus"], about["config"]),
            device=str(about["device"]),
            devices=[(int(step), str(kind)) for step, kind in about["devices"]],
            threads=int(about["threads"]),
            history=from_columns(columns),
            evaluations=[Evaluation.from_dict(evaluation) for evaluation in about["evaluations"]],
            changes=[Change.from_dict(change) for change in about["changes"]],
            state={name: tensor for name, tensor in tensors.items() if not name.startswith(HISTORY)},
        )
        _check_sizes(saved)
        _check_agreement(saved, about)
        return saved

    def restore(self, state: TrainingState, *, with_draws: bool) -> None:
        """Bring the state of a new run to the saved one; see `TrainingState.load_tensors`.

        Raises CheckpointError where the tensors are not those of such a run.
        """
        try:
            state.load_tensors(self.state, is_trained=bool(self.history), with_draws=with_draws)
        except (AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"The saved run is damaged ({error}). Use a copy, or train it again.") from error

    def warn_of_differences(self, device: str) -> None:
        """Warn when the run goes on under circumstances in which the same numbers cannot be promised."""
        if self.device != device:
            warnings.warn(
                f"This run was saved on {self.device!r} and goes on on {device!r}, which draws other random numbers. "
                f"For the same ones: TrainingRun.load(directory, device={self.device!r}).",
                stacklevel=3,
            )
        elif device == "cpu" and self.threads != torch.get_num_threads():
            warnings.warn(
                f"This run was saved with {self.threads} threads and goes on with {torch.get_num_threads()}: the last "
                f"bits may differ. For the same numbers: torch.set_num_threads({self.threads}).",
                stacklevel=3,
            )


def _check_sizes(saved: SavedRun) -> None:
    """Refuse sizes that the tensors cannot have, before a model of these sizes takes memory and time."""
    config, shape = saved.first_config, saved.first_config.discriminator
    block = 4 * shape.hidden_size**2 + 2 * shape.hidden_size * shape.intermediate_size
    rows = config.vocab_size + config.type_vocab_size
    rows += config.max_position_embeddings if config.positions == "learned" else 0
    needed = shape.num_layers * block + rows * config.embedding_size
    found = sum(tensor.numel() for name, tensor in saved.state.items() if name.startswith("model."))
    if needed > found:
        raise DamagedFileError(f"its config asks for at least {needed:,} weights, and there are {found:,}")


def _check_agreement(saved: SavedRun, about: Mapping[str, Any]) -> None:
    """Refuse statements that contradict each other."""
    history = saved.history
    if [record.step for record in history] != list(range(1, len(history) + 1)):
        raise DamagedFileError("the history's steps do not follow each other")
    for name in ("step", "tokens", "flops", "seconds"):
        if about[name] != (getattr(history[-1], name) if history else 0):
            raise DamagedFileError(f"{name}={about[name]!r} does not agree with the history")
    changed = {change.field: change.after for change in saved.changes}
    if saved.first_config.replace(**changed) != saved.config:
        raise DamagedFileError("the config does not agree with the changes")
