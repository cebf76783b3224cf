"""Tests of the Sahara client: MRS job objects and their executions, with tokens."""

from keystoneauth1 import session as keystone
from keystoneauth1.identity import generic, v3
from saharaclient.api import base
from saharaclient.api.client import Client

from checks import DOMAIN, ENDPOINT, PASSWORD, PROJECT_ID, PROJECT_NAME, USER, check, equal, finish, refused


def connect(plugin, **scope):
    named = {"auth_url": f"{ENDPOINT}/v3", "username": USER, "password": PASSWORD, "user_domain_name": DOMAIN}
    return keystone.Session(auth=plugin(**named, **scope))


for description, plugin in [("v3", v3.Password), ("any version, which is asked for", generic.Password)]:

    @check(f"sign in: {description}")
    def _():
        session = connect(plugin, project_name=PROJECT_NAME, project_domain_name=DOMAIN)
        equal(session.get_project_id(), PROJECT_ID)
        equal(session.get_endpoint(service_type="data-processing"), f"{ENDPOINT}/v1.1/{PROJECT_ID}")


sahara = Client(session=connect(v3.Password, project_id=PROJECT_ID), service_type="data-processing")


@check("the endpoint can be given instead of found")
def _():
    session = connect(v3.Password, project_id=PROJECT_ID)
    given = Client(session=session, sahara_url=f"{ENDPOINT}/v1.1/{PROJECT_ID}")
    assert isinstance(given.jobs.list(), list)


def cycle(manager, made, update):
    """Tests list, pages, show, update and delete of the created objects."""
    ids = {each.id for each in made}
    equal(manager.get(made[0].id).name, made[0].name)
    assert ids <= {each.id for each in manager.list()}
    seen, page = [], manager.list(limit=2)
    while True:
        seen += [each.id for each in page]
        if page.next is None:
            break
        page = manager.list(limit=2, marker=page.next)
    assert ids <= set(seen) and len(seen) == len(set(seen)), seen
    names = [each.name for each in manager.list(sort_by="name", reverse=True)]
    equal(names, sorted(names, reverse=True))
    update(made[0].id)
    shown = manager.get(made[0].id)
    equal((shown.description, shown.name), ("second", made[0].name))
    for each in made:
        manager.delete(each.id)
        error = refused(base.APIException, manager.get, each.id)
        assert error.error_code, error
    refused(base.APIException, manager.delete, made[0].id)


@check("job binaries: create, list, pages, show, update, delete")
def _():
    made = [sahara.job_binaries.create(f"sahara-{number}", "/simple/program", "first") for number in range(3)]
    cycle(sahara.job_binaries, made, lambda own: sahara.job_binaries.update(own, {"description": "second"}))


@check("data sources: create, list, pages, show, update, delete")
def _():
    made = [sahara.data_sources.create(f"sahara-{number}", "first", "hdfs", "/simple/input") for number in range(3)]
    cycle(sahara.data_sources, made, lambda own: sahara.data_sources.update(own, {"description": "second"}))


@check("jobs: create, list, pages, show, update, delete")
def _():
    made = [sahara.jobs.create(f"sahara-{number}", "DistCp", description="first") for number in range(3)]
    cycle(sahara.jobs, made, lambda own: sahara.jobs.update(own, description="second"))


@check("the documented job, updated")
def _():
    job = "b8ea4daa-0042-45e0-a522-e8b714e74760"
    changed = sahara.jobs.update(job, name="my-job-new", description="This is the new job")
    equal(changed.to_dict()["job"]["name"], "my-job-new")
    equal(sahara.jobs.get(job).description, "This is the new job")


@check("executions: launch, list, show, delete")
def _():
    job = sahara.jobs.create("sahara-runs", "DistCp")
    made = [sahara.data_sources.create(f"sahara-{name}", "", "hdfs", f"/{name}") for name in ["in", "out"]]
    cluster = "e955a7a3-d334-4943-a39a-994976900d56"
    configs = {"configs": {}, "args": [], "params": {}}
    execution = sahara.job_executions.create(job.id, cluster, made[0].id, made[1].id, configs)
    equal((execution.job_id, execution.input_id, execution.tenant_id), (job.id, made[0].id, PROJECT_ID))
    equal(sahara.job_executions.get(execution.id).id, execution.id)
    assert execution.id in [each.id for each in sahara.job_executions.list()]
    sahara.job_executions.delete(execution.id)
    refused(base.APIException, sahara.job_executions.get, execution.id)
    unknown = refused(base.APIException, sahara.job_executions.create, "unknown", cluster, made[0].id, made[1].id, configs)
    assert unknown.error_code, unknown


@check("a bad name is refused")
def _():
    error = refused(base.APIException, sahara.job_binaries.create, "bad name", "/simple/program", "first")
    assert error.error_code, error


finish("python-saharaclient 4.2.0")
