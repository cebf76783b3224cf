"""The first test of a newcomer: see README.md."""


def test_a_description_is_updated(hwjobs):
    hwjobs.call("PUT", "/v1/{project_id}/training-jobs/10", {"job_desc": "trained on the May images"})
    jobs = hwjobs.call("GET", "/v1/{project_id}/training-jobs")["jobs"]
    assert "trained on the May images" in [job["job_desc"] for job in jobs]
