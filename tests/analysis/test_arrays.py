import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import arrange
from kolabsim.study.collect import tidy


def test_a_cube_has_a_place_for_every_row_and_nan_elsewhere():
    table = pd.DataFrame({"who": ["y", "x", "z"], "run": [1, 0, 0], "value": [1.0, 2.0, 3.0]})
    found = arrange(table, {"who": ["x", "y"], "run": [0, 1]}, ["value"])[..., 0]
    np.testing.assert_array_equal(found, [[2.0, np.nan], [np.nan, 1.0]])


def test_a_tidy_table_holds_every_combination_of_its_keys():
    found = tidy({"who": ("x", "y"), "run": (0, 1)}, {"value": np.array([[1.0, 2.0], [3.0, 4.0]])})
    assert found["who"].tolist() == ["x", "x", "y", "y"]
    assert found["value"].tolist() == [1.0, 2.0, 3.0, 4.0]
    back = arrange(found, {"who": ("x", "y"), "run": (0, 1)}, ["value"])[..., 0]
    np.testing.assert_array_equal(back, [[1.0, 2.0], [3.0, 4.0]])
