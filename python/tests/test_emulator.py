"""The package itself, against the real program."""

import datetime
import json
import urllib.request

import pytest

from hwjobs_testing import Emulator, EmulatorError

TRAINING_JOB = "/v1/{project_id}/training-jobs/10"


def description_of(emulator, job_id=10):
    jobs = emulator.call("GET", "/v1/{project_id}/training-jobs")["jobs"]
    return {int(job["job_id"]): job["job_desc"] for job in jobs}[job_id]


def test_an_emulator_starts_serves_and_stops():
    with Emulator() as emulator:
        endpoint = emulator.endpoint
        assert emulator.call("PUT", TRAINING_JOB, {"job_desc": "by Python"}) == {"is_success": True}
        assert description_of(emulator) == "by Python"
    with pytest.raises(OSError):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(endpoint, timeout=5)
    with pytest.raises(EmulatorError, match="not running"):
        _ = emulator.endpoint


def test_environment_has_all_that_clients_look_for():
    with Emulator() as emulator:
        assert {
            "HWJOBS_ENDPOINT",
            "HUAWEICLOUD_SDK_AK",
            "HUAWEICLOUD_SDK_SK",
            "HUAWEICLOUD_SDK_PROJECT_ID",
            "HWJOBS_USER",
            "HWJOBS_PASSWORD",
            "HWJOBS_DOMAIN",
            "HWJOBS_PROJECT_NAME",
        } <= set(emulator.environment)


def test_what_cannot_start_says_why(tmp_path):
    with pytest.raises(EmulatorError, match="--transitions"):
        Emulator(transitions="sideways").start()
    with pytest.raises(EmulatorError, match="cannot be started"):
        Emulator(program=tmp_path / "nothing").start()
    emulator = Emulator()
    with emulator, pytest.raises(EmulatorError, match="already"):
        emulator.start()


def test_variables_of_clients_and_proxies_do_not_reach_it(monkeypatch):
    monkeypatch.setenv("HWJOBS_ENDPOINT", "http://192.0.2.1")
    monkeypatch.setenv("HWJOBS_PROFILE", "nobody")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Emulator() as emulator:
        assert emulator.endpoint.startswith("http://127.0.0.1:")
        assert description_of(emulator)


def test_state_goes_into_a_snapshot_and_back():
    with Emulator() as emulator:
        emulator.call("PUT", TRAINING_JOB, {"job_desc": "kept"})
        snapshot = json.loads(json.dumps(emulator.snapshot()))
        emulator.reset()
        assert description_of(emulator) != "kept"
        emulator.load(snapshot)
        assert description_of(emulator) == "kept"


def test_state_is_kept_in_a_file(tmp_path):
    for expected, text in [(None, "first"), ("first", "second"), ("second", "third")]:
        with Emulator(data=tmp_path / "state.db") as emulator:
            if expected:
                assert description_of(emulator) == expected
            emulator.call("PUT", TRAINING_JOB, {"job_desc": text})


def test_the_clock_moves_on_command():
    with Emulator(time_scale=0) as emulator:
        before = emulator.now
        assert emulator.now == before
        assert emulator.advance(90) - before == datetime.timedelta(seconds=90)
        assert emulator.advance(datetime.timedelta(hours=1)) - before == datetime.timedelta(seconds=3690)


def test_a_seed_gives_the_same_ids():
    def created():
        with Emulator(seed=7) as emulator:
            body = {"name": "b", "url": "s3a://b/a.jar", "description": "", "is_public": False, "is_protected": False}
            return emulator.call("POST", "/v1.1/{project_id}/job-binaries", body)["job_binary"]["id"]

    assert created() == created()


def test_faults_hit_what_they_name_and_end(hwjobs):
    with hwjobs.fault("update_training_job", status=503, count=1) as fault:
        with pytest.raises(EmulatorError, match="503"):
            hwjobs.call("PUT", TRAINING_JOB, {"job_desc": "x"})
        assert fault.hits is None  # used up
    hwjobs.call("PUT", TRAINING_JOB, {"job_desc": "x"})
    lasting = hwjobs.add_fault("update_training_job", kind="delay", milliseconds=1)
    hwjobs.call("PUT", TRAINING_JOB, {"job_desc": "x"})
    assert lasting.hits == 1
    hwjobs.clear_faults()
    assert hwjobs.faults() == []
    lasting.remove()


def test_a_fault_that_is_wrong_says_which_field(hwjobs):
    with pytest.raises(EmulatorError, match="count"):
        hwjobs.add_fault(count=0, status=503)


def test_requests_are_recorded(hwjobs):
    hwjobs.call("PUT", TRAINING_JOB, {"job_desc": "x"})
    hwjobs.call("GET", "/v1/{project_id}/training-jobs")
    (update,) = hwjobs.requests("update_training_job")
    assert update["status"] == 200
    assert hwjobs.token not in json.dumps(hwjobs.requests())
    hwjobs.clear_requests()
    assert hwjobs.requests() == []


def test_transitions_can_change(hwjobs):
    for transitions in ("at-once", "reads:2", "clock"):
        hwjobs.set_transitions(transitions)


def test_settings_of_an_unknown_client_name_the_known_ones(hwjobs):
    with pytest.raises(ValueError, match="otcextensions"):
        hwjobs.client_settings("boto3")


def test_the_fixture_begins_anew_for_each_test(pytester):
    pytester.makepyfile(
        """
        TRAINING_JOB = "/v1/{project_id}/training-jobs/10"

        def test_one(hwjobs):
            hwjobs.call("PUT", TRAINING_JOB, {"job_desc": "left behind"})
            hwjobs.add_fault(status=500)

        def test_two(hwjobs):
            jobs = hwjobs.call("GET", "/v1/{project_id}/training-jobs")["jobs"]
            assert "left behind" not in [job["job_desc"] for job in jobs]
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_options_come_from_the_configuration(pytester):
    pytester.makepyprojecttoml(
        """
        [tool.pytest.ini_options]
        hwjobs_empty = true
        hwjobs_time_scale = 0
        hwjobs_arguments = "--record 1"
        """
    )
    pytester.makepyfile(
        """
        def test_it(hwjobs):
            assert hwjobs.call("GET", "/v1/{project_id}/training-jobs")["jobs"] == []
            assert hwjobs.now == hwjobs.now
            assert len(hwjobs.requests()) == 1
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_a_failed_test_shows_its_requests(pytester):
    pytester.makepyfile(
        """
        def test_it(hwjobs):
            hwjobs.call("PUT", "/v1/{project_id}/training-jobs/10", {"job_desc": "x" * 257})
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*requests that the emulator received*", "400 PUT /v1/*/training-jobs/10*", "*job_desc*"]
    )
