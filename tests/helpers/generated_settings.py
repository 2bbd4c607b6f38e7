"""Settings of an ElectraConfig, generated: most fit together, and some do not."""

from hypothesis import strategies as st

from electra_edu.config.objectives import OBJECTIVES

SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "hidden_size": st.sampled_from([8, 12, 16, 32, 33]),
        "embedding_size": st.sampled_from([4, 16, 32]),
        "num_heads": st.sampled_from([1, 2, 3, 4]),
        "num_layers": st.integers(1, 3),
        "intermediate_size": st.sampled_from([None, 8, 33]),
        "positions": st.sampled_from(["rotary", "learned"]),
        "generator_size_fraction": st.sampled_from([0.01, 0.125, 0.25, 1 / 3, 0.5, 0.75, 1.0]),
        "mask_prob": st.floats(0.001, 0.999),
        "rtd_weight": st.floats(0, 1e6),
        "temperature": st.floats(1e-3, 1e3),
        "weight_sharing": st.sampled_from(["none", "embeddings", "all", "gdes"]),
        "objective": st.sampled_from([*OBJECTIVES]),
        "generator_kind": st.sampled_from(["learned", "learned", "uniform", "unigram", "exact"]),
        "scheme": st.sampled_from(["joint", "two-stage", "adversarial"]),
        "generator_steps": st.integers(0, 2),
        "copy_generator": st.booleans(),
        "mask_token_prob": st.sampled_from([0.0, 0.85, 1.0]),
        "greedy": st.booleans(),
        "disallow_correct": st.booleans(),
        "optimizer": st.sampled_from(["muon", "paper-adam", "adamw"]),
        "dropout": st.sampled_from([0.0, 0.1, 0.9]),
        "batch_size": st.integers(1, 9),
        "max_grad_norm": st.sampled_from([None, 0.5]),
    },
)
