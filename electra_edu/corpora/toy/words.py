"""The words of the toy language, as data: eight topics, and what all stories share.

Lists hold base forms, the commonest word first; `with_s` makes plurals ("boats") and third persons ("feeds").
The classes keep stories sensible: every verb of an act fits every thing of it, and so does every adjective.
"""

from dataclasses import dataclass


def with_s(word: str) -> str:
    """Return a noun's plural or a verb's third person: English spells both the same way."""
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def split(words: str) -> tuple[str, ...]:
    """Return the words of a string; keeps the lists below readable."""
    return tuple(words.split())


@dataclass(frozen=True)
class Things:
    """Things, what people do to them, and how they can be: any of these goes with any other."""

    nouns: tuple[str, ...]
    verbs: tuple[str, ...]
    traits: tuple[str, ...]  # stand before the noun: size, colour, age
    good: tuple[str, ...]  # stand after "is": what pleases
    bad: tuple[str, ...]  # and what does not


@dataclass(frozen=True)
class Topic:
    """A little world: its people, what they work on, what they own, and what is around them."""

    name: str
    he: tuple[str, ...]  # every person noun has one gender, chosen once, so that pronouns can be learned
    she: tuple[str, ...]
    craft: Things
    belongings: Things
    scenery: tuple[str, ...]
    stirrings: tuple[str, ...]  # verbs: what the scenery does
    places: tuple[str, ...]


def belongings(nouns: str) -> Things:
    """Return things that people own and may lose."""
    return Things(
        nouns=split(nouns),
        verbs=split("find carry clean hide borrow drop bring"),
        traits=split("old little new green blue yellow"),
        good=split("clean safe dry shiny"),
        bad=split("dusty wet dirty broken"),
    )


TOPICS = (
    Topic(
        name="kitchen",
        he=split("waiter butcher"),
        she=split("baker chef"),
        craft=Things(
            nouns=split("soup pie pancake stew"),
            verbs=split("make taste warm bring"),
            traits=split("thick simple brown big small"),
            good=split("delicious ready warm perfect"),
            bad=split("cold burnt salty dry"),
        ),
        belongings=belongings("spoon apron plate"),
        scenery=split("kettle pot oven"),
        stirrings=split("shine hum"),
        places=split("kitchen bakery restaurant"),
    ),
    Topic(
        name="farm",
        he=split("shepherd rider"),
        she=split("farmer milkmaid"),
        craft=Things(
            nouns=split("goat cow pony lamb"),
            verbs=split("feed wash find draw"),
            traits=split("brown gentle old little white"),
            good=split("healthy clean safe lovely"),
            bad=split("hungry muddy thirsty dirty"),
        ),
        belongings=belongings("basket bucket saddle"),
        scenery=split("hen duck donkey"),
        stirrings=split("sleep rest"),
        places=split("barn meadow stable"),
    ),
    Topic(
        name="sea",
        he=split("pirate sailor"),
        she=split("captain diver"),
        craft=Things(
            nouns=split("pearl shell coin ring"),
            verbs=split("find hide polish clean drop"),
            traits=split("golden tiny round pretty old"),
            good=split("shiny precious smooth clean"),
            bad=split("dull fake dirty broken"),
        ),
        belongings=belongings("net flag anchor"),
        scenery=split("boat gull raft"),
        stirrings=split("drift rest"),
        places=split("harbor cabin lighthouse"),
    ),
    Topic(
        name="school",
        he=split("teacher painter"),
        she=split("librarian pupil"),
        craft=Things(
            nouns=split("poem story letter report"),
            verbs=split("read write find hide"),
            traits=split("short long funny new strange"),
            good=split("clear perfect ready lovely"),
            bad=split("boring messy difficult gloomy"),
        ),
        belongings=belongings("book pencil notebook"),
        scenery=split("desk clock chair"),
        stirrings=split("creak wait"),
        places=split("classroom library school"),
    ),
    Topic(
        name="hospital",
        he=split("nurse dentist"),
        she=split("doctor surgeon"),
        craft=Things(
            nouns=split("bandage crutch wheelchair stretcher"),
            verbs=split("bring clean check carry"),
            traits=split("new white special big small"),
            good=split("clean ready safe dry"),
            bad=split("dirty dusty wet broken"),
        ),
        belongings=belongings("pillow blanket towel"),
        scenery=split("monitor scanner lamp"),
        stirrings=split("hum shine"),
        places=split("ward clinic hospital"),
    ),
    Topic(
        name="music",
        he=split("drummer dancer"),
        she=split("singer pianist"),
        craft=Things(
            nouns=split("song waltz melody march"),
            verbs=split("write learn hum"),
            traits=split("slow new short old lovely"),
            good=split("beautiful merry perfect clear"),
            bad=split("boring gloomy difficult dull"),
        ),
        belongings=belongings("violin flute guitar"),
        scenery=split("drum harp bell"),
        stirrings=split("ring hum"),
        places=split("hall studio theater"),
    ),
    Topic(
        name="garden",
        he=split("gardener beekeeper"),
        she=split("florist botanist"),
        craft=Things(
            nouns=split("rose tulip lily daisy"),
            verbs=split("water plant pick draw"),
            traits=split("red tall white yellow little"),
            good=split("healthy lovely fresh beautiful"),
            bad=split("dry wilted thirsty pale"),
        ),
        belongings=belongings("rake ladder shovel"),
        scenery=split("bee butterfly robin"),
        stirrings=split("rest dance"),
        places=split("garden greenhouse orchard"),
    ),
    Topic(
        name="space",
        he=split("pilot engineer"),
        she=split("astronaut scientist"),
        craft=Things(
            nouns=split("moon galaxy crater asteroid"),
            verbs=split("study draw find"),
            traits=split("distant red strange tiny pale"),
            good=split("bright clear beautiful lovely"),
            bad=split("dark hidden dull gloomy"),
        ),
        belongings=belongings("helmet telescope map"),
        scenery=split("rocket star satellite"),
        stirrings=split("shine drift"),
        places=split("spaceship station laboratory"),
    ),
)

# Shared by all topics. Children turn up everywhere, so that not every person gives the topic away.
CHILD_HE = split("boy")
CHILD_SHE = split("girl")
EVENTS = split("party lunch picnic wedding race")
VIEWPOINTS = split("window door balcony stairs")
TIMES = split("morning evening day night summer")
NUMBERS = split("two three four five seven")
LOOKS = split("big old small pretty strange lovely")

MOODS = {
    "good": split("happy proud glad excited hopeful calm brave"),
    "bad": split("sad tired worried angry nervous lonely upset"),
}
REACTIONS = {"good": split("smile laugh dance sing cheer"), "bad": split("sigh cry frown")}
SEEMING = split("look seem")
TALKING = split("talk wave listen sing")
WATCHING = split("watch hear see")
SHOWING = split("describe examine")  # what can be done to any thing
