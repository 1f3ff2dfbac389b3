"""The structure of networks: on small ones that are known by hand."""

import networkx as nx
import numpy as np
import pytest

from kolabsim.validation import structure as s


def test_a_network_by_hand():
    # Area a: bodies {0, 1, 2} and {3, 4}; area b: {2, 3}; region 5 alone.
    a = np.array([[0], [0], [0], [1], [1], [-1]])
    b = np.array([[-1], [-1], [7], [7], [-1], [-1]])
    found = s.describe_network({"a": a, "b": b})
    assert found["share.a"] == pytest.approx(5 / 6)
    assert found["size.a"] == 2.5
    assert (found["share.b"], found["size.b"]) == (pytest.approx(2 / 6), 2.0)
    # Partners: 2, 2, 3, 2, 1, 0. Triples 1+1+3+1 = 6, closed 3 (one triangle).
    assert found["partners"] == pytest.approx(10 / 6)
    assert found["isolates"] == pytest.approx(1 / 6)
    assert found["transitivity"] == pytest.approx(3 / 6)
    assert found["largest_component"] == pytest.approx(5 / 6)
    # Sorted 0 1 2 2 2 3, ranks weighted -5 -3 -1 1 3 5: 18; over 6 x 10.
    assert found["degree_gini"] == pytest.approx(18 / 60)


def test_ties_and_transitivity_are_those_of_networkx():
    rng = np.random.default_rng(3)
    bodies = rng.integers(-1, 12, (60, 3))
    same = (bodies[:, None] == bodies[None]) & (bodies[:, None] >= 0)
    graph = nx.from_numpy_array(same.any(axis=2) & ~np.eye(60, dtype=bool))
    np.testing.assert_array_equal(s.ties_between(bodies).toarray(), nx.to_numpy_array(graph))
    found = s.describe_network({"any": bodies})
    assert found["transitivity"] == pytest.approx(nx.transitivity(graph))
    assert found["largest_component"] == max(map(len, nx.connected_components(graph))) / 60


def test_buyers_of_one_provider_are_no_partners():
    """Region 0 provides a to 1 and 2, which share b with each other on a board."""
    bodies = np.array([[0, -1], [0, 7], [0, 7], [-1, -1]])
    buyers = np.array([[0, 0], [1, 0], [1, 0], [0, 0]], bool)
    star = s.ties_between(bodies[:, :1], buyers[:, :1]).toarray()
    assert star.sum() == 4
    assert star[0].tolist() == [0, 1, 1, 0]
    assert s.ties_between(bodies, buyers).toarray()[1].tolist() == [1, 0, 1, 0]
    assert (
        s.describe_network({"a": bodies[:, :1]}, s.ties_between(bodies[:, :1], buyers[:, :1]))[
            "transitivity"
        ]
        == 0.0
    )


def test_nobody_shares_in_an_empty_network():
    found = s.describe_network({"a": np.full((4, 1), -1)})
    assert (found["partners"], found["isolates"], found["transitivity"]) == (0.0, 1.0, 0.0)
    assert np.isnan(found["size.a"])


def test_sizes_of_bodies_by_hand():
    bodies = np.array([[0, -1], [0, -1], [0, 7], [1, 7], [1, -1]])
    found = s.share_by_size([bodies])
    assert found[2] == pytest.approx(2 / 3)
    assert found[3] == pytest.approx(1 / 3)
    assert found.sum() == pytest.approx(1.0)


def test_the_observed_network_is_no_distance_from_itself(network):
    rows = ~network.held_out
    observed = network.observed_layers(rows)
    draws = s.draw_ties(
        network.pairs, network.observed.slots, rows, network.held_out, 5,
        areas=network.observed.areas,
    )  # fmt: skip
    fit = s.fit_structure(observed, [observed] * 5, draws)
    assert fit.distance[0] == fit.distance_of_ties[0] == 0.0
    assert fit.distance[1] > 0.0
    assert all(one.is_nearer or one.observed == one.drawn[0] for one in fit.features)
    np.testing.assert_allclose(fit.sizes[0], fit.sizes[1])


def test_drawn_ties_are_as_many_as_observed(network):
    """A logistic regression with a constant keeps the number of ties."""
    rows = ~network.held_out
    drawn = s.draw_ties(
        network.pairs, network.observed.slots, rows, network.held_out, 300,
        areas=network.observed.areas, seed=2,
    )  # fmt: skip
    mean = np.mean([one["partners"] for one in drawn])
    observed = s.describe_network(network.observed_layers(rows))
    assert mean == pytest.approx(observed["partners"], rel=0.1)
