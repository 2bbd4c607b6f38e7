"""Runs on disk: one folder with safetensors for the tensors and JSON for the rest. Nothing is pickled."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from electra_edu.config import ElectraConfig
from electra_edu.corpora import load_corpus
from electra_edu.corpora.corpus import Corpus
from electra_edu.errors import CheckpointError, ElectraEduError
from electra_edu.training.records import Change, Evaluation, StepRecord

if TYPE_CHECKING:
    from electra_edu.training.run import TrainingRun

FORMAT = 1
TENSORS, ABOUT = "run.safetensors", "run.json"


@dataclass(frozen=True, eq=False)
class SavedRun:
    """What a folder holds, read and checked."""

    config: ElectraConfig
    seed: int
    corpus_name: str
    corpus_sha256: str
    about: dict[str, Any]
    tensors: dict[str, Tensor]

    def find_corpus(self, corpus: Corpus | None) -> Corpus:
        """Return the corpus the run was trained on: `corpus` if it is that one, else loaded by its name."""
        if corpus is None:
            fixed = self.corpus_name == "toy"  # its sizes cannot be asked for
            try:
                corpus = load_corpus(
                    self.corpus_name,
                    vocab_size=None if fixed else self.config.vocab_size,
                    max_seq_length=None if fixed else self.config.max_seq_length,
                )
            except ElectraEduError as error:
                raise CheckpointError(
                    f"The run was trained on {self.corpus_name!r}, which cannot be loaded here ({error}) Load that "
                    "text yourself and pass it: TrainingRun.load(directory, corpus=…)."
                ) from error
        if corpus.sha256 != self.corpus_sha256:
            raise CheckpointError(
                f"corpus: {corpus.name!r} is not the text this run was trained on (SHA-256 {corpus.sha256[:12]}…, "
                f"saved {self.corpus_sha256[:12]}…). Pass the same text: TrainingRun.load(directory, corpus=…)."
            )
        return corpus


def save(run: TrainingRun, directory: Path) -> None:
    """Write `run` to a temporary folder beside `directory`, then swap it in."""
    about = {
        "format": FORMAT,
        "config": run.config.to_dict(),
        "first_config": run.first_config.to_dict(),
        "seed": run.seed,
        "step": run.step,
        "tokens": run.tokens,
        "flops": run.flops,
        "seconds": run.seconds,
        "corpus": {"name": run.corpus.name, "sha256": run.corpus.sha256},
        "device": run.device.type,
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__},
        "history": [record.to_dict() for record in run.history],
        "evaluations": [evaluation.to_dict() for evaluation in run.evaluations],
        "changes": [change.to_dict() for change in run.changes],
    }
    temporary: Path | None = None
    try:
        _finish_killed_save(directory)
        if (
            directory.exists()
            and not (directory / ABOUT).is_file()
            and (not directory.is_dir() or any(directory.iterdir()))
        ):
            raise CheckpointError(f"{directory} exists and is not a saved run: choose another folder.")
        directory.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
        save_file(_tensors(run), temporary / TENSORS)
        (temporary / ABOUT).write_text(json.dumps(about, allow_nan=False), encoding="utf-8")
        swap(temporary, directory)
    except CheckpointError:
        raise
    except (OSError, ValueError, SafetensorError) as error:  # ValueError: a number that JSON has not
        raise CheckpointError(f"The run could not be saved to {directory}: {error}. Choose another folder.") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def swap(new: Path, directory: Path) -> None:
    """Put `new` in `directory`'s place; if that fails, what was there before is put back."""
    aside = new.with_name(f"{new.name}-old")
    if directory.exists():
        directory.replace(aside)
    try:
        new.replace(directory)
    except OSError:
        if aside.exists():
            aside.replace(directory)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _finish_killed_save(directory: Path) -> None:
    """Move in the run of a `save` that was killed between the two renames of `swap`: it is complete by then."""
    for aside in [] if directory.exists() else list(directory.parent.glob(f".{directory.name}-*-old")):
        new = aside.with_name(aside.name.removesuffix("-old"))
        if new.exists():
            new.replace(directory)
            shutil.rmtree(aside, ignore_errors=True)
            return


def read(directory: Path) -> SavedRun:
    """Read and check a saved run; raises CheckpointError with what is wrong."""
    _finish_killed_save(directory)
    if not (directory / ABOUT).is_file() or not (directory / TENSORS).is_file():
        raise CheckpointError(f"{directory} holds no saved run ({ABOUT} and {TENSORS}): save one with run.save(…).")
    try:
        about = json.loads((directory / ABOUT).read_text(encoding="utf-8"))
        tensors = load_file(directory / TENSORS)
        if about["format"] != FORMAT:
            raise CheckpointError(
                f"{directory} has format {about['format']}; this version reads {FORMAT}. Update electra_edu."
            )
        config = ElectraConfig.from_dict(about["config"])
        name, sha256 = about["corpus"]["name"], about["corpus"]["sha256"]
        return SavedRun(config, int(about["seed"]), name, sha256, about, tensors)
    except CheckpointError:
        raise
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"The run in {directory} is damaged ({error}). Use a copy, or train it again.") from error


def restore(run: TrainingRun, saved: SavedRun) -> None:
    """Bring a fresh `run` to the saved state; warn when the same numbers cannot be promised."""
    about = saved.about
    try:
        device, threads = about["device"], int(about["threads"])
        run.history = [StepRecord.from_dict(record) for record in about["history"]]
        run.evaluations = [Evaluation.from_dict(evaluation) for evaluation in about["evaluations"]]
        run.changes = [Change.from_dict(change) for change in about["changes"]]
        run.first_config = ElectraConfig.from_dict(about["first_config"]) if "first_config" in about else run.config
        run.step, run.tokens, run.flops = (int(about[name]) for name in ("step", "tokens", "flops"))
        run.seconds = float(about["seconds"])
        _restore_tensors(run, saved.tensors)
        if device == run.device.type:
            run.rng.set_state(saved.tensors["rng"])
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"The saved run is damaged ({error}). Use a copy, or train it again.") from error
    if device != run.device.type:
        warnings.warn(
            f"This run was saved on {device!r} and goes on on {run.device.type!r}, which draws other random numbers. "
            f"For the same ones: TrainingRun.load(directory, device={device!r}).",
            stacklevel=3,
        )
    elif device == "cpu" and threads != torch.get_num_threads():
        warnings.warn(
            f"This run was saved with {threads} threads and goes on with {torch.get_num_threads()}: the last bits may "
            f"differ. For the same numbers: torch.set_num_threads({threads}).",
            stacklevel=3,
        )


def _tensors(run: TrainingRun) -> dict[str, Tensor]:
    """Name every tensor of the run's state; a tied parameter once."""
    tensors = {f"model.{name}": value.detach() for name, value in run.model.named_parameters()}
    tensors |= {f"average.{name}": value for name, value in run.average.named_parameters()}
    names: dict[Tensor, str] = {parameter: name for name, parameter in run.model.named_parameters()}
    for optimizer in run.optimizers:
        for parameter, state in optimizer.state.items():
            tensors |= {f"optimizer.{names[parameter]}.{key}": value for key, value in state.items()}
    tensors["rng"] = run.rng.get_state()
    return {name: value.contiguous() for name, value in tensors.items()}


@torch.no_grad()
def _restore_tensors(run: TrainingRun, tensors: dict[str, Tensor]) -> None:
    for prefix, model in (("model", run.model), ("average", run.average)):
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"{prefix}.{name}"])
    parameters = dict(run.model.named_parameters())
    owner = {p: optimizer for optimizer in run.optimizers for group in optimizer.param_groups for p in group["params"]}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            parameter_name, key = name.removeprefix("optimizer.").rsplit(".", 1)
            parameter = parameters[parameter_name]
            owner[parameter].state[parameter][key] = value.to(parameter.device)
