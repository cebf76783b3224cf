"""Fixtures for pytest.

``hwjobs_emulator`` is one emulator for the whole run; ``hwjobs`` is the same one, reset before each test that uses it.
Options, in ``pyproject.toml`` under ``[tool.pytest.ini_options]`` or ``pytest.ini``:

======================= =================================================================
``hwjobs_empty``        start without the objects of the documents' examples
``hwjobs_seed``         fix ids, tokens and times
``hwjobs_transitions``  ``clock``, ``at-once`` or ``reads:N``
``hwjobs_time_scale``   seconds that pass for the emulator in a second
``hwjobs_strict``       reject what the documents do not describe
``hwjobs_arguments``    further arguments of ``hwjobs emulator``
======================= =================================================================

A failed test shows the requests that the emulator received in it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from ._emulator import Emulator, EmulatorError

_SHOWN = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("hwjobs_empty", "start the emulator without the documented objects", type="bool", default=False)
    parser.addini("hwjobs_strict", "reject what the documents do not describe", type="bool", default=False)
    parser.addini("hwjobs_seed", "fix ids, tokens and times of the emulator")
    parser.addini("hwjobs_transitions", "what moves jobs on: clock, at-once or reads:N")
    parser.addini("hwjobs_time_scale", "seconds that pass for the emulator in a second")
    parser.addini("hwjobs_arguments", "further arguments of `hwjobs emulator`", type="args")


@pytest.fixture(scope="session")
def hwjobs_emulator(pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """An emulator for the whole run; what tests do to it stays, see ``hwjobs``."""

    def number(name: str, convert: Any) -> Any:
        text = str(pytestconfig.getini(name) or "").strip()
        if not text:
            return None
        try:
            return convert(text)
        except ValueError:
            raise pytest.UsageError(f"{name} = {text}: not a number") from None

    emulator = Emulator(
        empty=pytestconfig.getini("hwjobs_empty"),
        strict=pytestconfig.getini("hwjobs_strict"),
        seed=number("hwjobs_seed", int),
        transitions=pytestconfig.getini("hwjobs_transitions") or None,
        time_scale=number("hwjobs_time_scale", float),
        arguments=pytestconfig.getini("hwjobs_arguments"),
    )
    with emulator:
        yield emulator


@pytest.fixture
def hwjobs(hwjobs_emulator: Emulator) -> Emulator:
    """The emulator of the run, with its state, clock, faults and recorded requests as they were at its start."""
    hwjobs_emulator.reset()
    return hwjobs_emulator


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Adds the requests of a failed test to its report."""
    outcome = yield
    report = outcome.get_result()
    emulator = getattr(item, "funcargs", {}).get("hwjobs")
    if report.when != "call" or not report.failed or not isinstance(emulator, Emulator):
        return
    try:
        report.sections.append(("requests that the emulator received", _listed(emulator)))
    except EmulatorError as error:
        report.sections.append(("emulator", str(error)))


def _listed(emulator: Emulator) -> str:
    requests = emulator.requests()
    lines: list[str] = []
    if len(requests) > _SHOWN:
        lines.append(f"({len(requests) - _SHOWN} earlier ones are left out)")
    for request in requests[-_SHOWN:]:
        lines.append(f"{request['status']} {request['method']} {request['target']}  {request['verdict']}")
        notes = [request["reason"], *(f"ignored: {ignored}" for ignored in request["ignored"])]
        lines.extend(f"    {note}" for note in notes if note)
    return "\n".join(lines) or "none"
