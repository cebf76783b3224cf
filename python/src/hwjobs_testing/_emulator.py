"""Starts the emulator as a process of its own and steers it through its control API."""

from __future__ import annotations

import datetime
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["Emulator", "EmulatorError", "Fault"]

_LAST_VARIABLE = "HWJOBS_PROJECT_NAME"
_TOKEN = "emulator-token-not-a-secret"
# Loopback traffic never goes through a proxy, whatever the environment says.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Duration = float | datetime.timedelta


class EmulatorError(RuntimeError):
    """The emulator did not start, or it rejected a request of the control API."""


class Fault:
    """A failure that the emulator was told to show; see :meth:`Emulator.add_fault`."""

    def __init__(self, emulator: Emulator, identifier: int) -> None:
        self._emulator = emulator
        self.id = identifier

    @property
    def hits(self) -> int | None:
        """How many requests the fault has hit; ``None`` once it is used up or removed."""
        for fault in self._emulator.faults():
            if fault["id"] == self.id:
                return int(fault["hits"])
        return None

    def remove(self) -> None:
        """Removes the fault. It is no error if it is used up already."""
        if self.hits is not None:
            self._emulator._control("DELETE", f"/faults/{self.id}")

    def __repr__(self) -> str:
        return f"Fault(id={self.id})"


class Emulator:
    """An emulator on a free port of this machine.

    Use it as a context manager, or call :meth:`start` and :meth:`stop`.

    :param empty: Start without the objects of the documents' examples.
    :param seed: Fix ids, tokens and times, so that two runs give the same bytes; the clock then stands still.
    :param transitions: What moves jobs on: ``"clock"``, ``"at-once"`` or ``"reads:N"``.
    :param time_scale: Seconds that pass for the emulator in a second; 0 stops its clock.
    :param strict: Reject fields and query parameters that the documents do not describe.
    :param data: Keep the state in this file, which stays; in memory by default.
    :param arguments: Further arguments of ``hwjobs emulator``.
    :param program: The program; by default ``HWJOBS_PROGRAM``, the one that was installed with this package, or the
        first on the ``PATH``.
    :param timeout: Seconds to wait for the start, and for each request of the control API.
    """

    def __init__(
        self,
        *,
        empty: bool = False,
        seed: int | None = None,
        transitions: str | None = None,
        time_scale: float | None = None,
        strict: bool = False,
        data: str | os.PathLike[str] | None = None,
        arguments: Sequence[str] = (),
        program: str | os.PathLike[str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._arguments: list[str] = ["--log", "off"]
        for wanted, flag in [(empty, "--empty"), (strict, "--strict")]:
            if wanted:
                self._arguments.append(flag)
        options = [
            ("--seed", seed),
            ("--transitions", transitions),
            ("--time-scale", time_scale),
            ("--data", None if data is None else os.fspath(data)),
        ]
        for flag, value in options:
            if value is not None:
                self._arguments += [flag, str(value)]
        self._arguments += arguments
        self._program = program
        self._timeout = timeout
        self._process: subprocess.Popen[str] | None = None
        self._errors: Any = None
        self._environment: dict[str, str] = {}

    # Life

    def start(self) -> Emulator:
        """Starts the process and returns when it serves requests.

        :raises EmulatorError: It is running already, cannot be found, or ended at once; the message has its reason.
        """
        if self._process is not None:
            raise EmulatorError("the emulator is running already")
        program = _find(self._program)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        # Variables such as HWJOBS_PROFILE are for clients; the emulator gets what it needs by arguments.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HWJOBS_")}
        try:
            self._process = subprocess.Popen(
                [program, "emulator", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=environment,
                text=True,
                encoding="utf-8",
            )
        except OSError as error:
            raise EmulatorError(f"{program} cannot be started: {error}") from error
        reader = threading.Thread(target=self._read_environment, daemon=True)
        reader.start()
        reader.join(self._timeout)
        if _LAST_VARIABLE not in self._environment:
            late = reader.is_alive()
            self._kill()
            reason = f"no address after {self._timeout:g} s" if late else "it ended at once"
            message = self._error_text()
            self.stop()
            raise EmulatorError(f"the emulator did not start: {reason}{': ' if message else ''}{message}")
        return self

    def stop(self) -> None:
        """Ends the process. It is no error if it is not running."""
        process, self._process = self._process, None
        self._environment = {}
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout=self._timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def __enter__(self) -> Emulator:  # noqa: PYI034
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Emulator {self._environment.get('HWJOBS_ENDPOINT', 'not running')}>"

    def _read_environment(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            return
        for line in process.stdout:
            words = shlex.split(line)
            if len(words) == 2 and words[0] == "export":
                name, _, value = words[1].partition("=")
                self._environment[name] = value
                if name == _LAST_VARIABLE:
                    return

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _error_text(self) -> str:
        if self._errors is None:
            return ""
        self._errors.seek(0)
        return str(self._errors.read().decode("utf-8", "replace").strip())

    # What clients need

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which clients find and authenticate to the emulator."""
        if not self._environment:
            raise EmulatorError("the emulator is not running")
        return dict(self._environment)

    @property
    def endpoint(self) -> str:
        """The base address of all services, for example ``http://127.0.0.1:40123``."""
        return self.environment["HWJOBS_ENDPOINT"]

    @property
    def project_id(self) -> str:
        """The id of the project that the credentials belong to."""
        return self.environment["HUAWEICLOUD_SDK_PROJECT_ID"]

    @property
    def token(self) -> str:
        """A token for ``X-Auth-Token`` that does not expire."""
        return _TOKEN

    def client_settings(self, client: str) -> dict[str, Any]:
        """The keyword arguments that connect a client library to the emulator.

        ==================== ==============================================================================
        ``client``           what takes the settings
        ==================== ==============================================================================
        huaweicloudsdkcore   ``ak``, ``sk`` and ``project_id`` for ``BasicCredentials``, ``endpoint`` for
                             ``with_endpoint``
        openstacksdk         ``openstack.connect(**settings)``
        otcextensions        the same; register the extensions on the connection
        python-saharaclient  ``auth`` for ``keystoneauth1.identity.v3.Password``, ``sahara_url`` for the client
        requests             ``base_url`` of a service's paths, and ``headers`` for a ``Session``
        ==================== ==============================================================================

        :raises ValueError: The client is none of these.
        """
        values = self.environment
        login = {
            "auth_url": f"{values['HWJOBS_ENDPOINT']}/v3",
            "username": values["HWJOBS_USER"],
            "password": values["HWJOBS_PASSWORD"],
            "user_domain_name": values["HWJOBS_DOMAIN"],
            "project_name": values["HWJOBS_PROJECT_NAME"],
            "project_domain_name": values["HWJOBS_DOMAIN"],
        }
        connection = {
            "auth_type": "v3password",
            "auth": login,
            "region_name": values["HWJOBS_PROJECT_NAME"],
            "identity_interface": "public",
        }
        known: dict[str, dict[str, Any]] = {
            "huaweicloudsdkcore": {
                "ak": values["HUAWEICLOUD_SDK_AK"],
                "sk": values["HUAWEICLOUD_SDK_SK"],
                "project_id": self.project_id,
                "endpoint": self.endpoint,
            },
            "openstacksdk": connection,
            "otcextensions": connection,
            "python-saharaclient": {"auth": login, "sahara_url": f"{self.endpoint}/v1.1/{self.project_id}"},
            "requests": {"base_url": self.endpoint, "headers": {"X-Auth-Token": self.token}},
        }
        if client not in known:
            raise ValueError(f"{client!r} is not one of {', '.join(sorted(known))}")
        return known[client]

    # Control

    def reset(self) -> None:
        """Goes back to what the emulator started with: objects, clock, faults, recorded requests, transitions."""
        self._control("DELETE", "/state")

    def snapshot(self) -> Any:
        """The whole state as JSON data, for :meth:`load`."""
        return self._control("GET", "/state")

    def load(self, snapshot: Any) -> None:
        """Replaces the state by a snapshot."""
        self._control("PUT", "/state", snapshot)

    @property
    def now(self) -> datetime.datetime:
        """The time of the emulator's clock."""
        milliseconds = self._control("GET", "/clock")["now"]
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return epoch + datetime.timedelta(milliseconds=milliseconds)

    def advance(self, duration: Duration) -> datetime.datetime:
        """Moves the emulator's clock on, by seconds or a ``timedelta``, and returns its time after that."""
        seconds = duration.total_seconds() if isinstance(duration, datetime.timedelta) else duration
        self._control("PATCH", "/clock", {"advance": seconds})
        return self.now

    def set_time_scale(self, scale: float) -> None:
        """Lets the emulator's time pass so many times as fast as real time; 0 stops it."""
        self._control("PATCH", "/clock", {"scale": scale})

    def set_transitions(self, transitions: str) -> None:
        """Chooses what moves jobs on: ``"clock"``, ``"at-once"`` or ``"reads:N"``."""
        mode, _, reads = transitions.partition(":")
        body: dict[str, Any] = {"mode": mode.replace("-", "_")}
        if reads:
            body["reads"] = int(reads)
        self._control("PUT", "/transitions", body)

    def add_fault(
        self,
        *operations: str,
        kind: str = "status",
        count: int | None = None,
        probability: float | None = None,
        after: bool = False,
        **action: Any,
    ) -> Fault:
        """Lets requests fail: ``add_fault("update_training_job", status=503, count=2)``.

        :param operations: Ids of the operations that it hits; all if there are none.
        :param kind: ``status``, ``delay``, ``reset``, ``cut``, ``length`` or ``throttle``; the other keyword arguments
            are its details, for example ``milliseconds=500`` of a ``delay``.
        :param count: How many requests it hits; all that come by default.
        :param probability: The share of requests that it hits.
        :param after: Do the operation first: its effect is there, its response is lost.
        :raises EmulatorError: The emulator rejected it; the message names the field.
        """
        body: dict[str, Any] = {"action": {"kind": kind, **action}}
        if operations:
            body["operations"] = list(operations)
        for name, value in [("count", count), ("probability", probability), ("after", after or None)]:
            if value is not None:
                body[name] = value
        return Fault(self, int(self._control("POST", "/faults", body)["id"]))

    @contextmanager
    def fault(self, *operations: str, **details: Any) -> Iterator[Fault]:
        """Like :meth:`add_fault`, for the length of a ``with`` block."""
        added = self.add_fault(*operations, **details)
        try:
            yield added
        finally:
            added.remove()

    def faults(self) -> list[dict[str, Any]]:
        """The active faults, the oldest first."""
        return list(self._control("GET", "/faults")["faults"])

    def clear_faults(self) -> None:
        """Removes all faults."""
        self._control("DELETE", "/faults")

    def requests(self, operation: str | None = None) -> list[dict[str, Any]]:
        """The latest recorded requests, the oldest first, secrets redacted; of one operation, if it is named."""
        recorded = self._control("GET", "/requests")["requests"]
        return [request for request in recorded if operation in (None, request["operation"])]

    def clear_requests(self) -> None:
        """Removes the recorded requests."""
        self._control("DELETE", "/requests")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Calls an API of the emulated cloud with the token, for set-up in tests.

        ``{project_id}`` in the path is filled in. Returns the JSON body, ``None`` where there is none.

        :raises EmulatorError: The response is a failure; the message has its status and body.
        """
        path = path.replace("{project_id}", self.project_id)
        return self._send(method, path, body, {"X-Auth-Token": self.token})

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        return self._send(method, f"/_emulator{path}", body, {})

    def _send(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
        data = None if body is None else json.dumps(body).encode()
        sent = dict(headers) if data is None else {**headers, "Content-Type": "application/json"}
        request = urllib.request.Request(self.endpoint + path, data=data, headers=sent, method=method)
        try:
            with _OPENER.open(request, timeout=self._timeout) as response:
                content = response.read()
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode("utf-8", "replace")
            raise EmulatorError(f"{method} {path}: {error.code} {text}") from None
        except OSError as error:
            raise EmulatorError(f"{method} {path}: no response from {self.endpoint}: {error}") from error
        return json.loads(content) if content else None


def _find(program: str | os.PathLike[str] | None) -> str:
    """The path of the program ``hwjobs``."""
    named = os.fspath(program) if program is not None else os.environ.get("HWJOBS_PROGRAM")
    if named:
        return named
    name = "hwjobs.exe" if os.name == "nt" else "hwjobs"
    places: list[Callable[[], str | None]] = [
        lambda: str(Path(sysconfig.get_path("scripts")) / name),
        lambda: str(Path(sys.executable).parent / name),
        lambda: shutil.which(name),
    ]
    for place in places:
        found = place()
        if found and os.access(found, os.X_OK):
            return found
    raise EmulatorError(
        f"{name} is neither installed beside this package nor on the PATH; set HWJOBS_PROGRAM to its path"
    )
