"""What an inquiry's folder holds besides its runs: a page, figures, tables, and its history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim.analysis.inquiries import Answer, SearchAnswer, SensitivityAnswer
from kolabsim.language import _, language
from kolabsim.show.drawing import to_png
from kolabsim.show.folder import PROVENANCE, REPORT, Account, history_of
from kolabsim.show.fronts import Reference
from kolabsim.show.numbers import count
from kolabsim.show.page import Section, write_page
from kolabsim.show.search import search_sections, surrogate_table
from kolabsim.show.sensitivity import sensitivity_sections
from kolabsim.show.uncertainty import Failing, uncertainty_sections
from kolabsim.show.words import Words
from kolabsim.study.inquiry import Inquiry
from kolabsim.study.sheets import table_csv
from kolabsim.study.store import Store, write_whole

if TYPE_CHECKING:
    import pandas as pd


def sections_of(inquiry: Inquiry, answer: Answer) -> list[Section]:
    """All that an answer says; the answer itself comes first."""
    words = Words.of(inquiry)
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
    sections = uncertainty_sections(
        answer.robustness,
        words,
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


def with_surrogates(answer: SensitivityAnswer, section: Section, words: Words) -> Section:
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


def publish_inquiry(
    inquiry: Inquiry, answer: Answer, folder: Path, account: Account
) -> Sequence[Section]:
    """Write the page, figures, tables and history of an answer beside its runs.

    Gives the sections of the page. Raises :class:`~kolabsim.errors.StorageError` if the disk
    refuses.
    """
    sections = sections_of(inquiry, answer)
    for name, table in tables_of(answer).items():
        write_whole(folder / f"{name}.csv", table_csv(table))
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
