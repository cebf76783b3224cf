"""The client that openapi-generator makes for Python, against the emulator and against the conformance vectors."""

import enum
import importlib
import inspect
import re
import sys
import typing

from common import ENDPOINT, JOB, PROJECT, SIGN_IN, TRAINING_JOB, VISUALIZATION_JOB, Checks, Replay, same, vectors

PACKAGES = {name: importlib.import_module(f"huaweicloud_{name}") for name in ("iam", "modelarts", "mrs")}


def apis(name, host, token=None):
    """Return an object of each API of a package."""
    package = PACKAGES[name]
    configuration = package.Configuration(host=host)
    if token:
        configuration.api_key["token"] = token
    client = package.ApiClient(configuration)
    return [getattr(package, api)(client) for api in dir(package) if api.endswith("Api")]


def method(objects, operation):
    """Return the method of an operation."""
    return next(getattr(api, operation) for api in objects if hasattr(api, operation))


def enum_of(hint):
    """Return the enumeration that a type hint has somewhere inside, if any."""
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        return hint
    return next(filter(None, map(enum_of, typing.get_args(hint))), None)


def body_of(call):
    """Return the name and the type of a method's body, if it has one."""
    for name, hint in typing.get_type_hints(call).items():
        if inspect.isclass(hint) and hasattr(hint, "from_dict"):
            return name, hint
    return None


def replay(checks, folder):
    """Every documented request is sent, and every documented response decoded."""
    with Replay() as server:
        clients = {name: apis(name, server.url, "token") for name in PACKAGES}
        for vector in vectors(folder):
            if "response" not in vector:
                continue
            server.vector = vector

            def act(vector=vector):
                call = method(clients[vector["service"]], vector["operation"])
                arguments = {re.sub("([A-Z])", r"_\1", k).lower(): v for k, v in vector["parameters"].items()}
                for name, hint in typing.get_type_hints(call).items():
                    if name in arguments and (kind := enum_of(hint)):
                        arguments[name] = kind(arguments[name])
                if "body" in vector["request"]:
                    name, kind = body_of(call)
                    arguments[name] = kind.from_dict(vector["request"]["body"])
                error = vector["decodesTo"].get("error")
                package = PACKAGES[vector["service"]]
                try:
                    value = call(**arguments)
                except package.ApiException as failure:
                    assert error, f"fails: {failure}"
                    assert failure.status == error["status"]
                    assert failure.data is not None, "the failure has no data"
                    assert type(failure.data).__name__ == vector["decodesTo"]["schema"], type(failure.data)
                    same(vector["response"]["body"], failure.data.to_dict())
                    return
                assert not error, "no failure is raised"
                if "body" in vector["request"]:
                    same(vector["request"]["body"], server.sent[2], "request")
                if value is not None:
                    same(vector["decodesTo"]["value"], value.to_dict())

            checks.check(vector["name"], act)


def emulator(checks):
    """The documented updates, a list, a creation and failures, against the emulator."""
    iam = PACKAGES["iam"]
    answer = method(apis("iam", ENDPOINT), "create_token_with_http_info")(iam.CreateTokenRequest.from_dict(SIGN_IN))
    token = {name.lower(): value for name, value in answer.headers.items()}["x-subject-token"]
    modelarts, mrs = PACKAGES["modelarts"], PACKAGES["mrs"]
    jobs = lambda operation: method(apis("modelarts", ENDPOINT, token), operation)  # noqa: E731
    objects = lambda operation: method(apis("mrs", ENDPOINT, token), operation)  # noqa: E731
    checks.check("sign in", lambda: same(PROJECT, answer.data.token.project.id))

    def training():
        request = modelarts.UpdateTrainingJobRequest(job_desc="from Python")
        assert jobs("update_training_job")(PROJECT, TRAINING_JOB, request).is_success
        listed = jobs("list_training_jobs")(PROJECT, per_page=100).jobs
        assert "from Python" in [job.job_desc for job in listed], listed

    def created():
        config = {
            "worker_server_num": 1, "app_url": "/usr/app/", "boot_file_url": "/usr/app/boot.py", "data_url": "/usr/data/",
            "spec_id": 1, "engine_id": 1, "train_url": "/usr/train/",
        }
        request = modelarts.CreateTrainingJobRequest.from_dict({"job_name": "python-job", "config": config})
        job_id = int(jobs("create_training_job")(PROJECT, request).job_id.actual_instance)
        request = modelarts.UpdateTrainingJobRequest(job_desc="changed")
        assert jobs("update_training_job")(PROJECT, job_id, request).is_success
        assert jobs("list_training_job_versions")(PROJECT, job_id).versions

    def visualization():
        request = modelarts.UpdateVisualizationJobRequest(job_desc="from Python")
        assert jobs("update_visualization_job")(PROJECT, VISUALIZATION_JOB, request).is_success
        assert jobs("show_visualization_job")(PROJECT, VISUALIZATION_JOB).job_desc == "from Python"

    def labeling():
        request = {"name": "python-labels", "description": "d", "data_type": "OBS", "type": "Manual Image classify", "path": "images/"}
        job_id = jobs("create_annotation_job")(PROJECT, modelarts.CreateAnnotationJobRequest.from_dict(request)).job_id
        request = modelarts.UpdateAnnotationJobRequest(name="python-labels-2", description="from Python")
        assert jobs("update_annotation_job")(PROJECT, job_id, request).job_id == job_id

    def job_object():
        request = mrs.UpdateJobRequest(description="from Python")
        assert objects("update_job")(PROJECT, JOB, request).job.description == "from Python"
        assert objects("show_job")(PROJECT, JOB).job.description == "from Python"

    def copies():
        request = mrs.CreateJobRequest.from_dict({"name": "python-copy", "type": "DistCp"})
        assert objects("create_job")(PROJECT, request).job.name == "python-copy"
        request = {
            "job_type": 5, "job_name": "python-copy", "cluster_id": "e955a7a3-d334-4943-a39a-994976900d56",
            "file_action": "import", "input": "s3a://bucket/in", "output": "/out",
        }
        assert objects("submit_job")(PROJECT, mrs.SubmitJobRequest.from_dict(request)).job_execution.id

    def lists():
        for operation, field in (("list_jobs", "jobs"), ("list_job_executions", "job_executions"), ("list_job_exes", "job_executions")):
            assert getattr(objects(operation)(PROJECT), field), operation

    def state():
        shown = jobs("list_training_jobs")(PROJECT, per_page=1).jobs[0].status.actual_instance
        assert isinstance(shown, modelarts.JobStatusCode), shown

    def failure(call, status, kind, code):
        try:
            call()
        except (modelarts.ApiException, mrs.ApiException) as error:
            data = error.data
            assert (error.status, type(data).__name__, data.error_code) == (status, kind, code), (error.status, data)
            return
        raise AssertionError("no failure")

    unknown = modelarts.UpdateTrainingJobRequest(job_desc="x")
    for name, act in (
        ("training job", training), ("created training job", created), ("visualization job", visualization),
        ("labeling job", labeling), ("job object", job_object), ("DistCp", copies), ("lists", lists), ("state", state),
        ("failure of ModelArts", lambda: failure(lambda: jobs("update_training_job")(PROJECT, 404404, unknown), 400, "JobFailure", "ModelArts.0102")),
        ("failure of MRS", lambda: failure(lambda: objects("show_job")(PROJECT, "none"), 404, "MrsFailure", "0176")),
        ("rejected by the gateway", lambda: failure(lambda: method(apis("mrs", ENDPOINT, "wrong"), "list_jobs")(PROJECT), 401, "MrsError", "APIG.0301")),
    ):
        checks.check(name, act)


checks = Checks("openapi-generator python")
emulator(checks)
replay(checks, sys.argv[1])
sys.exit(checks.finish())
