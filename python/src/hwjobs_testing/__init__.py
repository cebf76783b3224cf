"""The emulator of Huawei Cloud's job APIs, started and steered from Python tests.

The package needs the program ``hwjobs``, which its wheel installs beside it, and nothing but the standard library::

    from hwjobs_testing import Emulator

    with Emulator() as emulator:
        ...  # point your program at emulator.endpoint

With pytest installed, the fixtures ``hwjobs_emulator`` and ``hwjobs`` are there without an import.
"""

from ._emulator import Emulator, EmulatorError, Fault

__all__ = ["Emulator", "EmulatorError", "Fault"]
