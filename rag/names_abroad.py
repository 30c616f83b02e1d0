"""Names that differ between German, English and Polish, cities apart: countries, peoples, regions, waters, given names.

What no table knows is compared by its sound: Dźajawarman, Jayavarman and Dschayavarman are spelt alike once what each
language writes in its own way is taken out.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import Indel

from rag.language import fold

# One country, people, region or name a line; `stem~` stands for every word that begins with `stem`.
_NAMES = """
deutsch~ german german's germans germany~ niemc~ niemiec~ niemk~
österreich~ austria~
schweiz~ swiss switzerland~ szwajcar~
frankreich~ franzos~ französ~ french~ france~ francj~ francus~ francuz~
polen polens pole poles polish poland~ polsk~ polak~ polac~ polnisch~ polin polinnen polka polki polek polsce
tschech~ czech~ czesk~
slowaki~ slowakisch~ slovak~ słowac~ słowak~
slowen~ sloven~ słoweń~ słowen~
ungar~ hungar~ węgier~ węgr~ węgrz~
niederl~ holland~ dutch~ netherlands~ holend~ niderland~
belgi~
luxemburg~ luxembourg~ luksembur~
däne dänen dänem~ dänisch~ dänin~ danish dane danes denmark~ dania danii danię danią duńsk~ duńczy~
schwed~ sweden~ swedish swede swedes szwe~
norwe~
finnland~ finnisch~ finnen finne finns finland~ finnish finów finow~ fińsk~
island~ iceland~ islandz~
irland~ irisch~ ire iren irin ireland~ irish~ irlandz~ irlandcz~
schottland~ schottisch~ schotte schotten scot scots scotland~ scottish~ szkocj~ szkock~ szkot~
england~ englisch~ engländ~ english~ british britain~ brite briten britisch~ großbrit~ bryty~ angli~ angiel~ kingdom uk
wales waliser~ walisisch~ welsh walij~ walii walia
spani~ spain~ spanish~ hiszpan~ hiszpań~
portug~
ital~ włoch~ włosk~ włoszech
griech~ greek~ greece~ grec~ grek~
türk~ turkey~ turkish turk turks tureck~ turcj~ turczy~
russland~ russisch~ russe russen russia~ rosj~ rosyj~
ukrain~
belarus~ weißruss~ białorus~
litau~ lithuan~ litw~ litew~
lettland~ lettisch~ letten lette latvi~ łotw~ łotew~ łotysz~
estn~ estland~ eston~ estoń~
rumän~ romania~ rumun~ rumuń~
bulgar~ bułgar~
serb~ serbi~
kroat~ croat~ chorwa~
jugoslaw~ yugoslav~ jugosł~
alban~ albań~
amerik~ americ~ ameryk~ usa us vereinigte united stany
kanad~ canad~
mexik~ mexic~ meksy~
brasil~ brazil~ brazyl~
argentin~ argenty~ argentyń~
chilen~ chile~ chilij~
peru perus peruan~ peruv~ peruw~
kuba kubas kubaner~ kubanisch~ kubań~ kubie kubę cuba~
austral~
neuseel~ zealand~ zeland~ nowozeland~
china~ chines~ chiny chin chinach chińsk~ chińczy~
japan~ japoń~
indien indiens indisch~ india~ inder indern indii indie indyj~
vietnam~ wietnam~
korea~ korean~ koreań~ koree
kambodsch~ cambod~ kambodż~
ägypt~ egypt~ egip~
israel~ izrael~
südafrik~ rpa
jüd~ jude juden jew~ żyd~ judaism~
römer~ römisch~ roman romans rzymi~ rzymsk~
hellen~ hellenic
gallier~ gallisch~ gallien~ gaul gauls gaulish galow~ galij~ galli~
preuß~ prussia~ prusy prus prusach prusak~ prusk~
bayer~ bavari~ bawar~
sachsen sächs~ saxon~ saks~
brandenburg~
schles~ siles~ śląsk~ ślą~
pommer~ pomer~ pomor~
masur~ mazur~
kaschub~ kashub~ kaszub~
sorb~ łużyc~ serbołuż~ lausitz~ lusat~
westfäl~ westfal~ westphal~
rheinl~ rhinel~ nadren~
europ~ eu ue unijn~
afrik~ afric~ afryk~
asien~ asiat~ asia~ azj~
ostsee~ baltic~ bałty~ baltikum~ balt~
nordsee~ północnym północnego
mittelmeer~ mediterr~ śródziem~
alpen~ alpin~ alps~ alpejsk~ alp alpy
rhein~ rhine~ ren renu renem
donau~ danube~ dunaj~
elbe~ łab~
oder odra odry odrze odrą odrzań~
weichsel~ vistula~ wisł~
neiße~ neisse~ nysa nysy nysie nysą
themse~ thames~ tamiz~
krzyżac~ krzyżak~ teutonic~ deutschordens~ deutschritter~
johann~ john~ jan jana janem janowi hans juan jean ivan iwan
elisabeth~ elizabeth~ elżbiet~
heinrich~ henry~ henryk~ henri
karl karls charles~ karol~ carl carlos
ludwig~ louis~ ludwik~
wilhelm~ william~ guillaume
friedrich~ frederic~ fryderyk~
georg georgs george george's jerz~
paul pauls paul's pawe~ pawł~
peter peters peter's piotr~ pierre pedro
maria~ mary~ marie~ marii marię
sigismund~ sigmund~ zygmunt~
stephan~ stefan~ stephen~ szczepan~
jakob~ jacob~ james~ jakub~ jacques
andreas~ andrew~ andrzej~ andré
lukas~ luke~ łukasz~
margarete~ margaret~ margareth~ małgorzat~
katharina~ catherine~ katarzyn~ kathar~
hedwig~ jadwig~
kasimir~ casimir~ kazimierz~
ladislaus~ władysław~ wladislaw~
adalbert~ wojciech~
albert~ albrecht~
eduard~ edward~
anton~ antoni~ anthony~
franz francis~ franciszek~ franciszk~ francesco
josef~ joseph~ józef~
konrad~ conrad~
nikolaus~ nicholas~ mikołaj~ nicolaus~
matthä~ matthew~ mateusz~ matthias~ maciej~
thomas~ tomasz~
philipp~ philip~ filip~
rudolf~ rudolph~
bc bce chr christus christi chrystus~
"""
_ROWS = [[fold(form) for form in line.split()] for line in _NAMES.strip().splitlines()]
_WHOLE = {form: number for number, row in enumerate(_ROWS) for form in row if not form.endswith("~")}
_STEMS = sorted(
    ((form[:-1], number) for number, row in enumerate(_ROWS) for form in row if form.endswith("~")),
    key=lambda stem: -len(stem[0]),
)
# Endings of cases and peoples that say nothing of whose name it is.
_ENDING = re.compile(
    r"(?:iego|iemu|owie|owi|ami|ach|ego|emu|ows?|iem|ien|ium|ius|ens|ian|em|ie|ej|ia|es|en|er|us|os|is|om|um|a|e|i|o|s|u|y)$"
)
_ENDING_LEAVES = 3
# What each language writes in its own way, in this order; vowels behind the first sound are left out.
_SOUNDS = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"tsch|tch|cz|dsch|dz|dj", "j"),
        (r"sch|sh|sz|rz|ss|z|x", "s"),
        (r"ch|kh|ck|c|q|g(?=h)", "k"),
        (r"ph|pf|f|w", "v"),
        (r"th|dh|d", "t"),
        (r"gh|g", "g"),
        (r"h", ""),
        (r"(?<=.)[aeiouyj]", ""),
        (r"(.)\1+", r"\1"),
    )
]
# Short sounds are one where they are equal, longer ones where they nearly are.
_SHORTEST_SOUND, _ALIKE_FROM, _ALIKE = 3, 4, 0.85


@lru_cache(maxsize=100_000)
def known_name(word: str) -> str | None:
    """Return a key for the country, people, region or given name that `word` names; the same in all languages."""
    folded = fold(word)
    if folded in _WHOLE:
        return f"known{_WHOLE[folded]}"
    found = next((number for stem, number in _STEMS if folded.startswith(stem)), None)
    return None if found is None else f"known{found}"


@lru_cache(maxsize=100_000)
def sound(word: str) -> str:
    """Return what is left of a name when endings and spelling are taken out: `Alechinem` and `Alekhine` give `alkn`."""
    folded = fold(word)
    stem = _ENDING.sub("", folded)
    left = stem if len(stem) >= _ENDING_LEAVES else folded
    for pattern, to in _SOUNDS:
        left = pattern.sub(to, left)
    return left


def sounds_alike(one: str, other: str) -> bool:
    """Whether two words are likely one name, spelt for two languages."""
    mine, its = sound(one), sound(other)
    if mine == its:
        return len(mine) >= _SHORTEST_SOUND or (len(mine) > 1 and one[0].lower() == other[0].lower())
    return min(len(mine), len(its)) >= _ALIKE_FROM and Indel.normalized_similarity(mine, its) >= _ALIKE
