"""Words by which columns and rows are recognised, in the languages of statistical offices.

Indonesian, English, Dutch, German, French, Italian, Spanish, Portuguese, Polish and Filipino
census English, and the main words of other languages of Europe and East Asia. Words are without
accents and in lower case; those of five letters and more are also found within longer words, as in
``Gemeindename``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache


@lru_cache(maxsize=65536)
def plain(text: str) -> str:
    """Return a text in lower case without accents, ``ß`` as ``ss`` and ``ł`` as ``l``."""
    if text.isascii():
        return text.casefold().strip()
    text = text.translate(str.maketrans("łŁøØđĐı", "lLoOdDi"))
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    return unicodedata.normalize("NFC", bare).strip()


def _set(words: str, separator: str | None = None) -> frozenset[str]:
    return frozenset(words.split(separator))


MISSING = _set(
    "- -- --- – — − . .. ... … : / x X * ? n/a N/A #N/A na NA n.a. n.d. nd s.d. k.a. b.d. nan NaN "
    "NULL null none None nil tad missing kosong c s brak"
) | {""}
"""Cells that say that a number is not known."""
PEOPLE = _set(
    "population populations pop popul popestimate popest pmun ptot "
    "totpop poptotal pobtot populasi penduduk pddk pdddk pend "
    "bevoelkerung bevoelkerungsstand erp "
    "inhabitants inhab residents people persons bevolking inwoners inwoneraantal inwonertal "
    "bevolkerung bev einwohner einwohnerzahl einw ewz bevinsg habitants hab popolazione "
    "abitanti residenti poblacion pob habitantes populacao moradores ludnosc ludnosci "
    "mieszkancy mieszkancow populasyon naninirahan jiwa "
    "persons osoba nufus nufusu nepesseg lakonepesseg lakossag nepessege obyvatel "
    "obyvatelstvo obyvatelov populatie populatia locuitori folkmangd befolkning folketal "
    "folkemengde invanare innbyggere indbyggere vaesto vakiluku asukasluku stanovnistvo "
    "stanovnika prebivalstvo prebivalcev gyventojai gyventoju iedzivotaji iedzivotaju "
    "rahvaarv rahvastik poblacio poboacion население населения численность жителеи "
    "населення πληθυσμοσ κατοικοι 人口 人口数 인구 السكان אוכלוסייה ประชากร"
)
"""Words for the population."""
PEOPLE_WEAK = _set(
    "total totaal jumlah insgesamt gesamt ensemble totale ogolem razem kabuuan orang persone "
    "personen personnes personas pessoas osoby osob census registered estimate "
    "toplam osszesen celkem spolu ukupno totalt yhteensa skupaj всего συνολο 総数 总计 合计 합계"
)
"""Words that columns of people may have instead, if no column has a better one."""
NOT_PEOPLE = _set(
    "density kepadatan dichte bevolkerungsdichte bevolkingsdichtheid densite densita densidad "
    "densidade gestosc growth laju pertumbuhan rate percent percentage persen persentase "
    "prozent pourcentage porcentaje percentuale pct share anteil wachstum croissance crescita "
    "crecimiento crescimento przyrost groei ratio rasio rank ranking change perubahan "
    "difference natural birth births kelahiran death deaths kematian migration households "
    "household rumah keluarga kk haushalte menages famiglie hogares domicilios huishoudens "
    "gospodarstw rural urban perkotaan perdesaan pedesaan age aged umur usia alter alters "
    "edad idade wiek leeftijd under over old young ages poor poverty miskin working employed "
    "labour angkatan kerja literate illiterate students murid code kode id codigo codice date "
    "margin error moe sc st scheduled poverty budget cost biaya anggaran km2 "
    "foreign foreigners auslandische auslander etrangers stranieri extranjeros villages "
    "vacant vehicles voters electors pemilih establishments hustota yogunluk "
    "nepsuruseg tathet tetthet tiheys плотность прирост рост πυκνοτητα 密度 世帯 户数 세대"
)
"""Words of columns that count something else than all people."""
MALE = _set(
    "male males men laki pria lakilaki lk mannlich manner hommes homme masculin maschi uomini "
    "hombres hombre varones homens mezczyzni mannen lalaki m "
    "мужчины erkek ferfi muzi muskarci man mænd menn miehet ανδρεσ 男 男性 남 남자"
)
FEMALE = _set(
    "female females women perempuan wanita pr weiblich frauen femmes femme feminin femmine "
    "donne mujeres mujer mulheres kobiety vrouwen babae f "
    "женщины kadin no nok zeny zene kvinnor kvinder kvinner naiset γυναικεσ 女 女性 여 여자"
)
VALUES = _set("value obs valor wert valeur waarde valore nilai anzahl aantal observation")
"""Words of the only column of numbers in a table with a row for each observation."""
PROJECTED = _set("projection projected proyeksi prognose prognosis forecast prevision")
CODES = _set(
    "code codes kode kod codigo codice cod geoid geocode fips psgc pcode insee istat ibge cbs "
    "bps ags ars regionalschlussel gemeindeschlussel schlussel schluesselnummer gemeindecode "
    "teryt kemendagri lgd ubigeo dane gmcode statcode kdkab kdepum ine codgeo bfs nis gss lau "
    "dguid код kod koodi kodas kods kodu sifra codi ubicacion itter κωδικοσ "
    "代码 代碼 コート 코드"
)
CODES_WEAK = _set("id key number nr no nomor nummer iso nuts statnaam gid uid")
ROW_NUMBERS = _set("no nr num nomor number nummer lp l p n id index row rank s sl sr ser urut")
"""Words of columns that number the rows."""
NOT_CODES = _set(
    "postcode postal zip kodepos plz cap telephone phone year tahun objectid fid sexistat sex sexe "
    "sesso gender geschlecht uom scalar vector coordinate flag status time"
)
NAMES = _set(
    "name names nama nm nam nom nome nombre naam nazwa pangalan denominazione denominacion "
    "denominacao bezeichnung libelle libgeo label toponym naming statnaam namobj wadmkk "
    "wadmkd "
    "название наименование naziv nazev nazov denumire namn navn nimi pavadinimas nosaukums "
    "adi isim ονομα 名称 名稱 이름"
)
UNITS = _set(
    "region regions municipality municipalities municipal district districts daerah wilayah "
    "kabupaten kab kota kecamatan desa gemeinde gemeinden kreis kreise stadt city cities town "
    "towns borough parish commune communes comune comuni comunes municipio municipios "
    "concelho freguesia gemeente gemeenten gmina gminy bayan lungsod barangay lga council "
    "ward village authority county counties kommune area place locality "
    "territorio territoire localidade geo kommuner obec obce kozseg telepules "
    "opcina opstina obcina ilce belediye savivaldybe novads раион город муниципалитет δημοσ "
    "市区町村 市町村 시군구 행정구역 地区"
)
"""Words for the regions themselves."""
TIERS = _set(
    "stname province provinces provinsi prov propinsi provincia provincie provinz lalawigan state "
    "states bundesland land department departement departamento region regione regio regiao "
    "rehiyon comunidad autonoma estado uf canton kanton wojewodztwo powiat voivodeship tier "
    "county governorate nation country pulau island kreis arrondissement district landkreis "
    "stateabbr "
    "ent dep dept depto entidad vilayet maakunta lan fylke kraj okres megye zupanija judet "
    "область краи республика νομοσ 都道府県 시도"
)
"""Words for what regions belong to, the same words as for regions in some countries."""
LATITUDES = _set(
    "latitude lat latitud latitudine breite breitengrad breedtegraad szerokosc lintang y ycoord"
)
LONGITUDES = _set(
    "longitude lon long lng longitud longitudine lange langengrad lengtegraad dlugosc bujur x "
    "xcoord"
)
SURFACES = _set(
    "area luas flache katasterflache oppervlakte superficie superficies powierzchnia lawak "
    "superf sup sqkm km2 kilometer areal areakm2 shapearea hectares hektar landarea"
)
LEVELS = _set(
    "level levels tingkat tingkatan nivel niveau livello ebene poziom antas administrative "
    "adminlevel geolevel summary sumlev geographic type typ jenis tipo"
)
YEARS = _set(
    "year years zeit stichtag tahun jahr annee anno ano jaar rok taon period periode date time "
    "periodo jaren annee ano rok ar vuosi ev год ετοσ"
)

ALL = _set(
    "total|tot|t|all|both|jumlah|semua|insgesamt|zusammen|ensemble|totale|totaal|"
    "ambos|todos|ogolem|razem|kabuuan|total persons|all ages|both sexes|"
    "total population|all areas|semua umur|laki-laki + perempuan|laki-laki dan perempuan|"
    "perkotaan + perdesaan|rural + urban|ambos sexos|persons|总计|合计|総数|합계|всего",
    "|",
)
"""Values that stand for a whole region in a column of its parts."""
EVERYBODY = re.compile(
    r"(?:all|total|both|semua|todas?|tous|toutes?|alle|ensemble)(?: (?:las|les|as|os))?"
    r" ?(?:ages?|persons|sexes|umur|usia|edades|idades|altersgruppen|leeftijden)|"
    r"l ?\+ ?p|m ?\+ ?f|laki-laki (?:\+|dan) perempuan"
)
"""Labels of the column of all people beside columns of ages or sexes, after :func:`plain`."""
WHOLE = re.compile(r"(?:total|totaal|totale|all|both|todos|todas|jumlah|insgesamt|ensemble)\b.*")
"""Other such values, after :func:`plain`."""
PART_SETS = (
    _set(
        "rural urban r u perkotaan perdesaan pedesaan kota desa stadt land urbain urbano rurale "
        "urbana miasto wies"
    ),
    MALE | FEMALE,
)
"""Values of a column that cuts each region into parts."""
TOTALS = re.compile(
    r"(?:sub ?)?(?:grand )?(?:total|totals|jumlah|insgesamt|gesamt|summe|zusammen|totale|totaal|"
    r"suma|ogolem|razem|kabuuan|overall|total general|gesamtsumme)\b.*|"
    r".*[ -](?:total|jumlah|insgesamt)|all (?:regions|districts|municipalities|counties)|"
    r"country|whole country|nasional|indonesia|nederland|deutschland|bundesgebiet|france|italia|"
    r"espana|brasil|polska|philippines|united states(?: of america)?|canada|mexico|portugal|"
    r"schweiz|suisse|osterreich|belgie|belgique|india|australia|united kingdom|england|danmark|"
    r"sverige|norge|suomi|turkiye|magyarorszag|ceska republika|全国|全國|総数|总计|合计|전국|россия"
)
"""Names of rows that are totals, after :func:`plain`."""
OF_WHICH = re.compile(
    r"(?:of which|davon|darunter|dont|di cui|de los cuales|dos quais|waarvan|w tym|di antaranya|"
    r"termasuk)\b.*"
)
"""Names of rows that are a part of the row above, after :func:`plain`."""
UNITS_OF_PEOPLE = {
    "ten-thousands": (1e4, r"万人|萬人|만명|\bten thousands?\b"),
    "thousands": (
        1e3,
        r"thousands?|\bin 1[ .,']?000|\(1?[ .,']?000s?\)|['x×] ?1?[ .,]?000\b|\bribu(?:an)?\b|"
        r"\btys\b|\bmilliers\b|\bmigliaia\b|\bmiles\b|\bmilhares\b|\btausend\b|\btsd\b|"
        r"\bduizend(?:en)?\b|\blibo\b|\(mil\)|\bmil (?:personas|pessoas|habitantes)|\bтыс\b|"
        r"\bezer\b|\bbin kisi\b|千人|천명",
    ),
    "lakhs": (1e5, r"\blakhs?\b"),
    "millions": (
        1e6,
        r"\bmillions?\b|\bjuta\b|\bmio\b|\bmillionen\b|\bmiljoen\b|\bmilioni\b|\bmillones\b|"
        r"\bmilhoes\b|\bmln\b|\bмлн\b",
    ),
    "crores": (1e7, r"\bcrores?\b"),
}
"""Persons of each unit, and how columns and titles name it after :func:`plain`."""


def unit_of(text: str) -> str | None:
    """Return the unit of people that a plain text names; None if it names none."""
    for name, (_size, pattern) in UNITS_OF_PEOPLE.items():
        if re.search(pattern, text):
            return name
    return None


@lru_cache(maxsize=65536)
def tokens(label: str) -> tuple[str, ...]:
    """Return the words and numbers of a column's name: ``POP_ESTIMATE_2018`` has three.

    >>> tokens("Population (km²)")
    ('population', 'km2')
    """
    label = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label)
    text = plain(label)
    text = re.sub(r"\b(?:sq\.? ?km|km ?2|km ?\^2|km ?kw)\b", "km2 ", text)
    text = text.replace("%", " percent ")
    return tuple(re.findall(r"km2|[^\W\d_]+|\d+", text))


def is_whole(text: str) -> bool:
    """Whether a value stands for a whole region in a column of its parts."""
    return plain(text) in ALL or bool(WHOLE.fullmatch(plain(text)))


def is_among(token: str, words: frozenset[str]) -> bool:
    """Whether a word is among these, or contains a long one of them, or one of East Asia."""
    if token in words:
        return True
    if len(token) > 6 and any(
        len(word) > 4 and (token.startswith(word) or token.endswith(word)) for word in words
    ):
        return True
    return token[:1] > "\u2e7f" and any(w in token for w in words if len(w) > 1 and w[0] > "\u2e7f")


def count(label: str, words: frozenset[str]) -> int:
    """Return how many words of a column's name are among these; see :func:`is_among`."""
    return sum(is_among(token, words) for token in tokens(label))


def years(label: str) -> list[int]:
    """Return the years that a column's name states."""
    found = [int(t) for t in re.findall(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)", label)]
    short = re.search(r"[A-Za-z]_?([0-4]\d)$|^[A-Za-z]{1,3}([0-4]\d)_", label)  # POB23, P20_POP
    return found or ([2000 + int(short[1] or short[2])] if short else [])
