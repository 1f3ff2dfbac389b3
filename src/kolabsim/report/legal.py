"""Legal forms and steps of cooperation between regions, as general information.

The rules of Indonesia are those of Law 23/2014, Government Regulation 28/2018 and Regulation of the
Minister of Home Affairs 22/2020.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kolabsim.i18n import _
from kolabsim.report.page import Block, Note, Section, Table, separate

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario


@separate
def legal_section(scenario: Scenario) -> Section:
    """Return the section on legal forms and next steps, by the country of a scenario."""
    blocks = indonesian_blocks() if scenario.currency == "IDR" else general_blocks()
    return Section("law", _("Legal forms and next steps"), *blocks)


def general_blocks() -> list[Block]:
    """Forms and steps that most countries have in some shape."""
    forms = {
        _("Service contract"): _("One region serves others for a price, until the contract ends."),
        _("Joint board"): _("A body of its own in which all members decide; it has overhead."),
        _("Lead region"): _("One member, often the largest, provides the service for all."),
    }
    steps = {
        _("1. Compare"): _(
            "Name the service to be shared, and compare what each region pays now with what it "
            "would pay then."
        ),
        _("2. Agree on principles"): _(
            "Sign a letter of intent, and agree on cost sharing and on how a member may leave."
        ),
        _("3. Approve"): _("Have the councils approve what binds their budgets."),
        _("4. Sign and review"): _("Sign the agreement, and review it every year."),
    }
    note = _("General information, not legal advice: check every step with your legal office.")
    return law_blocks(forms, steps, note)


def indonesian_blocks() -> list[Block]:
    """Forms and steps of cooperation between regions in Indonesia."""
    forms = {
        _("Cooperation agreement (perjanjian kerja sama, PKS)"): _(
            "The usual form: it fixes rights, duties, cost and duration. One region may serve the "
            "others against compensation, or each may provide a part."
        ),
        _("Joint secretariat (sekretariat kerja sama, Sekber)"): _(
            "Supports permanent cooperation. It serves the parties and takes no decisions of its "
            "own."
        ),
        _("Service by the province"): _(
            "A regional facility of the province, such as a landfill or a bulk water supply, that "
            "regencies and cities use."
        ),
    }
    steps = {
        _("1. Identify and map"): _(
            "The region's coordination team for cooperation (TKKSD), with the cooperation division "
            "and the legal division, maps affairs with potential for collaboration and compares "
            "cost, benefit and risk. UPTD, BLUD or BUMD that run the service take part."
        ),
        _("2. Offer"): _(
            "The head of the region (governor, regent or mayor) offers the plan to the other "
            "regions by letter."
        ),
        _("3. Joint agreement (kesepakatan bersama)"): _(
            "The heads of the regions agree on object, scope and time. It is general; a memorandum "
            "(nota kesepakatan) is used only for synergy with central government."
        ),
        _("4. Approval by the regional council (DPRD)"): _(
            "Required only if the plan burdens the public and the region, or if its funds are not "
            "in this year's budget (APBD)."
        ),
        _("5. Cooperation agreement (perjanjian kerja sama, PKS)"): _(
            "Regulates rights and duties: cost shares, assets, staff, disputes and withdrawal. The "
            "governor, regent or mayor signs for the region or authorises an official to sign."
        ),
        _("6. Carry out, monitor, report"): _(
            "Each region budgets its share. Regencies and cities report to the governor, governors "
            "to the minister."
        ),
    }
    note = _(
        "General information, not legal advice. Rules change, and each affair may have its own: "
        "check every step with your cooperation division (Bagian Kerja Sama) and legal division "
        "(Bagian Hukum)."
    )
    return [
        _(
            "Cooperation between regions (kerja sama daerah dengan daerah lain, KSDD) is regulated "
            "by Law 23/2014, Government Regulation (PP) 28/2018 and, for stages and documents, "
            "Regulation of the Minister of Home Affairs (Permendagri) 22/2020. It is mandatory "
            "between bordering regions for affairs that have effects across borders and are more "
            "efficient when managed together; otherwise it is voluntary, between bordering regions "
            "or not. In this simulation, cooperation is voluntary unless a strategy has a mandate."
        ),
        _(
            "Cooperation with third parties such as firms and NGOs (KSDPK) and with regions or "
            "institutions abroad (KSDPL, KSDLL) follows rules of its own."
        ),
        *law_blocks(forms, steps, note),
    ]


def law_blocks(forms: dict[str, str], steps: dict[str, str], note: str) -> list[Block]:
    """Return the tables of legal forms and of steps in their order, and a note."""
    return [
        Table(_("Usual legal forms"), [_("Form"), _("Description")], forms.items(), prose=True),
        Table(_("Usual steps"), [_("Step"), _("What happens")], steps.items(), prose=True),
        Note([note]),
    ]
