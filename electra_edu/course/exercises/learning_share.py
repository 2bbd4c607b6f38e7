"""Lesson 01: repair the count of words that carry a loss."""

from electra_edu.course.exercises.exercise import Exercise, Fault, LearnerFunction, expect_parts

STARTER = '''
def learning_share(n_tokens, n_special, mask_prob):
    """Return how many of a sequence's tokens are masked, and what share of ALL its tokens that is."""
    n_masked = int(n_tokens * mask_prob)
    return n_masked, mask_prob
'''
CASES = (  # all tokens, special ones among them, rate -> masked; no ties, and each tells one error from the right way
    (23, 3, 0.35, 7),  # 8 of all tokens
    (514, 2, 0.15, 77),  # 76 when cut off
    (5, 2, 0.15, 1),  # none without the at least one
)


def _examine(function: LearnerFunction) -> None:
    for n_tokens, n_special, rate, right in CASES:
        count, share = expect_parts(function(n_tokens, n_special, rate), ("the count", "the share"))
        asked = f"learning_share({n_tokens}, {n_special}, {rate})"
        if not isinstance(count, int):
            raise Fault(f"{asked} gives the count {count!r}.", "A count is a whole number (int).")
        if count != right:
            raise Fault(
                f"{asked} gives {count} masked tokens; it is {right}.", _cause(n_tokens, n_special, rate, count)
            )
        if abs(share - right / n_tokens) > 1e-9:
            raise Fault(
                f"{asked} gives the share {share:.4f}; it is {right} of {n_tokens} = {right / n_tokens:.4f}.",
                "The share is what was really masked, divided by all tokens that are computed, special ones included. "
                "It is close to the mask rate, not equal to it.",
            )


def _cause(n_tokens: int, n_special: int, rate: float, found: int) -> str:
    ordinary = n_tokens - n_special
    if found == 0:
        return "Nothing masked means nothing learnt, and a loss of 0/0. At least one token is masked."
    if round(ordinary * rate) < found <= round(n_tokens * rate):
        return f"[CLS] and [SEP] are never masked: the rate applies to the {ordinary} ordinary tokens."
    if found == int(ordinary * rate):
        return f"{ordinary} × {rate} = {ordinary * rate:g}: int() cuts the fraction off where round() is meant."
    return f"It is round({ordinary} × {rate}), and at least 1."


def reference(n_tokens: int, n_special: int, mask_prob: float) -> tuple[int, float]:
    """Count as the library masks."""
    n_masked = max(1, round((n_tokens - n_special) * mask_prob))
    return n_masked, n_masked / n_tokens


EXERCISE = Exercise(
    name="learning_share",
    lesson="01",
    title="Count the words that carry a loss",
    starter=STARTER,
    hint="Three things are wrong: which tokens may be masked, how a fraction becomes a whole number, and what is "
    "returned as the share. And think of a very short sequence.",
    examine=_examine,
    reference=reference,
)
