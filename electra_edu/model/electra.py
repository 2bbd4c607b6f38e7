"""ELECTRA as one module: the generator and the main network, what they share, one forward pass, all objectives."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from electra_edu.config import ARCHITECTURE_FIELDS, ElectraConfig, check_trained
from electra_edu.config.objectives import OBJECTIVES, Trained
from electra_edu.model.discriminator import Discriminator
from electra_edu.model.encoder import Embeddings, Encoder, Linear, initialise
from electra_edu.model.generator import CopyingPredictor, ExactGenerator, FrequencyGenerator, Generator, draw
from electra_edu.model.losses import (
    masked_lm_loss,
    masked_mean,
    reinforce_loss,
    replaced_token_loss,
    replaced_token_losses,
)
from electra_edu.model.masking import Masking, corrupt, mask
from electra_edu.support import arguments, tensors
from electra_edu.support.errors import ElectraEduError
from electra_edu.support.gradients import gradients_enabled


@dataclass(frozen=True, eq=False)
class ElectraOutput:
    """The result of one forward pass over B sequences of T tokens, each with K slots for masked positions.

    A part that the objective does not have, or that the pass did not train, is None. Losses are means in nats.
    """

    generator_loss: Tensor | None  # what trains the generator: mlm_loss, or REINFORCE's when it is adversarial
    main_loss: Tensor | None  # what trains the main network: λ · rtd_loss, or word_loss
    mlm_loss: Tensor  # over the masked positions
    mlm_logits: Tensor  # (B, K, V) the generator's prediction at the masked positions
    mlm_targets: Tensor  # (B, K) the original tokens there
    mlm_used: Tensor  # (B, K) bool: False for a surplus slot, which no loss counts
    is_masked: Tensor  # (B, T) bool
    is_real: Tensor  # (B, T) bool: False for padding
    corrupted: Tensor  # (B, T) the input of the main network; without one, the input of the generator
    is_replaced: Tensor  # (B, T) bool: the discriminator's labels
    rtd_logits: Tensor | None = None  # (B, T)
    rtd_loss: Tensor | None = None  # over the tokens that the objective counts, special tokens included
    word_loss: Tensor | None = None  # of a main network that predicts words, over the positions of its objective

    @property
    def loss(self) -> Tensor:
        """The sum of the two losses that are trained on, a scalar."""
        parts = [part for part in (self.generator_loss, self.main_loss) if part is not None]
        if not parts:
            raise ElectraEduError("loss: this pass trained nothing. Pass trained='both'.")
        return torch.stack(parts).sum()


class Electra(nn.Module):
    """A generator, and a main network that reads the generator's output, joined as `config.objective` says.

    `generator` is a masked language model, or a stand-in for one (`config.generator_kind`). `main` is the network that
    is kept after pre-training: a Discriminator for ELECTRA, a network that predicts words for Replace MLM and
    All-Tokens MLM, and None for BERT, which is a generator of full size and nothing else. `encoder` is the encoder that
    is kept, whatever the objective.

    `config` may be replaced at any time by one with another mask rate, λ or temperature. Both networks get it, and the
    next pass uses it. Source: arXiv 2003.10555.
    """

    @gradients_enabled()
    def __init__(self, config: ElectraConfig, rng: torch.Generator | None = None) -> None:
        """Build the networks and draw their weights from `rng`; None is a new generator with seed 0."""
        super().__init__()
        config = arguments.instance("config", config, ElectraConfig, "edu.preset('toy')")
        rng = torch.Generator().manual_seed(0) if rng is None else tensors.generator(rng, torch.device("cpu"))
        self._config = config
        self.generator = _build_generator(config)
        self.main = _build_main(config, self.generator)
        self.baseline = Linear(config.generator.hidden_size, 1) if config.scheme == "adversarial" else None
        initialise(self, config.initializer_range, rng)
        if config.initializer_range is None and isinstance(self.main, Discriminator):
            # Every prediction starts at exactly ½, so that the first gradients come from the words and not from noise.
            nn.init.zeros_(self.main.output.weight)

    @property
    def config(self) -> ElectraConfig:
        """The current settings. A new config has to describe the same networks, and is passed on to both."""
        return self._config

    @config.setter
    def config(self, config: ElectraConfig) -> None:
        arguments.instance("config", config, ElectraConfig, "model.config.replace(mask_prob=0.25)")
        for name in ARCHITECTURE_FIELDS:
            if getattr(config, name) != getattr(self._config, name):
                raise ElectraEduError(
                    f"config: {name} is {getattr(self._config, name)!r} in the networks that were built, and cannot "
                    f"become {getattr(config, name)!r}. For another {name}, make a new Electra(config)."
                )
        self._config = config
        for network in (self.generator, self.main):
            if isinstance(network, Generator | Discriminator):
                network.config = config

    @property
    def discriminator(self) -> Discriminator:
        """The main network, where it is a discriminator; raises ElectraEduError where the objective has none."""
        if not isinstance(self.main, Discriminator):
            raise ElectraEduError(
                f"objective={self.config.objective!r}: there is no discriminator in this model. Its pre-trained "
                "encoder is model.encoder; for a discriminator train with objective='electra'."
            )
        return self.main

    @property
    def encoder(self) -> Encoder:
        """The encoder that is kept after pre-training: the main network's, or BERT's."""
        kept = self.generator if self.main is None else self.main
        assert isinstance(kept, (Generator, Discriminator))  # BERT's generator is always a learned one
        return kept.encoder

    def forward(
        self,
        tokens: Tensor,
        attention_mask: Tensor | None = None,
        *,
        rng: torch.Generator,
        token_type_ids: Tensor | None = None,
        trained: Trained = "both",
    ) -> ElectraOutput:
        """Mask, generate, sample, label and discriminate one batch: tokens int64 (B, T), attention_mask 1 = real.

        Without an attention mask every token but [PAD] is real. Positions, samples and dropout are drawn from `rng`.
        No gradient flows from the main network into the generator, because a sampled token is just a number. With
        `trained` = "generator" the main network is not run; with "discriminator" the generator gets no gradient. Lists
        and NumPy arrays of ids are accepted as well. Raises ElectraEduError naming the argument that does not fit. Ids
        outside the vocabulary are found on a CPU only: on another device the check would wait for it.
        """
        device = next(self.parameters()).device
        tokens, attention_mask, token_type_ids = tensors.network_inputs(
            self.config.id_sizes, device, tokens, attention_mask, token_type_ids
        )
        tensors.generator(rng, device)
        check_trained(self.config, trained)
        is_real = tokens != self.config.pad_token_id if attention_mask is None else attention_mask  # (B, T)
        masking = mask(tokens, self.config, rng, is_real)
        targets = tokens.gather(-1, masking.positions)  # (B, K)
        inputs = (masking.tokens, is_real, token_type_ids, masking.positions, rng)
        with torch.set_grad_enabled(torch.is_grad_enabled() and trained != "discriminator"):
            baseline_logits = None  # (B, K) of an adversarial generator
            if self.baseline is not None and trained == "both":
                assert isinstance(self.generator, Generator)
                hidden = self.generator.hidden(*inputs)
                logits = self.generator.predict(hidden)  # (B, K, V)
                # Detached, because the encoder is not trained to predict rewards.
                baseline_logits = self.baseline(hidden.detach()).squeeze(-1)
            else:
                logits = self.generator(*inputs)  # (B, K, V)
            mlm_loss = masked_lm_loss(logits, targets, masking.used)
        out = ElectraOutput(
            generator_loss=mlm_loss if mlm_loss.requires_grad or not torch.is_grad_enabled() else None,
            main_loss=None,
            mlm_loss=mlm_loss,
            mlm_logits=logits,
            mlm_targets=targets,
            mlm_used=masking.used,
            is_masked=masking.is_masked,
            is_real=is_real,
            corrupted=masking.tokens,
            is_replaced=torch.zeros_like(is_real),
        )
        if self.main is None or trained == "generator":
            return out
        samples = draw(logits, targets, self.config, rng)  # (B, K)
        out = self._with_main_network(out, tokens, masking, samples, token_type_ids, rng)
        if baseline_logits is not None:
            out = replace(out, generator_loss=self._adversarial_loss(out, masking, samples, baseline_logits))
        return out

    def _with_main_network(
        self,
        out: ElectraOutput,
        tokens: Tensor,
        masking: Masking,
        samples: Tensor,
        token_type_ids: Tensor | None,
        rng: torch.Generator,
    ) -> ElectraOutput:
        """Run the main network on the corrupted tokens, and return `out` with its logits and losses."""
        corruption = corrupt(tokens, masking, samples)
        out = replace(out, corrupted=corruption.tokens, is_replaced=corruption.is_replaced)
        inputs = (corruption.tokens, out.is_real, token_type_ids)
        if isinstance(self.main, Discriminator):
            counted = out.is_real if OBJECTIVES[self.config.objective].positions == "all" else out.is_masked
            logits = self.main(*inputs, rng)  # (B, T)
            loss = replaced_token_loss(logits, out.is_replaced, counted)
            return replace(out, rtd_logits=logits, rtd_loss=loss, main_loss=self.config.rtd_weight * loss)
        if isinstance(self.main, CopyingPredictor):
            hidden = self.main.hidden(*inputs, rng=rng)
            loss = masked_mean(self.main.losses(hidden, corruption.tokens, tokens), out.is_real)
        else:
            assert self.main is not None
            loss = masked_lm_loss(self.main(*inputs, masking.positions, rng), out.mlm_targets, masking.used)
        return replace(out, word_loss=loss, main_loss=loss)

    def _adversarial_loss(
        self, out: ElectraOutput, masking: Masking, samples: Tensor, baseline_logits: Tensor
    ) -> Tensor:
        """Return REINFORCE's loss for a generator that is rewarded for the discriminator's errors."""
        assert out.rtd_logits is not None
        rewards = replaced_token_losses(out.rtd_logits, out.is_replaced).gather(-1, masking.positions)  # (B, K)
        policy = (out.mlm_logits.float() / self.config.temperature).log_softmax(-1)  # what `samples` were drawn from
        log_probabilities = policy.gather(-1, samples[..., None]).squeeze(-1)
        return reinforce_loss(log_probabilities, rewards, baseline_logits, masking.used)


def _build_generator(config: ElectraConfig) -> Generator | FrequencyGenerator | ExactGenerator:
    if config.generator_kind == "learned":
        return Generator(config, Embeddings(config))
    return ExactGenerator(config) if config.generator_kind == "exact" else FrequencyGenerator(config)


def _build_main(config: ElectraConfig, generator: nn.Module) -> Discriminator | Generator | None:
    """Build the main network of the objective; it shares with the generator what `config.weight_sharing` says."""
    predicts = OBJECTIVES[config.objective].predicts
    if predicts is None:
        return None
    shared = generator.encoder if isinstance(generator, Generator) else None  # a stand-in has no encoder
    if shared is None or config.weight_sharing == "none":
        embeddings = Embeddings(config)
    elif config.weight_sharing == "gdes":
        assert isinstance(shared.embeddings.token, nn.Embedding)
        embeddings = Embeddings(config, base=shared.embeddings.token)
    else:
        embeddings = shared.embeddings
    main: Discriminator | Generator
    if predicts == "replaced":
        main = Discriminator(config, embeddings)
    else:
        kind = CopyingPredictor if predicts == "words or copies" else Generator
        main = kind(config, embeddings, config.discriminator)
    if shared is not None and config.weight_sharing == "all":
        main.encoder = shared
    return main
