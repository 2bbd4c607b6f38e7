"""Our networks under Hugging Face's names: weights that `transformers` loads unchanged."""

from torch import Tensor, nn

from electra_edu.discriminator import Discriminator
from electra_edu.encoder import Block, Encoder
from electra_edu.errors import ElectraEduError
from electra_edu.generator import Generator


def transformers_config(network: Generator | Discriminator) -> dict[str, object]:
    """Return the keyword arguments of `transformers.ElectraConfig` that describe one of our networks.

    Raises ElectraEduError for rotary positions, which Hugging Face's ELECTRA has not.
    """
    config, shape = network.config, network.encoder.shape
    if config.positions != "learned":
        raise ElectraEduError(
            "positions='rotary': Hugging Face's ELECTRA has learned positions only. Train with positions='learned'."
        )
    return {
        "vocab_size": config.vocab_size,
        "embedding_size": config.embedding_size,
        "hidden_size": shape.hidden_size,
        "num_hidden_layers": shape.num_layers,
        "num_attention_heads": shape.num_heads,
        "intermediate_size": shape.intermediate_size,
        "max_position_embeddings": config.max_position_embeddings,
        "type_vocab_size": config.type_vocab_size,
        "layer_norm_eps": config.layer_norm_eps,
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": config.dropout,
        "pad_token_id": config.pad_token_id,
        "hidden_act": "gelu",
    }


def transformers_state(network: Generator | Discriminator) -> dict[str, Tensor]:
    """Return the network's weights under the names of `ElectraForMaskedLM` or `ElectraForPreTraining`."""
    state = _encoder_state(network.encoder)
    if isinstance(network, Generator):
        state |= _named("generator_predictions.dense", network.dense)
        state |= _named("generator_predictions.LayerNorm", network.norm)
        state["generator_lm_head.weight"] = network.encoder.embeddings.token.weight.detach()
        state["generator_lm_head.bias"] = network.bias.detach()
    else:
        state |= _named("discriminator_predictions.dense", network.dense)
        state |= _named("discriminator_predictions.dense_prediction", network.output)
    return state


def _encoder_state(encoder: Encoder) -> dict[str, Tensor]:
    embeddings = encoder.embeddings
    state = _named("electra.embeddings.word_embeddings", embeddings.token)
    if embeddings.position is not None:
        state |= _named("electra.embeddings.position_embeddings", embeddings.position)
    state |= _named("electra.embeddings.token_type_embeddings", embeddings.token_type)
    state |= _named("electra.embeddings.LayerNorm", embeddings.norm)
    if encoder.project is not None:
        state |= _named("electra.embeddings_project", encoder.project)
    for i, block in enumerate(encoder.blocks):
        assert isinstance(block, Block)
        name = f"electra.encoder.layer.{i}"
        fused = _named("", block.attention.query_key_value)
        for part, weight, bias in zip(
            ("query", "key", "value"), fused[".weight"].chunk(3), fused[".bias"].chunk(3), strict=True
        ):
            state |= {f"{name}.attention.self.{part}.weight": weight, f"{name}.attention.self.{part}.bias": bias}
        state |= _named(f"{name}.attention.output.dense", block.attention.output)
        state |= _named(f"{name}.attention.output.LayerNorm", block.attention_norm)
        state |= _named(f"{name}.intermediate.dense", block.widen)
        state |= _named(f"{name}.output.dense", block.narrow)
        state |= _named(f"{name}.output.LayerNorm", block.feed_forward_norm)
    return state


def _named(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": parameter.detach() for name, parameter in module.named_parameters()}
