"""Tables and maps of regions in the styles of statistical offices, and what is found in them."""

import json

import pytest

import kolabsim as ks
from kolabsim import i18n
from kolabsim.errors import InputError
from kolabsim.scenario.importer import ANSWERS, examine


def read(text, written="utf-8", name="table.csv", **answers):
    data = text if isinstance(text, bytes) else text.encode(written)
    return ks.regions.read({name: data}, **answers)


def refused(text, written="utf-8", name="table.csv", **answers):
    with pytest.raises(InputError) as caught:
        read(text, written, name, **answers)
    return [problem.message for problem in caught.value.problems]


def people(found):
    return dict(zip(found.regions["code"], found.regions["population"].tolist(), strict=True))


def decided(found):
    return {one.subject: one for one in found.decisions}


SWISS = """\
Ständige Wohnbevölkerung nach Gemeinden

BFS-Nr;Gemeindename;Kanton;Einwohner 31.12.2022;Fläche in km2
1;Aeugst;ZH;1'941;7.9
2;Affoltern;ZH;12'289;10.6
131;Bärlingen;BE;5'572;7.4
141;Hausen;BE;3'751;13.6

Quelle: Amt
"""
POLISH = """\
Kod TERYT;Nazwa;Ludność ogółem;mężczyźni;kobiety
0201011;Bolesławiec;38 935;18 472;20 463
0201022;Żórawina;14 633;7 289;7 344
0201032;Gromadka;5 422;2 670;2 752
"""
INDIAN = "State,District,Level,Name,TRU,No_HH,TOT_P,TOT_M,TOT_F,P_06\n" + "".join(
    f"{state},{district},{level},{name},{part},{n // 5},{n},{n // 2},{n - n // 2},{n // 9}\n"
    for state, district, level, name, whole in (
        ("00", "000", "India", "INDIA", 9000),
        ("01", "000", "STATE", "Alpha", 4000),
        ("01", "001", "DISTRICT", "Ba", 1500),
        ("01", "002", "DISTRICT", "Bo", 2500),
        ("02", "000", "STATE", "Beta", 5000),
        ("02", "003", "DISTRICT", "Ca", 2000),
        ("02", "004", "DISTRICT", "Co", 3000),
    )
    for part, n in (("Total", whole), ("Rural", whole * 3 // 10), ("Urban", whole * 7 // 10))
)
DUTCH = """\
"Regio's";"Code";"Totale bevolking (aantal)";"Mannen (aantal)";"Bevolkingsdichtheid"
"Aa en Hunze";"GM1680";"25445";"12800";"92"
"Aalsmeer";"GM0358";"31991";"16000";"1594"
"Aalten";"GM0197";"27121";"13500";"281"
"""
BRAZILIAN = """\
cod_ibge\tmunicipio\tuf\tpopulacao_2020\tpopulacao_2021
3550308\tSão Paulo\tSP\t12000000\t12396372
3550309\tItajaí\tSP\t200000\t223112
3304557\tRio Claro\tRJ\t18000\t18677
"""
YEARS = "year,fips,state,county,pop\n" + "".join(
    f"{year},{code},{state},{name},{start + year}\n"
    for year in (2019, 2020, 2021)
    for code, state, name, start in (
        ("01001", "AL", "Autauga", 50000),
        ("01003", "AL", "Baldwin", 200000),
        ("04001", "AZ", "Apache", 70000),
    )
)
INDONESIAN = """\
Jumlah Penduduk Menurut Kabupaten/Kota (ribu jiwa),,,
,,,
Kabupaten/Kota,2019,2020,2021
(1),(2),(3),(4)
Kulon Suro,"430,5","436,4","440,1"
Bantar,"980,2","985,8","990,4"
Kota Muda,"401,3","402,2","403,4"
"""
SEXES = "Province,City,Male,Female,Area (ha)\nA,X,100,110,5000\nA,Y,200,205,2500\nB,Z,50,60,100\n"
HEADINGS = """\
Region;Population 2020
NORTH;
Alpha;1 012
Beta;2 500
SOUTH;
Gamma;3 000
"""
ANGLES = """\
kode;nama;penduduk;lintang;bujur
01;A;1.000;7°48' LS;110°22' BT
02;B;2.500;7°52'30" LS;110°20' BT
03;C;1.234;7°40' LS;110°10' BT
"""
AMERICAN = """\
SUMLEV,STATE,COUNTY,STNAME,CTYNAME,CENSUS2010POP,POPESTIMATE2019,NPOPCHG_2019
040,01,000,Alabama,Alabama,600,620,5
050,01,001,Alabama,Autauga County,200,210,3
050,01,003,Alabama,Baldwin County,400,410,2
040,02,000,Alaska,Alaska,90,95,5
050,02,001,Alaska,Doña Borough,30,35,3
050,02,003,Alaska,Bethel,60,60,2
"""
SPANISH = """\
CPRO;PROVINCIA;CMUN;NOMBRE;POB23;HOMBRES;MUJERES
02;Albacete;001;Abengibre;790;400;390
02;Albacete;002;Alatoz;519;260;259
03;Alicante;001;Añora;640;320;320
"""
STYLES = {
    "American": (
        AMERICAN, "cp1252", {"drop_totals": True},
        {"01001": 210, "01003": 410, "02001": 35, "02003": 60},
        {"population": "POPESTIMATE2019", "tier": "STNAME", "code": "STATE + COUNTY"},
    ),
    "Spanish": (
        SPANISH, "cp1252", {}, {"02001": 790, "02002": 519, "03001": 640},
        {"population": "POB23", "tier": "PROVINCIA", "name": "NOMBRE"},
    ),
    "Swiss": (
        SWISS, "cp1252", {}, {"1": 1941, "2": 12289, "131": 5572, "141": 3751},
        {"code": "BFS-Nr", "name": "Gemeindename", "tier": "Kanton"},
    ),
    "Polish": (
        POLISH, "cp1250", {}, {"0201011": 38935, "0201022": 14633, "0201032": 5422},
        {"population": "Ludność ogółem", "name": "Nazwa"},
    ),
    "Indian": (
        INDIAN, "utf-8", {"rows": "Level=DISTRICT,TRU=Total"},
        {"01001": 1500, "01002": 2500, "02003": 2000, "02004": 3000},
        {"population": "TOT_P", "name": "Name"},
    ),
    "Dutch": (
        DUTCH, "utf-8", {}, {"GM1680": 25445, "GM0358": 31991, "GM0197": 27121},
        {"code": "Code", "name": "Regio's"},
    ),
    "Brazilian": (
        BRAZILIAN, "mac_roman", {},
        {"3550308": 12396372, "3550309": 223112, "3304557": 18677},
        {"population": "populacao_2021", "tier": "uf"},
    ),
    "years in rows": (
        YEARS, "utf-16", {}, {"01001": 52021, "01003": 202021, "04001": 72021}, {"code": "fips"},
    ),
    "Indonesian": (
        INDONESIAN, "utf-8-sig", {},
        {"Kulon Suro": 440100, "Bantar": 990400, "Kota Muda": 403400}, {"population": "2021"},
    ),
    "sexes": (
        SEXES, "utf-8", {}, {"X": 210, "Y": 405, "Z": 110}, {"population": "Male + Female"},
    ),
    "headings": (HEADINGS, "cp850", {}, {"Alpha": 1012, "Beta": 2500, "Gamma": 3000}, {}),
    "angles": (ANGLES, "utf-8", {}, {"01": 1000, "02": 2500, "03": 1234}, {"latitude": "lintang"}),
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_the_styles_of_offices_are_understood(style):
    text, encoding, answers, expected, columns = STYLES[style]
    found = read(text, encoding, **answers)
    assert people(found) == expected
    assert {key: found.columns[key] for key in columns} == columns
    assert not found.questions


def test_letters_titles_notes_and_units_are_read():
    found = read(SWISS, "cp1252")
    assert found.regions["name"].tolist()[2] == "Bärlingen"
    assert found.regions["area_km2"].tolist() == [7.9, 10.6, 7.4, 13.6]
    assert decided(found)["footnotes"].value == 1
    assert decided(found)["header"].value == [3]
    assert read(POLISH, "cp1250").regions["name"].tolist()[1] == "Żórawina"
    assert read(SEXES).regions["area_km2"].tolist() == [50.0, 25.0, 1.0]
    assert decided(read(INDONESIAN))["unit"].value == "thousands"
    assert read(HEADINGS).regions["tier"].tolist() == ["NORTH", "NORTH", "SOUTH"]
    assert read(ANGLES).regions["latitude"].tolist() == pytest.approx([-7.8, -7.875, -7.66667])


def test_every_answer_is_an_argument_of_the_reader():
    assert set(ANSWERS) | {"shapes", "decisions"} == set(ks.regions.read.__kwdefaults__)


def test_the_record_is_the_same_in_every_language():
    first = examine({"a.csv": INDIAN.encode()})
    with i18n.speaking("id"):
        second = examine({"a.csv": INDIAN.encode()})
        assert "baris" in second.questions[0].question
        assert second.to_json() == first.to_json()
    record = json.loads(first.to_json())
    assert record["source"]["name"] == "a.csv"
    assert len(record["source"]["sha256"]) == 64
    assert record["decisions"][-1]["certainty"]


def test_a_first_row_of_a_village_may_look_like_a_year():
    assert people(read("name;population\nA;1850\nB;212\nC;300\n")) == {
        "A": 1850, "B": 212, "C": 300
    }  # fmt: skip
    two = "name;population 2019;population 2020\nA;1849;1850\nB;210;212\nC;301;300\n"
    assert people(read(two)) == {"A": 1850, "B": 212, "C": 300}
    lines = ";Population;;Area\nName;2019;2020;km2\nA;1849;1850;5\nB;210;212;7\nC;301;300;9\n"
    assert people(read(lines)) == {"A": 1850, "B": 212, "C": 300}


def test_other_columns_have_the_signs_of_people_unless_these_do_not_fit():
    text = "Kode;Nama;Penduduk;Utang;Kepadatan\n1;A;8.200;900;0.350\n2;B;15.600;3.400;1.25\n"
    others = read(text).others
    assert others["Utang"].tolist() == [900, 3400]
    assert others["Kepadatan"].tolist() == [0.35, 1.25]
    tenths = "Code;Name;Population (thousands);Area km2\n"
    tenths += "1;A;8.2;1,234\n2;B;15.6;900\n3;C;9.1;12.5\n"
    assert read(tenths).regions["area_km2"].tolist() == [1234.0, 900.0, 12.5]
