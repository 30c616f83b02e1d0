"""Number words, ordinals, scales and units of German, English and Polish, folded (see `rag.language.fold`)."""

from __future__ import annotations

from typing import Final

from rag.language import fold

# "ein", "one", "jeden" are articles and pronouns more often than numbers, and stay out; so does Polish "sto" ("hundred"
# and, folded, a part of nothing else) come in. Forms of one number stand on one line, genitives and persons included.
_CARDINALS: Final = """
2 zwei zweier zwo two dwa dwie dwoch dwaj dwojga dwom dwoma
3 drei dreier three trzy trzech trzej trzem trzema
4 vier four cztery czterech czterej czterem czterema
5 fünf five pięć pięciu pięcioma
6 sechs six sześć sześciu
7 sieben seven siedem siedmiu
8 acht eight osiem ośmiu
9 neun nine dziewięć dziewięciu
10 zehn ten dziesięć dziesięciu
11 elf eleven jedenaście jedenastu
12 zwölf twelve dwanaście dwunastu
13 dreizehn thirteen trzynaście trzynastu
14 vierzehn fourteen czternaście czternastu
15 fünfzehn fifteen piętnaście piętnastu
16 sechzehn sixteen szesnaście szesnastu
17 siebzehn seventeen siedemnaście siedemnastu
18 achtzehn eighteen osiemnaście osiemnastu
19 neunzehn nineteen dziewiętnaście dziewiętnastu
20 zwanzig twenty dwadzieścia dwudziestu
30 dreißig thirty trzydzieści trzydziestu
40 vierzig forty czterdzieści czterdziestu
50 fünfzig fifty pięćdziesiąt pięćdziesięciu
60 sechzig sixty sześćdziesiąt sześćdziesięciu
70 siebzig seventy siedemdziesiąt siedemdziesięciu
80 achtzig eighty osiemdziesiąt osiemdziesięciu
90 neunzig ninety dziewięćdziesiąt dziewięćdziesięciu
100 hundert einhundert hundred sto stu
200 zweihundert dwieście dwustu
300 dreihundert trzysta trzystu
400 vierhundert czterysta czterystu
500 fünfhundert pięćset pięciuset
600 sechshundert sześćset sześciuset
700 siebenhundert siedemset siedmiuset
800 achthundert osiemset ośmiuset
900 neunhundert dziewięćset dziewięciuset
1000 tausend eintausend thousand tysiąc tysiąca
"""
_ORDINALS: Final = """
1 erste ersten erster erstes erstem erstmals erstmalig first pierwszy pierwsza pierwsze pierwszego pierwszej
2 zweite zweiten zweiter zweites zweitem second drugi druga drugie drugiego drugiej drugim
3 dritte dritten dritter drittes drittem third trzeci trzecia trzecie trzeciego trzeciej trzecim
4 vierte vierten vierter viertes fourth czwarty czwarta czwarte czwartego czwartej
5 fünfte fünften fünfter fünftes fifth piąty piąta piąte piątego piątej
6 sechste sechsten sechster sixth szósty szósta szóste szóstego szóstej
7 siebte siebten siebter seventh siódmy siódma siódme siódmego siódmej
8 achte achten achter eighth ósmy ósma ósme ósmego ósmej
9 neunte neunten neunter ninth dziewiąty dziewiąta dziewiąte dziewiątego
10 zehnte zehnten zehnter tenth dziesiąty dziesiąta dziesiąte dziesiątego
"""
_SCALES: Final = """
1000 tausend tsd thousand tys tysiąc tysiące tysięcy tysiąca
1000000 million millionen millions mio mln milion miliona miliony milionów
1000000000 milliarde milliarden mrd billion billions bn mld miliard miliarda miliardy miliardów
"""
_UNITS: Final = {
    "euro": "euro euros eur € ",
    "zloty": "zł zloty zlotys złoty złote złotych złotego pln",
    "dollar": "dollar dollars dolar dolara dolary dolarów usd $",
    "pound": "pfund pound pounds funt funty funtów £ gbp",
    "cent": "cent cents centów",
    "percent": "% prozent percent procent procenta procentów pct",
    "mm": "mm millimeter millimetre millimetres milimetr milimetry milimetrów",
    "cm": "cm zentimeter zentimetern centimetre centimetres centimeters centymetr centymetry centymetrów",
    "m": "m meter metern metre metres meters metr metra metry metrów",
    "km": "km kilometer kilometern kilometre kilometres kilometers kilometr kilometra kilometry kilometrów",
    "mile": "meile meilen mile miles mila mil",
    "m2": "m² m2 qm quadratmeter quadratmetern sqm",
    "km2": "km² km2 quadratkilometer quadratkilometern",
    "ha": "ha hektar hectare hectares hektara hektary hektarów",
    "m3": "m³ m3 kubikmeter kubikmetern",
    "litre": "liter litern litre litres liters litr litra litry litrów l",
    "ug": "µg mikrogramm microgram micrograms mikrogram mikrograma mikrogramy mikrogramów",
    "mg": "mg milligramm milligram milligrams miligram miligrama miligramy miligramów",
    "g": "g gramm gram grams grama gramy gramów",
    "kg": "kg kilogramm kilogram kilograms kilo kilograma kilogramy kilogramów",
    "t": "t tonne tonnen tonnes ton tons tona tony",
    "kw": "kw kilowatt kilowatów",
    "mw": "mw megawatt megawatts megawatów",
    "kwh": "kwh kilowattstunde kilowattstunden",
    "mbit": "mbit mbps megabit megabits",
    "celsius": "°c",
    "km/h": "km/h kmh stundenkilometer stundenkilometern",
    "second": "sekunde sekunden second seconds sekund sekundy",
    "minute": "minute minuten min minutes minut minuty",
    "hour": "stunde stunden std hour hours godzina godziny godzinę",
    "day": "tag tage tagen tages day days dzień dni",
    "week": "woche wochen week weeks tydzień tygodnia tygodnie tygodni",
    "month": "monat monate monaten monats month months miesiąc miesiąca miesiące miesięcy",
    "decade": "jahrzehnt jahrzehnte jahrzehnten decade decades dekada dekady dekad",
    "century": "jahrhunderte jahrhunderten centuries wieki",
    "year": "jahr jahre jahren jahres year years rok roku lat lata",
}
# How many parts a whole has. "Quarter" and "Viertel" are parts of towns too: they need a number before them.
_FRACTIONS: Final = """
3 drittel third thirds trzecia trzecie trzecich
4 viertel quarter quarters czwarta czwarte czwartych
5 fünftel fifth fifths piąta piąte piątych
6 sechstel sixth sixths szósta szóste szóstych
8 achtel eighth eighths ósma ósme ósmych
10 zehntel tenth tenths dziesiąta dziesiąte dziesiątych
"""
# "Every third" says as much as "a third".
_EVERY: Final = """
3 dritte dritter drittes dritten third trzeci trzecia trzecie
4 vierte vierter viertes vierten fourth czwarty czwarta czwarte
5 fünfte fünfter fünftes fünften fifth piąty piąta piąte
10 zehnte zehnter zehntes zehnten tenth dziesiąty dziesiąta dziesiąte
"""
# What a unit measures, and how much of it: two weeks are 14 days.
_MEASURES: Final = """
time second 1 minute 60 hour 3600 day 86400 week 604800
months month 1 year 12 decade 120 century 1200
length mm 1 cm 10 m 1000 km 1000000
weight ug 1 mg 1000 g 1000000 kg 1000000000 t 1000000000000
area m2 1 ha 10000 km2 1000000
power kw 1 mw 1000
money cent 1 euro 100
"""
_PAIRS: Final = {
    "per cent": "percent",
    "square metres": "m2",
    "square meters": "m2",
    "square kilometres": "km2",
    "cubic metres": "m3",
    "metrow kwadratowych": "m2",
    "kilometrow kwadratowych": "km2",
    "metrow szesciennych": "m3",
}


def _numbered(lines: str) -> dict[str, float]:
    return {fold(word): float(line.split()[0]) for line in lines.strip().splitlines() for word in line.split()[1:]}


def _measures() -> dict[str, tuple[str, float]]:
    rows = [line.split() for line in _MEASURES.strip().splitlines()]
    return {unit: (row[0], float(size)) for row in rows for unit, size in zip(row[1::2], row[2::2], strict=True)}


def _german_tens() -> dict[str, float]:
    """Return einundzwanzig ... neunundneunzig."""
    ones = dict(zip("ein zwei drei vier funf sechs sieben acht neun".split(), range(1, 10), strict=True))
    tens = dict(
        zip("zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig".split(), range(20, 100, 10), strict=True)
    )
    return {f"{one}und{ten}": float(a + b) for one, a in ones.items() for ten, b in tens.items()}


FRACTIONS: Final = _numbered(_FRACTIONS)
EVERY: Final = _numbered(_EVERY)
NUMBER_WORDS: Final = _numbered(_CARDINALS) | _german_tens()
ORDINALS: Final = _numbered(_ORDINALS)
SCALES: Final = _numbered(_SCALES)
UNITS: Final = {fold(word): unit for unit, words in _UNITS.items() for word in words.split()} | _PAIRS
MEASURES: Final = _measures()
