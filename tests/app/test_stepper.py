"""One run of the user's strategy, quarter by quarter."""

from kolabsim.app.session import YOURS
from kolabsim.app.stepper import Stepper
from kolabsim.app.texts import quarter_html
from kolabsim.i18n import speaking


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
