"""Text that somebody typed, as token ids: "[MASK]" in it is six characters, and no special token."""

from tokenizers import Encoding, Tokenizer

from electra_edu.support import arguments


def encode_typed(tokenizer: Tokenizer, text: str) -> Encoding:
    """Return the tokens of `text` without [CLS] and [SEP]; special tokens that are typed count as plain text.

    Raises ElectraEduError where `text` is no string, or holds half of a surrogate pair.
    """
    text = arguments.text("text", text)
    special = [token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special]
    if any(name.casefold() in text.casefold() for name in special):
        tokenizer = Tokenizer.from_str(tokenizer.to_str())  # a copy: others may be using the tokenizer just now
        tokenizer.encode_special_tokens = True
    return tokenizer.encode(text, add_special_tokens=False)
