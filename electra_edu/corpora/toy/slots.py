"""The slots of the toy language's stories: which words may stand there, given a story's hidden variables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from electra_edu.corpora.toy import words as w
from electra_edu.corpora.toy.words import Things, Topic, with_s

# The value of each hidden variable that a story uses: "topic" is a Topic; "subject" and "other" are people and "number"
# is how many things, all three told by their pronouns; "act" says what is done, to what; "luck" is good or bad.
Hidden = Mapping[str, Any]

PARTS_OF_SPEECH = (
    "noun", "verb", "adjective", "adverb", "pronoun", "determiner", "preposition", "conjunction", "number",
    "punctuation",
)  # fmt: skip


@dataclass(frozen=True)
class Slot:
    """A part of speech, the hidden variables it reads, and a function from their values to words, commonest first."""

    part: str
    variables: str  # names with spaces between, in the order of the function's parameters
    choose: Callable[..., Sequence[str]]

    @property
    def reads(self) -> list[str]:
        """Names of the hidden variables that decide this slot's words."""
        return self.variables.split()

    def words(self, hidden: Hidden) -> tuple[str, ...]:
        """Return the words that may stand here, given the hidden variables."""
        return tuple(self.choose(*(hidden[name] for name in self.reads)))


def _people(topic: Topic, who: str) -> Sequence[str]:
    """Return the person nouns that a pronoun (he, she, they) can stand for."""
    if who == "they":
        return _plural(topic.he + topic.she + w.CHILD_HE + w.CHILD_SHE)
    return topic.he + w.CHILD_HE if who == "he" else topic.she + w.CHILD_SHE


def _things(things: Things, number: str) -> Sequence[str]:
    return things.nouns if number == "it" else _plural(things.nouns)


def _plural(nouns: Sequence[str]) -> Sequence[str]:
    return [with_s(noun) for noun in nouns]


def _of_any_number(nouns: Sequence[str]) -> Sequence[str]:
    return [form for noun in nouns for form in (noun, with_s(noun))]


def _verbs(base: Sequence[str], who: str) -> Sequence[str]:
    return base if who == "they" else [with_s(verb) for verb in base]


def _doing(things: Things, who: str) -> Sequence[str]:
    return _verbs(things.verbs + w.SHOWING, who)


def _be(who: str) -> Sequence[str]:
    return ["are" if who == "they" else "is"]


def _seem(who: str) -> Sequence[str]:
    return [*_be(who), *_be(who), *_verbs(w.SEEMING, who)]  # listed twice: more common


def _the(who: str) -> Sequence[str]:
    return [*["the"] * 4, "our", "my", *(("these", "some", "those") if who == "they" else ("this", "that"))]


def _his(who: str) -> Sequence[str]:
    return [{"he": "his", "she": "her", "they": "their"}[who]]


def _own(act: str, who: str, number: str) -> Sequence[str]:
    """Return the determiners of an object: belongings belong to someone, the rest does not."""
    return _the(number) if act == "craft" else [*_his(who), *_his(who), "the", "our"]


def _act(topic: Topic, act: str) -> Things:
    return topic.craft if act == "craft" else topic.belongings


def _rest(topic: Topic, act: str) -> Things:
    """Return the things that `act` is not about."""
    return topic.belongings if act == "craft" else topic.craft


def _alternate(good: Sequence[str], bad: Sequence[str]) -> Sequence[str]:
    return [word for pair in zip(good, bad, strict=True) for word in pair]


def _any(part: str, *words: str) -> Slot:
    """Return a slot that no hidden variable decides."""
    return Slot(part, "", lambda: words)


SLOTS: Mapping[str, Slot] = {
    # people
    "THE": Slot("determiner", "subject", _the),
    "PERSON": Slot("noun", "topic subject", _people),
    "HE": Slot("pronoun", "subject", lambda who: [who]),
    "OTHER-PERSON": Slot("noun", "topic other", _people),
    "OTHER-HE": Slot("pronoun", "other", lambda who: [who]),
    # how they feel and what they do
    "SEEMS": Slot("verb", "subject", _seem),
    "OTHER-SEEMS": Slot("verb", "other", _seem),
    "HAPPY": _any("adjective", *_alternate(w.MOODS["good"], w.MOODS["bad"])),
    "LUCKY-HAPPY": Slot("adjective", "luck", lambda luck: w.MOODS[luck]),
    "SMILES": Slot("verb", "luck subject", lambda luck, who: _verbs(w.REACTIONS[luck], who)),
    "TALKS": Slot("verb", "subject", lambda who: _verbs(w.TALKING, who)),
    "WATCHES": Slot("verb", "subject", lambda who: _verbs(w.WATCHING, who)),
    "DOES": Slot("verb", "topic act subject", lambda topic, act, who: _doing(_act(topic, act), who)),
    "REST-DOES": Slot("verb", "topic act subject", lambda topic, act, who: _doing(_rest(topic, act), who)),
    # things
    "OWN": Slot("determiner", "act subject number", _own),
    "THIS": Slot("determiner", "number", _the),
    "ONE": Slot("number", "number", lambda number: ["one"] if number == "it" else w.NUMBERS),
    "OLD": Slot("adjective", "topic act", lambda topic, act: _act(topic, act).traits),
    "THING": Slot("noun", "topic act number", lambda topic, act, number: _things(_act(topic, act), number)),
    "IT": Slot("pronoun", "number", lambda number: [number]),
    "THEM": Slot("pronoun", "number", lambda number: ["it" if number == "it" else "them"]),
    "IS": Slot("verb", "number", _be),
    "IT-SEEMS": Slot("verb", "number", _seem),
    "READY": Slot("adjective", "topic act", lambda topic, act: _alternate(_act(topic, act).good, _act(topic, act).bad)),
    "LUCKY-READY": Slot("adjective", "topic act luck", lambda topic, act, luck: getattr(_act(topic, act), luck)),
    "REST-OLD": Slot("adjective", "topic act", lambda topic, act: _rest(topic, act).traits),
    "REST-THINGS": Slot("noun", "topic act", lambda topic, act: _plural(_rest(topic, act).nouns)),
    # the world around
    "OUR": _any("determiner", "the", "the", "the", "the", "our", "my"),
    "BIG": _any("adjective", *w.LOOKS),
    "TREE": Slot("noun", "topic", lambda topic: _of_any_number(topic.scenery)),
    "ACTOR": Slot("noun", "topic number", lambda topic, n: topic.scenery if n == "it" else _plural(topic.scenery)),
    "STIRS": Slot("verb", "topic number", lambda topic, number: _verbs(topic.stirrings, number)),
    "PLACE": Slot("noun", "topic", lambda topic: topic.places),
    "PARTY": _any("noun", *w.EVENTS),
    "WINDOW": _any("noun", *w.VIEWPOINTS),
    "MORNING": _any("noun", *w.TIMES),
    # small words
    "NEAR": _any("preposition", "near", "beside", "behind", "by", "opposite"),
    "IN": _any("preposition", "in", "inside", "near", "outside", "behind"),
    "FROM": _any("preposition", "from", "by", "beside", "near"),
    "BEFORE": _any("preposition", "before", "after", "during"),
    "BECAUSE": _any("conjunction", "because", "since"),
    "EVERY": _any("determiner", "every", "each"),
    "VERY": _any("adverb", "very", "so", "really", "quite", "rather"),
    "STILL": _any("adverb", "still", "now", "really", "always", "clearly"),
    "SOFTLY": _any("adverb", "softly", "again", "quietly", "tonight", "gently", "today", "now"),
    "SLOWLY": _any("adverb", "slowly", "carefully", "quietly", "quickly", "gently", "proudly", "again"),
    "THEN": _any("adverb", "then", "later", "soon"),
}

# Words that frames spell out, by part of speech.
SPELLED_OUT: Mapping[str, Slot] = {
    word: _any(part, word)
    for part, words in {
        "determiner": "the",
        "pronoun": "there who",
        "preposition": "to",
        "punctuation": ". ,",
    }.items()
    for word in words.split()
}
