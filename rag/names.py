"""Cities under the names they have in German, English, Polish and at home: Krakau, Kraków and Cracow are one city.

The table lists the names that differ or that city documents mention often. Names that are also common words (Essen,
Gießen, Halle, Leiden, Nice, Split) are left out: a false match would be worse than none.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rag.language import WORD, fold

# One city a line. The first name is its key; oblique stems and adjectives that no ending below explains are listed as
# well, Polish ones without their ending: frankfurck(i, a, iego).
_CITIES = """
Krakow Krakau Cracow Cracovie Cracovia Cracovian
Warszawa Warschau Warsaw Warszaw
Wien Vienna Wiedeń Wiedn Viennese
Köln Cologne Kolonia Koeln Koln Koloni kolońsk
Kopenhagen Copenhagen Kopenhaga København Kopenhadz kopenhask
Frankfurt Francfort Frankfurc frankfurck
München Munich Monachium Muenchen Münchn Monachi monachijsk
Nürnberg Nuremberg Norymberga Nuernberg Norymberdz norymbersk
Düsseldorf Dusseldorf Duesseldorf
Berlin
Hamburg hambursk
Bremen Brema Bremer bremeńsk
Hannover Hanover Hanower Hannoveraner
Leipzig Lipsk
Dresden Drezno Dreźn Dresdner drezdeńsk
Stuttgart Sztutgart stuttgarck
Mainz Moguncja mogunck
Aachen Akwizgran akwizgrańsk
Braunschweig Brunszwik Brunswick
Regensburg Ratyzbona ratyzbońsk
Augsburg
Freiburg Fryburg frybursk
Karlsruhe
Mannheim
Heidelberg
Dortmund
Duisburg
Bochum
Wuppertal
Bielefeld
Bonn
Münster Münsteraner
Krefeld
Mönchengladbach
Oberhausen
Hamm
Hagen
Geestland
Arnsberg
Pirna
Chemnitz
Magdeburg
Erfurt
Rostock
Kiel
Lübeck Lubeka
Saarbrücken
Potsdam Poczdam
Görlitz Zgorzelec
Salzburg
Graz
Linz
Innsbruck
Zürich Zurich Zurych Zürcher zurysk
Genf Geneva Genewa Genève genewsk
Basel Bazylea Basle Basler bazylejsk
Bern Berno Bernese berneńsk
Wroclaw Breslau Wrocław
Gdansk Danzig Gdańsk
Poznan Posen Poznań
Szczecin Stettin szczecińsk
Lodz Łódź Lodsch łódzk
Katowice Kattowitz Katowic katowick
Lublin lubelsk
Rzeszow Rzeszów
Bydgoszcz Bromberg bydgosk
Torun Thorn Toruń
Gdynia Gdingen gdyńsk
Boleslawiec Bolesławiec Bunzlau Bolesławc
Sofia Sofii Sofią
Praha Prag Prague Praga Pradz prask
Brno Brünn brneńsk
Bratislava Pressburg Bratysława
Budapest Budapeszt budapeszteńsk
Bukarest Bucharest București
Beograd Belgrad Belgrade
Zagreb Agram
Ljubljana Laibach Lublana
Athen Athens Ateny Athina Athenian ateńsk
Thessaloniki Saloniki Salonica
Rom Rome Roma Rzym rzymsk
Mailand Milan Milano Mediolan Milanese mediolańsk
Venedig Venice Venezia Wenecja Venetian Venezianer weneck
Florenz Florence Firenze Florencja Florentine Florentiner florenck
Neapel Naples Napoli Neapol Neapolitan neapolitańsk
Turin Torino Turyn turyńsk
Genua Genoa Genova Genoese genueńsk
Bologna Bolonia bolońsk
Arezzo
Nizza Nicea nicejsk
Paris Paryż Paryz Parisian parysk
Lyon
Marseille Marsylia marsylsk
Straßburg Strasbourg Strasburg strasbursk
Toulouse Tuluza
Bordeaux
Nantes
Brüssel Brussels Bruksela Bruxelles
Antwerpen Antwerp Antwerpia antwerpsk
Gent Ghent Gandawa
Lüttich Liège Leodium
Amsterdam
Rotterdam
Utrecht
Eindhoven
London Londyn Londynu
Birmingham
Manchester
Glasgow
Edinburgh Edynburg edynbursk
Dublin dublińsk
Leeds
Madrid Madryt madryck
Barcelona Barcelon barcelońsk
Valencia Walencja
Sevilla Seville Sewilla
Lissabon Lisbon Lisboa Lizbona lizbońsk
Porto
Stockholm Sztokholm
Göteborg Gothenburg
Malmö
Oslo
Helsinki
Tampere
Tallinn Reval
Riga Ryga
Vilnius Wilna Wilno wileńsk
Kaunas Kowno
Kiew Kyiv Kyjiw Kijów
Lviv Lwiw Lemberg Lwów
Odessa Odesa
Charkiw Kharkiv Charków
Minsk Mińsk
Moskau Moscow Moskwa Muscovite moskiewsk
Istanbul Stambuł
Ankara
Gelsenkirchen
Kassel
Ulm
Wolfsburg
Göttingen Getynga Goettingen Göttinger
Osnabrück
Oldenburg
Hildesheim
Salzgitter
Paderborn
Bottrop
Recklinghausen
Remscheid
Solingen Solinger
Leverkusen
Neuss
Herne
Moers
Gütersloh
Koblenz Koblencja
Trier Trewir
Kaiserslautern
Ludwigshafen
Darmstadt
Offenbach
Wiesbaden
Marburg
Fulda
Hanau
Heilbronn
Pforzheim
Reutlingen Reutlinger
Tübingen Tuebingen Tybinga Tübinger
Konstanz Konstancja
Ingolstadt
Fürth Fuerth
Erlangen Erlanger
Bamberg
Bayreuth
Würzburg Wuerzburg
Passau Pasawa
Landshut
Rosenheim
Jena
Gera
Weimar
Zwickau
Plauen
Bautzen Budziszyn
Cottbus Chociebuż Chociebuz
Dessau
Schwerin
Stralsund
Greifswald Gryfia
Flensburg
Neumünster
Lüneburg
Bremerhaven
Wilhelmshaven
Emden
Klagenfurt
Villach
Bregenz
Winterthur
Luzern Lucerne Lucerna
Lausanne Lozanna
Lugano
Sopot Zoppot sopock
Bialystok Białystok białostock
Czestochowa Częstochowa Tschenstochau
Radom
Kielce kieleck
Gliwice Gleiwitz gliwick
Zabrze
Bytom Beuthen
Sosnowiec Sosnowcu sosnowieck
Tychy
Opole Oppeln opolsk
Olsztyn Allenstein olsztyńsk
Elblag Elbląg Elbing
Koszalin Köslin
Slupsk Słupsk
Legnica Liegnitz legnick
Walbrzych Wałbrzych Waldenburg wałbrzysk
Tarnow Tarnów
Zakopane zakopiańsk
Kalisz
Plock Płock płock
Kosice Košice Kaschau Koszyce
Olomouc Olmütz Ołomuniec
Ostrava Ostrau Ostrawa
Plzen Pilsen Plzeň Pilzno
Györ
Szeged
Timisoara Temeswar Timișoara
Cluj Klausenburg
Plovdiv Plowdiw
Varna
Skopje
Sarajevo Sarajewo
Maribor
Triest Trieste Trieszt
Padua Padova Padwa
Verona Werona
Parma
Bergamo
Palermo
Bari
Catania Katania
Cagliari
Lille
Rennes
Grenoble
Montpellier
Dijon
Mulhouse Mülhausen
Malaga Málaga
Zaragoza Saragossa Saragossie
Bilbao
Murcia
Granada Grenada
Coimbra
Braga
Brügge Bruges Brugge Brugia
Namur
Haarlem
Groningen
Maastricht
Tilburg
Nijmegen Nimwegen
Aarhus
Odense
Trondheim
Uppsala
Espoo
Oulu
Tartu Dorpat
Sheffield
Bristol
Liverpool
Nottingham
Coventry
Cardiff
Belfast
Galway
Izmir
Tirana
Chisinau Kischinau Kiszyniów
Luxemburg Luxembourg Luksemburg
"""
# Endings of German (Krakaus, Wiener, Wienerin), English (Berlin's) and Polish (Krakowa, Krakowie, krakowski) forms.
_ENDINGS = frozenset(
    """
    s er ers ern erin erinnen es a ie em owi u iu iem ia i ii y e o om ami ach
    ski skie skiej skiego skim skich ska skiemu iej iego im ich iemu
    """.split()
)
_LONGEST_ENDING = max(map(len, _ENDINGS))
# Polish adjectives of cities are written small: krakowski.
_ADJECTIVES = tuple(
    f"{stem}{ending}" for stem in ("sk", "ck", "dzk") for ending in "i ie iej iego iemu im ich a ą".split()
)
_SHORTEST_NAME = 4  # with an ending; "Rom" plus "an" would otherwise be found in too many words


def _table() -> dict[str, str]:
    table: dict[str, str] = {}
    for line in _CITIES.strip().splitlines():
        names = [fold(name) for name in line.split()]
        for name in names:
            table[name] = names[0]
            if name.endswith("a") and len(name) > _SHORTEST_NAME:  # Kolonia -> Koloni(i), Kopenhaga -> Kopenhag(i)
                table.setdefault(name[:-1], names[0])
    return table


_KEYS = _table()


def city_keys(text: str) -> list[str]:
    """Return a key for each mention of a known city in `text`, in order: `Krakaus` and `Krakowie` give the same one."""
    return [key for match in WORD.finditer(text) for key in _word_keys(match.group())]


@lru_cache(maxsize=200_000)
def _word_keys(word: str) -> tuple[str, ...]:
    found = []
    for part in re.split("[-'’]", word):
        if part[:1].isupper() or part.endswith(_ADJECTIVES):
            key = _key(fold(part))
            if key:
                found.append(f"city{key}")
    return tuple(found)


def _key(word: str) -> str | None:
    if word in _KEYS:
        return _KEYS[word]
    for length in range(1, min(_LONGEST_ENDING, len(word) - _SHORTEST_NAME) + 1):
        if word[-length:] in _ENDINGS and word[:-length] in _KEYS:
            return _KEYS[word[:-length]]
    return None
