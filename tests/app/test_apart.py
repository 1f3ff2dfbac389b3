"""Work in a process of its own: what it returns, and how it is ended."""

import multiprocessing
import os
import sys
import time

import pytest

from kolabsim.app import apart
from kolabsim.app.apart import FailedError, Limits, call
from kolabsim.app.form import Form
from kolabsim.app.importing import Preview
from kolabsim.app.uploads import Uploads, load_shipped
from kolabsim.errors import InputError
from kolabsim.i18n import language, speaking
from kolabsim.scenario.scenario import Scenario

SHORT = Limits(seconds=1, megabytes=300)


def test_a_result_and_a_refusal_come_back():
    assert call(sum, [1, 2, 3]) == 6
    with pytest.raises(InputError, match="did you mean 'kartamantul'"):
        call(Scenario.load, "kartamantel")
    with speaking("id"):
        assert call(language) == "id"


def refuse_memory():
    raise RuntimeError("GEOSException: std::bad_alloc")


def test_a_library_that_gets_no_memory_is_no_unknown_error():
    with pytest.raises(InputError, match="MB of memory"):
        call(refuse_memory)


def test_an_error_comes_back_with_its_text():
    with pytest.raises(FailedError, match="ValueError: invalid literal"):
        call(int, "x")


@pytest.mark.skipif(sys.platform == "win32", reason="there, time alone is limited")
def test_what_takes_too_long_is_ended():
    with pytest.raises(InputError, match="more than the 1 seconds that this page allows"):
        call(sum, range(10**12), limits=SHORT)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is limited on Linux")  # noqa: PTH110
def test_what_takes_too_much_memory_is_ended():
    with pytest.raises(InputError, match="more than the 300 MB of memory"):
        call(bytes, 10**9, limits=SHORT)


def test_what_only_waits_is_ended(monkeypatch):
    monkeypatch.setattr(apart, "PATIENCE", 0.2)
    with pytest.raises(InputError, match="seconds that this page allows"):
        call(time.sleep, 60, limits=SHORT)


def test_a_crash_is_the_problem_of_one_call_alone():
    with pytest.raises(InputError):
        call(os.abort)
    assert call(len, "abc") == 3


def test_an_answer_that_nobody_waits_for_is_no_error(monkeypatch):
    monkeypatch.setattr(apart, "_limit", lambda _limits: None)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    ours.close()
    apart._work(theirs, SHORT, "en", len, ("abc",))


def test_uploads_are_read_apart_with_the_same_result():
    text = b"extends: kartamantul\ntitle: mine\n"
    here, there = Uploads(), Uploads(call)
    one, other = here.load(here.add({"x.yaml": text})), there.load(there.add({"x.yaml": text}))
    assert other.scenario.resolved() == one.scenario.resolved()
    assert other.scenario.with_(horizon=4).horizon == 4
    there.close()
    here.close()
    with pytest.raises(InputError, match=r"x\.yaml:2"):
        there.add({"x.yaml": b"extends: kartamantul\nhorizon: -1\n"})


def test_a_preview_that_is_read_apart_is_examined_once():
    table = b"code,population\n" + b"".join(b"S%d,%d\n" % (k, 40_000 + 9_000 * k) for k in range(4))
    preview = Preview({"m.csv": table})
    first = preview.look_apart(preview.form, call)
    second = preview.look_apart(preview.form.chosen("neighbourhood", None), call)
    assert second.regions is first.regions
    assert second.found is first.found
    here = Preview({"m.csv": table})
    assert first.draft.files == here.look(Form("m")).draft.files
    other = preview.look_apart(preview.form.answered("unit", "thousands"), call)
    assert other.regions is not first.regions
    assert other.regions.population[0] == 40_000_000


def test_limits_are_scaled_together():
    assert Limits(20, 1500).scaled(2) == Limits(40, 3000)
    assert Limits(20, 1500).scaled(0.001) == Limits(1, 100)


# The work of a scenario ---------------------------------------------------------------------------

HEAVY = """\
extends: indonesia
regions: {synthetic: {number: 600, median_population: 30000}}
horizon: 400
contacts: {nearest: 100}
"""


def test_a_scenario_that_is_too_much_work_says_how_much_and_where_there_is_no_limit(uploads):
    with pytest.raises(InputError) as refusal:
        uploads.add({"x.yaml": HEAVY.encode()})
    told = str(refusal.value)
    for part in ("times the work", "600 regions", "contacts", "400 quarters", "kolabsim run"):
        assert part in told
    uploads.factor = 1000.0
    assert uploads.add({"x.yaml": HEAVY.encode()})


def test_more_strategies_than_a_list_can_show_are_refused(uploads):
    many = "".join(f"  s{k}: {{mechanisms: {{team: 0.5}}}}\n" for k in range(400))
    with pytest.raises(InputError, match="strategies, service areas and groups are too many"):
        uploads.add({"x.yaml": f"extends: kartamantul\nstrategies:\n{many}".encode()})


def test_shipped_scenarios_are_within_the_limit_on_work():
    from kolabsim.app.uploads import list_shipped
    from kolabsim.app.work import check_work
    from kolabsim.engine.ensemble import build_task

    for name in list_shipped():
        scenario = load_shipped(name)
        check_work(build_task(scenario, scenario.strategies["voluntary"], seed=1), name)
