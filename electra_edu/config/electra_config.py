"""ElectraConfig: every size, rate and switch of a run in one frozen dataclass."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self

from electra_edu.config.objectives import OBJECTIVES
from electra_edu.config.values import check_names, named_fields, plain_value
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError

Positions = Literal["rotary", "learned"]
WeightSharing = Literal["none", "embeddings", "all", "gdes"]
ObjectiveName = Literal["electra", "bert", "replace-mlm", "electra-15", "all-tokens-mlm"]
GeneratorKind = Literal["learned", "uniform", "unigram", "exact"]
Scheme = Literal["joint", "two-stage", "adversarial"]
Optimizer = Literal["muon", "paper-adam", "adamw"]

MIN_SEQ_LENGTH = 3  # [CLS], a word and [SEP]
MIN_TEMPERATURE = 1e-30  # float32 rounds a much smaller one to 0


def masked_positions(length: int, mask_prob: float) -> int:
    """Return how many of `length` positions are masked: rounded half up, at least one."""
    return max(1, int(mask_prob * length + 0.5))


@dataclass(frozen=True)
class EncoderShape:
    """The sizes of one transformer encoder; the generator and the discriminator each have one."""

    hidden_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_heads


@named_fields
@dataclass(frozen=True)
class ElectraConfig:
    """Everything that defines an ELECTRA and how it is trained.

    Sizes are the main network's; the generator's follow from `generator_size_fraction`. Field names are those of
    Hugging Face's `ElectraConfig` and of the paper (arXiv 2003.10555). NumPy scalars and tensors without dimensions
    are kept as the plain numbers they hold. Raises ElectraEduError for a value that cannot work, naming the field, and
    for an unknown field, with the nearest name.
    """

    vocab_size: int = 30522
    max_seq_length: int = 128  # tokens in a training sequence
    max_position_embeddings: int = 512  # the longest sequence that learned positions can represent
    type_vocab_size: int = 2
    embedding_size: int = 128
    hidden_size: int = 256
    num_layers: int = 12
    num_heads: int = 4
    intermediate_size: int | None = None  # width of the feed-forward layer; None means 4 × hidden_size
    layer_norm_eps: float = 1e-12
    dropout: float = 0.0
    initializer_range: float | None = None  # None: fan-in initialisation, 1/√inputs
    positions: Positions = "learned"
    generator_size_fraction: float = 0.25  # multiplies hidden size, feed-forward width and heads; depth stays
    generator_kind: GeneratorKind = "learned"  # the others have no weights; "exact" computes with the toy grammar
    mask_prob: float = 0.15
    mask_token_prob: float = 1.0  # share of the chosen positions that become [MASK]; the rest keep their token
    rtd_weight: float = 50.0  # λ: weighs the mean RTD loss against the mean MLM loss
    temperature: float = 1.0  # of the generator's samples
    greedy: bool = False  # the generator's most likely token instead of a sample
    disallow_correct: bool = False  # the generator may not draw the original token
    weight_sharing: WeightSharing = "embeddings"  # "gdes": gradient-disentangled, as in DeBERTaV3
    objective: ObjectiveName = "electra"
    scheme: Scheme = "joint"
    generator_steps: int = 0  # how many steps the generator trains alone first: a head start, or the first stage
    copy_generator: bool = False  # then initialise the main network from the generator's encoder
    optimizer: Optimizer = "muon"
    learning_rate: float = 5e-4
    muon_learning_rate: float = 5e-3  # of the encoder's matrices when the optimizer is "muon"
    max_grad_norm: float | None = 1.0  # all gradients together are clipped to this norm; None: no clipping
    warmup_steps: int = 50
    training_steps: int | None = None  # horizon of the linear decay; None: no horizon, a constant rate after warm-up
    batch_size: int = 128
    pad_token_id: int = 0
    unk_token_id: int = 1
    cls_token_id: int = 2
    sep_token_id: int = 3
    mask_token_id: int = 4

    def __post_init__(self) -> None:
        """Check every field, and the combinations of fields that cannot work."""
        for field in fields(self):
            object.__setattr__(self, field.name, plain_value(field.name, getattr(self, field.name), field.type))
        for name in (
            "vocab_size",
            "max_seq_length",
            "max_position_embeddings",
            "type_vocab_size",
            "embedding_size",
            "hidden_size",
            "num_layers",
            "num_heads",
            "batch_size",
        ):
            self._require(name, getattr(self, name) >= 1, "a whole number of at least 1")
        if self.max_seq_length < MIN_SEQ_LENGTH:
            raise ElectraEduError(
                f"max_seq_length={self.max_seq_length}: leaves no room for a word between [CLS] and [SEP]. "
                f"Use at least {MIN_SEQ_LENGTH}."
            )
        self._require(
            "intermediate_size",
            self.intermediate_size is None or self.intermediate_size >= 1,
            "None (4 × hidden_size) or a whole number of at least 1",
        )
        self._require("layer_norm_eps", self.layer_norm_eps > 0, "above 0, for example 1e-12")
        self._require(
            "initializer_range",
            self.initializer_range is None or self.initializer_range > 0,
            "None (1/√inputs) or above 0, for example 0.02",
        )
        self._require("dropout", 0 <= self.dropout < 1, "in [0, 1)")
        self._require("generator_size_fraction", 0 < self.generator_size_fraction <= 1, "above 0 and at most 1")
        self._require("mask_prob", 0 < self.mask_prob < 1, "between 0 and 1, for example 0.15")
        self._require("mask_token_prob", 0 <= self.mask_token_prob <= 1, "from 0 to 1, for example 0.85")
        self._require("generator_steps", self.generator_steps >= 0, "a whole number ≥ 0")
        self._require("rtd_weight", self.rtd_weight >= 0, "a finite number ≥ 0")
        self._require(
            "temperature",
            self.temperature >= MIN_TEMPERATURE,
            f"above 0, at least {MIN_TEMPERATURE:g} (for the most likely token, use argmax "
            "instead of a temperature of 0)",
        )
        self._require("learning_rate", 0 < self.learning_rate <= 1, "above 0 and at most 1, for example 5e-4")
        self._require("muon_learning_rate", 0 < self.muon_learning_rate <= 1, "above 0 and at most 1, for example 5e-3")
        self._require(
            "max_grad_norm", self.max_grad_norm is None or self.max_grad_norm > 0, "None (no clipping) or above 0"
        )
        self._require("warmup_steps", self.warmup_steps >= 0, "a whole number ≥ 0")
        self._require(
            "training_steps",
            self.training_steps is None or self.training_steps > self.warmup_steps,
            f"None or more than warmup_steps={self.warmup_steps}",
        )
        self._require(
            "max_seq_length",
            self.positions == "rotary" or self.max_seq_length <= self.max_position_embeddings,
            f"at most max_position_embeddings={self.max_position_embeddings} with learned positions",
        )
        self._check_special_ids()
        for part, shape in (("discriminator", self.discriminator), ("generator", self.generator)):
            self._check_heads(part, shape)
        self._check_method()

    def _check_method(self) -> None:
        """Check the combination of objective, scheme, generator and weight sharing."""
        learned, same_size = self.generator_kind == "learned", self.generator == self.discriminator
        predicted = OBJECTIVES[self.objective].predicts
        self._require(
            "generator_kind",
            learned or (predicted is not None and self.scheme == "joint" and self.generator_steps == 0),
            f"'learned' with objective={self.objective!r}, scheme={self.scheme!r} and "
            f"generator_steps={self.generator_steps}",
        )
        self._require(
            "weight_sharing",
            self.weight_sharing != "all" or same_size or not learned,
            "'none', 'embeddings' or 'gdes' unless generator_size_fraction is 1: networks of different size cannot "
            "share all weights",
        )
        self._require("scheme", self.scheme == "joint" or predicted is not None, f"'joint' with {self.objective!r}")
        self._require(
            "scheme",
            self.scheme != "adversarial" or predicted == "replaced",
            "'joint' or 'two-stage' unless the objective is 'electra' or 'electra-15': only a discriminator can be "
            "fooled",
        )
        for switch in ("greedy", "disallow_correct"):
            self._require(
                switch,
                self.scheme != "adversarial" or not getattr(self, switch),
                "False with scheme='adversarial': REINFORCE learns from what the generator really drew",
            )
        if self.scheme == "two-stage":
            self._require("generator_steps", self.generator_steps > 0, "at least 1 with scheme='two-stage'")
            self._require(
                "weight_sharing",
                self.weight_sharing in ("none", "gdes"),
                "'none' or 'gdes' with scheme='two-stage': training the discriminator would change a generator that "
                "shares its weights, and it has to stay as it is",
            )
        if self.copy_generator:
            self._require(
                "copy_generator",
                same_size and learned and predicted is not None and self.generator_steps > 0,
                "False unless there are two networks of one size (generator_size_fraction=1) and generator_steps > 0",
            )

    def _check_special_ids(self) -> None:
        """Check that the special-token ids differ and are in the vocabulary; the error names a field that was set."""
        ids = {name: getattr(self, name) for name in SPECIAL_IDS}
        changed = [name for name, value in ids.items() if value != SPECIAL_DEFAULTS[name]]
        for name in (*changed, *reversed(ids)):
            is_unique = list(ids.values()).count(ids[name]) == 1
            # A default id outside the vocabulary means that the vocabulary is too small.
            if is_unique and name not in changed:
                self._require("vocab_size", ids[name] < self.vocab_size, f"above {name}={ids[name]}")
            self._require(
                name,
                is_unique and 0 <= ids[name] < self.vocab_size,
                "with the other special-token ids, five different whole numbers from 0 to below "
                f"vocab_size={self.vocab_size}; they are {self.special_token_ids}",
            )

    def _require(self, field: str, holds: bool, what: str) -> None:
        if not holds:
            arguments.refuse(field, getattr(self, field), what)

    def _check_heads(self, part: str, shape: EncoderShape) -> None:
        if shape.hidden_size % shape.num_heads:
            raise ElectraEduError(
                f"The {part} would have {shape.num_heads} heads of {shape.hidden_size / shape.num_heads:g} units: "
                f"num_heads must divide hidden_size ({shape.hidden_size}). Change num_heads, hidden_size or "
                "generator_size_fraction."
            )
        if self.positions == "rotary" and shape.head_size % 2:
            raise ElectraEduError(
                f"The {part} would have heads of {shape.head_size} units, and rotary positions need an even number. "
                "Change num_heads, hidden_size or generator_size_fraction."
            )

    @property
    def discriminator(self) -> EncoderShape:
        """The discriminator's sizes."""
        return EncoderShape(
            self.hidden_size, self.num_layers, self.num_heads, self.intermediate_size or 4 * self.hidden_size
        )

    @property
    def generator(self) -> EncoderShape:
        """The generator's sizes: widths and heads scaled by `generator_size_fraction`, the depth unchanged.

        With the objective "bert" the masked language model is the only network, and has the full size.
        """
        full = self.discriminator
        if OBJECTIVES[self.objective].predicts is None:
            return full

        def scaled(size: int) -> int:
            return max(1, round(self.generator_size_fraction * size))

        return EncoderShape(
            scaled(full.hidden_size), full.num_layers, scaled(full.num_heads), scaled(full.intermediate_size)
        )

    @property
    def special_token_ids(self) -> tuple[int, int, int, int, int]:
        """The ids of [PAD], [UNK], [CLS], [SEP] and [MASK], in this order."""
        return (self.pad_token_id, self.unk_token_id, self.cls_token_id, self.sep_token_id, self.mask_token_id)

    @property
    def id_sizes(self) -> tuple[int, int]:
        """The number of token ids and of token types: (vocab_size, type_vocab_size)."""
        return self.vocab_size, self.type_vocab_size

    def replace(self, /, **changes: Any) -> Self:
        """Return a copy with some fields changed; an unknown field is answered with the nearest name."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build a config from plain values; the inverse of `to_dict`."""
        check_names(cls, arguments.instance("values", values, Mapping, "config.to_dict()"))
        return cls(**values)


FIELD_NAMES = tuple(field.name for field in fields(ElectraConfig))
SPECIAL_IDS = tuple(name for name in FIELD_NAMES if name.endswith("_token_id"))
SPECIAL_DEFAULTS = {name: getattr(ElectraConfig, name) for name in SPECIAL_IDS}
