"""Words that turn a statement round in German, English and Polish: negations, opposites, and who acts.

All are compared folded (`rag.language.fold`). `stem~` stands for every word that begins with `stem`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rag.language import fold

_NEGATORS: Final = frozenset(
    fold(word)
    for word in """
    nicht nichts nie niemals niemand niemanden niemandem kein keine keinen keinem keiner keines keinerlei ohne weder
    not no never none nobody nothing without neither cannot can't don't doesn't didn't isn't aren't wasn't won't
    nie nikt nikogo nigdy nic bez żaden żadna żadne żadnego żadnej żadnych ani
    ausgenommen
    """.split()
)
_TOKEN: Final = re.compile(r"[^\W\d_]+(?:['’]t)?")
# Polish denies twice and means it once: "nikt nie", "nie ... żadnych".
_POLISH_DOUBLES: Final = frozenset(
    fold(word) for word in "nikt nikogo nigdy nic żaden żadna żadne żadnego żadnej żadnych ani".split()
)
# Verbs that deny what they govern.
_DENYING: Final = ("verzicht", "waiv", "zrezygn", "rezygn", "refrain")
# They hold a negator and deny nothing.
_NO_NEGATION: Final = re.compile(
    r"nicht (?:nur|allein|zuletzt|(?:früher|später|mehr|weniger|länger) als)|not (?:only|least)"
    r"|(?:no|not) (?:earlier|later|more|less|fewer|longer) than|nie (?:tylko|wcześniej|później|więcej|mniej|dłużej) niż"
    r"|not (?:\w+ ){0,2}(?:until|before)\b|nicht vor(?= \d)|nie przed(?= \d)"
    r"|\b(?:a nie|and not|und nicht) (?=\w+ \d)|nie tylko|\bno\.? ?(?=\d)|bez zmian|ohne weiteres",
    re.IGNORECASE,
)
# Words that deny without a negation: whether they do so in a clause cannot be told by counting.
_SOFT: Final = re.compile(
    r"\b(?:un(?!ter|d\b|i|s|ge[bf])\w{5,}|\w{3,}los(?:e[mnrs]?)?|\w{4,}less|\w{4,}frei(?:e[mnrs]?)?|bez\w{4,}"
    r"|nie\w{4,}|vergeblich\w*|in vain|daremn\w*|ausgeschlossen|ruled out|wyklucz\w*|verboten\w*|forbidden|banned"
    r"|zakaz\w*|zabron\w*"
    r"|fehl\w*|lack\w*|missing|brak\w*|statt|instead|zamiast|nur|only|tylko|kaum|hardly|barely|ledwie|failed|scheiter\w*"
    r"|gescheitert\w*|refus\w*|verweiger\w*|odmaw\w*|odmówi\w*|lifted|aufgehoben|zniesion\w*|lost|verlor\w*)\b",
    re.IGNORECASE,
)
# Words for an idea | words for its opposite; one idea after the other.
_OPPOSITES: Final = """
zunehm~ zugenommen zunahm~ anwachs~ angewachs~ steig~ stieg~ gestieg~ anstieg~ erhöh~ angehob~ anheb~ höher~ increas~
rais~ rose risen rise rises grew higher wzros~ podni~ podwyż~ zwiększ~ wyższ~ | abnehm~ abgenommen abnahm~ rückläuf~
sink~ sank~ gesunk~ senk~ gesenk~ abgesenk~ absenk~ verringer~ reduz~ rückgang niedriger~ fell fallen decreas~ lower~
reduc~ drop~ declin~ spad~ obniż~ zmniejsz~ niższ~ ;
offen geöffnet~ öffn~ eröffn~ open~ otw~ czynn~ | geschloss~ schließt schließen gesperrt~ sperrt sperrung~ clos~ shut
zamk~ zamyk~ nieczynn~ ;
begin~ begann~ begonn~ start~ gestartet anfang~ begun began commenc~ rozpocz~ zaczę~ zaczn~ | ende enden endet endete
beend~ abgeschlossen abschluss end ends ended ending finish~ conclud~ complet~ zakończ~ kończ~ ;
begrüß~ welcom~ unterstütz~ support~ popier~ bewillig~ genehmig~ befürwort~ angenommen zugestimmt gebilligt approv~
accept~ granted zaakcept~ zatwierdz~ przyjęt~ | abgelehn~ ablehn~ lehnt lehnte lehnten sprzeciw~ oppos~ verweiger~
abgewies~ abweis~ reject~ refus~ denied turned odrzuc~ odmów~ ;
dafür befürwort~ favour favor | dagegen gegen against przeciw~ ;
darf dürfen durfte erlaub~ gestatte~ zulässig zugelassen allowed permitted may wolno można dozwol~ | verbot~ verbiet~
untersag~ forbid~ prohibit~ banned zabron~ zakaz~ ;
kostenlos~ kostenfrei~ gebührenfrei~ gratis frei unentgeltlich free exempt befreit bezpłatn~ darmow~ zwolnion~ |
kostenpflichtig~ gebührenpflichtig~ gebühr zahl~ bezahl~ gezahlt kosten kostet pay pays paid charge fee płatn~ płac~
odpłatn~ ;
günstig~ billig~ cheap~ tani~ najtań~ tańsz~ | teuer~ teurer expensive~ drog~ najdroż~ ;
mindestens least najmniej minimum | höchstens maximal most najwyżej maksym~ ;
frühestens earliest earlier najwcześniej wcześniej | spätestens latest later najpóźniej później ;
innerhalb inside wewnątrz | außerhalb outside poza ;
erfolg~ success~ sukces~ | misserfolg~ gescheitert~ scheiter~ failure~ failed porażk~ niepowodz~ ;
lobt~ lobte~ gelobt prais~ pochwal~ chwali~ | kritisier~ kritik~ critici~ skrytyk~ krytyk~ ;
hinzugefügt added adds dodał~ dodan~ | entfern~ remov~ usun~ ;
angeschloss~ anschließ~ anschließt connect~ podłącz~ przyłącz~ | abgetrennt disconnect~ odłącz~ ;
pflanz~ gepflanz~ plant~ posadz~ sadz~ | fällt~ fällte gefällt felled wycin~ wycię~ ;
einnahm~ eingenommen erlös~ ertrag~ income revenue~ earn~ brought dochod~ przychod~ zarob~ | ausgab~ ausgegeben kosten
kostet kostete expen~ cost~ spend~ spent wydat~ koszt~ ;
gewann~ gewonn~ gewinnt win wins won wygra~ | verlor~ verliert lose loses lost przegra~ ;
verbesser~ improv~ popraw~ | verschlechter~ worsen~ pogors~ pogarsz~ ;
online internet~ netz digital~ elektronisch~ | papier~ paper schriftlich~ pisemn~ ;
hälfte halb~ half połow~ | doppelt~ double~ podwój~ dwukrotn~ ;
verlänger~ extend~ lengthen~ przedłuż~ wydłuż~ | verkürz~ shorten~ skróc~ skrac~ ;
vergrößer~ enlarg~ expand~ powiększ~ rozbud~ | verkleiner~ shrink~ shrunk pomniejsz~ ;
änder~ geänder~ veränder~ chang~ zmieni~ zmian~ erhöh~ steig~ senk~ sink~ increas~ rais~ lower~ reduc~ podwyż~ obniż~
| unveränder~ unchanged niezmien~ ;
möglich possible możliw~ | unmöglich impossible niemożliw~ ;
muss müssen erforderlich~ nötig~ notwendig~ benötig~ vorgeschrieben pflicht must required necessary need~ wymag~
potrzeb~ koniecz~ trzeba | freiwillig~ unnötig~ überflüssig~ superfluous optional voluntary dobrowoln~ zbędn~ ;
fehl~ missing lack~ brak~ | vorhanden available dostępn~ ;
gültig~ valid ważn~ | ungültig~ invalid nieważn~ ;
mehr more więcej | weniger less fewer mniej ;
gegründet~ gründete~ gründung~ founded foundation założ~ | aufgelöst auflös~ dissol~ rozwiąz~ ;
kam kommt ankunft arriv~ przyby~ przyjecha~ | verließ verlass~ abfahrt depart~ left leaves leave~ opuści~ odjecha~ ;
baut baute bauten bauen gebaut~ bauarbeit~ neubau errichtet build~ built construct~ zbudow~ budow~ wybudow~ | abriss~
abgerissen abreiß~ demol~ rozbiór~ rozebra~ wyburz~ ;
stark~ strong~ siln~ | schwach~ weak~ słab~ ;
trat tritt beitr~ beigetreten join~ przystąp~ dołącz~ wstąpi~ | austr~ ausgetreten withdr~ wystąpi~ ;
"""
# Who acts in city documents; where the actor of a statement is another one, the statement is another one.
_ACTORS: Final = """
stadtrat~ gemeinderat~ rat council councils rada rady radą radę radni
bürgermeister~ oberbürgermeister~ mayor burmistrz~ prezydent~
gericht~ verwaltungsgericht~ amtsgericht~ court sąd sądu sądzie
verwaltung~ administration administracja administracji
anlieger~ anwohner~ einwohner~ bewohner~ residents mieszkańc~
polizei~ police policj~
feuerwehr~ firefighter~ brigade straża~ straż
universität~ hochschule~ university uniwersyt~
eltern parents rodzic~
haushalte household~ gospodarstw~
klinik~ krankenhaus~ hospital~ szpital~
umweltamt~ environmental środowisk~
land landes kraj kraju
bund bundes~ federal federaln~
stadtwerke~
opposition~ opozycj~
bürgerinitiative initiative inicjatyw~
handelskammer chamber izba
verkehrsbetrieb~ przewoźni~
"""


def _rows(lines: str) -> list[list[str]]:
    return [[fold(word) for word in line.split()] for line in lines.strip().splitlines()]


def _matches(word: str, forms: list[str]) -> bool:
    return any(word.startswith(form[:-1]) if form.endswith("~") else word == form for form in forms)


_POLES: Final = [
    (one.split(), other.split())
    for one, other in (row.split("|") for row in fold(_OPPOSITES).split(";") if row.strip())
]
_WHO: Final = _rows(_ACTORS)


def negations(clause: str) -> int:
    """Return how many words of `clause` negate it; two of them cancel out (`nicht ohne Anmeldung`)."""
    words = [fold(word.replace("’", "'")) for word in _TOKEN.findall(_NO_NEGATION.sub(" ", clause))]
    found = [word for word in words if word in _NEGATORS or word.startswith(_DENYING)]
    if "nie" in found:
        found = [word for word in found if word not in _POLISH_DOUBLES]
    return len(found)


def negation_span(clause: str) -> tuple[int, int] | None:
    """Return where the first word of `clause` that negates it begins and ends."""
    blanked = _NO_NEGATION.sub(lambda match: " " * len(match.group()), clause)
    for match in _TOKEN.finditer(blanked):
        word = fold(match.group().replace("’", "'"))
        if word in _NEGATORS or word.startswith(_DENYING):
            return match.span()
    return None


def denies_softly(clause: str) -> bool:
    """Whether `clause` holds a word that denies something without a negation: `erfolglos`, `unpaid`, `in vain`."""
    return bool(_SOFT.search(clause))


@lru_cache(maxsize=100_000)
def poles(word: str) -> tuple[tuple[int, int], ...]:
    """Return the ideas that a folded `word` stands for, each with 1, or -1 where it stands for the opposite."""
    found = []
    for number, (one, other) in enumerate(_POLES):
        if _matches(word, other):
            found.append((number, -1))
        elif _matches(word, one):
            found.append((number, 1))
    return tuple(found)


@lru_cache(maxsize=100_000)
def actor(word: str) -> str | None:
    """Return a key for who a folded `word` names, the same in all languages; None where it names none of them."""
    return next((f"actor{number}" for number, forms in enumerate(_WHO) if _matches(word, forms)), None)
