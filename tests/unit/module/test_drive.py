# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop that sleeps: pauses, results, and ends requested from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._drive import SIGNALS, Ending, drive


class Night:
    """A sleep that takes no time, and an end that is requested during the sleep."""

    def __init__(self, ends_after=None):
        self.slept = []
        self.ends_after = ends_after

    def sleep(self, seconds):
        self.slept.append(seconds)

    def over(self):
        return self.ends_after is not None and sum(self.slept) >= self.ends_after

    def drive(self, steps):
        self.ending = Ending(orphaned=self.over)
        return drive(steps(self.ending), self.ending, sleep=self.sleep)


def test_pauses_are_slept_in_slices_and_the_result_comes_back():
    def steps(_ending):
        yield 1.2
        yield 0
        yield 0.3
        return "done"

    night = Night()
    assert night.drive(steps) == "done"
    assert night.slept == pytest.approx([0.5, 0.5, 0.2, 0.3])


def test_an_end_cuts_the_pause_short_and_later_pauses_are_slept():
    def steps(ending):
        heard = []
        for pause in (2.0, 60.0, 1.0, 0.5):
            heard.append(ending() is not None)
            yield pause
        return heard

    night = Night(ends_after=3.0)
    assert night.drive(steps) == [False, False, True, True]
    assert sum(night.slept) == pytest.approx(2.0 + 1.0 + 1.0 + 0.5)


def test_an_end_before_the_pause_cuts_it_whole():
    def steps(_ending):
        yield 60.0
        yield 1.0

    night = Night(ends_after=0.0)
    night.drive(steps)
    assert night.slept == [0.5, 0.5]


def test_errors_pass_and_the_steps_are_closed():
    closed = []

    def steps(_ending):
        try:
            yield 1.0
        finally:
            closed.append(True)

    def broken(_seconds):
        raise TimeoutError

    with pytest.raises(TimeoutError):
        drive(steps(None), Ending(orphaned=lambda: False), sleep=broken)
    assert closed == [True]


def test_an_error_of_the_steps_passes():
    def steps(_ending):
        yield 0
        raise LookupError

    with pytest.raises(LookupError):
        Night().drive(steps)


def test_handlers_are_there_only_while_it_runs():
    before = [signal.getsignal(number) for number in SIGNALS]
    during = []

    def steps(_ending):
        during.extend(signal.getsignal(number) for number in SIGNALS)
        yield 0

    Night().drive(steps)
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert during != before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals(number):
    def steps(ending):
        os.kill(os.getpid(), number)
        yield 60.0
        return ending()

    night = Night()
    assert night.drive(steps) == f"{number.name} was received"
    assert night.slept == []


def test_a_signal_that_was_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:

        def steps(ending):
            os.kill(os.getpid(), signal.SIGHUP)
            yield 0.5
            return ending()

        assert Night().drive(steps) is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_first_reason_stays():
    ending = Ending(orphaned=lambda: True)
    ending.signalled(signal.SIGTERM, None)
    ending.signalled(signal.SIGINT, None)
    assert ending() == "SIGTERM was received"
    assert Ending(orphaned=lambda: True)() == "the Ansible command that started the module is gone"


PROGRAM = """
from ansible_collections.steadyops.ecs.plugins.module_utils._drive import Ending, drive

def steps(ending):
    print("ready", flush=True)
    yield 600.0
    return ending()

ending = Ending()
print(drive(steps(ending), ending), flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_real_signal_in_a_real_sleep(number):
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(number)
        output, _errors = child.communicate(timeout=60)
    assert (output, child.returncode) == (f"{number.name} was received\n", 0)
