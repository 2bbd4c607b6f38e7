"""The names of the files in a checkpoint's folder, and which of them an export writes."""

CONFIG = "config.json"
WEIGHTS, WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
# The parameters of our heads that the class of `transformers` has no place for; only an export from here has this file.
HEAD = "head.safetensors"
MODEL_CARD = "README.md"
TOKENIZER, TOKENIZER_CONFIG = "tokenizer.json", "tokenizer_config.json"
SPECIAL_TOKENS_MAP, ADDED_TOKENS, VOCABULARY = "special_tokens_map.json", "added_tokens.json", "vocab.txt"

# All files that an export ever writes, replaces or removes.
EXPORTED = frozenset((CONFIG, WEIGHTS, HEAD, MODEL_CARD, TOKENIZER, TOKENIZER_CONFIG, SPECIAL_TOKENS_MAP))
