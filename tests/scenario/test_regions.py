import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kolabsim.errors import InputError, Problems
from kolabsim.scenario.contacts import ContactRow, read_contacts
from kolabsim.scenario.regions import Columns, Regions, read_table
from kolabsim.scenario.synthetic import Synthetic

TABLE = """\
code,name,population,latitude,longitude,province,hdi,poverty
34.71,Kota Yogyakarta,415605,-7.80,110.37,DIY,88.0,7.6
34.04,Sleman,1157292,-7.68,110.34,DIY,84.0,8.6
33.10,Klaten,1302648,-7.68,110.62,Jawa Tengah,76.0,13.5
"""
COLUMNS = Columns.model_validate(
    {
        "tier": "province",
        "capacity": {"column": "hdi", "from": (60, 90), "to": (0.4, 0.9), "reason": "a proxy"},
        "stress": {"column": "poverty", "from": (5, 10), "to": (0.1, 0.8), "reason": "a proxy"},
        "culture": ({"column": "hdi", "scale": 4, "reason": "a trial"},),
        "interests": {
            "waste": {"column": "poverty", "from": (0, 20), "to": (1, 3), "reason": "a trial"}
        },
    }
)


@pytest.fixture
def read(tmp_path):
    """Write a table and read it; what is wrong with it as a list of texts, or its regions."""

    def read(text: str | bytes, columns: Columns = COLUMNS, areas=("waste", "transport")):
        path = tmp_path / "regions.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        problems = Problems()
        regions = read_table(path, columns, areas, problems)
        try:
            problems.raise_if_any()
        except InputError as error:
            return [str(p).replace(str(path), "regions.csv") for p in error.problems]
        return regions

    return read


@pytest.fixture
def contacts(tmp_path):
    def contacts(text: str, codes=("a", "b", "c")):
        path = tmp_path / "contacts.csv"
        path.write_text(text, encoding="utf-8")
        problems = Problems()
        rows = read_contacts(path, codes, problems)
        try:
            problems.raise_if_any()
        except InputError as error:
            return [str(p).replace(str(path), "contacts.csv") for p in error.problems]
        return rows

    return contacts


def test_columns_become_attributes_in_the_order_of_codes(read) -> None:
    regions = read(TABLE)
    assert regions.codes == ("33.10", "34.04", "34.71")
    assert regions.names == ("Klaten", "Sleman", "Kota Yogyakarta")
    assert regions.tiers() == {"DIY": ("34.04", "34.71"), "Jawa Tengah": ("33.10",)}
    assert regions.population.tolist() == [1302648, 1157292, 415605]
    # (76 - 60) / 30 of the way from .4 to .9, and so on; every area has it.
    expected = 0.4 + np.array([16, 24, 28]) / 30 * 0.5
    np.testing.assert_allclose(regions.capacity, np.column_stack([expected, expected]))
    # 13.5 lies beyond 10, and is clipped.
    np.testing.assert_allclose(regions.stress, [0.8, 0.1 + 3.6 / 5 * 0.7, 0.1 + 2.6 / 5 * 0.7])
    assert regions.culture[:, 0].tolist() == [19, 21, 22]
    assert np.isnan(regions.culture[:, 1:]).all()
    np.testing.assert_allclose(regions.interests[:, 0], 1 + np.array([13.5, 8.6, 7.6]) / 10)
    assert np.isnan(regions.interests[:, 1]).all()
    assert regions.extra["hdi"] == ("76.0", "84.0", "88.0")
    assert regions.placed


def test_goodwill_and_autonomy_may_have_columns(read) -> None:
    scaled = {"column": "hdi", "from": (68, 88), "to": (0, 0.5), "reason": "a trial"}
    columns = Columns.model_validate({"goodwill": scaled, "autonomy": scaled})
    regions = read(TABLE, columns)
    np.testing.assert_allclose(regions.goodwill, [0.2, 0.4, 0.5])
    np.testing.assert_allclose(regions.autonomy, [0.2, 0.4, 0.5])


def test_capacity_in_one_area_may_have_its_own_column(read) -> None:
    scaled = {"from": (0, 100), "to": (0, 1), "reason": "a trial"}
    columns = Columns.model_validate(
        {"capacity": {"column": "hdi", **scaled},
         "capacity_by_area": {"transport": {"column": "poverty", **scaled}}}
    )  # fmt: skip
    regions = read(TABLE, columns)
    np.testing.assert_allclose(regions.capacity[0], [0.76, 0.135])


def test_what_no_column_gives_is_to_be_drawn(read) -> None:
    regions = read("code,population\nb,10\na,20\n", Columns())
    assert regions.codes == regions.names == ("a", "b")
    assert regions.tiers() == {"": ("a", "b")}
    drawn = (
        regions.capacity, regions.stress, regions.goodwill, regions.autonomy, regions.culture,
        regions.interests,
    )  # fmt: skip
    assert all(np.isnan(attribute).all() for attribute in drawn)
    assert not regions.placed


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: text.replace("\n", "\n\n").encode(),
        lambda text: text.replace(",", " , ").encode(),
        lambda text: text.replace("Sleman", '"Sleman"').rstrip("\n").encode(),
    ],
    ids=["BOM", "CRLF", "semicolons", "tabs", "blank lines", "spaces", "quotes, no last newline"],
)
def test_tables_as_other_programs_save_them_read_the_same(read, change) -> None:
    assert read(change(TABLE)) == read(TABLE)


def test_the_order_of_rows_changes_nothing(read) -> None:
    header, *rows = TABLE.splitlines()
    assert read("\n".join([header, *reversed(rows)])) == read(TABLE)


def test_regions_are_frozen(read) -> None:
    with pytest.raises(ValueError, match="read-only"):
        read(TABLE).population[0] = 1


def test_all_problems_of_a_table_are_reported_with_their_lines(read) -> None:
    problems = read(
        "code,name,population,latitude,longitude,province,hdi,poverty\n"
        "34.71,Yogya,0,-7.8,110.4,DIY,88,7\n"
        "34.71,Yogya again,5,-7.8,110.4,DIY,88,7\n"
        ",Nobody,5,-7.8,110.4,DIY,88,7\n"
        "34.04,Sleman,-3,-97.8,210.4,,,7\n"
        "34.02,Bantul,nan,-7.8,110.4,DIY,inf,x\n"
        "34.03,Gunungkidul,5,-7.8\n"
        "34.05,Kulon,1e300,-7.8,110.4,DIY,88,7\n"
    )
    assert problems == [
        "regions.csv:2: population: 0 people; a region needs at least one (Yogya)",
        "regions.csv:3: code: '34.71' is there twice, first on line 2",
        "regions.csv:4: code: the code of this region is empty",
        "regions.csv:5: hdi: the cell is empty; write a number (Sleman)",
        "regions.csv:5: population: -3 people; a region needs at least one (Sleman)",
        "regions.csv:5: latitude: -97.8 is not between -90 and 90 degrees (Sleman)",
        "regions.csv:5: longitude: 210.4 is not between -180 and 180 degrees (Sleman)",
        "regions.csv:5: province: the cell is empty (Sleman)",
        "regions.csv:6: population: 'nan' is not a number (Bantul)",
        "regions.csv:6: hdi: 'inf' is not a number (Bantul)",
        "regions.csv:6: poverty: 'x' is not a number (Bantul)",
        "regions.csv:7: 4 cells, where the first line names 8 columns",
        "regions.csv:8: population: 1e300 people; a region has at most 1e+18 (Kulon)",
    ]


@pytest.mark.parametrize(
    ("cell", "right"),
    [
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        ("1 234 567", "1234567"),
        ("1.234.567,5", "1234567.5"),
        ("1.234,5", "1234.5"),
        ("1,234.5", "1234.5"),
        ("12,5", "12.5"),
        ("415.605", "415605"),
    ],
)
def test_numbers_in_other_notations_are_recognised(read, cell, right) -> None:
    problems = read(f"code;population\na;{cell}\nb;20\n", Columns())
    assert len(problems) == 1
    assert problems[0].startswith("regions.csv:2: population: ")
    assert f"write {right} (a)" in problems[0]


def test_a_missing_column_is_reported_with_the_nearest_spelling(read) -> None:
    problems = read(TABLE.replace("hdi", "hdi_2021").replace("population", "populasi"))
    assert problems == [
        "regions.csv:1: there is no column 'population' for regions.columns.population;"
        " did you mean 'populasi'?",
        "regions.csv:1: there is no column 'hdi' for regions.columns.capacity;"
        " did you mean 'hdi_2021'?",
        "regions.csv:1: there is no column 'hdi' for regions.columns.culture.0;"
        " did you mean 'hdi_2021'?",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "regions.csv:1: this table is empty"),
        (b"code,population\n", "regions.csv:2: this table has no regions; it needs at least one"),
        (b"kode,population\na,1\n", "no column 'code' for regions.columns.code"),
        (b"code,name,code,population\na,b,c,1\n", "regions.csv:1: there are two columns 'code'"),
        ("code,population\nä,1\n".encode("latin-1"), "regions.csv:2: this is not UTF-8 text"),
        (b"PK\x03\x04\x14\x00", "regions.csv: this is an Excel workbook, and not a text file"),
        (b"code,population\na,1\x1b[31m\n", "regions.csv:2: the control character U+001B cannot"),
        ("a" + ",a" * 3000, "regions.csv:1: 3001 columns; allowed: at most 2000"),
        (b"code,population\na,7,5\n", "3 cells, where the first line names 2 columns; a cell with"),
        (b"code,population\na,1_000\n", "regions.csv:2: population: '1_000' is not a number"),
    ],
)
def test_files_that_hold_no_table_of_regions(read, text, message) -> None:
    assert any(message in problem for problem in read(text, Columns()))


def test_files_that_cannot_be_read(tmp_path, monkeypatch) -> None:
    def problem_of(path) -> str:
        problems = Problems()
        assert read_table(path, Columns(), (), problems) is None
        (problem,) = problems.found
        return problem.message

    (tmp_path / "kartamantul.csv").write_text("code,population\na,1\n", encoding="utf-8")
    missing = problem_of(tmp_path / "katamantul.csv")
    assert missing == "there is no such file; did you mean 'kartamantul.csv'?"
    assert problem_of(tmp_path) == "a folder, where a file is needed"

    def refuse(*_arguments, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert problem_of(tmp_path / "kartamantul.csv") == "you are not allowed to read this file"


def test_contacts_are_read_in_the_order_of_codes(contacts) -> None:
    text = "code_a,code_b,land,border_km,distance_km\nc,a,no,3,12.5\na,b,yes,2,\n"
    assert contacts(text) == (
        ContactRow("a", "b", land=True, distance_km=None),
        ContactRow("a", "c", land=False, distance_km=12.5),
    )
    assert contacts("code_a,code_b\nb,a\n") == (ContactRow("a", "b"),)


def test_all_problems_of_contacts_are_reported_with_their_lines(contacts) -> None:
    text = (
        "code_a,code_b,land,distance_km\n"
        "a,b,yes,1\n"
        "b,a,no,1\n"
        "a,a,yes,1\n"
        "a,34.17,perhaps,-1\n"
        "b,c,yes,far\n"
    )
    assert contacts(text, ("a", "b", "c", "34.71")) == [
        "contacts.csv:3: these two regions are listed twice, first on line 2",
        "contacts.csv:4: 'a' is not a contact of itself",
        "contacts.csv:5: no region has the code '34.17'; did you mean '34.71'?",
        "contacts.csv:5: land: 'perhaps' is not yes or no",
        "contacts.csv:5: distance_km: -1 is not between 0 and 20038 kilometres",
        "contacts.csv:6: distance_km: 'far' is not a number (b-c)",
    ]


def test_contacts_need_two_columns_of_codes(contacts) -> None:
    assert contacts("Code-A,code_b\na,b\n") == [
        "contacts.csv:1: there is no column 'code_a'; did you mean 'Code-A'?"
    ]


def test_made_up_regions_are_the_same_again_and_differ_by_seed() -> None:
    settings = {"number": 390, "median_population": 26_000, "spread": 0.8, "extent_km": 180}
    one = Synthetic(**settings, seed=1, tiers=12).generate(("finance",))
    assert one == Synthetic(**settings, seed=1, tiers=12).generate(("finance",))
    assert one != Synthetic(**settings, seed=0, tiers=12).generate(("finance",))
    assert one.capacity.shape == one.interests.shape == (390, 1)
    assert list(one.codes) == sorted(set(one.codes))
    assert 23_000 < np.median(one.population) < 29_000
    assert 0.7 < np.log(one.population).std() < 0.9
    sizes = [len(codes) for codes in one.tiers().values()]
    assert (len(sizes), min(sizes), max(sizes)) == (12, 32, 33)


def test_made_up_regions_lie_apart_and_tiers_together() -> None:
    regions = Synthetic(
        number=400, median_population=26_000, spread=0.8, seed=3, extent_km=200, tiers=16
    ).generate()
    places = np.column_stack([regions.latitude, regions.longitude]) * 111.195
    assert np.abs(places).max() <= 100
    distance = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(distance, math.inf)
    assert distance.min() > 0.5
    tier = np.array(regions.tier)
    same = tier[:, None] == tier[None]
    np.fill_diagonal(same, val=False)
    # A tier fills a block of 50 km by 50 km: two of its places are about 26 km apart.
    assert distance[same].mean() < 32
    assert distance[~same & np.isfinite(distance)].mean() > 90
    steps = np.hypot(*np.diff(places, axis=0).T)
    assert np.median(steps) < 15


@pytest.mark.parametrize(("number", "tiers"), [(1, 1), (2, 2), (7, 3), (10, 10)])
def test_few_made_up_regions(number, tiers) -> None:
    regions = Synthetic(
        number=number, median_population=1000, spread=0, seed=0, extent_km=10, tiers=tiers
    ).generate()
    assert len(regions) == number
    assert len(regions.tiers()) == tiers
    assert (regions.population == 1000).all()


CELLS = st.text(alphabet=" ,;\t\"'\r\n\x00.-0123456789abcdeNnäé_", max_size=120)


@settings(max_examples=150, deadline=None)
@given(text=st.one_of(st.binary(max_size=120), CELLS.map(str.encode),
                      CELLS.map(lambda text: b"code,population\n" + text.encode())))  # fmt: skip
def test_whatever_a_table_holds_it_gives_regions_or_problems(tmp_path_factory, text) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(text)
    problems = Problems()
    regions = read_table(path, Columns(), ("waste",), problems)
    read_contacts(path, ("a", "b"), Problems())
    assert problems.found or isinstance(regions, Regions)
    if not problems.found:
        assert (regions.population >= 1).all()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_reads_the_same_however_it_was_saved(read, encoding, ends, separator) -> None:
    text = TABLE.replace("Klaten", '"Klaten"').replace(",", separator).replace("\n", ends)
    assert read(text.encode(encoding)) == read(TABLE)


def test_separators_within_quotes_do_not_count_and_cells_have_one_line(read) -> None:
    text = 'code;"population, at the end, of, the, year";name\n1;5;"Kota\r\nBaru"\n'
    regions = read(text, Columns(population="population, at the end, of, the, year"))
    assert regions.names == ("Kota Baru",)


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("1.234.567", "1234567"), ("1.234.567,89", "1234567.89"), ("1,234.5", "1234.5"),
        ("12,5", "12.5"), ("1 234 567", "1234567"), ("1\u00a0234", "1234"), ("1’234", "1234"),
        ("Rp 1.250.000,-", "1250000"), ("12,5 %", "12.5"), ("−7,5", "-7.5"), ("1.234,5", "1234.5"),
        ("1,234", "1234, or 1.2340"), ("Rp 1.234", "1234, or 1.2340"),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them_are_refused_with_the_right_spelling(
    read, written, right
) -> None:
    (problem,) = read(f"code;population\na;{written}\n", Columns())
    assert problem.endswith(f"is not written as a number here; write {right} (a)")


SCALED = {"from": (500, 4000), "to": (0.1, 0.8), "reason": "a trial"}


@pytest.mark.parametrize(
    ("values", "from_", "number"),
    [
        (("1.234", "950"), (500, 4000), 1),  # 1.234 people, or 1234?
        (("1.234", "2.345"), (500, 4000), 2),
        (("1.234", "2.345"), (1, 2), 0),  # as decimals they lie where they are expected
        (("1.234", "2.5"), (500, 4000), 0),  # a decimal for certain, and so is the other
        (("0.123", "0.512"), (500, 4000), 0),
        (("1.2340", "950"), (500, 4000), 0),
    ],
)
def test_points_that_may_group_thousands_are_reported(read, values, from_, number) -> None:
    rows = "".join(f"r{k},1000,{value}\n" for k, value in enumerate(values))
    columns = Columns.model_validate({"stress": SCALED | {"column": "debt", "from": from_}})
    found = read("code,population,debt\n" + rows, columns)
    if not number:
        assert len(found) == 2
        return
    assert len(found) == number
    assert "debt: 1.234 can be read in two ways; write 1234, or 1.2340 if" in found[0]


def test_points_in_dimensions_and_distances_are_reported_where_they_matter(read, contacts) -> None:
    culture = Columns.model_validate(
        {"culture": ({"column": "x", "scale": 1, "reason": "a trial"},)}
    )
    head = "code,population,x\n"
    assert len(read(head + "a,1000,1.234\nb,1000,2.345\n", culture)) == 2
    (problem,) = read(head + "a,1000,1.234\nb,1000,950\n", culture)
    assert "1.234 can be read in two ways" in problem
    (problem,) = contacts("code_a,code_b,distance_km\na,b,1.234\n")
    assert "1.234 can be read in two ways" in problem
