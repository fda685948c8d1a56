"""The order in which passwords are hashed, and who gets no place."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from server.core.hash_queue import (
    PROOFS_PER_SIGN_UP,
    Applicant,
    Entered,
    HashQueue,
    QueueFull,
    Urgency,
)

WORKERS, WAITING, PER_NETWORK = 2, 8, 4
FLOODER = "192.0.2.1"


def new_queue(workers: int = WORKERS) -> HashQueue[str]:
    """Return an empty queue."""
    return HashQueue(workers, WAITING, PER_NETWORK)


def proof(network: str) -> Applicant:
    """Somebody who signs in."""
    return Applicant(network, Urgency.PROOF)


def sign_up(network: str) -> Applicant:
    """Somebody who wants an account."""
    return Applicant(network, Urgency.SIGN_UP)


def order(queue: HashQueue[str]) -> list[str]:
    """Run everything, one after the other, and return the order."""
    served = []
    while work := queue.take():
        served.append(work)
        queue.finish(work)
    return served


def test_networks_take_turns_however_much_one_of_them_wants() -> None:
    queue = new_queue()
    for number in range(PER_NETWORK):
        queue.enter(f"flood-{number}", proof(FLOODER))
    queue.enter("ann", proof("192.0.2.2"))
    queue.enter("bob", proof("192.0.2.3"))
    assert order(queue) == ["flood-0", "ann", "bob", "flood-1", "flood-2", "flood-3"]


def test_a_proof_that_comes_last_is_taken_before_all_sign_ups() -> None:
    queue = new_queue()
    for number in range(6):
        queue.enter(f"new-{number}", sign_up(f"192.0.2.{number % 3}"))
    queue.enter("ann", proof("192.0.2.9"))
    assert order(queue)[0] == "ann"


def test_sign_ups_leave_a_thread_free_for_proofs() -> None:
    queue = new_queue()
    for number in range(3):
        queue.enter(f"new-{number}", sign_up(FLOODER))
    assert queue.take() == "new-0"
    assert queue.take() is None
    queue.enter("ann", proof("192.0.2.9"))
    assert queue.take() == "ann"
    queue.finish("ann")
    assert queue.take() is None
    queue.finish("new-0")
    assert queue.take() == "new-1"


def test_with_one_thread_there_are_sign_ups_too() -> None:
    queue = new_queue(workers=1)
    queue.enter("new", sign_up(FLOODER))
    assert queue.take() == "new"


def test_sign_ups_are_not_starved_by_proofs() -> None:
    queue = HashQueue[str](WORKERS, 100, 100)
    for number in range(20):
        queue.enter(f"proof-{number}", proof(FLOODER))
        queue.enter(f"new-{number}", sign_up(FLOODER))
    first = order(queue)[: 4 * (PROOFS_PER_SIGN_UP + 1)]
    assert Counter(each.partition("-")[0] for each in first) == {"proof": 12, "new": 4}


def test_one_network_holds_a_bounded_number_of_places() -> None:
    queue = new_queue()
    for number in range(PER_NETWORK):
        assert queue.enter(f"flood-{number}", proof(FLOODER)) == Entered()
    assert queue.enter("one more", proof(FLOODER)) == QueueFull()
    assert queue.enter("new", sign_up(FLOODER)) == QueueFull()
    assert queue.enter("ann", proof("192.0.2.2")) == Entered()


def test_where_sign_ups_hold_all_places_of_a_network_a_proof_takes_the_newest_ones() -> None:
    queue = new_queue()
    for number in range(PER_NETWORK):
        queue.enter(f"new-{number}", sign_up(FLOODER))
    assert queue.enter("ann", proof(FLOODER)) == Entered("new-3")
    assert order(queue) == ["ann", "new-0", "new-1", "new-2"]


def test_in_a_full_queue_a_proof_takes_the_place_of_a_sign_up() -> None:
    queue = new_queue()
    for number in range(WORKERS + WAITING):
        network = f"192.0.2.{number % 5}"
        queue.enter(f"new-{number}", sign_up(network))
    assert queue.enter("newer", sign_up("198.51.100.1")) == Entered("new-5")
    assert queue.enter("ann", proof("198.51.100.2")).displaced is not None  # type: ignore[union-attr]
    assert order(queue)[0] == "ann"


def test_in_a_full_queue_who_has_few_places_takes_one_from_who_has_most() -> None:
    queue = new_queue()
    for number in range(3):
        queue.enter(f"flood-{number}", proof(FLOODER))
    for number in range(WORKERS + WAITING - 3):
        queue.enter(f"user-{number}", proof(f"198.51.100.{number}"))
    assert queue.enter("ann", proof("192.0.2.2")) == Entered("flood-2")
    assert queue.enter("bob", proof("192.0.2.3")) == Entered("flood-1")
    assert queue.enter("cid", proof("192.0.2.4")) == QueueFull()
    assert queue.enter("new", sign_up("192.0.2.5")) == QueueFull()


def test_who_leaves_the_line_gives_the_place_back_but_not_a_thread() -> None:
    queue = new_queue(workers=1)
    queue.enter("runs", proof(FLOODER))
    assert queue.take() == "runs"
    queue.enter("waits", proof(FLOODER))
    assert queue.leave("waits")
    assert not queue.leave("waits")
    assert not queue.leave("runs")
    assert queue.take() is None
    queue.finish("runs")
    assert order(queue) == []


def test_a_cleared_queue_keeps_what_runs() -> None:
    queue = new_queue(workers=1)
    queue.enter("runs", proof(FLOODER))
    queue.take()
    queue.enter("waits", sign_up(FLOODER))
    assert queue.clear() == ["waits"]
    queue.finish("runs")
    assert order(queue) == []


networks = st.sampled_from(["a", "b", "c", "d", "e"])
steps = st.lists(st.one_of(st.tuples(networks, st.sampled_from(Urgency)), st.just("take"),
                           st.just("finish"), st.just("leave")), max_size=80)  # fmt: skip


@given(steps)
def test_whatever_happens_the_bounds_hold_and_nothing_is_lost_or_kept(
    steps: list[tuple[str, Urgency] | str],
) -> None:
    queue, waiting, running = new_queue(), dict[str, str](), dict[str, str]()
    for number, step in enumerate(steps):
        work = f"{number}"
        if isinstance(step, tuple):
            entered = queue.enter(work, Applicant(*step))
            if isinstance(entered, Entered):
                waiting[work] = step[0]
                if entered.displaced is not None:
                    del waiting[entered.displaced]
        elif step == "take":
            if taken := queue.take():
                running[taken] = waiting.pop(taken)
        elif step == "finish" and running:
            finished = next(iter(running))
            queue.finish(finished)
            del running[finished]
        elif step == "leave" and waiting:
            left = next(iter(waiting))
            assert queue.leave(left)
            del waiting[left]
        assert len(running) <= WORKERS
        assert len(waiting) + len(running) <= WORKERS + WAITING
        held = Counter([*waiting.values(), *running.values()])
        assert max(held.values(), default=0) <= PER_NETWORK
    for each in running:
        queue.finish(each)
    assert sorted(order(queue)) == sorted(waiting)
    assert not queue._held
    assert not queue._applicants
    assert not any(queue._lines.values())
