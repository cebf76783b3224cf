"""Common parts of the drivers: the address of the emulator, and counted checks."""

import os
import sys
import time
import traceback

ENDPOINT = os.environ["HWJOBS_ENDPOINT"]
PROJECT_ID = os.environ["HUAWEICLOUD_SDK_PROJECT_ID"]
PROJECT_NAME = os.environ["HWJOBS_PROJECT_NAME"]
USER = os.environ["HWJOBS_USER"]
PASSWORD = os.environ["HWJOBS_PASSWORD"]
DOMAIN = os.environ["HWJOBS_DOMAIN"]

_counts = {True: 0, False: 0}


def check(description):
    """Runs the decorated function at once; later checks can use its return value."""

    def run(function):
        try:
            result = function()
        except Exception:
            _counts[False] += 1
            print(f"FAILED  {description}")
            traceback.print_exc(file=sys.stdout)
            return None
        _counts[True] += 1
        print(f"ok      {description}")
        return result

    return run


def equal(left, right):
    """Fails with both values, which a plain assertion does not show."""
    if left != right:
        raise AssertionError(f"{left!r} is not {right!r}")


def refused(kind, function, *arguments, **named):
    """Returns the exception of a call that must fail."""
    try:
        function(*arguments, **named)
    except kind as error:
        return error
    raise AssertionError(f"{function.__name__} was not refused")


def until(condition):
    """Waits for a state that the emulator's fast clock brings."""
    end = time.monotonic() + 10
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not come about")
        time.sleep(0.02)


def finish(client):
    """Prints the counts, and exits with an error if a check failed."""
    print(f"{client}: {_counts[True]} ok, {_counts[False]} failed")
    sys.exit(1 if _counts[False] else 0)
