"""Texts of random words, long enough to train a vocabulary on."""

import random

NOUNS = ["cat", "dog", "bird", "fish", "house", "tree", "river"]
WORDS = ["the", "a", "sees", "hears", "likes", "finds", "big", "small", "old", "young", "red", "never", "often", *NOUNS]


def story(n_words: int, seed: int = 0) -> str:
    """Paragraphs of about forty random words."""
    draw = random.Random(seed)
    sentences = [" ".join(draw.choices(WORDS, k=8)).capitalize() + "." for _ in range(n_words // 8)]
    return "\n\n".join(" ".join(sentences[i : i + 5]) for i in range(0, len(sentences), 5))
