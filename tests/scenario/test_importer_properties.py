"""One truth, written in any way, gives the same regions."""

import pytest

pytest.importorskip("hypothesis")
from hypothesis import given, settings
from hypothesis import strategies as st

import kolabsim as ks

NAMES = (
    "São Martinho",
    "Köln-Süd",
    "Łódź Dolna",
    "L'Été, Haut",
    'Kota "Baru"',
    "Saint-Rémi",
    "Żary",
)
WESTERN = tuple(name for name in NAMES if name.encode("cp1252", "ignore").decode("cp1252") == name)
LABELS = st.sampled_from(
    [
        ("code", "name", "population"),
        ("Kode Wilayah", "Kabupaten/Kota", "Jumlah Penduduk (Jiwa)"),
        ("AGS", "Gemeindename", "Einwohner"),
        ("Codice Comune", "Denominazione", "Popolazione residente"),
        ("cod_municipio", "municipio", "poblacion_total"),
        ("Code commune", "Libellé", "Population totale"),
    ]
)


def grouped(number, sign):
    return f"{number:,}".replace(",", sign)


@settings(max_examples=40)
@given(
    people=st.lists(st.integers(1, 9_999_999), min_size=4, max_size=7, unique=True),
    labels=LABELS,
    separator=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]),
    thousands=st.sampled_from(["", ".", ",", " ", "'", "\u00a0", "’"]),
    ending=st.sampled_from(["\n", "\r\n"]),
    titles=st.integers(0, 2),
    quoted=st.booleans(),
)
def test_any_writing_gives_the_same_regions(
    people, labels, separator, encoding, thousands, ending, titles, quoted
):
    names = WESTERN if encoding == "cp1252" else NAMES
    names = [names[k % len(names)] + " X" * (k // len(names)) for k in range(len(people))]
    codes = [f"0{k}{'ABCDEFG'[k]}1{k}" for k in range(len(people))]

    def cell(text):
        needs = quoted or separator in text or '"' in text
        return '"' + text.replace('"', '""') + '"' if needs else text

    rows = [("Tabel 1: données",)] * titles + [labels]
    rows += [
        (code, name, grouped(number, thousands))
        for code, name, number in zip(codes, names, people, strict=True)
    ]
    text = ending.join(separator.join(map(cell, row)) for row in rows) + ending
    answers = {"drop_totals": False}  # numbers drawn at random may add up
    found = ks.regions.read({"table.csv": text.encode(encoding)}, **answers)
    assert found.regions["code"].tolist() == codes
    assert found.regions["name"].tolist() == names
    assert found.regions["population"].tolist() == people


@settings(max_examples=40)
@given(
    people=st.lists(st.integers(100, 99_999), min_size=6, max_size=40, unique=True),
    is_first=st.booleans(),
)
def test_a_row_with_the_sum_is_a_question(people, is_first):
    rows = [(f"N{k}", number) for k, number in enumerate(people)]
    total = [("Semuanya", sum(people))]
    rows = total + rows if is_first else rows + total
    text = "nama;penduduk\n" + "".join(f"{name};{number}\n" for name, number in rows)
    with pytest.raises(ks.InputError, match="--drop-totals"):
        ks.regions.read({"t.csv": text.encode()})
    found = ks.regions.read({"t.csv": text.encode()}, drop_totals=True)
    assert found.regions["population"].sum() == sum(people)


def test_names_of_several_western_languages_are_read_as_they_were_written():
    names = ["São Martinho", "Köln-Süd", "Saint-Rémi", "Forlì", "Åmål", "Ñuñoa"]
    rows = [f"{k},{name},{1000 + 7 * k}" for k, name in enumerate(names)]
    text = "\n".join(["code,name,population", *rows]) + "\n"
    found = ks.regions.read({"table.csv": text.encode("cp1252")})
    assert found.regions["name"].tolist() == names
