"""Runs on disk: a folder with run.safetensors, which has everything, and run.json, the part of it that people read.

Nothing is pickled. run.safetensors is replaced in one piece, so that a run is saved as a whole or not at all; then
run.json is written after it. Where a kill came between the two, the older run.json is known by its digest.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.optim import Optimizer

from electra_edu.config import ElectraConfig
from electra_edu.corpora import load_corpus
from electra_edu.corpora.corpus import Corpus, CorpusSource
from electra_edu.errors import CheckpointError, ElectraEduError
from electra_edu.files import PART, DamagedFileError, read_tensors, write_tensors, write_whole
from electra_edu.optim import Muon, PaperAdam
from electra_edu.training.columns import from_columns, to_columns
from electra_edu.training.first_format import read_first_format
from electra_edu.training.records import Change, Evaluation, StepRecord

if TYPE_CHECKING:
    from electra_edu.training.run import TrainingRun

FORMAT = 2
TENSORS, ABOUT = "run.safetensors", "run.json"
HISTORY = "history."  # begins the names of the history's columns
ABANDONED = 3600.0  # seconds after which a file that is still being written belongs to a save that was killed
STATE: Mapping[type[Optimizer], tuple[str, ...]] = {  # what each optimiser keeps of a weight
    Muon: ("momentum",),
    PaperAdam: ("mean", "square"),
    torch.optim.AdamW: ("step", "exp_avg", "exp_avg_sq"),
}
PATIENCE = 0.5  # seconds to wait for another process that is saving


@dataclass(frozen=True, eq=False)
class SavedRun:
    """What a folder holds, read and checked."""

    config: ElectraConfig  # the one that the run began with
    seed: int
    corpus_source: CorpusSource
    corpus_sha256: str
    changes: list[Change]  # of it since then
    history: list[StepRecord]
    about: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    def find_corpus(self, corpus: Corpus | None) -> Corpus:
        """Return the corpus the run was trained on: `corpus` if it is that one, else loaded again."""
        if corpus is None:
            corpus = self._load_corpus()
        if corpus.sha256 != self.corpus_sha256:
            raise CheckpointError(
                f"corpus: {corpus.name!r} is not the text this run was trained on (SHA-256 {corpus.sha256[:12]}…, "
                f"saved {self.corpus_sha256[:12]}…). Pass the same text: TrainingRun.load(directory, corpus=…)."
            )
        return corpus

    def _load_corpus(self) -> Corpus:
        source = self.corpus_source
        if source.kind == "text":
            raise CheckpointError(
                f"The run was trained on a text of {source.n_characters:,} characters that was passed in. Pass it "
                f"again: TrainingRun.load(directory, corpus=edu.load_corpus(text=…, vocab_size={source.vocab_size}, "
                f"max_seq_length={source.max_seq_length}))."
            )
        if source.name.startswith("hf:"):  # what a folder says must not send anyone to the network
            raise CheckpointError(
                f"The run was trained on {source.name!r}, a data set of the Hugging Face hub, which is not fetched "
                f"unasked. To fetch it: TrainingRun.load(directory, corpus=edu.load_corpus({source.name!r}, vocab_size="
                f"{source.vocab_size}, max_seq_length={source.max_seq_length}))."
            )
        try:
            return load_corpus(**source.arguments())
        except ElectraEduError as error:
            raise CheckpointError(
                f"The run was trained on {source.name!r}, which cannot be loaded here ({error}) Load that text "
                "yourself and pass it: TrainingRun.load(directory, corpus=…)."
            ) from error


def _source(about: Mapping[str, Any]) -> CorpusSource:
    """Return where the corpus came from; older runs and corpora made by hand have a name only."""
    corpus, config = about["corpus"], about["config"]
    if corpus.get("source") is not None:
        source = CorpusSource.from_dict(corpus["source"])
        if not isinstance(source.name, str) or not isinstance(source.n_characters, int):
            raise DamagedFileError("it does not say which corpus it was trained on")
        return source
    if corpus["name"] == "toy":  # its sizes cannot be asked for
        return CorpusSource("name", "toy")
    return CorpusSource("name", str(corpus["name"]), config["vocab_size"], config["max_seq_length"])


def save(run: TrainingRun, directory: Path) -> None:
    """Write `run` into `directory`; of what is there, only the two files of an older run are replaced."""
    about = {
        "format": FORMAT,
        "config": run.config.to_dict(),
        "first_config": run.first_config.to_dict(),
        "seed": run.seed,
        "step": run.step,
        "tokens": run.tokens,
        "flops": run.flops,
        "seconds": run.seconds,
        "corpus": {
            "name": run.corpus.name,
            "sha256": run.corpus.sha256,
            "source": None if run.corpus.source is None else run.corpus.source.to_dict(),
        },
        "device": run.device.type,
        "devices": run.devices,
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__},
        "evaluations": [evaluation.to_dict() for evaluation in run.evaluations],
        "changes": [change.to_dict() for change in run.changes],
    }
    try:
        older = _older(directory)
        directory.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(directory)
        text = json.dumps(about, indent=1, allow_nan=False)
        tensors = _tensors(run) | {HISTORY + name: column for name, column in to_columns(run.history).items()}
        write_tensors(directory / TENSORS, tensors, {"about": text, "replaces": _sha256(older)})
        while (text := _about(directory)) != _text(directory / ABOUT):  # again where another process saved here too
            write_whole(directory / ABOUT, text)
    except CheckpointError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a number that JSON has not
        raise CheckpointError(f"The run could not be saved to {directory}: {error}. Choose another folder.") from error


def _older(directory: Path) -> str | None:
    """Return what run.json says in a folder that may be written to; None where it has none.

    Raises CheckpointError for a folder of other things, whose files are not ours to replace.
    """
    if not directory.exists():
        return None
    text = _text(directory / ABOUT) if directory.is_dir() else None
    has_run = _looks_like_a_run(text) or ((directory / TENSORS).is_file() and _about(directory) != "")
    is_free = directory.is_dir() and all(path.name.endswith(PART) for path in directory.iterdir())
    if not has_run and not is_free:
        raise CheckpointError(f"{directory} exists and is not a saved run: choose another folder.")
    return text


def _looks_like_a_run(text: str | None) -> bool:
    try:
        about = json.loads(text or "null")
    except (ValueError, RecursionError):
        return False
    return isinstance(about, dict) and {"format", "config", "seed", "corpus"} <= about.keys()


def _remove_abandoned(directory: Path) -> None:
    """Remove what saves that were killed have left."""
    for part in directory.glob(f".run.*{PART}"):
        with suppress(FileNotFoundError):  # its save has just ended
            if part.is_file() and time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()


def _about(directory: Path) -> str:
    """Return what run.safetensors says about the run, "" where it is none of ours."""
    try:
        with safe_open(directory / TENSORS, framework="pt") as file:
            return str((file.metadata() or {}).get("about", ""))
    except SafetensorError:
        return ""


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return None


def _sha256(text: str | None) -> str:
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()


def read(directory: Path) -> SavedRun:
    """Read and check a saved run; raises CheckpointError with what is wrong."""
    for name in (ABOUT, TENSORS):
        try:
            with (directory / name).open("rb"):
                pass
        except (FileNotFoundError, NotADirectoryError):
            raise CheckpointError(
                f"{directory} holds no saved run ({ABOUT} and {TENSORS}): save one with run.save(…)."
            ) from None
        except OSError as error:
            raise CheckpointError(f"{directory / name} cannot be read: {error.strerror}.") from error
    try:
        about, tensors = _read_both(directory)
        columns = {name.removeprefix(HISTORY): t for name, t in tensors.items() if name.startswith(HISTORY)}
        saved = SavedRun(
            ElectraConfig.from_dict(about["first_config"]),
            int(about["seed"]),
            _source(about),
            str(about["corpus"]["sha256"]),
            [Change.from_dict(change) for change in about["changes"]],
            from_columns(columns),
            about,
            tensors,
        )
        _check_room(saved)
        _check_agreement(saved)
    except CheckpointError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"The run in {directory} is damaged ({error}). Use a copy, or train it again.") from error
    return saved


def _read_both(directory: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return both files' content, of one save; waits for another process that is between its two files."""
    deadline = time.monotonic() + PATIENCE
    while _about(directory):
        tensors, metadata = read_tensors(directory / TENSORS)
        text = _text(directory / ABOUT)
        if text == metadata["about"] or _sha256(text) == metadata["replaces"]:
            about = json.loads(metadata["about"])
            _check_format(about, directory)
            if about["format"] != FORMAT:
                raise DamagedFileError(f"format={about['format']!r}")
            return about, tensors
        if time.monotonic() > deadline:
            _check_format(json.loads(text or "{}"), directory)
            raise DamagedFileError(f"{ABOUT} was changed, or belongs to another run than {TENSORS}")
        time.sleep(0.01)
    about, tensors = read_first_format(directory / ABOUT, directory / TENSORS)
    _check_format(about, directory)
    return about, tensors


def _check_format(about: Any, directory: Path) -> None:
    if isinstance(about, dict) and isinstance(about.get("format"), int) and about["format"] > FORMAT:
        raise CheckpointError(
            f"{directory} has format {about['format']}; this version reads up to {FORMAT}. Update electra_edu."
        )


def _check_room(saved: SavedRun) -> None:
    """Refuse sizes that the tensors cannot have, before a model of these sizes takes memory and time."""
    config, shape = saved.config, saved.config.discriminator
    block = 4 * shape.hidden_size**2 + 2 * shape.hidden_size * shape.intermediate_size
    rows = config.vocab_size + config.type_vocab_size
    rows += config.max_position_embeddings if config.positions == "learned" else 0
    least = shape.num_layers * block + rows * config.embedding_size
    there = sum(tensor.numel() for name, tensor in saved.tensors.items() if name.startswith("model."))
    if least > there:
        raise DamagedFileError(f"its config asks for at least {least:,} weights, and there are {there:,}")


def _check_agreement(saved: SavedRun) -> None:
    """Refuse what is told twice, and differently."""
    about, history = saved.about, saved.history
    if [record.step for record in history] != list(range(1, len(history) + 1)):
        raise DamagedFileError("the history's steps do not follow each other")
    for name in ("step", "tokens", "flops", "seconds"):
        if about[name] != (getattr(history[-1], name) if history else 0):
            raise DamagedFileError(f"{name}={about[name]!r} does not agree with the history")
    changed = {change.field: change.after for change in saved.changes}
    if saved.config.replace(**changed) != ElectraConfig.from_dict(about["config"]):
        raise DamagedFileError("the config does not agree with the changes")


def restore(run: TrainingRun, saved: SavedRun) -> None:
    """Bring a fresh `run` to the saved state; warn when the same numbers cannot be promised."""
    about = saved.about
    try:
        device, threads = about["device"], int(about["threads"])
        run.history = saved.history
        run.evaluations = [Evaluation.from_dict(evaluation) for evaluation in about["evaluations"]]
        run.changes = saved.changes
        run.devices = [(int(step), str(kind)) for step, kind in about.get("devices", [(0, device)])]
        if device != run.device.type:
            run.devices.append((run.step, run.device.type))
        _restore_weights(run, saved.tensors)
        _restore_optimizers(run, saved.tensors)
        if device == run.device.type:
            run.rng.set_state(saved.tensors["rng"])
    except (AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
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
    return {name: value.cpu().contiguous() for name, value in tensors.items()}


@torch.no_grad()
def _restore_weights(run: TrainingRun, tensors: Mapping[str, Tensor]) -> None:
    for prefix, model in (("model.", run.model), ("average.", run.average)):
        weights = {prefix + name: parameter for name, parameter in model.named_parameters()}
        surplus = {name for name in tensors if name.startswith(prefix)} - weights.keys()
        if surplus:
            raise DamagedFileError(f"there is no weight {min(surplus)}")
        for name, weight in weights.items():
            _check_like(name, tensors[name], weight)
            weight.copy_(tensors[name])


def _restore_optimizers(run: TrainingRun, tensors: Mapping[str, Tensor]) -> None:
    """Give each optimiser its state: for every weight that it has trained so far, all of it."""
    names = {parameter: f"optimizer.{name}." for name, parameter in run.model.named_parameters()}
    left = {name for name in tensors if name.startswith("optimizer.")}
    if run.history and not left:
        raise DamagedFileError("the optimisers' state is missing")
    for optimizer in run.optimizers:
        keys = STATE[type(optimizer)]
        for parameter in (p for group in optimizer.param_groups for p in group["params"]):
            wanted = {key: names[parameter] + key for key in keys}
            if left.isdisjoint(wanted.values()):  # not trained yet
                continue
            for key, name in wanted.items():
                _check_like(name, tensors[name], tensors[name].new_zeros(()) if key == "step" else parameter)
            optimizer.state[parameter] = {key: tensors[name].to(parameter.device) for key, name in wanted.items()}
            left -= set(wanted.values())
    if left:
        raise DamagedFileError(f"no optimiser has a {min(left)}")


def _check_like(name: str, tensor: Tensor, like: Tensor) -> None:
    if (tensor.shape, tensor.dtype) != (like.shape, like.dtype):
        raise DamagedFileError(
            f"{name} is {tensor.dtype} {tuple(tensor.shape)}, and has to be {like.dtype} {tuple(like.shape)}"
        )
