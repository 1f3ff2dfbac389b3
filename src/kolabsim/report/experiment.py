"""What an experiment's folder holds besides its runs: a page, figures, tables, and its history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim.analysis.experiments import Answer, SearchAnswer, SensitivityAnswer
from kolabsim.figures.formatting import count, format_interval, significant
from kolabsim.figures.labels import Labels, factor_title, outcome_title, uncapitalise
from kolabsim.figures.search import Reference
from kolabsim.figures.style import to_png
from kolabsim.files import table_csv, write_whole
from kolabsim.i18n import _, language
from kolabsim.report.assumptions import area_table, body_table, mapping_table, parameter_tables
from kolabsim.report.output import PROVENANCE, REPORT, Account, history_of
from kolabsim.report.page import Section, write_page
from kolabsim.report.provenance import again_section
from kolabsim.report.robustness import Failing, robustness_sections
from kolabsim.report.search import search_sections, surrogate_table
from kolabsim.report.sensitivity import METHOD_TITLES, sensitivity_sections
from kolabsim.report.summary import caveats, failed, listed
from kolabsim.report.tables import Cell, Table, texts
from kolabsim.study.experiment import Experiment
from kolabsim.study.store import Store

if TYPE_CHECKING:
    import pandas as pd


def sections_of(experiment: Experiment, answer: Answer) -> list[Section]:
    """All that an answer says; the answer itself comes first."""
    words = Labels.from_experiment(experiment)
    if isinstance(answer, SensitivityAnswer):
        sections = sensitivity_sections(answer.indices, words, curves=answer.curves)
        first = settled_note(answer, sections[0])
        if answer.surrogates:
            first = with_surrogates(answer, first, words)
        return [first, *sections[1:]]
    if isinstance(answer, SearchAnswer):
        references = [
            Reference(words.strategy(name), values) for name, values in answer.known.items()
        ]
        return search_sections(answer.front, words, references=references, robust=answer.robustness)
    spec = experiment.spec
    sections = robustness_sections(
        answer.robustness,
        words,
        settings=answer.settings,
        information=answer.information,
        failing=[
            Failing(
                name, *found, threshold=spec.threshold,
                baseline=None if spec.threshold is not None else spec.baseline,
            )
            for name, found in answer.failing.items()
        ],
        sizes=answer.sizes,
    )  # fmt: skip
    # The answer says where the best strategy fails; where others do is what others ask.
    best = answer.robustness.order()[0]
    told = sections[2 : 2 + len(answer.failing)]
    others = [
        section.paragraphs[0]
        for (name, (found, _tree)), section in zip(answer.failing.items(), told, strict=True)
        if name != best and found.box is not None
    ]
    answered = replace(sections[0], paragraphs=[*sections[0].paragraphs, *others])
    return [answered, *sections[1:]]


def with_surrogates(answer: SensitivityAnswer, section: Section, words: Labels) -> Section:
    """The answer, with how well the surrogates know the model that they stood in for."""
    text = _(
        "These are not indices of the model but of a surrogate that was fitted to {number} "
        "simulated points; they are as good as it is."
    )
    text = text.format(number=count(len(answer.study.table)))
    tables = [surrogate_table(answer.surrogates, words), *section.tables]
    return replace(section, paragraphs=[text, *section.paragraphs], tables=tables)


def settled_note(answer: SensitivityAnswer, section: Section) -> Section:
    """The answer, with a word on whether the sample was large enough, where that was asked."""
    if answer.is_settled is None:
        return section
    text = (
        _("The ranking of the leading factors is settled at {number} samples.")
        if answer.is_settled
        else _("The ranking of the leading factors is not settled at {number} samples, the most.")
    )
    text = text.format(number=count(answer.design.samples))
    return replace(section, paragraphs=[*section.paragraphs, text])


def tables_of(answer: Answer) -> Mapping[str, pd.DataFrame]:
    """The tables of an answer, by the names of their files."""
    import pandas as pd

    if isinstance(answer, SensitivityAnswer):
        return {"indices": pd.concat([one.table() for one in answer.indices], ignore_index=True)}
    if isinstance(answer, SearchAnswer):
        return {"front": answer.front.table()}
    return {
        "robustness": answer.robustness.figures,
        "information": answer.information.factors,
        "sizes": answer.sizes,
        "futures": answer.settings.assign(
            **{
                f"mean.{name}": answer.values[k].mean(axis=1)
                for k, name in enumerate(answer.study.strategies)
            }
        ),
    }


def surety_section(experiment: Experiment, answer: Answer, failed: str, moved: Section) -> Section:
    """Intervals, runs and convergence; of a sensitivity analysis also what its answer rests on."""
    runs = experiment.spec.runs
    if isinstance(answer, SensitivityAnswer):
        text = _(
            "{points} points of the factors' ranges were simulated, {runs} runs each on the same "
            "draws. More points (--samples) narrow the intervals of indices, more runs (--runs) "
            "tell chance better from what factors do. “until: settled” in the file of the "
            "experiment doubles the points until the leading factors are settled."
        ).format(points=count(len(answer.study.table)), runs=count(runs))
    elif isinstance(answer, SearchAnswer):
        text = _(
            "Packages on the front were simulated {most} times each. Whether more rounds would "
            "find better ones is told by the hypervolume under “{section}”; how far other draws "
            "and other futures confirm them, in the answer."
        ).format(most=count(answer.front.values.shape[2]), section=_("How it was found"))
    else:
        text = _(
            "{strategies} strategies were simulated in {futures} futures, {runs} runs each on the "
            "same draws. How many runs or futures it takes to tell strategies apart is told under "
            "“{section}”."
        ).format(
            strategies=count(len(experiment.strategies)), futures=count(len(answer.settings)),
            runs=count(runs), section=_("How strategies stand up in many futures"),
        )  # fmt: skip
    paragraphs = [text, *([failed] if failed else [])]
    return replace(moved, name="surety", title=_("How sure"), paragraphs=paragraphs)


def with_surety(experiment: Experiment, answer: Answer, failed: str) -> list[Section]:
    """The sections of an answer, of which those on how sure it is stand at the end."""
    first, *others = sections_of(experiment, answer)
    moved = Section("surety", "", [])
    if isinstance(answer, SensitivityAnswer):  # what chance does, and what its answer rests on
        moved = replace(moved, tables=first.tables[-1:], notes=first.notes)
        first = replace(first, tables=first.tables[:-1], notes=[])
    return [first, *others, surety_section(experiment, answer, failed, moved)]


def rests_section(experiment: Experiment) -> Section:
    """The assumptions: what was varied, and what was not."""
    paragraphs = list(caveats(experiment.scenario))
    text = {
        "sensitivity": _(
            "The factors above are the assumptions that were varied, ranked by influence. What was "
            "not varied is not ranked; it stands below with its range."
        ),
        "robustness": _(
            "What was varied between futures is ranked under “{section}” by what knowing it would "
            "be worth. What was not varied stands below with its range."
        ).format(section=_("What to measure first")),
        "search": _(
            "Assumptions were varied together in the plausible futures, not one by one, and so are "
            "not ranked here; a sensitivity analysis (“kind: sensitivity”) ranks them."
        ),
    }[experiment.kind]
    tables = [
        factor_table(experiment) if experiment.factors else None,
        mapping_table(experiment.scenario),
        body_table(experiment.scenario),
        area_table(experiment.scenario),
    ]
    folded = [
        (
            _("All assumed parameters with their values and ranges"),
            parameter_tables(experiment.scenario),
        )
    ]
    found = [table for table in tables if table is not None]
    return Section("assumptions", _("What it rests on"), [text, *paragraphs], found, folded=folded)


def factor_table(experiment: Experiment) -> Table:
    """What was varied, in which ranges."""
    rows = []
    for factor in experiment.factors:
        span_of = (
            Cell(", ".join(map(str, factor.words)))
            if factor.is_choice
            else Cell(format_interval(significant(factor.low), significant(factor.high)))
        )
        unit = "" if factor.is_choice or factor.unit == "1" else _(factor.unit)
        source = _("assumed") if factor.source == "assumed" else factor.source
        rows.append((factor_title(factor), [span_of, *texts(unit, source)]))
    head = [_("Factor"), _("Range"), _("Unit"), _("Source")]
    return Table(_("What was varied"), head, rows, prose=True)


def methods_of(experiment: Experiment, answer: Answer, facts: Mapping[str, object]) -> str:
    """A paragraph on methods, to be cited."""
    outcomes = listed([uncapitalise(outcome_title(experiment, one)) for one in experiment.outcomes])
    if isinstance(answer, SensitivityAnswer):
        text = _(
            "We asked how {outcomes} depends on {factors} factors by {method} at {points} points, "
            "{runs} runs each,"
        ).format(
            outcomes=outcomes, factors=count(len(experiment.factors)),
            method=_(METHOD_TITLES[answer.design.method]), points=count(len(answer.study.table)),
            runs=count(experiment.spec.runs),
        )  # fmt: skip
    elif isinstance(answer, SearchAnswer):
        last = answer.front.history[-1]
        text = _(
            "We searched for packages of {factors} levers with high {outcomes} by NSGA-II with "
            "racing of runs ({candidates} packages, {runs} runs),"
        ).format(
            factors=count(len(experiment.factors)), outcomes=outcomes,
            candidates=count(last.candidates), runs=count(last.runs),
        )  # fmt: skip
    else:
        text = _(
            "We compared {strategies} strategies by {outcomes} in {futures} futures, {runs} runs "
            "each,"
        ).format(
            strategies=count(len(experiment.strategies)), outcomes=outcomes,
            futures=count(len(answer.settings)), runs=count(experiment.spec.runs),
        )  # fmt: skip
    return (
        text
        + " "
        + _(
            "in the scenario “{scenario}” ({regions} regional governments, {areas} service areas, "
            "{quarters} quarters) with kolabsim {version}, an agent-based model of how regional "
            "governments come to share services, with common random numbers (seed {seed}). "
            "Parameters without a source are assumed; results are contrasts within a thought "
            "experiment, not predictions."
        ).format(
            scenario=experiment.scenario.title(language()),
            regions=count(len(experiment.scenario.regions)),
            areas=count(len(experiment.scenario.areas)),
            quarters=count(experiment.scenario.horizon),
            version=facts["kolabsim"],
            seed=experiment.seed,
        )
    )


def publish_experiment(
    experiment: Experiment, answer: Answer, folder: Path, account: Account
) -> Sequence[Section]:
    """Write the page, figures, tables and history of an answer beside its runs.

    Gives the sections of the page. Raises :class:`~kolabsim.errors.StorageError` if the disk
    refuses.
    """
    facts = history_of(experiment, Store(folder), account)
    sections = [
        *with_surety(experiment, answer, failed(facts)),
        rests_section(experiment),
        again_section(facts, methods_of(experiment, answer, facts)),
    ]
    for name, table in tables_of(answer).items():
        write_whole(folder / f"{name}.csv", table_csv(table))
    for section in sections:
        for k, picture in enumerate(section.pictures, 1):
            name = f"{section.name}-{k}"
            write_whole(folder / "figures" / f"{name}.svg", picture.svg.encode())
            to_png(picture.figure, folder / "figures" / f"{name}.png")
    facts |= {"asked": experiment.spec.model_dump(mode="json")}
    title = experiment.question(language()) or experiment.name
    lines = [
        experiment.scenario.title(language()),
        _("{number} runs").format(number=count(account.progress.wanted)),
        _("seed {seed}").format(seed=experiment.seed),
        _("model {hash}").format(hash=facts["model"]),
    ]
    write_page(folder / REPORT, title, lines=lines, sections=sections, workbook=True)
    write_whole(folder / PROVENANCE, json.dumps(facts, indent=1, ensure_ascii=False).encode())
    return sections
