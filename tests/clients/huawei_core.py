"""Tests of the vendor's Python core: it signs every request, and its IAM and MRS clients have some of the operations."""

import os

from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.client import Client, ClientBuilder
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ServerResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkiam import v3 as iam
from huaweicloudsdkmrs import v1 as mrs

from checks import DOMAIN, ENDPOINT, PASSWORD, PROJECT_ID, PROJECT_NAME, USER, check, equal, finish, refused

AK, SK = os.environ["HUAWEICLOUD_SDK_AK"], os.environ["HUAWEICLOUD_SDK_SK"]


class Any(Client):
    """A client for operations that the core does not have: the core signs and sends, and responses stay unparsed."""

    def sync_response_handler(self, response, *_):
        return response


def build(client, credentials, region=None):
    built = ClientBuilder(client, type(credentials).__name__).with_credentials(credentials)
    built.with_http_config(HttpConfig(timeout=(5, 20)))
    return (built.with_region(region) if region else built.with_endpoint(ENDPOINT)).build()


def keys():
    return BasicCredentials(AK, SK, PROJECT_ID)


def send(method, path, body=None, query=(), client=None):
    """Calls any operation with the core's signature, and returns status and body."""
    answer = (client or jobs).do_http_request(
        method,
        path,
        query_params=list(query),
        header_params={"Content-Type": "application/json"},
        body=body,
    )
    return answer.status_code, answer.json() if answer.content else None


jobs = build(Any, keys())
identity = build(iam.IamClient, GlobalCredentials(AK, SK, "any"))
MA, MRS = "/v1/{project_id}", "/v1.1/{project_id}"


@check("credentials come from the environment")
def _():
    found = ClientBuilder(Any).with_endpoint(ENDPOINT).build().get_credentials()
    equal((found.ak, found.sk, found.project_id), (AK, SK, PROJECT_ID))


@check("the id of the project is looked up by the region's name")
def _():
    credentials = BasicCredentials(AK, SK).with_iam_endpoint(ENDPOINT)
    region = Region(PROJECT_NAME, ENDPOINT)
    equal(build(Any, credentials, region=region).get_credentials().project_id, PROJECT_ID)


@check("the id of the account is looked up")
def _():
    credentials = GlobalCredentials(AK, SK).with_iam_endpoint(ENDPOINT)
    found = build(Any, credentials, region=Region(PROJECT_NAME, ENDPOINT)).get_credentials().domain_id
    projects = identity.keystone_list_projects(iam.KeystoneListProjectsRequest(name=PROJECT_NAME)).projects
    equal(found, projects[0].domain_id)


@check("IAM: a token by password, for the project")
def token():
    user = iam.PwdPasswordUser(domain=iam.PwdPasswordUserDomain(name=DOMAIN), name=USER, password=PASSWORD)
    sign_in = iam.PwdIdentity(methods=["password"], password=iam.PwdPassword(user=user))
    scope = iam.AuthScope(project=iam.AuthScopeProject(name=PROJECT_NAME))
    body = iam.KeystoneCreateUserTokenByPasswordRequestBody(auth=iam.PwdAuth(identity=sign_in, scope=scope))
    request = iam.KeystoneCreateUserTokenByPasswordRequest(body=body)
    answer = identity.keystone_create_user_token_by_password(request)
    equal((answer.status_code, answer.token.project.id, answer.token.user.name), (201, PROJECT_ID, USER))
    user.password = "wrong"
    error = refused(ClientRequestException, identity.keystone_create_user_token_by_password, request)
    equal((error.status_code, int(error.error_code)), (401, 401))
    return answer.x_subject_token


@check("IAM: the token is validated")
def _():
    request = iam.KeystoneValidateTokenRequest(x_subject_token=token)
    equal(identity.keystone_validate_token(request).token.project.id, PROJECT_ID)


@check("IAM: projects by name, and the caller's own")
def _():
    listed = identity.keystone_list_projects(iam.KeystoneListProjectsRequest(name=PROJECT_NAME)).projects
    equal([project.id for project in listed], [PROJECT_ID])
    equal(identity.keystone_list_projects(iam.KeystoneListProjectsRequest(name="elsewhere")).projects, [])
    own = identity.keystone_list_auth_projects(iam.KeystoneListAuthProjectsRequest()).projects
    assert PROJECT_ID in [project.id for project in own]


@check("signatures: another secret, another key, another project")
def _():
    for credentials, status, code in [
        (BasicCredentials(AK, "another", PROJECT_ID), 401, "APIG.0301"),
        (BasicCredentials("ANOTHERKEY", SK, PROJECT_ID), 401, "APIG.0301"),
        (BasicCredentials(AK, SK, "0" * 32), 403, "APIG.0302"),
    ]:
        error = refused(ClientRequestException, send, "GET", f"{MRS}/jobs", client=build(Any, credentials))
        equal((error.status_code, error.error_code), (status, code))


@check("signatures: derived keys (V11-HMAC-SHA256)")
def _():
    credentials = keys().with_derived_predicate(lambda request: True)
    credentials._process_derived_auth_params("mrs", PROJECT_NAME)
    equal(send("GET", f"{MRS}/jobs", client=build(Any, credentials))[0], 200)


@check("signatures: blanks, slashes, repeated names and no values in a query")
def _():
    query = [("search_content", "a b/+~*%2F"), ("order", "desc"), ("per_page", 10), ("unknown", ["b", "a", ""])]
    equal(send("GET", f"{MA}/training-jobs", query=query)[0], 200)


@check("update 1: training job 10, as the REST page prints it")
def _():
    equal(send("PUT", f"{MA}/training-jobs/10", {"job_desc": "This is a ModelArts job"}), (200, {"is_success": True}))
    listed = send("GET", f"{MA}/training-jobs", query=[("search_content", "testModelArtsJob")])[1]["jobs"]
    equal([job["job_desc"] for job in listed if job["job_id"] == 10], ["This is a ModelArts job"])


@check("update 2: training job 182626, as the SDK's page prints it")
def _():
    equal(send("PUT", f"{MA}/training-jobs/182626", {"job_desc": "update description"}), (200, {"is_success": True}))


@check("update 3: visualization job 8992")
def _():
    path = f"{MA}/visualization-jobs/8992"
    equal(send("PUT", path, {"job_desc": "update visualization job"}), (200, {"is_success": True}))
    equal(send("GET", path)[1]["job_desc"], "update visualization job")


@check("update 4: labeling job, as the REST page prints it")
def _():
    job = "062ef90a-da4d-4af4-82ba-1523da57e78e"
    body = {"name": "image-classification-test", "description": "Größer, 更新"}
    equal(send("PUT", f"{MA}/annotation-jobs/{job}", body), (200, {"job_id": job}))
    listed = send("GET", f"{MA}/annotation-jobs", query=[("limit", 100)])[1]["jobs"]
    equal([found["description"] for found in listed if found["id"] == job], [body["description"]])


@check("update 5: MRS job, as the REST page prints it")
def _():
    job = "b8ea4daa-0042-45e0-a522-e8b714e74760"
    status, body = send("PATCH", f"{MRS}/jobs/{job}", {"description": "This is the new job", "name": "my-job-new"})
    equal((status, body["job"]["description"], body["job"]["name"]), (202, "This is the new job", "my-job-new"))
    shown = send("GET", f"{MRS}/jobs/{job}")[1]["job"]
    equal((shown["description"], shown["updated_at"]), ("This is the new job", body["job"]["updated_at"]))


@check("updates that are refused: 257 characters, nothing, a number, an unknown job")
def _():
    # The core does not parse this form of an error: the code is in its message.
    for path, body, code in [
        ("10", {"job_desc": "ü" * 257}, "ModelArts."),
        ("10", {}, "ModelArts."),
        ("10", {"job_desc": 7}, "ModelArts."),
        ("999999", {"job_desc": "x"}, "ModelArts."),
    ]:
        error = refused(ClientRequestException, send, "PUT", f"{MA}/training-jobs/{path}", body)
        assert 400 <= error.status_code < 500 and code in error.error_msg, error
    equal(send("PUT", f"{MA}/training-jobs/10", {"job_desc": "ü" * 256})[0], 200)


for name, one, many, path, body, change, update in [
    ("job binary", "job_binary", "binaries", "job-binaries", {"url": "/simple/program", "description": "first"}, {"description": "new"}, "PUT"),
    ("data source", "data_source", "data_sources", "data-sources", {"url": "/simple/input", "type": "hdfs"}, {"url": "/a"}, "PUT"),
    ("MRS job", "job", "jobs", "jobs", {"type": "DistCp"}, {"description": "new"}, "PATCH"),
]:

    @check(f"{name}: create, list, show, update, delete")
    def _():
        status, created = send("POST", f"{MRS}/{path}", {"name": "core-made", **body})
        found = created[one]
        equal((status, found["name"]), (202, "core-made"))
        own = f"{MRS}/{path}/{found['id']}"
        equal(send("GET", own)[1], created)
        assert found["id"] in [each["id"] for each in send("GET", f"{MRS}/{path}")[1][many]]
        page = send("GET", f"{MRS}/{path}", query=[("limit", 1), ("sort_by", "-name")])[1][many]
        equal(len(page), 1)
        status, changed = send(update, own, change)
        field, value = next(iter(change.items()))
        equal((status, changed[one][field], changed[one]["name"]), (202, value, "core-made"))
        equal(send("DELETE", own), (204, None))
        equal(refused(ClientRequestException, send, "GET", own).status_code, 404)
        equal(refused(ClientRequestException, send, "DELETE", own).status_code, 404)


@check("MRS job: execute, executions, cancel")
def _():
    job = send("POST", f"{MRS}/jobs", {"name": "core-runs", "type": "DistCp"})[1]["job"]["id"]
    sources = [
        send("POST", f"{MRS}/data-sources", {"name": name, "url": f"/{name}", "type": "hdfs"})[1]["data_source"]["id"]
        for name in ["core-in", "core-out"]
    ]
    body = {
        "cluster_id": "e955a7a3-d334-4943-a39a-994976900d56",
        "input_id": sources[0],
        "output_id": sources[1],
        "job_configs": {"configs": {}, "args": [], "params": {}},
    }
    status, answer = send("POST", f"{MRS}/jobs/{job}/execute", body)
    execution = answer["job_execution"]
    equal((status, execution["job_id"], execution["tenant_id"]), (202, job, PROJECT_ID))
    own = f"{MRS}/job-executions/{execution['id']}"
    equal(send("GET", own)[1]["job_execution"]["id"], execution["id"])
    assert execution["id"] in [each["id"] for each in send("GET", f"{MRS}/job-executions")[1]["job_executions"]]
    equal(send("GET", f"{own}/cancel")[0], 200)
    equal(send("DELETE", own), (204, None))


client = build(mrs.MrsClient, keys())


@check("MRS client: submit, list, show, delete an exe object")
def _():
    body = mrs.SubmitJobReqV11(
        job_type=1,
        job_name="core_submits",
        cluster_id="e955a7a3-d334-4943-a39a-994976900d56",
        jar_path="s3a://bucket/program/hadoop-mapreduce-examples.jar",
        arguments="wordcount",
        input="s3a://bucket/input/",
        output="s3a://bucket/output/",
        job_log="s3a://bucket/log/",
        file_action="",
        hql="",
        hive_script_path="",
    )
    request = mrs.CreateAndExecuteJobRequest(body=body)
    # The client reads only the status: it does not expect the documented wrapper of the response.
    equal(client.create_and_execute_job(request).status_code, 200)
    wanted = mrs.ListExecuteJobRequest(page_size="10", current_page="1", job_name="core_submits")
    listed = client.list_execute_job(wanted)
    equal([(each.job_name, each.tenant_id) for each in listed.job_executions], [("core_submits", PROJECT_ID)])
    submitted = listed.job_executions[0]
    shown = client.show_job_exes(mrs.ShowJobExesRequest(job_exe_id=submitted.id)).job_execution
    equal(shown.job_name, "core_submits")
    client.delete_job_execution(mrs.DeleteJobExecutionRequest(job_execution_id=submitted.id))
    gone = mrs.ShowJobExesRequest(job_exe_id=submitted.id)
    equal(refused(ServerResponseException, client.show_job_exes, gone).status_code, 500)


for name, path, body in [
    (
        "training job",
        "training-jobs",
        {
            "job_name": "core-made",
            "job_desc": "first",
            "config": {
                "worker_server_num": 1,
                "app_url": "/usr/app/",
                "boot_file_url": "/usr/app/boot.py",
                "train_url": "/usr/train/",
                "data_url": "/usr/data/",
                "spec_id": 1,
                "engine_id": 1,
            },
        },
    ),
    ("visualization job", "visualization-jobs", {"job_name": "core-made", "job_desc": "first", "train_url": "/obs/name/"}),
]:

    @check(f"{name}: create, list, update, delete")
    def _():
        status, created = send("POST", f"{MA}/{path}", body)
        equal((status, created["is_success"], created["job_name"]), (200, True, "core-made"))
        own = f"{MA}/{path}/{created['job_id']}"
        equal(send("PUT", own, {"job_desc": "second"}), (200, {"is_success": True}))
        query = [("search_content", "core-made"), ("page", 1), ("per_page", 10), ("sortBy", "create_time")]
        listed = send("GET", f"{MA}/{path}", query=query)[1]
        equal([(job["job_name"], job["job_desc"]) for job in listed["jobs"]], [("core-made", "second")])
        status, deleted = send("DELETE", own)
        equal((status, deleted["is_success"]), (200, True))
        refused(ClientRequestException, send, "PUT", own, {"job_desc": "third"})


@check("labeling job: create, list, update, delete")
def _():
    body = {"name": "core-made", "description": "first", "data_type": "OBS", "type": "Manual Image classify", "path": "core/made/"}
    status, created = send("POST", f"{MA}/annotation-jobs", body)
    equal(status, 200)
    own = f"{MA}/annotation-jobs/{created['job_id']}"
    equal(send("PUT", own, {"name": "core-changed", "description": "second"}), (200, {"job_id": created["job_id"]}))
    listed = send("GET", f"{MA}/annotation-jobs", query=[("search_content", "core-changed"), ("limit", 10)])[1]["jobs"]
    equal([job["description"] for job in listed], ["second"])
    equal(send("DELETE", own)[0], 200)


finish("huaweicloudsdkcore 3.1.219")
