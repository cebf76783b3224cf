#!/usr/bin/env python3
"""Checks a server or a client against the vectors in the files beside this one; README.md has the commands."""
import argparse, http.server, json, os, pathlib, subprocess, sys, threading, urllib.error, urllib.parse, urllib.request

HERE = pathlib.Path(__file__).parent
VECTORS = [v for name in ("iam", "modelarts", "mrs") for v in json.loads((HERE / f"{name}.json").read_text("utf-8"))]

def unlike(want, got, at="body"):
    """Where `got` has not the form of `want`: a number may be its text, null and an empty list may stand for anything."""
    number = lambda value: str(value).lstrip("-").replace(".", "", 1).isdigit() or value in (True, False, "true", "false")
    if want is None or got is None or (number(want) and number(got)): return []
    if isinstance(want, dict) and isinstance(got, dict):
        return [p for k, v in want.items() if v is not None
                for p in (unlike(v, got[k], f"{at}.{k}") if k in got else [f"{at}.{k} is missing"])]
    if isinstance(want, list) and isinstance(got, list): return unlike(want[0], got[0], f"{at}[0]") if want and got else []
    return [] if type(want) is type(got) else [f"{at} is {json.dumps(got)}, documented {json.dumps(want)}"]

def send(method, url, headers, body):
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers, method=method)
    try: response = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60)
    except urllib.error.HTTPError as error: response = error
    return response.status, response.read()

def server(vector, options):
    want, request = vector.get("response"), vector["request"]
    if options.reset: send("DELETE", options.reset, {}, None)
    path = request["path"].replace(vector["parameters"].get("project_id", "\0"), options.project)
    url = options.target[0] + path + "?" * bool(request["query"]) + urllib.parse.urlencode(dict(request["query"]))
    status, body = send(request["method"], url, request["headers"] | {"X-Auth-Token": options.token}, request.get("body"))
    if want is None: return [] if status < 300 else [f"status {status}: {body[:200]!r}"]
    if status != want["status"]: return [f"status {status}, documented {want['status']}: {body[:200]!r}"]
    return unlike(want["body"], json.loads(body)) if "body" in want else []

def client(vector, options):
    seen, want, response = [], vector["request"], vector.get("response") or {"status": 200, "headers": {}, "body": {}}
    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_any(self):
            url, size = urllib.parse.urlsplit(self.path), int(self.headers.get("content-length", 0))
            query = [list(pair) for pair in urllib.parse.parse_qsl(url.query, keep_blank_values=True)]
            seen.append([self.command, url.path, sorted(query), json.loads(self.rfile.read(size) or "null")])
            body = json.dumps(response["body"]).encode() if "body" in response else b""
            self.send_response(response["status"])
            for name, value in (response["headers"] | {"Content-Length": str(len(body))}).items(): self.send_header(name, value)
            self.end_headers(); self.wfile.write(body)
        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any
        def log_message(self, *_): pass
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        environment = os.environ | {"CONFORMANCE_URL": f"http://127.0.0.1:{listener.server_port}"}
        run = subprocess.run(options.target, input=json.dumps(vector), capture_output=True, text=True, env=environment)
        listener.shutdown()
    sent = [want["method"], urllib.parse.unquote(want["path"]), sorted(want["query"]), want.get("body")]
    if seen[:1] != [sent]: return [f"sent {seen[:1]}, documented {sent}; {run.stderr[-300:]}"]
    try: got = json.loads(run.stdout)
    except ValueError: return [f"printed no JSON: {run.stdout[:200]!r} {run.stderr[-300:]}"]
    if "error" in (expected := vector.get("decodesTo", {})):
        return [f"error.{k} is {got.get('error', {}).get(k)!r}, documented {v!r}" for k, v in expected["error"].items() if got.get("error", {}).get(k) != v]
    return unlike(expected.get("value"), got.get("value"), "value")

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("side", choices=["server", "client"])
for name in ("token", "project", "reset", "only"): options.add_argument(f"--{name}", default="")
options.add_argument("target", nargs="+")
options, failed = options.parse_args(), 0
chosen = [v for v in VECTORS if options.side in v["appliesTo"] and v["name"].startswith(options.only)]
for vector in chosen:
    if problems := (server if options.side == "server" else client)(vector, options):
        failed += 1; print(vector["name"], *problems, sep="\n    ")
print(f"{len(chosen) - failed} of {len(chosen)} vectors pass")
sys.exit(failed > 0 or not chosen)
