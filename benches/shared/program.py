"""Measures a program hwjobs; benches/program calls this."""

import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import time

PROGRAM = os.path.abspath(sys.argv[1])
REQUESTS = 1_000_000
# The requests that are sent before the responses to them are read.
AT_ONCE = 50
# The default project of the emulator, and its token.
PROJECT = "5a3314075bfa49b9ae360f4ecd333695"
TOKEN = "emulator-token-not-a-secret"


def show(what, value, unit):
    print(f"{what:58} {value:10.2f} {unit}", flush=True)


def cpu(arguments, rounds=51):
    """Returns the median CPU time of a process in milliseconds."""
    times = []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(arguments, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(times) * 1000


def start():
    """Starts an emulator. Returns its process, its address, and the milliseconds until its first response."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    begun = time.perf_counter()
    emulator = subprocess.Popen(
        [PROGRAM, "emulator", "--listen", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port))
            break
        except ConnectionRefusedError:
            assert emulator.poll() is None, "the emulator has ended"
            time.sleep(0.0002)
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    connection.sendall(request.encode())
    connection.recv(1)
    took = (time.perf_counter() - begun) * 1000
    connection.close()
    return emulator, port, took


def private_memory(process):
    """Returns the memory of a process that is not a part of a file, in MiB."""
    with open(f"/proc/{process.pid}/status") as file:
        return int(re.search(r"^RssAnon:\s+(\d+) kB", file.read(), re.MULTILINE).group(1)) / 1024


def update(port, times):
    """Updates the description of a job many times over one connection."""
    requests = []
    for month in ["May", "June"]:
        body = f'{{"job_desc": "trained on the {month} images"}}'
        head = f"PUT /v1/{PROJECT}/training-jobs/10 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Auth-Token: {TOKEN}\r\n"
        requests.append(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    batch = "".join(requests * (AT_ONCE // 2)).encode()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(times // AT_ONCE):
            connection.sendall(batch)
            received = b""
            while received.count(b"is_success") < AT_ONCE:
                part = connection.recv(1 << 16)
                assert part, received
                received += part
            assert received.count(b'"is_success":true') == AT_ONCE, received


show("file", os.path.getsize(PROGRAM) / 1e6, "MB")
show("hwjobs --version, CPU", cpu([PROGRAM, "--version"]), "ms")
show("/bin/true, CPU", cpu(["/bin/true"]), "ms")

starts = []
for _ in range(11):
    emulator, _, took = start()
    starts.append(took)
    emulator.terminate()
    emulator.wait()
show("emulator: start to first response", statistics.median(starts), "ms")

emulator, port, _ = start()
try:
    time.sleep(1)
    idle = private_memory(emulator)
    show("emulator: private memory when idle", idle, "MiB")
    # The recorder is full after the first of these.
    update(port, REQUESTS // 10)
    warm = private_memory(emulator)
    show("emulator: private memory after 100,000 requests", warm, "MiB")
    begun = time.perf_counter()
    update(port, REQUESTS - REQUESTS // 10)
    show("emulator: requests a second, pipelined", (REQUESTS - REQUESTS // 10) / (time.perf_counter() - begun), "")
    late = private_memory(emulator)
    show("emulator: private memory after 1,000,000 requests", late, "MiB")
    show("emulator: the latter to the former", late / warm, "")
finally:
    emulator.terminate()
    emulator.wait()
