import numpy as np
import pytest

from kolabsim.analysis.variance import attributes_share, share_of_nature
from tests.builders import make_scenario


def made_up(share, groups, repeats, seed):
    luck = np.random.default_rng(seed)
    between = np.sqrt(share) * luck.standard_normal((groups, 1))
    return between + np.sqrt(1 - share) * luck.standard_normal((groups, repeats))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_the_interval_holds_the_truth_as_often_as_it_says(share):
    cases = [share_of_nature(made_up(share, 20, 8, seed)) for seed in range(400)]
    inside = np.mean([low <= share <= high for _share, low, high in cases])
    assert 0.92 <= inside <= 0.985
    assert np.mean([found for found, _low, _high in cases]) == pytest.approx(share, abs=0.05)


def test_by_hand():
    # Means 1 and 3: between = 2 * 2 = 4. Within: 4 * 0.5^2 over 2 degrees of freedom = 0.5.
    values = np.array([[0.5, 1.5], [2.5, 3.5]])
    share = (4 - 0.5) / (4 + 0.5)
    assert share_of_nature(values)[0] == pytest.approx(share)


def test_nothing_varies():
    assert np.isnan(share_of_nature(np.ones((4, 3)))).all()
    assert share_of_nature(np.arange(4.0)[:, None] * np.ones((4, 3))) == (1.0, 1.0, 1.0)


def test_a_world_in_which_all_is_given_leaves_everything_to_luck():
    rows = [
        {
            "code": f"R{i}", "population": 20_000, "latitude": 0.1 * i, "longitude": 0.0,
            "capacity": 0.6, "stress": 0.3, "culture_1": 0, "culture_2": 0, "culture_3": 0,
            "interest_roads": 1,
        }
        for i in range(4)
    ]  # fmt: skip
    drawn = {"parameters": {"trust_spread": 0.0, "misperception": 0.0, "attention_base": -1.0}}
    scenario = make_scenario(rows, areas={"roads": {"curvature_below": 0.3}}, **drawn)
    found = attributes_share(scenario, "voluntary", ["cooperation"], worlds=12, repeats=12)
    # Autonomy and goodwill are still drawn, and weigh little.
    assert found["low"][0] < 0.1
