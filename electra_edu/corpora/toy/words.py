"""The vocabulary of the toy language, as data: eight topics, and the words that all topics share.

Lists hold base forms, the most frequent word first; `with_s` makes plurals ("boats") and third persons ("feeds").
No two topics share a noun, verb or adjective, which lets a model learn the topics in seconds.
Within a topic any person may do any of the verbs to any of the things.
"""

from dataclasses import dataclass


def with_s(word: str) -> str:
    """Return a noun's plural or a verb's third person, which English spells the same way."""
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def split(words: str) -> tuple[str, ...]:
    """Split a string into its words; this keeps the lists below readable."""
    return tuple(words.split())


@dataclass(frozen=True)
class Topic:
    """The words of one topic: its people, the things they work on, and their surroundings."""

    name: str
    # Every noun for a person has one fixed gender, so that pronouns can be learned.
    he: tuple[str, ...]
    she: tuple[str, ...]
    verbs: tuple[str, ...]  # what people do to things
    things: tuple[str, ...]
    traits: tuple[str, ...]  # adjectives before a thing: size, colour, kind
    good: tuple[str, ...]  # adjectives after "is" that praise a thing
    bad: tuple[str, ...]  # adjectives after "is" that criticise it
    scenery: tuple[str, ...]
    stirrings: tuple[str, ...]  # verbs of which the scenery is the subject
    places: tuple[str, ...]


TOPICS = (
    Topic(
        name="kitchen",
        he=split("cook waiter"),
        she=split("chef baker"),
        verbs=split("stir taste"),
        things=split("soup stew sauce"),
        traits=split("thick spicy"),
        good=split("tasty fresh"),
        bad=split("salty burnt"),
        scenery=split("kettle oven"),
        stirrings=split("hiss"),
        places=split("kitchen restaurant"),
    ),
    Topic(
        name="farm",
        he=split("shepherd farmhand"),
        she=split("farmer milkmaid"),
        verbs=split("feed brush"),
        things=split("cow goat lamb"),
        traits=split("gentle young"),
        good=split("healthy tame"),
        bad=split("hungry muddy"),
        scenery=split("hen donkey"),
        stirrings=split("doze"),
        places=split("barn meadow"),
    ),
    Topic(
        name="sea",
        he=split("sailor pirate"),
        she=split("captain diver"),
        verbs=split("steer anchor"),
        things=split("boat ship raft"),
        traits=split("wooden sturdy"),
        good=split("fast steady"),
        bad=split("leaky slow"),
        scenery=split("gull whale"),
        stirrings=split("float"),
        places=split("harbor bay"),
    ),
    Topic(
        name="school",
        he=split("teacher student"),
        she=split("pupil librarian"),
        verbs=split("read write"),
        things=split("book letter poem"),
        traits=split("short long"),
        good=split("clever clear"),
        bad=split("boring messy"),
        scenery=split("desk chair"),
        stirrings=split("creak"),
        places=split("classroom library"),
    ),
    Topic(
        name="hospital",
        he=split("doctor medic"),
        she=split("nurse surgeon"),
        verbs=split("remove clean"),
        things=split("bandage sling splint"),
        traits=split("soft tight"),
        good=split("clean comfortable"),
        bad=split("itchy torn"),
        scenery=split("monitor scanner"),
        stirrings=split("beep"),
        places=split("hospital clinic"),
    ),
    Topic(
        name="music",
        he=split("drummer violinist"),
        she=split("singer pianist"),
        verbs=split("play polish"),
        things=split("guitar violin flute"),
        traits=split("elegant electric"),
        good=split("loud shiny"),
        bad=split("dusty scratched"),
        scenery=split("bell cymbal"),
        stirrings=split("ring"),
        places=split("theater studio"),
    ),
    Topic(
        name="garden",
        he=split("gardener beekeeper"),
        she=split("florist botanist"),
        verbs=split("water pick"),
        things=split("rose tulip daisy"),
        traits=split("red tall"),
        good=split("fragrant pretty"),
        bad=split("wilted dry"),
        scenery=split("bee butterfly"),
        stirrings=split("hover"),
        places=split("garden greenhouse"),
    ),
    Topic(
        name="space",
        he=split("pilot engineer"),
        she=split("astronaut scientist"),
        verbs=split("observe study"),
        things=split("planet comet star"),
        traits=split("distant huge"),
        good=split("bright visible"),
        bad=split("faint dark"),
        scenery=split("rocket satellite"),
        stirrings=split("glow"),
        places=split("spaceship observatory"),
    ),
)

# Shared by all topics.
CHILD_HE = split("boy")
CHILD_SHE = split("girl")
COMPANY = split("friend sister")
MEALS = split("lunch dinner")
TIMES = split("day morning")
NUMBERS = split("two three")

MOODS = {"good": split("happy proud"), "bad": split("sad tired")}
SEEMING = split("seem")
TALKING = split("talk wave")
WATCHING = split("watch see")
