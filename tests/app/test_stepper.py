"""One run of the user's strategy, quarter by quarter."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from kolabsim.app.session import YOURS
from kolabsim.app.stepper import Stepper
from kolabsim.app.texts import history_html, quarter_html
from kolabsim.engine.ensemble import build_task
from kolabsim.i18n import speaking
from kolabsim.report.history import event_sentence, listed_events
from kolabsim.study.replay import replay_task


def test_a_stepper_shows_run_0_of_the_comparison(estimate):
    stepper = Stepper(estimate.session)
    assert stepper.moment.startswith("After 0 of 12 quarters")
    stepper.step(12)
    assert stepper.is_over
    quarters = estimate.results.quarters
    last = quarters[
        (quarters["strategy"] == YOURS)
        & (quarters["future"] == next(iter(estimate.session.futures)))
        & (quarters["run"] == 0)
        & (quarters["quarter"] == 11)
    ].iloc[0]
    assert stepper.model.measures["trust"] == last["trust"]
    assert stepper.chart().rows, "nobody shares anything"
    assert "<li>" in quarter_html(stepper.measures(), stepper.events())


def test_a_stepper_speaks_both_languages(estimate):
    stepper = Stepper(estimate.session)
    with speaking("id"):
        assert stepper.moment.startswith("Setelah 0 dari 12 triwulan")
        assert stepper.events() == ["Tidak ada lembaga kerja sama yang mulai atau berakhir."]


def test_a_stepper_tells_what_has_happened_to_a_region_so_far(estimate):
    stepper = Stepper(estimate.session)
    region = stepper.model.simulated.regions.codes[3]
    assert stepper.tell(region) == []
    assert "Nothing has happened" in history_html(stepper.tell(region))
    stepper.step(12)
    told = stepper.tell(region)
    assert told, "a region without any event"
    whole = replay_task(
        stepper.model.simulated,
        build_task(
            stepper.model.simulated, stepper.model.strategy, seed=estimate.session.first_world[1]
        ),
        strategy=YOURS, run=0, future="default",
    )  # fmt: skip
    assert whole.quarters["trust"].iloc[-1] == stepper.model.measures["trust"]
    shown = listed_events(whole, region, None, 12)
    assert [one.what for one in told] == [event_sentence(whole, row) for row in reversed(shown)]
    assert history_html(told).count("<li>") == len(told)


def test_quick_clicks_give_the_run_that_slow_ones_give(estimate):
    """Steps that are asked for side by side follow each other: they change one model."""
    slow, quick = Stepper(estimate.session), Stepper(estimate.session)
    slow.step(12)
    with ThreadPoolExecutor(6) as clicks:
        for _done in clicks.map(quick.step, [2] * 6):
            pass
    assert quick.is_over
    np.testing.assert_equal(quick.model.measures, slow.model.measures)
