"""The rules of the toy grammar, as data: the frames, and the probabilities of the hidden variables.

A frame is a two-sentence story with slots. The words allowed in a slot depend on a few hidden variables: the topic, who
acts, how many things there are, good or bad luck. Given the hidden variables, the slots are independent of each other,
which is what makes exact inference a small sum.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

from electra_edu.corpora.toy.slots import SLOTS, SPELLED_OUT, Hidden, Slot
from electra_edu.corpora.toy.words import Topic

# The probability of each value of a hidden variable; the topics are equally likely.
PROBABILITIES: Mapping[str, Mapping[str, float]] = {
    "subject": {"he": 0.3, "she": 0.3, "they": 0.4},
    "other": {"he": 0.3, "she": 0.3, "they": 0.4},
    "number": {"it": 0.5, "they": 0.5},
    "luck": {"good": 0.5, "bad": 0.5},
}


@dataclass(frozen=True)
class Frame:
    """A story template; its slots are in capitals.

    `subject` names the slot of the first sentence's subject, and `antecedent` the slot that the second sentence's
    pronoun refers to. `given` fixes hidden variables. `weight` is the frame's frequency relative to the others.
    """

    text: str
    subject: str
    antecedent: str
    given: Mapping[str, str] = field(default_factory=dict)
    weight: float = 1.0

    @property
    def slots(self) -> tuple[Slot, ...]:
        """One slot for each word, "." and ",". A word that is spelled out is a slot with a single choice."""
        return tuple(SLOTS[name] if name in SLOTS else SPELLED_OUT[name] for name in self.text.split())

    def is_plural(self, hidden: Hidden) -> bool:
        """Whether the first sentence's subject is plural."""
        return "they" in (hidden[name] for name in SLOTS[self.subject].reads)

    def assignments(self, topics: Sequence[Topic]) -> Iterator[tuple[Hidden, float]]:
        """Yield every assignment of the frame's hidden variables with its probability; they sum to 1."""
        names = list(dict.fromkeys(name for slot in self.slots for name in slot.reads if name != "topic"))
        choices = [{self.given[name]: 1.0} if name in self.given else PROBABILITIES[name] for name in names]
        combinations = [dict(zip(names, values, strict=True)) for values in product(*choices)]
        odds = [prod(PROBABILITIES[name][value] for name, value in hidden.items()) for hidden in combinations]
        possible = [(hidden, odd) for hidden, odd in zip(combinations, odds, strict=True) if _is_possible(hidden)]
        total = sum(odd for _, odd in possible) * len(topics)
        for topic in topics:
            for hidden, odd in possible:
                yield {"topic": topic, **hidden}, odd / total


def _is_possible(hidden: Hidden) -> bool:
    # Rules out ambiguous pronouns, as in "the pilot talks to the boy . he studies some comets".
    return "other" not in hidden or hidden["other"] != hidden["subject"]


# In every frame at least a third of the words depend on the topic; the first frame has the most such words.
FRAMES = (
    Frame(
        "THE PERSON IN the PLACE DOES THIS OLD THING NEAR the TREE . THEN HE DOES TWO OLD THINGS .",
        subject="PERSON",
        antecedent="PERSON",
        given={"number": "it"},
        weight=2,
    ),
    Frame(
        "THE PERSON NEAR the TREE DOES THIS OLD THING IN the PLACE . IT IT-SEEMS VERY READY .",
        subject="PERSON",
        antecedent="THING",
    ),
    Frame(
        "BEFORE LUNCH , THE PERSON DOES THIS OLD THING IN the PLACE . HE DOES TWO OLD THINGS .",
        subject="PERSON",
        antecedent="PERSON",
        given={"number": "it"},
    ),
    Frame(
        "THE PERSON who DOES THIS OLD THING SEEMS HAPPY . every MORNING HE DOES OLD THINGS IN the PLACE .",
        subject="PERSON",
        antecedent="PERSON",
        given={"number": "it"},
    ),
    Frame(
        "THIS OLD THING NEAR the TREE IS STILL READY . THE PERSON DOES THEM IN the PLACE .",
        subject="THING",
        antecedent="THING",
    ),
    Frame(
        "there IS ONE OLD THING NEAR the TREE . THE PERSON DOES THEM SLOWLY IN the PLACE .",
        subject="THING",
        antecedent="THING",
    ),
    Frame(
        "THIS ACTOR NEAR the OLD THINGS STIRS AGAIN . THE PERSON WATCHES THEM from the PLACE .",
        subject="ACTOR",
        antecedent="ACTOR",
        weight=0.5,
    ),
    Frame(
        "THE PERSON SEEMS LUCKY-HAPPY because the OLD THING IS LUCKY-READY . HE DOES OLD THINGS with HIS FRIEND .",
        subject="PERSON",
        antecedent="PERSON",
        weight=0.5,
    ),
    Frame(
        "THE PERSON IN the PLACE TALKS to the CHILD NEAR the TREE . HE DOES TWO OLD THINGS .",
        subject="PERSON",
        antecedent="PERSON",
        weight=0.5,
    ),
    Frame(
        "THE PERSON IN the PLACE TALKS to the CHILD NEAR the TREE . OTHER-HE OTHER-DOES TWO OLD THINGS .",
        subject="PERSON",
        antecedent="CHILD",
        weight=0.5,
    ),
)
