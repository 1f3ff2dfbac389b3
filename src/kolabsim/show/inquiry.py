"""What an inquiry's folder holds besides its runs: a page, figures, tables, and its history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim.analysis.inquiries import (
    COST,
    Answer,
    SearchAnswer,
    SensitivityAnswer,
)
from kolabsim.language import N_, _, language
from kolabsim.model.levers import SUPPORTERS
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import PARAMETERS
from kolabsim.show.drawing import to_png
from kolabsim.show.folder import PROVENANCE, REPORT, Account, history_of
from kolabsim.show.numbers import count, decimal
from kolabsim.show.page import Section, write_page
from kolabsim.show.search import Labels, Reference, search_sections, surrogate_table
from kolabsim.show.sensitivity import Words, sensitivity_sections
from kolabsim.show.uncertainty import Failing, uncertainty_sections
from kolabsim.show.uncertainty import Labels as FutureLabels
from kolabsim.show.words import area_title, capital, title_of
from kolabsim.study.factors import Factor
from kolabsim.study.inquiry import Inquiry, Outcome
from kolabsim.study.store import Store, write_whole

if TYPE_CHECKING:
    import pandas as pd

GROUP_TITLES = {
    "start": N_("what regions are at the start"), "economics": N_("economics"),
    "coordination": N_("cost of coordination"), "attention": N_("attention and judgement"),
    "agreement": N_("agreement"), "conduct": N_("conduct"), "exit": N_("leaving"),
    "learning": N_("learning and trust"), "programme": N_("price of levers"),
    "rules": N_("decision rules"), "areas": N_("service areas"),
    "mechanisms": N_("coordination mechanisms"), "support": N_("external support"),
    "targets": N_("targets of support"), "budgets": N_("budgets of support"),
    "structures": N_("structure of the model"), "institutions": N_("institutions"),
}  # fmt: skip


ATTRIBUTE_TITLES = {
    "efficient_scale": N_("efficient scale"),
    "curvature_below": N_("rise of cost below efficient scale"),
    "curvature_above": N_("rise of cost above efficient scale"),
    "difficulty": N_("difficulty of measurement"), "spillover": N_("spillover"),
    "haul": N_("cost of distance"), "cost_per_resident": N_("cost per resident"),
}  # fmt: skip


def factor_title(factor: Factor) -> str:
    """What a factor is called."""
    parts = factor.name.split(".")
    if parts[0] == "areas":
        return f"{area_title(parts[1])}: {_(ATTRIBUTE_TITLES[parts[2]])}"
    title = capital(_(factor.meaning).rstrip("."))
    if factor.group in ("targets", "budgets"):
        return f"{capital(_(SUPPORTERS[parts[1]].title))}: {small(title)}"
    return title


def titles_of(inquiry: Inquiry) -> dict[str, str]:
    """What factors, groups and parameters of futures are called, by name."""
    found = {f"parameters.{name}": capital(_(p.meaning)) for name, p in PARAMETERS.items()}
    found |= {name: capital(_(title)) for name, title in GROUP_TITLES.items()}
    return found | {factor.name: factor_title(factor) for factor in inquiry.factors}


def outcome_title(inquiry: Inquiry, outcome: Outcome) -> str:
    """What an outcome is called."""
    title = title_of(outcome.measure)
    if outcome.quarter is not None:
        title = _("{measure} after {number} quarters").format(
            measure=title, number=count(outcome.quarter + 1)
        )
    if outcome.is_spread:
        title = _("Spread over runs: {measure}").format(measure=title)
    if inquiry.kind == "sensitivity" and len(inquiry.strategies) > 1:
        one, other = (strategy_title_of(inquiry, name) for name in inquiry.strategies)
        title = _("{measure}: {one} less {other}").format(measure=title, one=one, other=other)
    return title


def strategy_title_of(inquiry: Inquiry, name: str) -> str:
    """What a strategy is called."""
    return inquiry.scenario.strategies[name].title(language())


def small(title: str) -> str:
    """A title as it stands within a sentence; names in capitals stay as they are."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def sections_of(inquiry: Inquiry, answer: Answer) -> list[Section]:
    """All that an answer says; the answer itself comes first."""
    if isinstance(answer, SensitivityAnswer):
        words = Words(
            factors=titles_of(inquiry),
            outcomes={one.name: outcome_title(inquiry, one) for one in inquiry.outcomes},
            units={one.name: MEASURES[one.measure].unit for one in inquiry.outcomes},
            at={factor.name: factor.at for factor in inquiry.factors},
            currency=inquiry.scenario.currency,
        )
        sections = sensitivity_sections(answer.indices, words, curves=answer.curves)
        first = settled_note(answer, sections[0])
        if answer.surrogates:
            first = with_surrogates(answer, first, labels_of(inquiry))
        return [first, *sections[1:]]
    if isinstance(answer, SearchAnswer):
        references = [
            Reference(strategy_title_of(inquiry, name), values)
            for name, values in answer.known.items()
        ]
        return search_sections(
            answer.front, labels_of(inquiry), references=references, robust=answer.robustness
        )
    sections = uncertainty_sections(
        answer.robustness,
        future_labels(inquiry),
        settings=answer.settings,
        information=answer.information,
        failing=[
            Failing(
                name, *found, threshold=inquiry.text.threshold,
                baseline=None if inquiry.text.threshold is not None else inquiry.text.baseline,
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


def future_labels(inquiry: Inquiry) -> FutureLabels:
    """What the parts of many futures are called."""
    (outcome,) = inquiry.outcomes
    plain = outcome.name == outcome.measure
    units = {f"parameters.{name}": entry.unit for name, entry in PARAMETERS.items()}
    return FutureLabels(
        outcome.name if plain else outcome_title(inquiry, outcome),
        unit=MEASURES[outcome.measure].unit,
        currency=inquiry.scenario.currency,
        strategies={name: strategy_title_of(inquiry, name) for name in inquiry.strategies},
        factors={name: small(title) for name, title in titles_of(inquiry).items()},
        units=units | {factor.name: factor.unit for factor in inquiry.factors},
    )


def labels_of(inquiry: Inquiry) -> Labels:
    """What the parts of a search are called."""
    cost = _("programme cost over {years} years").format(
        years=decimal(inquiry.scenario.horizon / 4.0, 0)
    )
    titles = {name: small(title) for name, title in titles_of(inquiry).items()}
    titles |= {one.name: small(outcome_title(inquiry, one)) for one in inquiry.outcomes}
    units = {one.name: MEASURES[one.measure].unit for one in inquiry.outcomes}
    return Labels(
        titles=titles | {COST: cost},
        units=units | {COST: MEASURES[COST].unit},
        currency=inquiry.scenario.currency,
    )


def with_surrogates(answer: SensitivityAnswer, section: Section, labels: Labels) -> Section:
    """The answer, with how well the surrogates know the model that they stood in for."""
    text = _(
        "These are not indices of the model but of a surrogate that was fitted to {number} "
        "simulated points; they are as good as it is."
    )
    text = text.format(number=count(len(answer.study.table)))
    tables = [surrogate_table(answer.surrogates, labels), *section.tables]
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


def publish_inquiry(
    inquiry: Inquiry, answer: Answer, folder: Path, account: Account
) -> Sequence[Section]:
    """Write the page, figures, tables and history of an answer beside its runs.

    Gives the sections of the page. Raises :class:`~kolabsim.errors.StorageError` if the disk
    refuses.
    """
    sections = sections_of(inquiry, answer)
    for name, table in tables_of(answer).items():
        text = table.to_csv(index=False, lineterminator="\n")
        write_whole(folder / f"{name}.csv", text.encode())
    for section in sections:
        for k, picture in enumerate(section.pictures, 1):
            name = f"{section.name}-{k}"
            write_whole(folder / "figures" / f"{name}.svg", picture.svg.encode())
            to_png(picture.figure, folder / "figures" / f"{name}.png")
    facts = history_of(inquiry, Store(folder), account)
    facts |= {"asked": inquiry.text.model_dump(mode="json")}
    title = inquiry.question(language()) or inquiry.name
    lines = [
        inquiry.scenario.title(language()),
        _("{number} runs").format(number=count(account.progress.wanted)),
        _("seed {seed}").format(seed=inquiry.seed),
        _("model {hash}").format(hash=facts["model"]),
    ]
    write_page(folder / REPORT, title, lines=lines, sections=sections)
    write_whole(folder / PROVENANCE, json.dumps(facts, indent=1, ensure_ascii=False).encode())
    return sections
