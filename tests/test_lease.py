from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from clocks import Time

from nightjar.adapters.memory.state import MemoryState
from nightjar.errors import HeldBack, Misconfigured, Superseded, Transient
from nightjar.lease import KEY, Lease, standing
from nightjar.owner import Owner, Process

ELSEWHERE = Owner("cli other-host:1", Process("another machine", 1, 1))
NOBODY_KNOWN = Owner("cli somewhere:2")
REINDEX = Owner.dag("reindex_handbook")
TTL_S = 60.0


@pytest.fixture
def state() -> MemoryState:
    return MemoryState()


@pytest.fixture
def time() -> Time:
    return Time()


def acquire(state: MemoryState, time: Time, run_id: str, owner: Owner = NOBODY_KNOWN) -> Lease:
    return Lease.acquire(state, run_id=run_id, owner=owner, ttl_s=TTL_S, clock=time.clock)


def test_nobody_holds_a_new_corpus(state: MemoryState, time: Time) -> None:
    assert standing(state) is None
    acquire(state, time, "a").verify()
    holding = standing(state)
    assert holding is not None
    assert holding.run_id == "a"


def test_a_released_lease_is_taken_at_once(state: MemoryState, time: Time) -> None:
    acquire(state, time, "a", ELSEWHERE).release()
    assert standing(state) is None
    acquire(state, time, "b")
    assert time.slept == 0


def test_a_lease_that_is_renewed_holds_others_back_and_says_who_and_since_when(state: MemoryState, time: Time) -> None:
    first = acquire(state, time, "a", ELSEWHERE)
    time.meanwhile = first.renew
    with pytest.raises(HeldBack, match="run a of cli other-host:1 has been running since 2026-11-23 02:00:00 UTC"):
        acquire(state, time, "b")
    first.verify()


def test_a_lease_that_stands_still_for_its_time_to_live_is_taken_over(state: MemoryState, time: Time) -> None:
    acquire(state, time, "a", ELSEWHERE)
    time.seconds += 10 * TTL_S  # how long it stood before anybody looked proves nothing
    acquire(state, time, "b")
    assert time.slept == pytest.approx(TTL_S)


def test_the_holder_stops_trusting_its_lease_before_anybody_may_take_it(state: MemoryState, time: Time) -> None:
    first = acquire(state, time, "a", ELSEWHERE)
    acquire(state, time, "b")
    assert not first.outlives(0)


def test_a_lease_that_is_released_while_watched_is_taken(state: MemoryState, time: Time) -> None:
    first = acquire(state, time, "a", ELSEWHERE)
    time.meanwhile = first.release
    acquire(state, time, "b")
    assert time.slept < TTL_S / 2


def test_a_renewal_between_the_last_look_and_the_takeover_keeps_the_lease(time: Time) -> None:
    class RenewsAtTheLastMoment(MemoryState):
        def replace(self, key: str, data: bytes, *, etag: str) -> str | None:
            if json.loads(data)["run_id"] == "b":
                first.renew()
            return super().replace(key, data, etag=etag)

    state = RenewsAtTheLastMoment()
    first = acquire(state, time, "a", ELSEWHERE)
    with pytest.raises(HeldBack, match="run a "):
        acquire(state, time, "b")


def test_an_ousted_run_never_gets_the_lease_back(state: MemoryState, time: Time) -> None:
    first = acquire(state, time, "a", ELSEWHERE)
    acquire(state, time, "b").release()
    for attempt in (first.verify, first.renew, lambda: first.assure(1), lambda: acquire(state, time, "a")):
        with pytest.raises(Superseded, match="run a no longer holds the corpus, so it is over: trigger a new one"):
            attempt()


def test_a_run_that_released_to_wait_may_go_on_later(state: MemoryState, time: Time) -> None:
    acquire(state, time, "a").release()
    acquire(state, time, "b").release()
    acquire(state, time, "a").verify()


def test_a_run_takes_its_own_lease_again_and_its_older_processes_are_over(state: MemoryState, time: Time) -> None:
    first = acquire(state, time, "a", REINDEX)
    again = acquire(state, time, "a", REINDEX)
    assert time.slept == 0
    assert again.attempt > first.attempt
    with pytest.raises(Superseded):
        first.verify()


def test_another_run_of_the_same_dag_takes_over_at_once(state: MemoryState, time: Time) -> None:
    first = acquire(state, time, "monday", REINDEX)
    acquire(state, time, "tuesday", REINDEX)
    assert time.slept == 0
    with pytest.raises(Superseded):
        first.renew()


def test_a_run_that_was_overtaken_while_it_stalled_looks_before_it_writes(state: MemoryState, time: Time) -> None:
    stalled = acquire(state, time, "a", owner=Owner.dag("reindex_handbook"))
    stalled.assure(10)
    time.sleep(5)
    acquire(state, time, "b", owner=Owner.dag("reindex_handbook"))
    assert stalled.outlives(10)
    with pytest.raises(Superseded):
        stalled.assure(10)


def test_another_dag_waits_like_anybody(state: MemoryState, time: Time) -> None:
    acquire(state, time, "monday", REINDEX)
    acquire(state, time, "rollback", Owner.dag("operate_handbook"))
    assert time.slept == pytest.approx(TTL_S)


def test_a_dead_process_of_this_machine_is_succeeded_at_once(state: MemoryState, time: Time) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    here = this_process()
    acquire(state, time, "a", Owner("cli here", replace(here, pid=gone.pid)))
    acquire(state, time, "b")
    assert time.slept == 0


def test_a_process_id_given_to_another_process_does_not_count_as_alive(state: MemoryState, time: Time) -> None:
    here = this_process()
    acquire(state, time, "a", Owner("cli here", replace(here, started=here.started - 1)))
    acquire(state, time, "b")
    assert time.slept == 0


def test_a_living_process_of_this_machine_holds_others_back_without_watching(state: MemoryState, time: Time) -> None:
    acquire(state, time, "a", Owner("cli here", this_process()))
    with pytest.raises(HeldBack, match="run a of cli here"):
        acquire(state, time, "b")
    assert time.slept == 0


def test_a_living_process_that_ceased_to_renew_is_watched_and_then_succeeded(state: MemoryState, time: Time) -> None:
    acquire(state, time, "a", Owner("cli here", this_process()))
    time.seconds += 2 * TTL_S
    acquire(state, time, "b")
    assert time.slept == pytest.approx(TTL_S)


def test_a_clock_that_was_set_back_does_not_make_a_hung_process_look_alive(state: MemoryState, time: Time) -> None:
    acquire(state, time, "a", Owner("cli here", this_process()))
    back = replace(time.clock, now=lambda: time.clock.now() - timedelta(hours=1))
    Lease.acquire(state, run_id="b", owner=Owner("cli here:2"), ttl_s=TTL_S, clock=back)
    assert time.slept == pytest.approx(TTL_S)


def test_a_process_of_another_machine_is_never_judged_from_here(state: MemoryState, time: Time) -> None:
    acquire(state, time, "a", Owner("cli there", replace(this_process(), machine="another boot pid:[1]", pid=2**30)))
    acquire(state, time, "b")
    assert time.slept == pytest.approx(TTL_S)


def test_other_processes_of_a_run_attach_and_their_renewals_do_not_disturb_one_another(
    state: MemoryState, time: Time
) -> None:
    settled = acquire(state, time, "a", REINDEX)
    tasks = [Lease.attach(state, run_id="a", clock=time.clock) for _ in range(3)]
    for lease in (settled, *tasks):
        lease.renew()
        assert lease.outlives(TTL_S - 1)


def test_a_renewal_that_a_sibling_was_quicker_with_counts(time: Time) -> None:
    class SiblingIsQuicker(MemoryState):
        quick = False

        def replace(self, key: str, data: bytes, *, etag: str) -> str | None:
            if self.quick:
                self.quick = False
                sibling.renew()
            return super().replace(key, data, etag=etag)

    state = SiblingIsQuicker()
    lease = acquire(state, time, "a", REINDEX)
    sibling = Lease.attach(state, run_id="a", clock=time.clock)
    time.seconds += TTL_S / 2
    state.quick = True
    lease.renew()
    assert lease.outlives(TTL_S - 1)


@pytest.mark.parametrize("prepare", ["nothing", "released", "another run"])
def test_attaching_to_a_lease_that_is_not_this_runs_ends_the_task(state: MemoryState, time: Time, prepare: str) -> None:
    if prepare != "nothing":
        lease = acquire(state, time, "a" if prepare == "released" else "b", REINDEX)
        if prepare == "released":
            lease.release()
    with pytest.raises(Superseded, match="run a "):
        Lease.attach(state, run_id="a", clock=time.clock)


def test_releasing_a_lost_lease_takes_nothing_from_its_holder(state: MemoryState, time: Time) -> None:
    first = acquire(state, time, "a", REINDEX)
    second = acquire(state, time, "b", REINDEX)
    first.release()
    second.verify()


def test_releasing_prevails_over_a_renewal_at_the_same_moment(time: Time) -> None:
    class SiblingIsQuicker(MemoryState):
        quick = False

        def replace(self, key: str, data: bytes, *, etag: str) -> str | None:
            if self.quick:
                self.quick = False
                sibling.renew()
            return super().replace(key, data, etag=etag)

    state = SiblingIsQuicker()
    lease = acquire(state, time, "a", REINDEX)
    sibling = Lease.attach(state, run_id="a", clock=time.clock)
    state.quick = True
    lease.release()
    assert standing(state) is None


def test_a_released_lease_outlives_nothing(state: MemoryState, time: Time) -> None:
    lease = acquire(state, time, "a")
    assert lease.outlives(1)
    lease.release()
    assert not lease.outlives(0)


def test_a_request_longer_than_what_is_left_renews_first(state: MemoryState, time: Time) -> None:
    lease = acquire(state, time, "a")
    time.seconds += TTL_S - 5
    assert not lease.outlives(10)
    lease.assure(10)
    assert lease.outlives(10)


def test_a_request_longer_than_any_lease_is_not_begun(state: MemoryState, time: Time) -> None:
    lease = acquire(state, time, "a")
    with pytest.raises(Transient, match="could not be renewed for 61 s"):
        lease.assure(TTL_S + 1)


def test_a_damaged_lease_is_named(state: MemoryState, time: Time) -> None:
    state.write(KEY, b'{"run_id": 5}')
    with pytest.raises(Misconfigured, match=r"lease\.json is damaged"):
        acquire(state, time, "a")


class TestHeartbeat:
    """With real time, and leases so short that beats come every few milliseconds."""

    @pytest.fixture
    def beaten(self) -> Iterator[tuple[MemoryState, Lease, Event]]:
        beat = Event()

        class Listens(MemoryState):
            def replace(self, key: str, data: bytes, *, etag: str) -> str | None:
                beat.set()
                return super().replace(key, data, etag=etag)

        state = Listens()
        lease = Lease.acquire(state, run_id="a", owner=REINDEX, ttl_s=0.08)
        with lease.beating():
            yield state, lease, beat

    def test_it_renews_while_the_block_lasts(self, beaten: tuple[MemoryState, Lease, Event]) -> None:
        _, lease, beat = beaten
        for _ in range(3):
            beat.clear()
            assert beat.wait(5)
        lease.verify()

    def test_a_loss_shows_at_the_next_question(self, beaten: tuple[MemoryState, Lease, Event]) -> None:
        state, lease, _ = beaten
        Lease.acquire(state, run_id="b", owner=REINDEX)
        with pytest.raises(Superseded):
            lease.verify()
        with pytest.raises(Superseded):
            lease.assure(0.01)

    def test_it_survives_a_store_that_does_not_answer_for_a_while(self) -> None:
        answered = Event()

        class FailsTwice(MemoryState):
            failures = 2

            def replace(self, key: str, data: bytes, *, etag: str) -> str | None:
                if self.failures:
                    self.failures -= 1
                    raise Transient("no answer")
                answered.set()
                return super().replace(key, data, etag=etag)

        lease = Lease.acquire(FailsTwice(), run_id="a", owner=REINDEX, ttl_s=0.2)
        with lease.beating():
            assert answered.wait(5)
        lease.verify()


def this_process() -> Process:
    process = Process.current()
    if process is None:
        pytest.skip("this system has no /proc to tell one process from another")
    return process


def test_a_command_names_its_host_and_process() -> None:
    owner = Owner.command()
    assert owner.name.startswith("cli ")
    assert owner.name.endswith(f":{os.getpid()}")
    assert not owner.is_dag


def test_this_process_is_not_gone() -> None:
    assert not this_process().is_gone
