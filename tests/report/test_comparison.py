import re

import numpy as np
import pytest
from rich.console import Console

from kolabsim import figures
from kolabsim.analysis.comparison import compare
from kolabsim.errors import StorageError
from kolabsim.figures.labels import choose_measure_scale
from kolabsim.figures.style import to_svg
from kolabsim.i18n import LanguageError, language, set_language, speaking
from kolabsim.model.areas import AREA_TITLES
from kolabsim.model.measures import MEASURES, REPORT, shown_in
from kolabsim.model.parameters import PARAMETERS
from kolabsim.report import page as page_module
from kolabsim.report.assumptions import drawn_attributes
from kolabsim.report.comparison import comparison_page, terminal_table
from kolabsim.report.comparison.futures import (
    channels_in_futures,
    costs_in_futures,
    strategies_in_futures,
    winners_in_futures,
)
from kolabsim.report.comparison.report import in_tables
from kolabsim.report.comparison.summary import headlines
from kolabsim.report.comparison.tables import brief_table, cost_table, difference_tables
from kolabsim.report.comparison.view import View
from kolabsim.report.html import render, write_page
from kolabsim.report.output import publish
from kolabsim.report.page import Page, Section
from kolabsim.report.wording import join_names
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.schema import in_language
from kolabsim.study.api import simulate
from kolabsim.study.collect import Results
from kolabsim.study.experiment import Experiment
from tests.builders import make_scenario
from tests.report.conftest import FACTS
from tests.report.reader import Reader, text_without_figures

# The page ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["en", "id"])
def test_the_page_needs_nothing_from_elsewhere(pages, code):
    text, page = pages[code]
    for tag, attributes in page.starts:
        assert tag not in {"script", "link", "iframe", "object", "embed", "audio", "video"}
        for name in ("src", "href", "xlink:href", "data", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none'")


@pytest.mark.parametrize("code", ["en", "id"])
def test_the_page_can_be_read_aloud(pages, code):
    _text, page = pages[code]
    assert page.all("html") == [{"lang": code}]
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    steps = np.diff(page.headings)
    assert steps.max() == 1
    assert all(head.get("scope") in {"col", "row"} for head in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    pictures = page.all("svg")
    assert len(pictures) == 10
    assert all(picture["role"] == "img" for picture in pictures)
    assert len(page.all("figcaption")) == len(pictures)
    ids = [attributes["id"] for _tag, attributes in page.starts if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link["href"][1:] in ids


def test_sections_come_in_the_order_in_which_people_ask(pages):
    _text, page = pages["en"]
    sections = [section["id"] for section in page.all("section")]
    order = "answer comparison cost winners why influence uncertainty assumptions reproduce"
    assert sections == order.split()


def test_a_question_is_text_and_no_markup(pages):
    text, page = pages["en"]
    assert "What <helps> & why?" in page.text
    assert "<helps>" not in text
    assert page.all("helps") == []


def test_every_table_row_has_as_many_cells_as_its_head(pages):
    text, _page = pages["en"]
    for table in re.findall(r"<table.*?</table>", text, re.DOTALL):
        head, body = table.split("</thead>")
        columns = head.count("<th ")
        rows = re.findall(r"<tr>.*?</tr>", body, re.DOTALL)
        assert rows
        assert all(row.count("<th ") + row.count("<td") == columns for row in rows)


def test_each_strategy_and_measure_is_in_tables(pages, comparison):
    _text, page = pages["en"]
    for name in comparison.strategies:
        assert comparison.scenario.strategies[name].title("en") in page.text
    for title in ("Realised net benefit", "Decision time", "Losing regions", "Net saving"):
        assert title in page.text
    table = comparison.table("trust")
    trust, scale = table.loc["forum"], choose_measure_scale(comparison, "trust", table)
    assert scale.bare(trust["difference"], signed=True) in page.text
    assert f"better: {round(100 * trust['better_share'])}%" in page.text.replace("\xa0", " ")


def test_every_region_is_a_winner_or_a_loser(pages, comparison):
    _text, page = pages["en"]
    for name in comparison.scenario.regions.names:
        assert page.text.count(name) >= 1


def reasons(comparison, code: str) -> list[str]:
    """The reasons of a scenario for the columns that it takes for attributes."""
    columns = comparison.scenario.columns
    found = [in_language(one.reason, code) for one in (columns.capacity, columns.stress)]
    assert all(found)
    return [re.sub(r"\s+", " ", text) for text in found]


def test_assumptions_are_shown_with_their_reasons(pages, comparison):
    _text, page = pages["en"]
    text = page.text
    assert "not a prediction" in text
    assert "Compare strategies with each other; do not read the levels" in text
    assert "misjudged gains caused about two thirds of all cooperation" in text
    for entry in PARAMETERS.values():
        assert (entry.meaning[1:] in text) == (entry.source == "assumed")
    # The reasons of the scenario's mappings, and the joint bodies that it starts with.
    assert "hdi_2021" in text
    for reason in reasons(comparison, "en"):
        assert reason in text
    assert "Joint secretariat (Sekber) Kartamantul" in text
    for area in comparison.scenario.areas:
        assert AREA_TITLES[area][1:] in text


def test_it_says_how_to_have_it_again(pages):
    _text, page = pages["en"]
    for fact in ("kolabsim run here", "0123abcd", "9.8.7", "numpy 2.0", "(seed 4)"):
        assert fact in page.text
    assert "mesa" not in page.text
    assert "hidden" not in page.text


def test_shares_of_variance_are_shown_with_a_dash_where_undefined(pages):
    _text, page = pages["en"]
    assert "20% to 60%" in page.text.replace("\xa0", " ")
    assert "because of attributes of regions that no table gives (40% of the variance)" in page.text


def test_no_number_is_nan_or_has_a_hyphen_for_a_minus(pages):
    for _text, page in pages.values():
        assert not re.search(r"\bnan\b|\binf\b|None|\{|\}", page.text)
        assert not re.search(r"(?<![\w.])-\d", page.text)


def test_the_indonesian_page_speaks_of_what_officials_know(pages):
    text = pages["id"][1].text
    for word in ("kolaborasi", "birokrasi", "kinerja", "niat baik", "pelayanan publik", "potensi"):
        assert word in text.lower()
    assert re.search(r"setiap Rp1 menghemat Rp\d+,\d\d", text)
    assert "95%" in text
    assert "95 %" not in text


def test_the_indonesian_page_is_indonesian(pages, comparison):
    _text, page = pages["id"]
    text = page.text
    for words in ("Temuan utama", "Daerah yang untung dan rugi", "Asumsi", "Rp", "bukan prediksi"):
        assert words in text
    assert re.search(r"[+−]\d+,\d", text)
    for reason in reasons(comparison, "id"):
        assert reason in text
    # English words that would betray a message without translation; sources, which are written in
    # English alone, and commands are what they are, and taken out.
    text = re.sub(r"kolabsim run here --regions", "", text)
    for body in comparison.scenario.bodies:
        text = text.replace(re.sub(r"\s+", " ", body.source), "")
    assert not re.search(r"\b(interval|strategy|runs|regions|baseline|Strategy|Regions)\b", text)
    assert language() == "en"


def test_the_same_results_give_the_same_page(results, comparison, variance, pages, tmp_path):
    page = comparison_page(
        results, comparison, provenance=FACTS, question="What <helps> & why?", variance=variance
    )
    path = write_page(page, tmp_path / "a.html")
    assert path.read_text(encoding="utf-8") == pages["en"][0]
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_a_disk_that_refuses_is_reported(tmp_path):
    (tmp_path / "file").touch()
    page = Page("?", [Section("answer", "Key findings", "Nothing.")])
    with pytest.raises(StorageError, match="refused to write"):
        write_page(page, tmp_path / "file" / "x.html")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# Other studies ----------------------------------------------------------------------------------


def test_regions_without_places_names_or_money_have_a_report_too():
    rows = [{"code": f"R{k}", "population": 20_000 * (k + 1)} for k in range(4)]
    pairs = [("R0", "R1", True, 9), ("R1", "R2", True, 12), ("R2", "R3", False, 20)]
    scenario = make_scenario(
        rows, contacts=pairs, areas={"roads": {"haul": 0.0}}, horizon=5,
        strategies={"meet": {"mechanisms": {"forum": 1.0}}},
    )  # fmt: skip
    results = simulate(scenario, ["voluntary", "meet"], runs=3)
    page = comparison_page(results, compare(results), provenance={}, question="")
    text = text_without_figures(page)
    assert "cost units" in text
    assert len(page.pictures) == 7
    assert "Which strategy is best" in text


def test_without_figures_of_regions_the_rest_is_shown(results):
    bare = Results(**{**vars(results), "regions": None})
    page = comparison_page(bare, compare(bare), provenance={}, question="")
    assert "winners" not in [section.name for section in page.sections]
    assert "Costs and savings" in text_without_figures(page)


@pytest.fixture(scope="module")
def in_futures():
    """Results in nine futures, their comparison, and the page that shows it."""
    scenario = Scenario.load("kartamantul").with_(horizon=8)
    futures = {f"f{k}": {"parameters.attention_base": -3.0 - k / 4} for k in range(9)}
    results = simulate(scenario, ["voluntary", "forum", "team"], futures=futures, runs=4)
    comparison = compare(results)
    return comparison, comparison_page(results, comparison, provenance={}, question="")


def test_every_future_is_shown_with_its_settings(in_futures):
    _comparison, page = in_futures
    text = text_without_figures(page)
    assert "Other futures" in text
    assert "parameters.attention_base = -3.25" in text
    assert "9 futures" in text


def test_changes_between_futures_are_shown_for_costs_regions_and_channels(in_futures):
    comparison, page = in_futures
    captions = [table.caption for table in page.tables]
    view = View(comparison)
    assert costs_in_futures(view).caption in captions
    for table in (
        strategies_in_futures(view), channels_in_futures(view), winners_in_futures(view),
    ):  # fmt: skip
        assert table.caption in captions
        # In each row the counts of verdicts are of all futures.
        for _head, cells in table.rows:
            at = [k - 1 for k, head in enumerate(table.head) if head in COUNTED]
            assert sum(int(cells[k].main) for k in at) == 9
    text = text_without_figures(page)
    assert "These findings are for the first of 9 futures" in text
    assert "8 futures with a single change" in text


COUNTED = (
    "Clearly better", "Undecided", "Clearly worse", "Increases", "Reduces", "Gains", "Loses",
)  # fmt: skip


def test_of_a_single_future_no_influence_is_made_up(pages):
    for code, option in (("en", "--plausible 20 --structures"), ("id", "plausible: 20")):
        assert option in pages[code][1].text
    assert "A single future cannot show which assumption matters most" in pages["en"][1].text


def test_regions_have_links_only_where_their_pages_are(results, comparison):
    pages = {"34.04": "region-34.04.html"}
    page = comparison_page(results, comparison, provenance=FACTS, question="?", pages=pages)
    text = text_without_figures(page)
    links = [link["href"] for link in Reader(render(page)).all("a") if link["href"][0] != "#"]
    assert links == ["region-34.04.html"]
    assert "Linked regions have a page of their own" in text


def test_the_report_says_which_command_makes_the_page_of_a_region(pages):
    assert "kolabsim run here --regions CODE" in pages["en"][1].text


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def test_text_stands_out_from_its_ground_as_wcag_asks(pages):
    style = pages["en"][0].split("<style>")[1].split("</style>")[0]
    named = dict(re.findall(r"--(\w+): (#\w+);", style))
    banner = re.findall(r"\.banner [^{]*\{[^}]*[^-]color: (#\w+)", style.split("@media print")[0])
    note = re.search(r"\.note \{[^}]*background: (#\w+)", style)[1]
    pairs = [(named[ink], named["paper"]) for ink in ("ink", "soft", "better", "worse", "accent")]
    pairs += [(named[ink], named["wash"]) for ink in ("ink", "soft", "accent")]
    pairs += [(named["ink"], note), *((colour, named["accent"]) for colour in banner)]
    assert len(banner) == 3
    for ink, ground in pairs:
        assert contrast(ink, ground) >= 4.5, (ink, ground)


def test_a_ratio_to_no_cost_stands_with_the_costs():
    assert in_tables(["saving_per_cost", "trust"]) == ["trust"]
    assert in_tables(["saving_per_cost"]) == ["realised_benefit"]
    shown = shown_in(REPORT)
    assert in_tables(shown) == [name for name in shown if name != "saving_per_cost"]


def test_figures_are_written_as_svg_and_png_and_drawn_once(
    results, comparison, tmp_path, monkeypatch
):
    drawn, rendered = [], []
    for name in ("forest", "envelopes", "channels", "cost_effectiveness", "winners", "regions_map"):
        draw = getattr(figures, name)
        monkeypatch.setattr(
            figures, name,
            lambda *given, draw=draw, name=name, **options: drawn.append(name)
            or draw(*given, **options),
        )  # fmt: skip
    monkeypatch.setattr(
        page_module,
        "to_svg",
        lambda *given, **options: rendered.append(1) or to_svg(*given, **options),
    )
    page = comparison_page(results, comparison, provenance=FACTS, question="?")
    more = {"facts": FACTS, "scenario": results.scenario}
    publish(page, tmp_path, tables={"differences": comparison.differences}, **more)
    files = {path.name for path in (tmp_path / "figures").iterdir()}
    names = {"forest", "over_time", "benefits", "winners", "map", "map_of_losses", "channels",
             "costs", "convergence"}  # fmt: skip
    assert files == {f"{name}.{kind}" for name in names for kind in ("svg", "png")}
    assert sorted(drawn) == sorted(
        ["forest", "forest", "envelopes", "channels", "cost_effectiveness", "winners",
         "regions_map", "regions_map"]
    )  # fmt: skip
    assert len(rendered) == len(names)
    (tmp_path / "taken" / "figures").mkdir(parents=True)
    (tmp_path / "taken" / "figures" / "forest.svg").mkdir()
    with pytest.raises(StorageError):
        publish(page, tmp_path / "taken", tables={}, **more)


# Sentences --------------------------------------------------------------------------------------


def shifted(results, **changes):
    """Results in which all strategies but the baseline differ from it by some numbers."""
    runs = results.runs.copy()
    base = runs[runs["strategy"] == "voluntary"].set_index("run")
    for measure, change in changes.items():
        for k, name in enumerate(results.strategies[1:]):
            here = runs["strategy"] == name
            luck = np.random.default_rng(k).normal(size=here.sum()) * 1e-3
            runs.loc[here, measure] = base[measure].to_numpy() + change * (k + 1) + luck
    return Results(**{**vars(results), "runs": runs})


def said(results) -> str:
    found = headlines(results, View(compare(results)))
    return " ".join(" ".join([a.text, *a.more]) for a in found).replace("\xa0", " ")


def test_the_answer_says_what_does_best(results):
    text = said(shifted(results, realised_benefit=0.01))
    assert "“Business co-finance” is best" in text
    assert re.search(r"is [45]\.\d\d% of stand-alone cost higher than under “Voluntary”", text)
    assert "better in 100% of 24 runs" in text
    assert "The lead of “Business co-finance” over the runner-up, “Central grants”, is" in text


def test_the_answer_does_not_hide_that_all_do_worse(results):
    text = said(shifted(results, realised_benefit=-0.01))
    assert "Every strategy is worse than “Voluntary”; the least bad is “Forum and training”" in text


def test_the_answer_claims_nothing_that_the_interval_does_not_bear(results):
    text = said(shifted(results, realised_benefit=0.0))
    assert "No strategy is clearly better than “Voluntary”;" in text
    assert "may be as good" in text


def test_what_is_the_same_in_all_runs_says_so_in_figure_terminal_and_table(results):
    runs = results.runs.assign(realised_benefit=0.5)
    found = compare(Results(**{**vars(results), "runs": runs}))
    drawn = figures.forest(found, ["realised_benefit"])
    texts = [text.get_text() for text in drawn.axes[0].texts]
    assert texts == ["identical in all runs"] * len(found.strategies)
    view = View(found)
    for table in (brief_table(view), *difference_tables(view, ["realised_benefit"])):
        cells = [cells[0].line for _title, cells in table.rows]
        assert all("identical in all 24 runs" in cell for cell in cells)
        assert not any("±" in cell or "0 to 0" in cell for cell in cells)


def test_sums_that_are_the_same_in_all_runs_say_so(results):
    costly = results.runs["strategy"] == "forum"
    runs = results.runs.assign(saving=np.where(costly, 3e9, 0.0), programme_centre=0.0)
    table = cost_table(View(compare(Results(**{**vars(results), "runs": runs}))))
    titles, rows = list(table.head), {title: cells for title, cells in table.rows}
    cells = dict(zip(titles[1:], rows["Forum and training"], strict=True))
    assert cells["Saving in services"].below == "identical in all 24 runs"
    assert cells["Paid by central government"].below == ""


def test_a_lead_that_is_the_same_in_all_runs_says_so(results):
    for number in (4, 24):
        runs = results.runs.query(f"run < {number}").assign(realised_benefit=0.5)
        text = said(Results(**{**vars(results), "runs": runs}))
        assert "may be as good" in text
        assert f"(identical in all {number} runs)" in text


def test_the_answer_names_what_costs_most_and_what_does_not_pay(results, comparison):
    text = said(results)
    costs = comparison.costs.set_index(["item", "strategy"])["value"]["programme_cost"]
    title = comparison.scenario.strategies[costs.idxmax()].title("en")
    assert f"“{title}” is the most costly strategy: IDR" in text
    best = comparison.scenario.strategies[comparison.order()[0]].title("en")
    assert re.search(rf"“{best}” costs IDR \d.* over 3 years \(.*95% intervals, 24 runs\)", text)
    free = shifted(results, programme_cost=0.0)
    runs = free.runs.assign(programme_cost=0.0)
    assert "No strategy has a programme cost" in said(Results(**{**vars(free), "runs": runs}))


def test_the_answer_names_who_loses(results, comparison):
    text = said(results)
    lost = comparison.winners[comparison.winners["verdict"] == "loses"]
    worst = lost.loc[lost["difference"].idxmin()]
    title = comparison.scenario.strategies[worst["strategy"]].title("en")
    assert f"The largest loss under any strategy is that of {worst['name']} under “{title}”" in text


def test_losing_regions_are_counted_by_one_definition(comparison):
    lost = comparison.losers()["strategy"].value_counts()
    view = View(comparison)
    table = brief_table(view)
    assert table.head[-1] == "Losers"
    counts = {name: int(cells[-1].main) for name, cells in table.rows}
    assert counts == {view.title(name): lost.get(name, 0) for name in comparison.strategies}
    assert not any("lose" in measure.title for measure in MEASURES.values())


def test_names_are_listed_as_in_a_sentence():
    assert join_names([]) == ""
    assert join_names(["a"]) == "a"
    assert join_names(["a", "b", "c"]) == "a, b and c"
    assert join_names(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_what_no_table_gives_is_said_to_be_drawn(results):
    assert drawn_attributes(results.scenario)[:2] == ["organisational culture", "interests"]
    assert "administrative capacity" in drawn_attributes(make_scenario(3))


def test_a_language_is_spoken_for_a_while():
    with speaking("id"):
        assert language() == "id"
    assert language() == "en"
    with pytest.raises(LanguageError), speaking("id"):
        set_language("fr")
    assert language() == "en"


def test_the_terminal_shows_the_comparison_in_eighty_columns(comparison):
    study = Experiment.load("kartamantul")
    console = Console(width=80, record=True, file=None, quiet=False)
    with console.capture() as capture:
        console.print(terminal_table(study, comparison))
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    table = comparison.table("realised_benefit").loc["forum"]
    assert f"{100 * table['difference']:+.2f}" in text
    assert "Coordination team" in text
    assert "…" not in text
    assert "24 runs each" in text
