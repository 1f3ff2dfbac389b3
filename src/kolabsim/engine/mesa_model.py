"""The model as Mesa agents: the only file that imports mesa.

Agents are views on their rows of the state. As long as none of them does otherwise than the model
says, a quarter is one call of the ensemble's loop; else the agents' methods call the same compiled
stages, region by region. Both give the same histories to the last bit. The file is long because
agents, model and their Mesa drawings share that state, and mesa may be imported in one file only.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

from kolabsim.engine.ensemble import (
    Task,
    advance,
    build_task,
    identify_for,
    list_bodies,
    list_ties,
    new_state,
)
from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model import agreements, bodies, initialisation, interventions, recording, stages
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.declare import undefined_as_nan
from kolabsim.model.jit import host_entry
from kolabsim.model.levers import CUSTOM_TARGETS, GOVERNMENT, SUPPORTERS
from kolabsim.model.measures import MEASURES
from kolabsim.model.rng import Key
from kolabsim.model.state import NOBODY, PAID, REGION, Me
from kolabsim.scenario.scenario import Scenario
from kolabsim.scenario.schema import LARGEST
from kolabsim.scenario.source import format_value

if TYPE_CHECKING:
    import networkx as nx
    from mesa.discrete_space import Network

SHARE, ANY = (0.0, 1.0), (-LARGEST, LARGEST)
CHANGEABLE = {
    "population": (1.0, LARGEST), "stress": SHARE, "autonomy": SHARE, "goodwill": SHARE,
    "commitment": SHARE, "reputation": SHARE, "aspiration": ANY,
}  # fmt: skip
"""Columns of a region that may be set from outside, with the values that each may have; all
others follow from the scenario."""


class RegionalGovernment(mesa.Agent):
    """A regional government: a view on its row of the state.

    Every column of :data:`kolabsim.model.state.REGION` is an attribute (``region.commitment``),
    and setting one of :data:`CHANGEABLE` changes the region. Override :meth:`choose` to let it
    choose in plain Python; the other methods are its part in the five steps of building
    collaboration.
    """

    model: CollaborationModel
    cell: Any
    """Its place in Mesa's network of contacts."""

    def __init__(self, model: CollaborationModel, row: int) -> None:
        _refuse_late(model)
        super().__init__(model)
        self.row = row
        self.code = model.simulated.regions.codes[row]
        self.name = model.simulated.regions.names[row]
        self.tier = model.simulated.regions.tier[row]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.code} {self.name}>"

    def __getattr__(self, name: str) -> float:
        if name in REGION:
            return self.model.state.region[self.row][name].item()
        text = f"{type(self).__name__!r} object has no attribute {name!r}"
        raise AttributeError(text)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in REGION or (name == "tier" and name not in vars(self)):  # its label, once
            super().__setattr__(name, value)
            return
        if name not in CHANGEABLE:
            text = f"{name!r} cannot be set; of a region's columns these can: {[*CHANGEABLE]}"
            raise AttributeError(text)
        model, (least, most) = self.model, CHANGEABLE[name]
        # Not np.number, which dates and complex numbers are too; NaN is within no bounds.
        is_number = isinstance(value, int | float | np.integer | np.floating)
        is_number &= not isinstance(value, bool | np.timedelta64)
        number = value.item() if isinstance(value, np.generic) else value
        if not is_number or not least <= number <= most:
            text = _("{region}: {name} is {value}; allowed: from {least:g} to {most:g}")
            words = {"region": self.code, "name": name, "least": least, "most": most}
            raise InputError.of(text, value=format_value(value), **words)
        model.state.region[name][self.row] = number
        for a in range(len(model.simulated.areas)):
            host_entry(bodies.refresh_slot)(model.state, model.parameters, self.row, a)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *REGION})

    @property
    def trust(self) -> dict[str, float]:
        """Its trust in each of its contacts, 0 to 1, by the contact's code."""
        return {
            other.code: float(contact.trust)
            for other, contact in zip(self.contacts, self._records, strict=True)
        }

    @property
    def contacts(self) -> list[RegionalGovernment]:
        """The regions that it knows, in the order of their codes."""
        return [self.model.regional_governments[one.target] for one in self._records]

    @property
    def _records(self) -> np.ndarray:
        """The columns of :data:`kolabsim.model.state.CONTACT` for each of its contacts."""
        state = self.model.state
        return state.contact[state.region[self.row].first : state.region[self.row].end]

    def slot(self, area: str) -> np.record:
        """Its row in a service area: the columns of :data:`kolabsim.model.state.SLOT`."""
        return self.model.state.slot[self.row, self.model.area_number(area)]

    def partners(self, area: str) -> list[RegionalGovernment]:
        """The regions with which it shares a service area, in the order of their codes.

        Under a contract, those are its provider or its buyers, and buyers are no partners of each
        other.
        """
        own, governments = self.slot(area), self.model.regional_governments
        if own.body == NOBODY:
            return []
        state = self.model.state
        members = state.members[own.body, : state.body[own.body].members]
        is_partner = host_entry(bodies.are_partners)
        others = (governments[i] for i in members if i != self.row)
        return [other for other in others if is_partner(own, other.slot(area))]

    def remove(self) -> None:
        """Refuse to leave: the regions of a scenario stay to the end of a run."""
        raise _not_removed(self.code)

    def choose(self, options: np.recarray, me: Me, draw: float) -> int:
        """Return the position of the option to take; the first is the status quo.

        ``options`` have the columns of :data:`kolabsim.model.state.OPTION`, ``me`` is the region's
        view of itself, and ``draw`` a random number between 0 and 1. By default the scenario's
        decision rule chooses.
        """
        return self.model.decide(options, me, draw)

    def identify(self) -> None:
        """Consider the areas, look for partners, and open negotiations."""
        if type(self).choose is RegionalGovernment.choose:
            self.model.identify(self.row)
        else:
            self.model.identify_with(self.choose, self.row)

    def communicate(self) -> None:
        """Meet others: forums, teams and mediators build trust."""
        self._do(stages.communicate)

    def plan(self) -> None:
        """Advance its negotiations, and decide whether to leave its bodies."""
        self._do(stages.plan)

    def coordinate(self) -> None:
        """Keep its promises in its bodies or fall short, or serve alone."""
        self._do(stages.coordinate)

    def evaluate(self) -> None:
        """Observe its partners and learn."""
        self._do(stages.evaluate)

    def _do(self, stage: Callable) -> None:
        model = self.model
        host_entry(stage)(self.row, model.state, model.parameters, model.key)


class Supporter(mesa.Agent):
    """An external supporter: central government, NGO, business or community."""

    model: CollaborationModel

    def __init__(self, model: CollaborationModel, kind: str) -> None:
        _refuse_late(model)
        super().__init__(model)
        self.kind = kind
        self.number = list(SUPPORTERS).index(kind)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.kind}>"

    @property
    def title(self) -> str:
        """The title of its support."""
        return _(SUPPORTERS[self.kind].title)

    @property
    def spent(self) -> float:
        """Cost of its support in the last quarter, in the scenario's currency."""
        return float(self.model.state.ledger[PAID, GOVERNMENT + self.number])

    def remove(self) -> None:
        """Refuse to leave, as regions do."""
        raise _not_removed(self.kind)

    def offer(self) -> None:
        """Make its offers to its targets."""
        model = self.model
        host_entry(interventions.offer)(
            self.number, model.state, model.policy, model.parameters, model.scores(self.number),
            model.quarter,
        )  # fmt: skip


class CollaborationModel(mesa.Model):
    """Regional governments that decide, area by area, whether to share services and with whom.

    Parameters
    ----------
    scenario
        A scenario, the name of a shipped one, or the path of a file.
    strategy
        Name of one of its strategies.
    run
        Number of the run: sweep over it (``{"run": range(100)}``) for replications. The same
        seed and run give the same history as run number ``run`` of the ensemble.
    seed
        Seed of all draws, at least 0. Mesa's own random numbers are not used by the model. From
        Mesa 3.5 on, ``batch_run`` gives the seed itself: hand it ``rng=[seed]``.
    agents
        Class of the regional governments, to be subclassed; or a function of the model and a row
        that makes one, where regions are of several classes.
    kwargs
        Settings: changes to the scenario by dotted names (``**{"parameters.quality_value": 0.7}``).
    """

    def __init__(
        self,
        scenario: Scenario | str | Path = "kartamantul",
        strategy: str = "voluntary",
        *,
        run: int = 0,
        seed: int | None = None,
        rng: int | None = None,
        agents: Callable[[CollaborationModel, int], RegionalGovernment] = RegionalGovernment,
        **kwargs: object,  # of no other name: Mesa 3.3's page looks for it
    ) -> None:
        seed = self._checked(seed, rng, run)
        super().__init__(rng=seed)
        if not isinstance(scenario, Scenario | str | Path):
            text = _("scenario: {value} is neither a scenario nor the name or path of one")
            raise InputError.of(text, value=format_value(scenario))
        if not isinstance(scenario, Scenario):
            scenario = Scenario.load(scenario)
        self.simulated: Scenario = scenario.with_(kwargs) if kwargs else scenario
        """The scenario that is simulated."""
        if not isinstance(strategy, str) or strategy not in self.simulated.strategies:
            hint = suggestion(str(strategy), self.simulated.strategies)
            raise InputError.of(_("'{name}' is not a strategy{hint}"), name=strategy, hint=hint)
        self.strategy = self.simulated.strategies[strategy]
        self.run_number, self.quarter = int(run), 0
        task: Task = build_task(self.simulated, self.strategy, seed=seed)
        self.world, self.policy, self.parameters = task.world, task.policy, task.parameters
        self.rule, self.rule_parameters = task.rule, task.rule_parameters
        self.extensions = task.extensions
        self.draws_seed = task.seed
        self._built, self.measure_names = task, task.measures
        self._rules = task.extensions.rules
        self._history = np.full((1, self.simulated.horizon, len(task.measures)), np.nan)
        self.state = new_state(self.world)
        self.measures: dict[str, float] = {}
        host_entry(initialisation.initialise)(
            self.world, self.state, self.policy, self.parameters, self.key
        )
        if not callable(agents):
            text = _("agents: {value} is neither a class nor a function")
            raise InputError.of(text, value=format_value(agents))
        rows = range(len(self.simulated.regions))
        self.regional_governments = [agents(self, row) for row in rows]
        for row, one in enumerate(self.regional_governments):
            if not isinstance(one, RegionalGovernment) or one.row != row:
                text = _("agents: {value} is not the RegionalGovernment of row {row}")
                raise InputError.of(text, value=format_value(one), row=row)
        self.supporters = [Supporter(self, kind) for kind in SUPPORTERS]
        self.datacollector = mesa.DataCollector(
            model_reporters={name: _reporter(name) for name in task.measures}
        )

    @staticmethod
    def _checked(seed: int | None, rng: int | None, run: int) -> int:
        """Return the seed, under either of Mesa's two names for it; 1 by default."""
        problems = Problems()
        if seed is not None and rng is not None:
            problems.add(_("give either seed or rng, and not both"))
        seed = next((value for value in (seed, rng) if value is not None), 1)
        if not is_whole(seed, 2**63):
            problems.add(_("seed: {value} is not a whole number from 0").format(value=seed))
        if not is_whole(run, 2**32):
            problems.add(_("run: {value} is not a whole number from 0").format(value=run))
        problems.raise_if_any()
        return int(seed)

    @property
    def scenario(self) -> Scenario:
        """Not available: Mesa from 3.5 on keeps its own scenario here. Use ``simulated``."""
        # SolaraViz reads this error as "no scenario", and refuses one that is not Mesa's.
        text = "'scenario' is Mesa's own from 3.5 on; what is simulated is in 'simulated'"
        raise AttributeError(text)

    @scenario.setter
    def scenario(self, _other: object) -> None:
        # Mesa sets one that holds no more than a seed.
        pass

    @property
    def key(self) -> Key:
        """The part of every draw's address that this quarter shares."""
        return Key(self.draws_seed, self.run_number, self.quarter)

    def area_number(self, area: str) -> int:
        """Return the position of a service area; refuse unknown names with the nearest spelling."""
        names = list(self.simulated.areas)
        if area not in names:
            text = _("'{name}' is not a service area{hint}")
            raise InputError.of(text, name=area, hint=suggestion(area, names))
        return names.index(area)

    def identify(self, row: int) -> None:
        """The first step of one region under the scenario's decision rule."""
        if self.rule and self.rule.obstacle:
            self.identify_with(self.decide, row)
            return
        stage = identify_for(self.rule.compiled) if self.rule else host_entry(stages.identify)
        stage(row, self.state, self.parameters, self.rule_parameters, self.key)

    def identify_with(self, choose: Callable[[Any, Me, float], int], row: int) -> None:
        """The first step of one region, which chooses by a Python function."""
        state, p, key = self.state, self.parameters, self.key
        for a in range(state.slot.shape[1]):
            number = host_entry(stages.list_options)(row, a, state, p, key)
            if number > 1:
                me = Me(*host_entry(stages.describe_region)(row, a, state))
                draw = host_entry(stages.choice_draw)(state.region[row], a, key)
                taken = choose(state.option[:number], me, draw)
                if not is_whole(taken, number):
                    text = _("{region} chose option {taken}, but there are {number}")
                    code = self.simulated.regions.codes[row]
                    raise InputError.of(text, region=code, taken=taken, number=number)
                host_entry(stages.negotiate)(row, a, int(taken), state, key)

    def scores(self, supporter: int) -> np.ndarray:
        """The score of each region by the targeting rule of a supporter (0 to 3), [R]."""
        target = self.policy.target[self.policy.period[self.quarter], supporter]
        state, found = self.state, np.zeros(len(self.state.region))
        if target < CUSTOM_TARGETS:
            host_entry(interventions.score_regions)(target, state, (), found)
            return found
        place = target - CUSTOM_TARGETS
        rule, p = self.extensions.targets[place], self.extensions.parameters[place]
        for i in range(len(found)):
            found[i] = rule.fastest(state.region[i], state.slot[i], p)
        return found

    def decide(self, options: np.recarray, me: Me, draw: float) -> int:
        """Apply the scenario's decision rule to options."""
        if self.rule:
            return self.rule.fastest(options, me, draw, self.rule_parameters)
        number, rule = BUILT_IN.index(self.simulated.decision), host_entry(stages.built_in)
        return int(rule(number, options, me, draw, self.rule_parameters))

    def step(self) -> None:
        """One quarter: the five steps of building collaboration. After the horizon, nothing."""
        self.running = self.quarter < self.simulated.horizon
        if not self.running:
            return
        world, state, policy, p = self.world, self.state, self.policy, self.parameters
        quarter = self.quarter
        if self._is_plain():
            values = advance(self._task(), state, self.run_number, quarter, self._history)
            self._finish_quarter(dict(zip(self.measure_names, values.tolist(), strict=True)))
            return
        host_entry(interventions.start_quarter)(world, state, policy, p, quarter)
        self.agents_by_type[Supporter].do("offer")
        host_entry(interventions.keep_to_ceiling)(state, policy, p, quarter)
        host_entry(bodies.tally_all)(state, p, quarter)
        self._regions_do("identify")
        self._regions_do("communicate")
        host_entry(bodies.tally_all)(state, p, quarter)
        self._regions_do("plan")
        host_entry(agreements.form_agreements)(state, policy, p, quarter)
        self._regions_do("coordinate")
        host_entry(stages.produce)(state, policy, p, quarter)
        self._regions_do("evaluate")
        values = np.empty(len(MEASURES))
        host_entry(recording.record)(state, p, self.extensions.parameters, quarter, values)
        measures = dict(zip(MEASURES, values.tolist(), strict=True))
        self._finish_quarter(measures | self._custom_measures())

    def _is_plain(self) -> bool:
        """Whether all agents do as the model says, so that one call simulates the quarter."""
        kinds = self.agents_by_type
        return (
            all(_is_unchanged(kind, agents) for kind, agents in kinds.items())
            and all(
                getattr(type(self), name) is getattr(CollaborationModel, name)
                for name in ("identify", "identify_with", "scores", "decide", "key")
            )
            and not any(one is not None and one.obstacle for one in (self.rule, *self._rules))
        )

    def _task(self) -> Task:
        """What the ensemble would simulate, with whatever was changed in this model."""
        return self._built._replace(
            world=self.world, policy=self.policy, parameters=self.parameters, rule=self.rule,
            rule_parameters=self.rule_parameters, extensions=self.extensions,
            seed=self.draws_seed,
        )  # fmt: skip

    def _finish_quarter(self, measures: dict[str, float]) -> None:
        self.measures = measures
        self.datacollector.collect(self)
        self.quarter += 1
        self.running = self.quarter < self.simulated.horizon

    def _regions_do(self, step: str) -> None:
        """Let the regions of every class take a step; other agents take none."""
        for kind, agents in self.agents_by_type.items():
            if issubclass(kind, RegionalGovernment):
                agents.do(step)

    def _custom_measures(self) -> dict[str, float]:
        """The values of user-defined measures at the end of the quarter."""
        found, extensions = {}, self.extensions
        parameters = extensions.parameters[len(extensions.targets) :]
        for measure, p in zip(extensions.measures, parameters, strict=True):
            with undefined_as_nan():
                value = float(measure.fastest(self.state, p))
            found[measure.name] = value if np.isfinite(value) else np.nan
        return found

    def agreements(self) -> list[dict[str, Any]]:
        """The present joint bodies: area, form, age in years, and the codes of members.

        Of a contract, ``provider`` is the code of the region that serves the others, its buyers; it
        is None in all other forms.
        """
        return list_bodies(self.simulated, self.state, self.quarter)

    def graph(self) -> nx.Graph:
        """Return the present network of regions, linked where they are partners in a joint body.

        Partners are all pairs of members; under a contract, the provider and each of its buyers.
        Nodes are the codes of all regions, with ``name``, ``population`` and ``tier``. An edge has
        the number of ``bodies`` that the two share, their ``areas`` (names separated by commas),
        and, if the two are contacts, the ``trust`` between them: the mean of both ways, 0 to 1.
        """
        import networkx as nx

        graph = nx.Graph(scenario=self.simulated.name, quarter=self.quarter)
        for region in self.regional_governments:
            about = {"name": region.name, "population": region.population, "tier": region.tier}
            graph.add_node(region.code, **about)
        trust = {region.code: region.trust for region in self.regional_governments}
        for agreement in self.agreements():
            for pair in list_ties(agreement):
                if not graph.has_edge(*pair):
                    graph.add_edge(*pair, bodies=0, areas="")
                edge = graph.edges[pair]
                edge["bodies"] += 1
                edge["areas"] += f", {agreement['area']}" if edge["areas"] else agreement["area"]
        for a, b, edge in graph.edges(data=True):
            known = [trust[x][y] for x, y in ((a, b), (b, a)) if y in trust[x]]
            if known:
                edge["trust"] = sum(known) / len(known)
        return graph

    @cached_property
    def grid(self) -> Network:
        """The network of contacts, from which Mesa draws the regions.

        Its cells are the rows of the regions, and its links their contacts, which never change;
        coordinates in the table become the nodes' ``place`` (degrees east, degrees north).
        """
        import networkx as nx
        from mesa.discrete_space import Network

        regions, table = self.regional_governments, self.simulated.regions
        graph = nx.Graph()
        graph.add_nodes_from(region.row for region in regions)
        graph.add_edges_from((one.row, other.row) for one in regions for other in one.contacts)
        where = zip(table.longitude.tolist(), table.latitude.tolist(), strict=True)
        places = {row: place for row, place in enumerate(where) if np.isfinite(place).all()}
        nx.set_node_attributes(graph, places, "place")
        # From 3.5 on a network takes the positions of its cells; otherwise it invents them.
        says = "layout" in inspect.signature(Network).parameters
        grid = Network(graph, random=self.random, **({"layout": places} if says else {}))
        for region in regions:
            region.cell = grid[region.row]
            region.cell.add_agent(region)
        return grid


def on_the_map(graph: nx.Graph, **_options: object) -> dict[object, tuple[float, float]]:
    """Layout that puts regions at their coordinates, for Mesa: ``layout_alg=on_the_map``.

    Raises :class:`~kolabsim.errors.InputError` if the table lacks the coordinates of a region.
    """
    places = dict(graph.nodes(data="place"))
    if None in places.values():
        raise InputError.of(_("no map: some regions have no coordinates in the table"))
    return places


def is_whole(value: object, end: int) -> bool:
    """Whether a value is a whole number from 0 up to, but not including, an end."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        return False
    return 0 <= int(value) < end


def _refuse_late(model: CollaborationModel) -> None:
    """Refuse regions and supporters added to a finished model, which would never act."""
    if hasattr(model, "supporters"):
        text = _("regions and supporters cannot be added to a run; add them to the scenario")
        raise InputError.of(text)


def _not_removed(name: str) -> InputError:
    return InputError.of(
        _("{name} cannot be removed from a run; leave it out of the scenario"), name=name
    )


STEPS = frozenset(("choose", "identify", "communicate", "plan", "coordinate", "evaluate"))
"""The methods of a region that are its part in a quarter."""
OFFER = frozenset(("offer",))
"""The method of a supporter that is its part."""


def _is_unchanged(kind: type, agents: Iterable[mesa.Agent]) -> bool:
    """Whether agents of a class take the model's own part in a quarter."""
    of = next((one for one in (RegionalGovernment, Supporter) if issubclass(kind, one)), None)
    if of is None:
        return True  # they have no part in it
    names = STEPS if of is RegionalGovernment else OFFER
    return all(getattr(kind, name) is getattr(of, name) for name in names) and all(
        names.isdisjoint(vars(agent)) for agent in agents
    )


def _reporter(name: str) -> Callable[[CollaborationModel], float]:
    return lambda model: model.measures[name]
