"""What a run costs, as itemised arithmetic on a config. No torch here: every term can be checked with a pencil."""

from electra_edu.config import ElectraConfig, EncoderShape


def flops(config: ElectraConfig, steps: int = 1, *, trained: str = "both") -> dict[str, int]:
    """Count the floating-point operations of `steps` joint training steps, itemised, with their "total".

    The rule is the one for races: matrix products only, 2mnk each, the backward pass twice the forward; only masked
    positions reach the vocabulary layer. (The paper's own rule also counts look-ups, softmaxes and norms.)
    """
    length, masked = config.max_seq_length, max(1, int(config.mask_prob * config.max_seq_length + 0.5))
    generator, discriminator = config.generator, config.discriminator
    forward = {
        "generator encoder": _encoder(config, generator),
        "vocabulary layer": 2 * masked * config.embedding_size * (generator.hidden_size + config.vocab_size),
        "discriminator encoder": _encoder(config, discriminator),
        "discriminator head": 2 * length * discriminator.hidden_size * (discriminator.hidden_size + 1),
    }
    items = {name: 3 * steps * config.batch_size * count for name, count in forward.items()}
    return items | {"total": sum(items.values())}


def _encoder(config: ElectraConfig, shape: EncoderShape) -> int:
    """Count one sequence's forward pass through an encoder."""
    length, hidden = config.max_seq_length, shape.hidden_size
    project = 0 if config.embedding_size == hidden else config.embedding_size * hidden
    query_key_value_output = 4 * hidden * hidden
    feed_forward = 2 * hidden * shape.intermediate_size
    scores_and_mix = 2 * length * hidden
    return 2 * length * (project + shape.num_layers * (query_key_value_output + feed_forward + scores_and_mix))
