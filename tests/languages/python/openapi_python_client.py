"""The client that openapi-python-client makes, against the emulator and against the conformance vectors."""

import enum
import importlib
import inspect
import pkgutil
import re
import sys
import typing

from common import ENDPOINT, JOB, PROJECT, SIGN_IN, TRAINING_JOB, VISUALIZATION_JOB, Checks, Replay, same, vectors


def operations(service):
    """Return the modules of all operations of a package, by name."""
    package = importlib.import_module(f"opc_{service}.api")
    modules = (info.name for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))
    return {name.rsplit(".", 1)[1]: importlib.import_module(name) for name in modules}


OPERATIONS = {service: operations(service) for service in ("iam", "modelarts", "mrs")}
MODELS = {service: importlib.import_module(f"opc_{service}.models") for service in OPERATIONS}


def client(service, url, token="none"):
    """Return a client that sends a token."""
    module = importlib.import_module(f"opc_{service}")
    return module.AuthenticatedClient(url, token, prefix="", auth_header_name="X-Auth-Token", raise_on_unexpected_status=True)


def kind_of(hint, wanted):
    """Return the class that a type hint has somewhere inside and that is wanted, if any."""
    if inspect.isclass(hint) and wanted(hint):
        return hint
    return next(filter(None, (kind_of(inner, wanted) for inner in typing.get_args(hint))), None)


def call(service, operation, connection, parameters, body=None):
    """Call an operation with plain values."""
    act = OPERATIONS[service][operation].sync_detailed
    hints = typing.get_type_hints(act)
    arguments = {}
    for name, value in parameters.items():
        name = re.sub("([A-Z])", r"_\1", name).lower()
        kind = kind_of(hints[name], lambda hint: issubclass(hint, enum.Enum))
        plain = kind_of(hints[name], lambda hint: hint in (str, int, bool))
        arguments[name] = kind(value) if kind else plain(value) if plain else value
    if body is not None:
        arguments["body"] = kind_of(hints["body"], lambda hint: hasattr(hint, "from_dict")).from_dict(body)
    if "client" in inspect.signature(act).parameters:
        arguments["client"] = connection
    return act(**arguments)


def replay(checks, folder):
    """Every documented request is sent, and every documented response decoded."""
    with Replay() as server:
        connections = {service: client(service, server.url) for service in OPERATIONS}
        for vector in vectors(folder):
            if "response" not in vector:
                continue
            server.vector = vector

            def act(vector=vector):
                service, request = vector["service"], vector["request"]
                answer = call(service, vector["operation"], connections[service], vector["parameters"], request.get("body"))
                assert answer.status_code == vector["response"]["status"], answer
                if "body" in request:
                    same(request["body"], server.sent[2], "request")
                if "body" in vector["response"]:
                    assert type(answer.parsed).__name__ == vector["decodesTo"]["schema"], type(answer.parsed)
                    same(vector["response"]["body"], answer.parsed.to_dict())

            checks.check(vector["name"], act)


def emulator(checks):
    """The documented updates, a list, a creation and failures, against the emulator."""
    answer = call("iam", "create_token", client("iam", ENDPOINT), {}, SIGN_IN)
    token = answer.headers["X-Subject-Token"]
    checks.check("sign in", lambda: same(PROJECT, answer.parsed.token.project.id))
    connections = {service: client(service, ENDPOINT, token) for service in OPERATIONS}

    def ask(service, operation, parameters=None, body=None, status=None):
        parameters = {"project_id": PROJECT, **(parameters or {})}
        answer = call(service, operation, connections[service], parameters, body)
        assert answer.status_code in ([status] if status else [200, 202]), (answer.status_code, answer.content)
        return answer.parsed

    def training():
        change = {"job_desc": "from Python"}
        assert ask("modelarts", "update_training_job", {"job_id": TRAINING_JOB}, change).is_success
        listed = ask("modelarts", "list_training_jobs", {"per_page": 100}).jobs
        assert "from Python" in [job.job_desc for job in listed], listed

    def created():
        config = {
            "worker_server_num": 1, "app_url": "/usr/app/", "boot_file_url": "/usr/app/boot.py", "data_url": "/usr/data/",
            "spec_id": 1, "engine_id": 1, "train_url": "/usr/train/",
        }
        made = ask("modelarts", "create_training_job", body={"job_name": "opc-job", "config": config})
        assert ask("modelarts", "update_training_job", {"job_id": made.job_id}, {"job_desc": "changed"}).is_success

    def visualization():
        change = {"job_desc": "from Python"}
        assert ask("modelarts", "update_visualization_job", {"job_id": VISUALIZATION_JOB}, change).is_success

    def labeling():
        body = {"name": "opc-labels", "description": "d", "data_type": "OBS", "type": "Manual Image classify", "path": "images/"}
        job_id = ask("modelarts", "create_annotation_job", body=body).job_id
        change = {"name": "opc-labels-2", "description": "from Python"}
        assert ask("modelarts", "update_annotation_job", {"job_id": job_id}, change).job_id == job_id

    def job_object():
        assert ask("mrs", "update_job", {"job_id": JOB}, {"description": "from Python"}).job.description == "from Python"

    def failure(service, operation, parameters, body, status, kind, code):
        data = ask(service, operation, parameters, body, status)
        assert (type(data).__name__, data.error_code) == (kind, code), data

    for name, act in (
        ("training job", training), ("created training job", created), ("visualization job", visualization),
        ("labeling job", labeling), ("job object", job_object),
        ("DistCp", lambda: ask("mrs", "create_job", body={"name": "opc-copy", "type": "DistCp"})),
        ("executions", lambda: ask("mrs", "list_job_executions").job_executions[0]),
        ("failure of ModelArts", lambda: failure("modelarts", "update_training_job", {"job_id": 404404}, {"job_desc": "x"}, 400, "JobFailure", "ModelArts.0102")),
        ("failure of MRS", lambda: failure("mrs", "show_job", {"job_id": "none"}, None, 404, "MrsFailure", "0176")),
    ):
        checks.check(name, act)


checks = Checks("openapi-python-client")
emulator(checks)
replay(checks, sys.argv[1])
sys.exit(checks.finish())
