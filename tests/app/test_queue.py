"""The fair queue: whose turn it is, and what becomes of work that nobody waits for."""

import threading
from itertools import count

import pytest

from kolabsim.app.queue import ABOUT, CREDIT, Queue
from kolabsim.app.recent import Recent
from kolabsim.i18n import language, speaking


class Gate:
    """One thread that is busy until it is let go, and the order in which it works afterwards."""

    def __init__(self):
        self.queue, self.order = Queue(1, "test"), []
        self.open, self.busy = threading.Event(), threading.Event()
        self.queue.line().submit(self.wait)
        self.busy.wait(60)

    def wait(self):
        self.busy.set()
        self.open.wait(60)

    def ask(self, line, name, *, is_urgent=False, work=0):
        def job():
            self.order.append(name)
            return sum(range(work))

        return line.submit(job, is_urgent=is_urgent)

    def let_go(self, futures):
        self.open.set()
        for future in futures:
            future.result(60)
        return self.order


def test_a_second_request_waits_for_the_first_ones_of_others():
    gate = Gate()
    one, other, third = (gate.queue.line() for _line in range(3))
    asked = [gate.ask(one, f"one {k}", work=300_000) for k in range(4)]
    asked += [gate.ask(other, f"other {k}", work=300_000) for k in range(2)]
    asked.append(gate.ask(third, "third"))
    order = gate.let_go(asked)
    assert set(order[:3]) == {"one 0", "other 0", "third"}
    assert order[-1] == "one 3"
    assert [name for name in order if name.startswith("one")] == [f"one {k}" for k in range(4)]


def test_what_somebody_waits_for_comes_before_what_can_wait():
    gate = Gate()
    one, other = gate.queue.line(), gate.queue.line()
    asked = [gate.ask(one, "refinement"), gate.ask(other, "answer", is_urgent=True)]
    assert gate.let_go(asked) == ["answer", "refinement"]


def test_urgent_work_of_those_who_used_much_waits_for_all_work_of_others():
    gate = Gate()
    greedy, modest, other = (gate.queue.line() for _line in range(3))
    asked = [gate.ask(other, "refinement")]
    asked.append(gate.ask(greedy, "greedy", is_urgent=True))
    asked.append(gate.ask(modest, "modest", is_urgent=True))
    greedy.used, modest.used, other.used = 1.1 * CREDIT, 0.9 * CREDIT, 0.0
    assert gate.let_go(asked) == ["modest", "refinement", "greedy"]


def test_answers_of_those_who_ask_for_much_wait_for_answers_but_not_for_refinements():
    gate = Gate()
    heavy, light, other = (gate.queue.line() for _line in range(3))
    heavy.is_heavy = True
    asked = [gate.ask(other, "refinement"), gate.ask(heavy, "heavy", is_urgent=True)]
    asked.append(gate.ask(light, "light", is_urgent=True))
    assert gate.let_go(asked) == ["light", "heavy", "refinement"]


class Hall:
    """Two threads whose work ends when the test says so; the clock of all work is the test's."""

    def __init__(self):
        self.times = count()
        self.queue = Queue(2, "test", lambda: next(self.times) * 1e-6)
        self.running, self.changed = [], threading.Condition()

    def ask(self, line, name, *, is_long=False):
        end = threading.Event()

        def job():
            with self.changed:
                self.running.append(name)
                self.changed.notify_all()
            end.wait(60)
            with self.changed:
                self.running.remove(name)

        return end, line.submit(job, is_long=is_long)

    def await_running(self, *names):
        with self.changed:
            assert self.changed.wait_for(lambda: sorted(self.running) == sorted(names), 60)


def test_the_last_thread_is_free_of_long_work_while_others_are_about():
    hall = Hall()
    heavy, light = hall.queue.line(), hall.queue.line()
    heavy.is_heavy = True
    (first, one), (second, two) = (hall.ask(heavy, f"heavy {k}") for k in range(2))
    hall.await_running("heavy 0", "heavy 1")  # nobody else is about
    first.set()
    second.set()
    one.result(60)
    two.result(60)
    ended, done = hall.ask(light, "light")
    ended.set()
    done.result(60)
    waiting = [hall.ask(heavy, f"heavy {k}") for k in range(2, 4)]
    hall.await_running("heavy 2")
    ended, done = hall.ask(light, "more light")
    hall.await_running("heavy 2", "more light")
    ended.set()
    done.result(60)
    light.last -= ABOUT  # long ago
    ended, done = hall.ask(heavy, "heavy 4")
    hall.await_running("heavy 2", "heavy 3")
    for end, future in (*waiting, (ended, done)):
        end.set()
        future.result(60)


def test_a_thread_is_free_of_long_work_of_those_whose_work_is_short_otherwise():
    hall = Hall()
    one, other = hall.queue.line(), hall.queue.line()
    waiting = [hall.ask(one, "report 0", is_long=True)]
    hall.await_running("report 0")
    waiting.append(hall.ask(other, "report 1", is_long=True))
    ended, done = hall.ask(other, "estimate")  # not even behind the report of its own visitor
    hall.await_running("report 0", "estimate")
    ended.set()
    done.result(60)
    for end, future in waiting:
        end.set()
        future.result(60)


def test_those_who_come_back_have_no_credit():
    gate = Gate()
    one, other = gate.queue.line(), gate.queue.line()
    one.used = 5.0
    gate.queue._clock = 7.0
    asked = [gate.ask(one, "one", work=10), gate.ask(other, "other")]
    assert one.used == other.used == 7.0
    gate.let_go(asked)


def test_a_closed_line_leaves_nothing_waiting():
    gate = Gate()
    line = gate.queue.line()
    waiting = [gate.ask(line, "never"), gate.ask(line, "nor this", is_urgent=True)]
    line.close()
    assert all(future.cancelled() for future in waiting)
    assert gate.let_go([gate.ask(gate.queue.line(), "other")]) == ["other"]


def test_an_error_is_that_of_its_visitor_and_stops_nobody():
    queue = Queue(1, "test")
    broken = queue.line().submit(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        broken.result(60)
    assert queue.line().submit(lambda: 5).result(60) == 5


def test_work_is_done_in_the_language_of_its_visitor():
    queue = Queue(1, "test")
    with speaking("id"):
        asked = queue.line().submit(language)
    assert asked.result(60) == "id"


def test_what_was_not_used_for_longest_makes_room():
    found = Recent(2)
    found.put("a", 1)
    found.put("b", 2)
    assert found.get("a") == 1
    found.put("c", 3)
    assert [found.get(key) for key in "abc"] == [1, None, 3]
