"""Tests of the OpenStack SDK with the extensions of T Cloud Public: login, and services of the catalog."""

import openstack
from openstack import exceptions
from otcextensions import sdk

from checks import DOMAIN, ENDPOINT, PASSWORD, PROJECT_ID, PROJECT_NAME, USER, check, equal, finish, refused, until


def connect(auth_type="v3password", password=PASSWORD, **scope):
    named = {"auth_url": f"{ENDPOINT}/v3", "username": USER, "password": password, "user_domain_name": DOMAIN}
    connection = openstack.connection.Connection(
        auth_type=auth_type, auth={**named, **scope}, region_name=PROJECT_NAME, identity_interface="public"
    )
    sdk.register_otc_extensions(connection)
    return connection


for description, auth_type, scope in [
    ("project by id", "v3password", {"project_id": PROJECT_ID}),
    ("project by name, with its account", "v3password", {"project_name": PROJECT_NAME, "project_domain_name": DOMAIN}),
    ("account", "v3password", {"domain_name": DOMAIN}),
    ("nothing", "v3password", {}),
    ("project by id, after the version was asked for", "password", {"project_id": PROJECT_ID}),
]:

    @check(f"sign in for: {description}")
    def _():
        connection = connect(auth_type, **scope)
        assert connection.authorize()
        equal(connection.current_project_id, PROJECT_ID if "project" in description else None)


@check("sign in with a wrong password")
def _():
    refused(exceptions.SDKException, lambda: connect(password="wrong", project_id=PROJECT_ID).authorize())


cloud = connect(project_name=PROJECT_NAME, project_domain_name=DOMAIN)


@check("endpoints of the catalog")
def _():
    for service, path in [("mrs", f"/v1.1/{PROJECT_ID}"), ("modelartsv1", f"/v1/{PROJECT_ID}"), ("identity", "/v3")]:
        url = cloud.session.get_endpoint(service_type=service, interface="public", region_name=PROJECT_NAME)
        equal(url.rstrip("/"), ENDPOINT + path)


@check("a raw request through the session: validate the token")
def _():
    token = cloud.session.get_token()
    answer = cloud.session.get(f"{ENDPOINT}/v3/auth/tokens", headers={"X-Subject-Token": token})
    equal(answer.json()["token"]["project"]["id"], PROJECT_ID)


@check("identity: projects, the project by its name and by its id")
def _():
    equal(cloud.identity.get_project(PROJECT_ID).name, PROJECT_NAME)
    equal(cloud.identity.find_project(PROJECT_NAME).id, PROJECT_ID)
    assert PROJECT_ID in [project.id for project in cloud.identity.projects()]


mrs, modelarts = cloud.mrs, cloud.modelartsv1


for name, attributes, changes in [
    ("jobbinary", {"name": "otc-made", "url": "/simple/program", "description": "first"}, {"description": "second"}),
    ("datasource", {"name": "otc-made", "url": "/simple/input", "type": "hdfs", "description": "first"}, {"description": "second"}),
    ("job", {"name": "otc-made", "type": "DistCp", "description": "first"}, {"description": "second"}),
]:

    @check(f"MRS {name}: create, get, find, list, pages, update, delete")
    def _():
        many = {"jobbinary": "jobbinaries", "datasource": "datasources", "job": "jobs"}[name]
        create, get, find, update, delete = (
            getattr(mrs, f"{verb}_{name}") for verb in ["create", "get", "find", "update", "delete"]
        )
        made = [create(**{**attributes, "name": f"otc-made-{number}"}) for number in range(3)]
        equal(get(made[0].id).description, "first")
        equal((find(made[1].id).id, find("otc-made-1").id), (made[1].id, made[1].id))
        equal(find("otc-unknown"), None)
        refused(exceptions.NotFoundException, find, "otc-unknown", ignore_missing=False)
        ids = {each.id for each in made}
        assert ids <= {each.id for each in getattr(mrs, many)()}
        paged = [each.id for each in getattr(mrs, many)(limit=2)]
        assert ids <= set(paged) and len(paged) == len(set(paged)), paged
        changed = update(made[0], **changes)
        equal((changed.description, get(made[0].id).description, get(made[0].id).name), ("second", "second", "otc-made-0"))
        for each in made:
            delete(each)
            refused(exceptions.NotFoundException, get, each.id)
        delete(made[0].id, ignore_missing=True)
        refused(exceptions.NotFoundException, delete, made[0].id, ignore_missing=False)


@check("MRS job: the documented one, updated")
def _():
    job = "b8ea4daa-0042-45e0-a522-e8b714e74760"
    equal(mrs.update_job(job, description="This is the new job", name="my-job-new").name, "my-job-new")
    equal(mrs.get_job(job).description, "This is the new job")


@check("MRS job: a bad name is refused")
def _():
    refused(exceptions.BadRequestException, mrs.create_job, name="bad name", type="DistCp")


# The documented state of a job that was stopped.
STOPPED = 12

CONFIG = {
    "worker_server_num": 1,
    "app_url": "/usr/app/",
    "boot_file_url": "/usr/app/boot.py",
    "train_url": "/usr/train/",
    "data_url": "/usr/data/",
    "spec_id": 1,
    "engine_id": 1,
}


@check("ModelArts training jobs: list, pages, search")
def _():
    assert 10 in [job.job_id for job in modelarts.training_jobs()]
    assert len(list(modelarts.training_jobs(limit=1))) >= 1
    equal([job.job_name for job in modelarts.training_jobs(search_content="testModelArtsJob")], ["testModelArtsJob"])


@check("ModelArts training job: create, find, update, delete")
def _():
    created = modelarts.create_training_job(job_name="otc-made", job_desc="first", config=CONFIG)
    equal(created.is_success, True)
    modelarts.update_training_job(created, "second")
    equal([job.job_description for job in modelarts.training_jobs(search_content="otc-made")], ["second"])
    modelarts.delete_training_job(created.job_id)
    refused(exceptions.HttpException, modelarts.delete_training_job, created.job_id)


@check("ModelArts training job: versions")
def _():
    # Calls for a single version fail in this SDK before it sends a request: it does not find the id of the job.
    created = modelarts.create_training_job(job_name="otc-versions", config=CONFIG)
    equal([version.version_name for version in modelarts.training_job_versions(created.job_id)], ["V0001"])
    refused(KeyError, modelarts.get_training_job_version, created.job_id, 1)
    modelarts.delete_training_job(created.job_id)


@check("ModelArts training job configurations: create, get, list, update, delete")
def _():
    config = {key: value for key, value in CONFIG.items()}
    modelarts.create_training_job_config(config_name="otc-made", config_desc="first", **config)
    equal(modelarts.get_training_job_config("otc-made").config_desc, "first")
    modelarts.update_training_job_config("otc-made", config_desc="second", **config)
    equal([each.config_desc for each in modelarts.training_job_configs(search_content="otc-made")], ["second"])
    modelarts.delete_training_job_config("otc-made")


@check("ModelArts: engines, flavors, built-in models")
def _():
    assert list(modelarts.job_engines(job_type="train"))
    assert list(modelarts.job_flavors(job_type="train"))
    models = list(modelarts.builtin_models())
    assert models
    equal(modelarts.find_builtin_model(models[0].model_name).model_id, models[0].model_id)


@check("ModelArts visualization jobs: create, get, list, update, stop, restart, delete")
def _():
    created = modelarts.create_visualization_job(job_name="otc-made", job_desc="first", train_url="/obs/name/")
    equal(modelarts.get_visualization_job(created.job_id).job_name, "otc-made")
    modelarts.update_visualization_job(created.job_id, "second")
    equal(modelarts.get_visualization_job(created.job_id).job_desc, "second")
    assert created.job_id in [job.job_id for job in modelarts.visualization_jobs()]
    modelarts.stop_visualization_job(created.job_id)
    until(lambda: modelarts.get_visualization_job(created.job_id).status == STOPPED)
    modelarts.restart_visualization_job(created.job_id)
    modelarts.delete_visualization_job(created.job_id)
    refused(exceptions.HttpException, modelarts.get_visualization_job, created.job_id)


@check("the documented updates: training jobs 10 and 182626, visualization job 8992")
def _():
    for job, text in [(10, "This is a ModelArts job"), (182626, "update description")]:
        equal(modelarts.update_training_job(job, text).is_success, True)
        assert text in [each.job_description for each in modelarts.training_jobs() if each.job_id == job]
    equal(modelarts.update_visualization_job(8992, "update visualization job").is_success, True)
    equal(modelarts.get_visualization_job(8992).job_desc, "update visualization job")


@check("updates that are refused: 257 characters, an unknown job")
def _():
    refused(exceptions.BadRequestException, modelarts.update_training_job, 10, "x" * 257)
    refused(exceptions.HttpException, modelarts.update_training_job, 999999, "x")
    refused(exceptions.BadRequestException, modelarts.update_visualization_job, 8992, "x" * 257)


@check("labeling job, through the catalog's endpoint: the documented update")
def _():
    job = "062ef90a-da4d-4af4-82ba-1523da57e78e"
    answer = modelarts.put(f"/annotation-jobs/{job}", json={"name": "otc-changed", "description": "second"})
    equal((answer.status_code, answer.json()), (200, {"job_id": job}))
    listed = modelarts.get("/annotation-jobs", params={"search_content": "otc-changed"}).json()["jobs"]
    equal([each["description"] for each in listed], ["second"])


finish("otcextensions 0.34.8, openstacksdk 4.21.0")
