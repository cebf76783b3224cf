"""An example suite: the five documented updates by two clients that nobody here wrote, a fault, and a moved clock."""

import openstack
import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.client import Client, ClientBuilder
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig
from otcextensions import sdk


@pytest.fixture
def vendor(hwjobs, monkeypatch, tmp_path):
    """Sends any request, signed by the vendor's Python core."""
    monkeypatch.setenv("HOME", str(tmp_path))  # the core writes a file there
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings = hwjobs.client_settings("huaweicloudsdkcore")

    class Jobs(Client):
        def sync_response_handler(self, response, *_):
            return response

    credentials = BasicCredentials(settings["ak"], settings["sk"], settings["project_id"])
    builder = ClientBuilder(Jobs, "BasicCredentials").with_credentials(credentials)
    client = builder.with_http_config(HttpConfig(timeout=(5, 20))).with_endpoint(settings["endpoint"]).build()

    def send(method, path, body=None):
        headers = {"Content-Type": "application/json"}
        response = client.do_http_request(method, path, header_params=headers, body=body)
        return response.json()

    return send


@pytest.fixture
def cloud(hwjobs, monkeypatch):
    """A connection of the OpenStack SDK with the extensions of Open Telekom Cloud."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    connection = openstack.connect(**hwjobs.client_settings("otcextensions"))
    sdk.register_otc_extensions(connection)
    return connection


JOBS = "/v1/{project_id}/training-jobs"


def test_training_job_by_id(vendor):
    assert vendor("PUT", f"{JOBS}/10", {"job_desc": "by id"}) == {"is_success": True}
    assert "by id" in [job["job_desc"] for job in vendor("GET", JOBS)["jobs"]]


def test_training_job_from_its_versions(vendor):
    versions = vendor("GET", f"{JOBS}/10/versions")
    assert vendor("PUT", f"{JOBS}/{versions['job_id']}", {"job_desc": "by version"}) == {"is_success": True}


def test_visualization_job(vendor):
    created = vendor("POST", "/v1/{project_id}/visualization-jobs", {"job_name": "vis", "train_url": "/bucket/out/"})
    assert vendor("PUT", f"/v1/{{project_id}}/visualization-jobs/{created['job_id']}", {"job_desc": "new"})[
        "is_success"
    ]


def test_labeling_job(vendor):
    body = {"name": "label", "description": "", "data_type": "OBS", "type": "Manual Image classify", "path": "in/"}
    created = vendor("POST", "/v1/{project_id}/annotation-jobs", body)
    path = f"/v1/{{project_id}}/annotation-jobs/{created['job_id']}"
    assert vendor("PUT", path, {"name": "label", "description": "new"}) == {"job_id": created["job_id"]}


def test_job_object(cloud):
    job = next(cloud.mrs.jobs())
    assert cloud.mrs.update_job(job, name="renamed", type=job.type, mains=[], libs=[]).name == "renamed"


def test_a_failure_of_the_service(hwjobs, vendor):
    hwjobs.add_fault("update_training_job", status=500, code="ModelArts.0010", count=1)
    with pytest.raises(ServiceResponseException) as failure:
        vendor("PUT", f"{JOBS}/10", {"job_desc": "x"})
    assert failure.value.status_code == 500
    # The core does not read ModelArts' `error_message`: only the status and the body's text are left of its failures.
    assert "ModelArts.0010" in failure.value.error_msg


def test_a_job_that_completes_when_the_clock_moves(hwjobs, vendor):
    hwjobs.set_time_scale(0)
    config = {
        "worker_server_num": 1,
        "app_url": "/bucket/code/",
        "boot_file_url": "/bucket/code/train.py",
        "engine_id": 4,
        "spec_id": 1,
        "data_url": "/bucket/in/",
        "train_url": "/bucket/out/",
        "log_url": "/bucket/log/",
    }
    created = vendor("POST", JOBS, {"job_name": "clocked", "config": config})
    version = f"{JOBS}/{created['job_id']}/versions/{created['version_id']}"
    before = vendor("GET", version)["status"]
    hwjobs.advance(24 * 3600)
    after = vendor("GET", version)["status"]
    assert (before, after) != (10, 10) and after == 10  # 10: completed
