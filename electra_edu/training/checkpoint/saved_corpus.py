"""The corpus of a saved run: which text it was, and the same text found again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from electra_edu.corpora import load_corpus
from electra_edu.corpora.corpus import Corpus, CorpusSource
from electra_edu.support.errors import CheckpointError, ElectraEduError
from electra_edu.support.files import DamagedFileError

# Names that begin so are a data set of the hub, or a folder of another computer on Windows.
REMOTE = ("hf:", "//", "/\\", "\\/", "\\\\")


@dataclass(frozen=True)
class SavedCorpus:
    """A corpus by its name, its digest, and what to ask of `load_corpus` for the same one."""

    name: str
    sha256: str
    source: CorpusSource | None  # None for a corpus that did not come from `load_corpus`

    @classmethod
    def of(cls, corpus: Corpus) -> Self:
        """Describe a corpus."""
        return cls(corpus.name, corpus.sha256, corpus.source)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        source = None if self.source is None else self.source.to_dict()
        return {"name": self.name, "sha256": self.sha256, "source": source}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], config: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote; `config` is the run's, as plain values.

        A corpus made by hand has a name only, which is then tried with the sizes of the config. So has a run of an
        older format.
        """
        name, sha256 = str(values["name"]), str(values["sha256"])
        if values["source"] is not None:
            source = CorpusSource.from_dict(values["source"])
            if not isinstance(source.name, str) or not isinstance(source.n_characters, int):
                raise DamagedFileError("it does not say which corpus it was trained on")
            return cls(name, sha256, source)
        if name == "toy":  # its sizes cannot be asked for
            return cls(name, sha256, CorpusSource("name", "toy"))
        return cls(name, sha256, CorpusSource("name", name, config["vocab_size"], config["max_seq_length"]))

    def find(self, corpus: Corpus | None) -> Corpus:
        """Return `corpus` if it is this text; when None, load the text again. Raises CheckpointError otherwise."""
        if corpus is None:
            corpus = self._load()
        if corpus.sha256 != self.sha256:
            raise CheckpointError(
                f"corpus: {corpus.name!r} is not the text this run was trained on (SHA-256 {corpus.sha256[:12]}…, "
                f"saved {self.sha256[:12]}…). Pass the same text: TrainingRun.load(directory, corpus=…)."
            )
        return corpus

    def _load(self) -> Corpus:
        source = self.source
        assert source is not None, "read from a file"
        if source.kind == "text":
            raise CheckpointError(
                f"The run was trained on a text of {source.n_characters:,} characters that was passed in. Pass it "
                f"again: TrainingRun.load(directory, corpus=edu.load_corpus(text=…, vocab_size={source.vocab_size}, "
                f"max_seq_length={source.max_seq_length}))."
            )
        # A folder that somebody else made must not send anyone to the network.
        if source.name.startswith(REMOTE):
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
