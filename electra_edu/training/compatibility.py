"""Whether a config and a corpus belong together; checked once, when a run is made."""

from electra_edu.config import SPECIAL_IDS, ElectraConfig
from electra_edu.corpora.corpus import SPECIAL_TOKENS, Corpus
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError


def check_compatible(config: ElectraConfig, corpus: Corpus) -> None:
    """Raise ElectraEduError, with the call that mends it, unless `config` describes networks for this corpus.

    The vocabulary's size, the sequences' length and the ids of the special tokens have to be the corpus's.
    """
    arguments.instance("config", config, ElectraConfig, "edu.preset('toy')")
    arguments.instance("corpus", corpus, Corpus, "edu.load_corpus('toy')")
    wanted = {"vocab_size": corpus.vocab_size, "max_seq_length": corpus.max_seq_length}
    for name, token in zip(SPECIAL_IDS, SPECIAL_TOKENS, strict=True):
        token_id = corpus.tokenizer.token_to_id(token)
        # A vocabulary that was made elsewhere may name its special tokens differently.
        if token_id is not None:
            wanted[name] = token_id
    changes = {name: value for name, value in wanted.items() if getattr(config, name) != value}
    if changes:
        has = " and ".join(f"{name}={getattr(config, name)}" for name in changes)
        call = ", ".join(f"{name}={value}" for name, value in changes.items())
        raise ElectraEduError(
            f"The config has {has}, but the corpus {corpus.name!r} needs another: config.replace({call})."
        )


def check_token_ids(config: ElectraConfig, corpus: Corpus) -> None:
    """Raise ElectraEduError unless every token of the corpus is an id of its vocabulary.

    Needed on a GPU only: its steps do not read the ids, since that would wait for the device. On a CPU every forward
    pass checks them.
    """
    for name, tokens in (("train", corpus.train), ("heldout", corpus.heldout)):
        if tokens.numel() and not 0 <= int(tokens.min()) <= int(tokens.max()) < config.vocab_size:
            raise ElectraEduError(
                f"corpus: its {name} part has token ids from {int(tokens.min())} to {int(tokens.max())}, and its "
                f"vocabulary those from 0 to {config.vocab_size - 1}. Encode the text with the corpus's tokenizer."
            )
