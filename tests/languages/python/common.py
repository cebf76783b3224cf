"""What the checks of both Python clients share: counted checks, the emulator's address, and a server that replays vectors."""

import http.server
import json
import os
import pathlib
import threading

ENDPOINT = os.environ["HWJOBS_ENDPOINT"]
PROJECT = os.environ["HUAWEICLOUD_SDK_PROJECT_ID"]
TRAINING_JOB, VISUALIZATION_JOB = 10, "8992"
JOB = "b8ea4daa-0042-45e0-a522-e8b714e74760"
SIGN_IN = {
    "auth": {
        "identity": {
            "methods": ["password"],
            "password": {
                "user": {
                    "name": os.environ["HWJOBS_USER"],
                    "password": os.environ["HWJOBS_PASSWORD"],
                    "domain": {"name": os.environ["HWJOBS_DOMAIN"]},
                }
            },
        },
        "scope": {"project": {"name": os.environ["HWJOBS_PROJECT_NAME"]}},
    }
}


def vectors(folder):
    """Return the vectors of all APIs."""
    files = [pathlib.Path(folder) / f"{name}.json" for name in ("iam", "modelarts", "mrs")]
    return [vector for file in files for vector in json.loads(file.read_text("utf-8"))]


class Checks:
    """Counts checks; a failed one is printed."""

    def __init__(self, client):
        self.client, self.passed, self.failed = client, 0, 0

    def check(self, name, act):
        """Run a check; it fails when it raises."""
        try:
            act()
            self.passed += 1
        except Exception as error:  # noqa: BLE001
            self.failed += 1
            print(f"{self.client}: {name}: {type(error).__name__}: {str(error)[:600]}")

    def finish(self):
        """Print the count and return the exit code."""
        print(f"{self.client}: {self.passed} of {self.passed + self.failed} checks pass")
        return int(self.failed > 0 or not self.passed)


class Replay:
    """A server that responds to each request with the vector that is set."""

    def __enter__(self):
        replay = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def respond(self):
                size = int(self.headers.get("content-length", 0))
                replay.sent = [self.command, self.path, json.loads(self.rfile.read(size) or "null")]
                response = replay.vector["response"]
                body = json.dumps(response["body"]).encode() if "body" in response else b""
                self.send_response(response["status"])
                for name, value in {**response["headers"], "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = respond

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def same(want, got, at=""):
    """Raise where a decoded value has lost something of what was sent; an absent field may stand for null."""
    if hasattr(got, "get_secret_value"):
        got = got.get_secret_value()
    if isinstance(want, dict) and isinstance(got, dict):
        for name, value in want.items():
            if value is not None or name in got:
                same(value, got.get(name), f"{at}.{name}")
    elif isinstance(want, list) and isinstance(got, list):
        assert len(want) == len(got), f"{at} has {len(got)} items, sent {len(want)}"
        for index, (one, other) in enumerate(zip(want, got)):
            same(one, other, f"{at}[{index}]")
    else:
        assert want == got, f"{at} is {got!r}, sent {want!r}"
