"""Lesson 05: repair the count of bits in the discriminator's labels."""

from math import log2

from electra_edu.course.exercises.exercise import Exercise, Fault, LearnerFunction

STARTER = '''
def rtd_bits(n_tokens, replaced_rate):
    """Return how many bits the labels of n_tokens carry, when a share replaced_rate of the tokens is replaced."""
    bits_per_token = 1  # a yes-or-no question
    return n_tokens * bits_per_token
'''
CASES = ((512, 0.1), (512, 0.15), (100, 0.5), (20, 0.0), (20, 1.0))


def _examine(function: LearnerFunction) -> None:
    for n_tokens, rate in CASES:
        value, right = float(function(n_tokens, rate)), reference(n_tokens, rate)
        if not abs(value - right) <= 1e-6 * max(1, right):  # nan too
            raise Fault(
                f"rtd_bits({n_tokens}, {rate}) gives {value:.4g}; it is {right:.4g}.",
                _cause(n_tokens, rate, value, right),
            )


def _cause(n_tokens: int, rate: float, value: float, right: float) -> str:
    if value == n_tokens:
        return "A yes-or-no question is worth 1 bit only if both answers are equally likely. Here “no” is far commoner."
    if abs(value - right / log2(2.718281828459045)) < 1e-3:
        return "That is in nats. For bits take the logarithm to base 2."
    if rate and abs(value + n_tokens * rate * log2(rate)) < 1e-6:
        return "Only the replaced tokens were counted. An original one tells something too: −log2 of its share."
    if abs(value + right) < 1e-6:
        return "The sign: log2 of a share is negative, the information is its opposite."
    if abs(value - right / n_tokens) < 1e-9:
        return "That is for one token. There are n_tokens of them."
    return "Per token it is H(p) = −p·log2(p) − (1−p)·log2(1−p), and 0 where p is 0 or 1."


def reference(n_tokens: int, replaced_rate: float) -> float:
    """Count with the entropy of a label, in bits."""
    return n_tokens * -sum(p * log2(p) for p in (replaced_rate, 1 - replaced_rate) if p > 0)


EXERCISE = Exercise(
    name="rtd_bits",
    lesson="05",
    title="The bits in a label",
    starter=STARTER,
    hint="Entropy: the mean of −log2(probability) over both answers. math.log2 fails at 0, where the term is 0.",
    examine=_examine,
    reference=reference,
)
