"""The generators: a masked language model and two stand-ins for it, and how a token is drawn from a prediction."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from electra_edu.config import MIN_TEMPERATURE, ElectraConfig, EncoderShape
from electra_edu.corpora.toy import exact_distribution, toy_grammar
from electra_edu.model.encoder import Embeddings, Encoder, Linear
from electra_edu.support import tensors
from electra_edu.support.arguments import as_number, instance, refuse
from electra_edu.support.errors import ElectraEduError

MIN_LOGIT = -1e4  # of a token that is never drawn; finite, so that entropies are not NaN


class Generator(nn.Module):
    """A masked language model: an encoder and a vocabulary head whose output weights are the token embeddings.

    Only the requested positions reach the last block's feed-forward layer and the vocabulary layer, because at tiny
    sizes that layer costs more than the encoder.
    """

    def __init__(self, config: ElectraConfig, embeddings: Embeddings, shape: EncoderShape | None = None) -> None:
        """Build it on `embeddings`, which the main network may share; `shape` None is the generator's."""
        super().__init__()
        shape = shape or config.generator
        self.config = config
        self.encoder = Encoder(config, shape, embeddings)
        self.dense = Linear(shape.hidden_size, config.embedding_size)
        self.norm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def hidden(
        self,
        tokens: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        positions: Tensor | None = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """Return the encoder's last states at `positions` (B, K), or everywhere: (B, K or T, H) for tokens (B, T).

        Lists and NumPy arrays of ids are accepted as well. Raises ElectraEduError for anything but a batch of token
        ids.
        """
        tokens, *others = tensors.network_inputs(
            self.config.id_sizes, self.bias.device, tokens, attention_mask, token_type_ids, rng
        )
        if positions is not None:
            positions = tensors.positions(positions, tokens)
        states: Tensor = self.encoder(tokens, *others, positions=positions, rng=rng)
        return states

    def predict(self, hidden: Tensor) -> Tensor:
        """Turn states (..., H) into logits over the vocabulary (..., V)."""
        return F.linear(self.norm(F.gelu(self.dense(hidden))), self.encoder.embeddings.token.weight, self.bias)

    def forward(
        self,
        tokens: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        positions: Tensor | None = None,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """Predict the tokens at `positions` (B, K), or everywhere: logits (B, K or T, vocab_size) for tokens (B, T).

        In training mode dropout draws from `rng` (None: the global generator).
        """
        return self.predict(self.hidden(tokens, attention_mask, token_type_ids, positions, rng))


class CopyingPredictor(Generator):
    """The main network of All-Tokens MLM: a masked language model with a copy gate.

    P(word) = gate · [word is the input token] + (1 - gate) · softmax. Source: arXiv 2003.10555, section 3.5.
    """

    def __init__(self, config: ElectraConfig, embeddings: Embeddings, shape: EncoderShape | None = None) -> None:
        """Build it as a Generator with a gate."""
        super().__init__(config, embeddings, shape)
        self.gate = Linear((shape or config.generator).hidden_size, 1)

    def losses(self, hidden: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return -log P(target) in nats for states (..., H); `inputs` and `targets` (...) are token ids."""
        gate = self.gate(hidden).squeeze(-1).float()
        log_softmax = -F.cross_entropy(self.predict(hidden).flatten(0, -2).float(), targets.flatten(), reduction="none")
        predicted = F.logsigmoid(-gate) + log_softmax.view_as(gate)
        copied = F.logsigmoid(gate).masked_fill(inputs != targets, -torch.inf)
        return -torch.logaddexp(copied, predicted)


class FrequencyGenerator(nn.Module):
    """A generator that ignores its input and draws every word from the same distribution, "uniform" or "unigram".

    The paper tried the word frequencies (Figure 3); the official code has a uniform generator.
    """

    frequencies: Tensor

    def __init__(self, config: ElectraConfig) -> None:
        """Build it uniform over all but the special tokens; `set_frequencies` changes that."""
        super().__init__()
        uniform = torch.ones(config.vocab_size)
        uniform[list(config.special_token_ids)] = 0
        self.register_buffer("frequencies", uniform / uniform.sum(), persistent=False)
        self.needs_frequencies = config.generator_kind == "unigram"

    def set_frequencies(self, frequencies: Tensor) -> None:
        """Draw from these probabilities (V,) from now on."""
        # Converted before it is copied to the device, which may not have float64.
        self.frequencies.copy_(frequencies.to(self.frequencies.dtype))
        self.needs_frequencies = False

    def forward(
        self,
        tokens: Tensor,
        attention_mask: Tensor | None = None,  # noqa: ARG002 (the interface of a Generator)
        token_type_ids: Tensor | None = None,  # noqa: ARG002
        positions: Tensor | None = None,
        rng: torch.Generator | None = None,  # noqa: ARG002
    ) -> Tensor:
        """Return the same logits (B, K or T, V) for every requested position."""
        if self.needs_frequencies:
            raise ElectraEduError(
                "generator_kind='unigram': this generator has no word frequencies yet. Train with a "
                "TrainingRun, or call model.generator.set_frequencies(corpus.unigram)."
            )
        shape = (tokens if positions is None else positions).shape
        return self.frequencies.log().clamp(min=MIN_LOGIT).expand(*shape, -1)


class ExactGenerator(nn.Module):
    """The perfect generator of the toy language: P(word | all visible words), computed from its grammar."""

    def __init__(self, config: ElectraConfig) -> None:
        """Build it for the toy language; raises ElectraEduError for another vocabulary."""
        super().__init__()
        self.mask_token_id = config.mask_token_id
        if config.vocab_size != len(toy_grammar().tokens):
            raise ElectraEduError(
                "generator_kind='exact': only the toy language has a grammar to compute with. Use the toy corpus, or "
                "generator_kind='learned'."
            )

    def forward(
        self,
        tokens: Tensor,
        attention_mask: Tensor | None = None,  # noqa: ARG002 (the interface of a Generator)
        token_type_ids: Tensor | None = None,  # noqa: ARG002
        positions: Tensor | None = None,
        rng: torch.Generator | None = None,  # noqa: ARG002
    ) -> Tensor:
        """Return log-probabilities (B, K or T, V): exact at [MASK], and certain of the token that is there elsewhere.

        Raises CorpusError when a row is not a story of the toy language.
        """
        vocab_size = len(toy_grammar().tokens)
        # On the CPU, because the probabilities are float64, which not every device has.
        device, tokens = tokens.device, tokens.cpu()
        probabilities = F.one_hot(tokens, vocab_size).double()  # (B, T, V)
        is_masked = tokens == self.mask_token_id
        for row in is_masked.any(-1).nonzero().flatten().tolist():
            probabilities[row, is_masked[row]] = exact_distribution(tokens[row], is_masked[row])
        if positions is not None:
            probabilities = probabilities.gather(1, positions.cpu()[..., None].expand(-1, -1, vocab_size))
        return probabilities.log().clamp(min=MIN_LOGIT).float().to(device)


def draw(logits: Tensor, originals: Tensor, config: ElectraConfig, rng: torch.Generator) -> Tensor:
    """Draw one token per row by `config` (temperature, greedy, disallow_correct): int64 (...) for logits (..., V).

    `originals` (...) are the masked tokens; with `disallow_correct` they are never drawn.
    """
    instance("config", config, ElectraConfig, "edu.preset('toy')")
    _check_logits(logits)
    if config.disallow_correct:
        tensors.tensor("originals", originals, "int64 token ids")
        if originals.shape != logits.shape[:-1] or originals.dtype != torch.int64:
            raise ElectraEduError(
                f"originals, logits: expected int64 token ids of shape {tuple(logits.shape[:-1])}, one for each row of "
                f"the logits; got {originals.dtype} {tuple(originals.shape)}."
            )
        tensors.check_device("originals", originals, logits.device)
        logits = logits.detach().scatter(-1, originals[..., None], -torch.inf)
    return logits.argmax(-1) if config.greedy else sample(logits, config.temperature, rng)


def sample(logits: Tensor, temperature: float, rng: torch.Generator) -> Tensor:
    """Draw one token per row from softmax(logits / temperature): int64 (...) for logits (..., V).

    One uniform number per row is looked up in the cumulative distribution. This is exact, and cheaper than Gumbel noise
    for every entry of the vocabulary. It is computed in float32, whatever the logits are.
    """
    _check_draw(logits, temperature, rng)
    logits = logits.detach().float()
    # A copy, which is changed in place from here on: these are a step's largest tensors.
    shifted = logits - logits.amax(-1, keepdim=True)
    cumulative = shifted.div_(temperature).exp_().cumsum_(-1)  # not normalised: u is scaled instead
    u = torch.rand(cumulative.shape[:-1], generator=rng, device=logits.device)[..., None]
    # right=True, so that an entry of probability 0 is never drawn.
    drawn = torch.searchsorted(cumulative, u * cumulative[..., -1:], right=True)
    return drawn.squeeze(-1).clamp(max=logits.shape[-1] - 1)


def gumbel_max(logits: Tensor, temperature: float, rng: torch.Generator) -> Tensor:
    """Draw one token per row by adding Gumbel noise and taking the largest: the same distribution as `sample`.

    The official code draws like this. A lesson compares the two; this one needs a random number for every entry of the
    vocabulary.
    """
    _check_draw(logits, temperature, rng)
    noise = torch.empty_like(logits, dtype=torch.float32).exponential_(generator=rng).log().neg()
    return (logits.detach().float() / temperature + noise).argmax(-1)


def _check_draw(logits: Tensor, temperature: float | Tensor, rng: torch.Generator) -> None:
    """Raise ElectraEduError unless a token can be drawn.

    A temperature that is a tensor is not checked: it may lie on a GPU, and reading it would wait.
    """
    _check_logits(logits)
    is_scalar_tensor = isinstance(temperature, Tensor) and temperature.dim() == 0 and temperature.device.type != "meta"
    if not is_scalar_tensor:
        number = as_number(temperature)
        if number is None or number < MIN_TEMPERATURE:
            refuse(
                "temperature",
                temperature,
                f"a finite number of at least {MIN_TEMPERATURE:g}; for the most likely token use argmax",
            )
    tensors.generator(rng, logits.device)


def _check_logits(logits: Tensor) -> None:
    tensors.tensor("logits", logits, "scores of the whole vocabulary, of shape (..., vocab_size)")
    if not logits.is_floating_point() or not logits.dim() or not logits.shape[-1]:
        raise ElectraEduError(
            f"logits: expected floating-point scores of shape (..., vocab_size), got {logits.dtype} "
            f"{tuple(logits.shape)}."
        )
