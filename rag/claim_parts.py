"""What the rules of the claim check share: a claim beside its passages, names, who is mentioned where (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rag.claim_words import actor
from rag.language import fold
from rag.names import city_keys
from rag.statements import Statement, Word, within
from rag.values import Value, same

# Capitalised words of English and Polish that translate nouns of the documents, and are no names.
TITLES = frozenset(
    fold(word)
    for word in """
    city council mayor lord deputy office department town hall central library committee ministry state federal street
    square park university school museum international day internet mr mrs ms dr prof professor court police president
    councillor alderman treasurer district centre center euro euros german polish english
    head director manager chair chairman chairwoman spokesman spokeswoman leader author company firm association club
    kierownik kierowniczka dyrektor dyrektorka przewodniczący przewodnicząca rzecznik rzeczniczka firma stowarzyszenie
    rada miasta miasto urząd miejski miejskiej stanu burmistrz prezydent pan pani radny radna teatr muzeum szkoła
    ende anfang mitte stadt frau herr
    lake river sea bay island mountain mountains cape bridge tower gate castle palace church cathedral abbey chapel
    peace war battle treaty cup league championship prize award north south east west northern southern eastern western
    great upper lower saint king queen emperor empress prince princess duke bishop pope general captain admiral
    elder younger basin valley plain desert ocean system solar układ układu układzie słoneczny słonecznego słonecznym
    union republic kingdom empire institute academy society foundation festival theatre act order house hall
    most jezioro rzeka morze wyspa góra góry zamek pałac kościół katedra wieża brama pokój wojna bitwa puchar liga
    król królowa królowej cesarz cesarza książę biskup papież generał kapitan admirał unia republika instytut instytutu
    instytucie akademia towarzystwo fundacja prezes prezesa katalog nagroda nowy nowa nowe nowym nowej wielki wielka
    wielką święty święta
    """.split()
)
# They say of how many something holds, and stand before nouns with a capital where they open a sentence.
_QUANTIFIERS = frozenset(
    fold(word)
    for word in """
    alle alles allen aller jede jeder jedes manche einige viele mehrere beide wenige sämtliche solche all most some many
    several every each both few any such wszystkie wszyscy wszystkich każdy każda każde niektóre niektórzy większość
    wiele wielu kilka kilku oba obie obaj
    """.split()
)
_DETERMINERS = re.compile(
    r"\b(?:der|die|das|den|dem|des|(?:k?ein|mein|sein|ihr|unser)(?:e[mnrs]?)?|dies(?:e[mnrs]?)|jed(?:e[mnrs]?)|alle[nr]?"
    r"|im|am|zum|zur|vom|beim|ins|ans)\s+$",
    re.IGNORECASE,
)
# German nouns that are never a name.
_NOUN = re.compile(r".{3,}(?:ung|ungen|heit|keit|schaft|tat|ion|ionen|ismus|nis|nisse|innen|erin|orin|meister|leiter)$")
# Streets and squares are names as a whole: "Hafenstraße" is not "Bahnhofstraße".
PLACE = re.compile(r".+(?:strasse|str|platz|gasse|allee|weg|brucke|ufer|hof)$")
STREET = re.compile(r".+(?:strasse|str|platz|gasse|allee)$")
# A clause of the passage is the counterpart of one of the claim where none fits better by more than this.
_TIE = 0.03
_FIRST_YEAR, _LAST_YEAR = 1800, 2200
PREPOSITIONS = frozenset(
    """
    of in at to from for with on against von vom in im an am auf aus fur mit zu zum zur bei beim nach unter gegen uber
    zwischen durch seit ohne wahrend wegen between through during since without miedzy dzieki bez
    je pro per w we z ze do dla od na przy o po
    via using mittels mithilfe anhand poprzez
    """.split()
)
_SKIPPED = frozenset(
    """
    der die das den dem the a an ein eine einem einen city stadt miasto miasta firma company
    diese dieser dieses diesen diesem jene jener jenes this these those
    """.split()
)
_LOOK_BACK = 40
# A name in the genitive, which a noun follows; given names that end so are none.
_OWNER = re.compile(
    r"\b(?!(?:Hans|Jens|Jonas|Lukas|Lucas|Thomas|Andreas|Matthias|Mar[kc]us|[KC]laus|Nikolaus|Tobias|Boris|Johannes|Julius"
    r"|Lars|Nils|Elias|Niklas|Dennis|James|Charles|Louis|Lewis|Mats|Iris|Doris|Agnes|Magnus|Linus|Marius|Darius|Justus"
    r"|Titus|Moritz|Cornelius|Ignatius|Rasmus|Erasmus|Hannes|Mathis|Janis|Alexis|Nicolas|Douglas|Marcos|Carlos)\s)"
    r"[A-ZÄÖÜ]\w+[^s\W]s\s+$"
)
# What stands before the first of two holds for the second: "between Wien and Krakau".
_AND = re.compile(r"\s(?:und|and|i|oraz|sowie|&)\s(?:(?:der|die|das|den|dem|the)\s)?")
_GENITIVE = re.compile(r"\b(?:der\s+Stadt|miasta)\s*$")


@dataclass(frozen=True)
class Pair:
    """A claim, the passages it cites, and how `alike` their words are, shape (claim, passage), about 0 to 1."""

    claim: Statement
    passage: Statement
    alike: np.ndarray

    @cached_property
    def covered(self) -> np.ndarray:
        """For each word of the claim, how alike the nearest word of the passages is."""
        if not self.alike.shape[1]:
            return np.zeros(len(self.claim.words))
        return np.asarray(self.alike.max(axis=1))

    @property
    def least_covered(self) -> str:
        """The word of the claim that the passages have least of."""
        return self.claim.words[int(self.covered.argmin())].text if len(self.covered) else ""

    def fit(self, clause: tuple[int, int], other: tuple[int, int]) -> float:
        """Return how well `other` of the passages covers `clause` of the claim: words and values, 0 to 1."""
        mine, its = within(self.claim.words, *clause), within(self.passage.words, *other)
        scores = [float(self.alike[number, its].max()) if its else 0.0 for number in mine]
        inside = between(self.passage.values, *other)
        scores += [float(any(same(value, it) for it in inside)) for value in between(self.claim.values, *clause)]
        return sum(scores) / len(scores) if scores else 0.0

    @cached_property
    def names(self) -> frozenset[str]:
        """Keys of the names in the passages, cities and actors apart."""
        found = {mention.key for span in self.passage.sentences for mention in mentions_in(self.passage, span)}
        return frozenset(key for key in found if key.startswith("name"))

    @cached_property
    def counterparts(self) -> list[tuple[tuple[int, int], list[tuple[int, int]]]]:
        """Each clause of the claim with those of the passages that fit it best, more than one where they tie."""
        found = []
        for clause in self.claim.clauses:
            fits = [(self.fit(clause, other), other) for other in self.passage.clauses]
            best = max((fit for fit, _ in fits), default=0.0)
            found.append((clause, [other for fit, other in fits if fit >= best - _TIE]))
        return found


def is_named(said: Statement, number: int) -> bool:
    """Whether a word names a city, an actor or a person."""
    return name_key(said, number) is not None


def is_year(value: Value) -> bool:
    return not value.unit and any(_FIRST_YEAR <= number <= _LAST_YEAR for number in value.numbers)


def is_name(claim: Statement, number: int) -> bool:
    word = claim.words[number]
    if not word.text[0].isupper() or word.folded in PREPOSITIONS or word.folded in _QUANTIFIERS:
        return False
    if PLACE.fullmatch(word.folded) or (word.text.isupper() and len(word.text) > 1):
        return True
    if claim.language != "de":
        return not opens(claim, word) or _beside_capital(claim, number)
    return _beside_capital(claim, number) and not _is_german_noun(claim, word)


def _is_german_noun(claim: Statement, word: Word) -> bool:
    """Whether a German word with a capital is no name: "der Hochmeister Ulrich", "Kostrzewskis Deutung"."""
    before = claim.text[max(word.start - _LOOK_BACK, 0) : word.start]
    return bool(_NOUN.fullmatch(word.folded) or _DETERMINERS.search(before) or _OWNER.search(before))


def opens(claim: Statement, word: Word) -> bool:
    """Whether a word is the first of its sentence."""
    return any(
        start <= word.start and not claim.text[start : word.start].strip(" \"'„“”‚(") for start, _ in claim.sentences
    )


def _beside_capital(claim: Statement, number: int) -> bool:
    """Whether the word before or behind has a capital too, with nothing but a blank or a title's dot between."""
    word = claim.words[number]
    for other in claim.words[max(number - 1, 0) : number + 2]:
        between = claim.text[min(word.end, other.end) : max(word.start, other.start)]
        if other is word or other.folded in PREPOSITIONS:
            continue
        if other.text[0].isupper() and between in (" ", ". "):
            return True
    return False


@dataclass(frozen=True, slots=True)
class Mention:
    key: str
    start: int
    end: int
    before: str


def mentions_in(said: Statement, span: tuple[int, int], known: frozenset[str] = frozenset()) -> list[Mention]:
    """Return the cities, actors and names between the two offsets, each with the word before it.

    `known` are keys of names that are also recognised where a sentence opens.
    """
    found: list[Mention] = []
    for number in within(said.words, *span):
        word = said.words[number]
        key = name_key(said, number) or _known_key(word, known)
        if not key:
            continue
        adjacent = found and _are_beside(said.text[found[-1].end : word.start]) and not PLACE.fullmatch(word.folded)
        adjacent = adjacent and found[-1].key.startswith(("name", "actor"))  # "Bürgermeister Michael Ludwig" is one
        if adjacent and key.startswith("name"):  # first names and titles: the last word tells who it is
            found[-1] = Mention(key, found[-1].start, word.end, found[-1].before)
        else:
            joined = found and _AND.fullmatch(said.text[found[-1].end : word.start])
            before = found[-1].before if joined else word_before(said.text, word.start)
            found.append(Mention(key, word.start, word.end, before))
    return found


def _known_key(word: Word, known: frozenset[str]) -> str | None:
    key = f"name{word.folded[:4]}"
    return key if word.text[0].isupper() and key in known else None


def _are_beside(text: str) -> bool:
    """Whether nothing but titles stands between two parts of a name: "Archivarin Dr. Birgit Neuhaus"."""
    return (
        text[:1].isspace()
        and all(fold(word) in TITLES for word in re.findall(r"[^\W\d_]+", text))
        and not (set(text) & set(",;:()[]"))
    )


def name_key(said: Statement, number: int) -> str | None:
    word = said.words[number]
    cities = city_keys(word.text)
    if cities:
        return cities[0]
    if word.folded in _SKIPPED:
        return None
    who = actor(word.folded)
    if who:
        return who
    if word.folded not in TITLES and (word.text.isupper() or is_name(said, number)):
        return f"name{word.folded[:4]}"
    return None


def word_before(text: str, start: int) -> str:
    opening = re.split(r"[,;:.()]\s", text[max(0, start - 40) : start])[-1]
    if _GENITIVE.search(opening):
        return "of"
    words = [word for word in map(fold, re.findall(r"\w+", opening)) if word not in _SKIPPED]
    if len(words) > 1 and words[-2] in PREPOSITIONS and words[-1] not in PREPOSITIONS and words[-1].isalpha():
        return words[-2]  # "to the writer Marlene Huber"
    return words[-1] if words else ""


def between(stated: list[Value], start: int, end: int) -> list[Value]:
    return [value for value in stated if start <= value.start < end]


def is_rival(value: Value, other: Value) -> bool:
    """Whether `other` could stand in the place of `value`: of its kind, and another one."""
    return other.kind == value.kind and other.unit == value.unit and not same(value, other) and not same(other, value)
