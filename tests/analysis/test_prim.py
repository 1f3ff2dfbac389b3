import numpy as np
import pandas as pd

from kolabsim.analysis.prim import Field, Range, share_a_side


def test_what_was_peeled_too_far_is_pasted_on():
    settings = pd.DataFrame({"x": np.arange(100.0), "y": np.arange(100.0) % 7})
    fails = (settings["x"] >= 60).to_numpy()
    field = Field.of(settings)
    assert field.paste({"x": Range(75.0, np.inf)}, fails) == {"x": Range(60.0, np.inf)}
    assert field.paste({"x": Range(60.0, 99.0)}, fails) == {"x": Range(60.0, np.inf)}
    needless = {"x": Range(60.0, np.inf), "y": Range(0.0, np.inf)}
    assert field.paste(needless, fails) == {"x": Range(60.0, np.inf)}


def test_restrictions_agree_only_on_the_same_side():
    whole = Range(-np.inf, np.inf)
    assert share_a_side(Range(1.0, np.inf), Range(2.0, 5.0), whole)
    assert not share_a_side(Range(1.0, np.inf), Range(-np.inf, 5.0), whole)
    assert not share_a_side(Range(1.0, np.inf), None, whole)
    words = frozenset("abc")
    assert share_a_side(frozenset("a"), frozenset("ab"), words)
    assert not share_a_side(frozenset("ab"), frozenset("bc"), words)
