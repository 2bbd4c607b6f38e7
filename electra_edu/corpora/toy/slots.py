"""The slots of the toy grammar: which words each slot allows, given a story's hidden variables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from electra_edu.corpora.toy import words as w
from electra_edu.corpora.toy.words import with_s

# The value of each hidden variable of a story. "topic" is a Topic. "subject" and "other" are people, given by their
# pronoun; "number" is the number of things, given by its pronoun too. "luck" is good or bad.
Hidden = Mapping[str, Any]

PARTS_OF_SPEECH = (
    "noun", "verb", "adjective", "adverb", "pronoun", "determiner", "preposition", "conjunction", "number",
    "punctuation",
)  # fmt: skip


@dataclass(frozen=True)
class Slot:
    """A part of speech, the hidden variables that the words depend on, and a function from their values to the words.

    The function returns the most frequent word first.
    """

    part: str
    # Names separated by spaces, in the order of the function's parameters.
    variables: str
    choose: Callable[..., Sequence[str]]

    @property
    def reads(self) -> list[str]:
        """Names of the hidden variables that this slot's words depend on."""
        return self.variables.split()

    def words(self, hidden: Hidden) -> tuple[str, ...]:
        """Return the words that this slot allows, given the hidden variables."""
        return tuple(self.choose(*(hidden[name] for name in self.reads)))


def _people(he: Sequence[str], she: Sequence[str], who: str) -> Sequence[str]:
    """Return the nouns for people that the pronoun `who` (he, she, they) can refer to."""
    return {"he": he, "she": she, "they": [with_s(person) for person in _alternate(he, she)]}[who]


def _nouns(base: Sequence[str], number: str) -> Sequence[str]:
    return base if number == "it" else [with_s(noun) for noun in base]


def _verbs(base: Sequence[str], who: str) -> Sequence[str]:
    return base if who == "they" else [with_s(verb) for verb in base]


def _be(who: str) -> Sequence[str]:
    return ["are" if who == "they" else "is"]


def _seem(who: str) -> Sequence[str]:
    return [*_be(who), *_verbs(w.SEEMING, who)]


def _the(who: str) -> Sequence[str]:
    return ["some", "these", "the"] if who == "they" else ["the", "this"]


def _his(who: str) -> Sequence[str]:
    return [{"he": "his", "she": "her", "they": "their"}[who]]


def _alternate(left: Sequence[str], right: Sequence[str]) -> Sequence[str]:
    return [word for pair in zip(left, right, strict=True) for word in pair]


def _any(part: str, *words: str) -> Slot:
    """Return a slot that depends on no hidden variable."""
    return Slot(part, "", lambda: words)


SLOTS: Mapping[str, Slot] = {
    # people
    "THE": Slot("determiner", "subject", _the),
    "PERSON": Slot("noun", "topic subject", lambda topic, who: _people(topic.he, topic.she, who)),
    "HE": Slot("pronoun", "subject", lambda who: [who]),
    "CHILD": Slot("noun", "other", lambda who: _people(w.CHILD_HE, w.CHILD_SHE, who)),
    "OTHER-HE": Slot("pronoun", "other", lambda who: [who]),
    "HIS": Slot("determiner", "subject", _his),
    "FRIEND": _any("noun", *w.COMPANY),
    # feelings and actions
    "SEEMS": Slot("verb", "subject", _seem),
    "HAPPY": _any("adjective", *_alternate(w.MOODS["good"], w.MOODS["bad"])),
    "LUCKY-HAPPY": Slot("adjective", "luck", lambda luck: w.MOODS[luck]),
    "TALKS": Slot("verb", "subject", lambda who: _verbs(w.TALKING, who)),
    "WATCHES": Slot("verb", "subject", lambda who: _verbs(w.WATCHING, who)),
    "DOES": Slot("verb", "topic subject", lambda topic, who: _verbs(topic.verbs, who)),
    "OTHER-DOES": Slot("verb", "topic other", lambda topic, who: _verbs(topic.verbs, who)),
    # things
    "THIS": Slot("determiner", "number", _the),
    "ONE": Slot("number", "number", lambda number: ["one"] if number == "it" else w.NUMBERS),
    "TWO": _any("number", *w.NUMBERS),
    "OLD": Slot("adjective", "topic", lambda topic: topic.traits),
    "THING": Slot("noun", "topic number", lambda topic, number: _nouns(topic.things, number)),
    "THINGS": Slot("noun", "topic", lambda topic: _nouns(topic.things, "they")),
    "IT": Slot("pronoun", "number", lambda number: [number]),
    "THEM": Slot("pronoun", "number", lambda number: ["it" if number == "it" else "them"]),
    "IS": Slot("verb", "number", _be),
    "IT-SEEMS": Slot("verb", "number", _seem),
    "READY": Slot("adjective", "topic", lambda topic: _alternate(topic.good, topic.bad)),
    "LUCKY-READY": Slot("adjective", "topic luck", lambda topic, luck: getattr(topic, luck)),
    # surroundings
    "TREE": Slot("noun", "topic", lambda topic: topic.scenery),
    "ACTOR": Slot("noun", "topic number", lambda topic, number: _nouns(topic.scenery, number)),
    "STIRS": Slot("verb", "topic number", lambda topic, number: _verbs(topic.stirrings, number)),
    "PLACE": Slot("noun", "topic", lambda topic: topic.places),
    "LUNCH": _any("noun", *w.MEALS),
    "MORNING": _any("noun", *w.TIMES),
    # function words
    "NEAR": _any("preposition", "near", "beside"),
    "IN": _any("preposition", "in", "near"),
    "BEFORE": _any("preposition", "before", "after"),
    "VERY": _any("adverb", "very", "so"),
    "STILL": _any("adverb", "still", "now"),
    "AGAIN": _any("adverb", "again", "now"),
    "SLOWLY": _any("adverb", "slowly", "quietly"),
    "THEN": _any("adverb", "then", "soon"),
}

# The words that frames spell out, each as a slot with a single choice.
SPELLED_OUT: Mapping[str, Slot] = {
    word: _any(part, word)
    for part, words in {
        "determiner": "the every",
        "pronoun": "there who",
        "preposition": "to from with",
        "conjunction": "because",
        "punctuation": ". ,",
    }.items()
    for word in words.split()
}
