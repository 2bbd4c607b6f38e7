"""What a saved run says of itself, checked before anything of it is used, and the corpus it was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor

from electra_edu.config import ElectraConfig
from electra_edu.corpora import load_corpus
from electra_edu.corpora.corpus import Corpus, CorpusSource
from electra_edu.support.errors import CheckpointError, ElectraEduError
from electra_edu.support.files import DamagedFileError
from electra_edu.training.columns import from_columns
from electra_edu.training.records import Change, StepRecord

HISTORY = "history."  # begins the names of the history's columns
ELSEWHERE = ("hf:", "//", "/\\", "\\/", "\\\\")  # begin a data set of the hub, and another computer's folder on Windows


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

    @classmethod
    def of(cls, about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Check what the two files hold; raises an error of Python's or a DamagedFileError with what is wrong."""
        columns = {name.removeprefix(HISTORY): t for name, t in tensors.items() if name.startswith(HISTORY)}
        saved = cls(
            ElectraConfig.from_dict(about["first_config"]),
            int(about["seed"]),
            _corpus_source(about),
            str(about["corpus"]["sha256"]),
            [Change.from_dict(change) for change in about["changes"]],
            from_columns(columns),
            about,
            tensors,
        )
        _check_room(saved)
        _check_agreement(saved)
        return saved

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
        if source.name.startswith(ELSEWHERE):  # what a folder says must not send anyone to the network
            raise CheckpointError(
                f"The run was trained on {source.name!r}, which is not on this computer and is not fetched unasked. To "
                f"fetch it: TrainingRun.load(directory, corpus=edu.load_corpus({source.name!r}, "
                f"vocab_size={source.vocab_size!r}, max_seq_length={source.max_seq_length!r}))."
            )
        try:
            return load_corpus(**source.arguments())
        except ElectraEduError as error:
            raise CheckpointError(
                f"The run was trained on {source.name!r}, which cannot be loaded here ({error}) Load that text "
                "yourself and pass it: TrainingRun.load(directory, corpus=…)."
            ) from error


def _corpus_source(about: Mapping[str, Any]) -> CorpusSource:
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
