"""The background player: it starts, pauses, reports what it raised, and never runs beside another."""

import gc
import threading
import time
import weakref

import pytest

from electra_edu.widgets.parts.player import Player


def wait_for(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


def player_threads():
    return [thread for thread in threading.enumerate() if thread.name == "electra_edu player"]


def test_plays_until_paused_and_leaves_no_thread():
    calls, ends = [], []
    player = Player(lambda: calls.append(1) or time.sleep(0.001) or True, ends.append)
    player.play()
    wait_for(lambda: len(calls) > 3)
    assert player.is_playing
    player.pause()
    counted = len(calls)
    time.sleep(0.03)
    assert len(calls) == counted
    assert not player.is_playing
    assert ends == [None]
    assert player_threads() == []


def test_ends_by_itself_when_the_work_says_so_and_can_play_again():
    calls, ends = [], []
    player = Player(lambda: len(calls.append(1) or calls) % 3 != 0, ends.append)
    player.play()
    wait_for(lambda: not player.is_playing)
    assert (len(calls), ends) == (3, [None])
    player.play()
    wait_for(lambda: not player.is_playing)
    assert (len(calls), ends) == (6, [None, None])


def test_a_second_play_starts_no_second_thread():
    player = Player(lambda: time.sleep(0.001) or True, lambda _error: None)
    player.play()
    player.play()
    assert len(player_threads()) == 1
    player.pause()


def test_an_error_is_handed_over_not_raised():
    ends = []
    trouble = RuntimeError("out of range")

    def work():
        raise trouble

    player = Player(work, ends.append)
    player.play()
    wait_for(lambda: not player.is_playing)
    assert ends == [trouble]


def test_starting_one_pauses_the_other():
    first = Player(lambda: time.sleep(0.001) or True, lambda _error: None)
    second = Player(lambda: time.sleep(0.001) or True, lambda _error: None)
    first.play()
    second.play()
    assert not first.is_playing
    assert second.is_playing
    Player.pause_all()
    assert not second.is_playing


def test_pause_from_inside_the_work_does_not_deadlock():
    ends = []
    player = Player(lambda: player.pause() or True, ends.append)
    player.play()
    wait_for(lambda: not player.is_playing)
    assert ends == [None]


@pytest.mark.fault("Panel state", seen="playing after a pause that was not waited for did nothing")
def test_playing_after_an_impatient_pause_plays_again():
    began, go_on, ends = threading.Semaphore(0), threading.Event(), []

    def work():
        began.release()
        return go_on.wait(10)

    player = Player(work, ends.append)
    player.play()
    assert began.acquire(timeout=10)
    player.pause(wait=False)
    player.play()
    assert player.is_playing
    go_on.set()
    assert began.acquire(timeout=10)  # the work went on, in a second thread
    player.pause()
    assert ends == [None, None]
    assert player_threads() == []


@pytest.mark.fault("Resources", seen="the player that played last was kept for good, with all that it trained")
def test_a_closed_player_can_be_forgotten():
    player = Player(lambda: False, lambda _error: None)
    player.play()
    player.close()
    kept = weakref.ref(player)
    del player
    gc.collect()
    assert kept() is None
