// Command main checks the clients that openapi-generator makes for Go, against the emulator and the conformance vectors.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"

	"iam"
	"modelarts"
	"mrs"
)

const (
	trainingJob      = 10
	visualizationJob = "8992"
	job              = "b8ea4daa-0042-45e0-a522-e8b714e74760"
)

var (
	endpoint       = os.Getenv("HWJOBS_ENDPOINT")
	project        = os.Getenv("HUAWEICLOUD_SDK_PROJECT_ID")
	passed, failed int
)

func check(name string, err error) {
	if err == nil {
		passed++
		return
	}
	failed++
	fmt.Printf("openapi-generator go: %s: %.600s\n", name, err)
}

func must(condition bool, what ...interface{}) error {
	if condition {
		return nil
	}
	return errors.New(fmt.Sprint(what...))
}

type vector struct {
	Name     string
	Service  string
	Response *struct {
		Status int
		Body   json.RawMessage
	}
	DecodesTo struct {
		Schema string
		Error  *struct{ Code, Message string }
	}
}

// same returns where a decoded value has lost something of what was sent; an absent field may stand for null.
func same(want, got interface{}, at string) error {
	if fields, ok := want.(map[string]interface{}); ok {
		if other, ok := got.(map[string]interface{}); ok {
			for name, value := range fields {
				if _, there := other[name]; value == nil && !there {
					continue
				}
				if err := same(value, other[name], at+"."+name); err != nil {
					return err
				}
			}
			return nil
		}
	}
	if items, ok := want.([]interface{}); ok {
		if other, ok := got.([]interface{}); ok && len(items) == len(other) {
			for index := range items {
				if err := same(items[index], other[index], fmt.Sprintf("%s[%d]", at, index)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return must(reflect.DeepEqual(want, got), at, " is ", got, ", sent ", want)
}

func decode(v vector) error {
	kind, known := types[v.Service+"."+v.DecodesTo.Schema]
	if !known {
		return fmt.Errorf("there is no type %s", v.DecodesTo.Schema)
	}
	value := reflect.New(kind)
	if err := json.Unmarshal(v.Response.Body, value.Interface()); err != nil {
		return err
	}
	again, err := json.Marshal(value.Interface())
	if err != nil {
		return err
	}
	var want, got interface{}
	_ = json.Unmarshal(v.Response.Body, &want)
	_ = json.Unmarshal(again, &got)
	return same(want, got, "")
}

func vectors(folder string) {
	for _, name := range []string{"iam", "modelarts", "mrs"} {
		text, err := os.ReadFile(filepath.Join(folder, name+".json"))
		if err != nil {
			check(name, err)
			continue
		}
		var all []vector
		check(name+".json", json.Unmarshal(text, &all))
		for _, v := range all {
			if v.Response != nil && v.Response.Body != nil {
				check(v.Name, decode(v))
			}
		}
	}
}

func signIn() (string, error) {
	configuration := iam.NewConfiguration()
	configuration.Servers = iam.ServerConfigurations{{URL: endpoint}}
	user := iam.UserCredential{Password: os.Getenv("HWJOBS_PASSWORD"), Domain: iam.UserDomain{Name: os.Getenv("HWJOBS_DOMAIN")}, Name: os.Getenv("HWJOBS_USER")}
	name := os.Getenv("HWJOBS_PROJECT_NAME")
	request := iam.CreateTokenRequest{Auth: iam.Authentication{
		Identity: iam.Identity{Methods: []iam.AuthenticationMethod{iam.AUTHENTICATIONMETHOD_PASSWORD}, Password: iam.PasswordCredential{User: user}},
		Scope:    &iam.Scope{Project: &iam.ScopeProject{Name: &name}},
	}}
	answer, response, err := iam.NewAPIClient(configuration).TokensAPI.CreateToken(context.Background()).CreateTokenRequest(request).Execute()
	if err != nil {
		return "", err
	}
	return response.Header.Get("X-Subject-Token"), must(answer.Token.Project.Id == project, "another project: ", answer)
}

// rejected checks that a call fails with a status and with a failure of a type and a code.
func rejected(response *http.Response, err error, status int, read func(interface{}) (string, bool), code string) error {
	var failure interface{ Model() interface{} }
	if !errors.As(err, &failure) || response.StatusCode != status {
		return fmt.Errorf("no failure with a model: %v", err)
	}
	got, typed := read(failure.Model())
	return must(typed && got == code, fmt.Sprintf("%T %v", failure.Model(), got))
}

func emulator() {
	token, err := signIn()
	check("sign in", err)
	ctx := context.WithValue(context.Background(), modelarts.ContextAPIKeys, map[string]modelarts.APIKey{"token": {Key: token}})
	configuration := modelarts.NewConfiguration()
	configuration.Servers = modelarts.ServerConfigurations{{URL: endpoint}}
	jobs := modelarts.NewAPIClient(configuration)

	text := "from Go"
	done, _, err := jobs.TrainingJobsAPI.UpdateTrainingJob(ctx, project, trainingJob).UpdateTrainingJobRequest(modelarts.UpdateTrainingJobRequest{JobDesc: text}).Execute()
	check("training job", first(err, func() error { return must(done.IsSuccess) }))
	list, _, err := jobs.TrainingJobsAPI.ListTrainingJobs(ctx, project).PerPage(100).Execute()
	check("list", first(err, func() error {
		for _, shown := range list.Jobs {
			if shown.JobDesc != nil && *shown.JobDesc == text {
				return must(shown.Status != nil && shown.Status.JobStatusCode != nil, "no state")
			}
		}
		return errors.New("the change is not in the list")
	}))

	var creation modelarts.CreateTrainingJobRequest
	err = json.Unmarshal([]byte(`{"job_name": "go-job", "config": {"worker_server_num": 1, "app_url": "/usr/app/",
		"boot_file_url": "/usr/app/boot.py", "data_url": "/usr/data/", "spec_id": 1, "engine_id": 1, "train_url": "/usr/train/"}}`), &creation)
	check("a request from JSON", err)
	created, _, err := jobs.TrainingJobsAPI.CreateTrainingJob(ctx, project).CreateTrainingJobRequest(creation).Execute()
	check("creation", first(err, func() error {
		_, _, err := jobs.TrainingJobsAPI.UpdateTrainingJob(ctx, project, *created.JobId.Int64).UpdateTrainingJobRequest(modelarts.UpdateTrainingJobRequest{JobDesc: text}).Execute()
		return err
	}))

	seen, _, err := jobs.VisualizationJobsAPI.UpdateVisualizationJob(ctx, project, visualizationJob).UpdateVisualizationJobRequest(modelarts.UpdateVisualizationJobRequest{JobDesc: text}).Execute()
	check("visualization job", first(err, func() error { return must(seen.IsSuccess) }))
	path := "images/"
	labels, _, err := jobs.LabelingJobsAPI.CreateAnnotationJob(ctx, project).CreateAnnotationJobRequest(modelarts.CreateAnnotationJobRequest{Name: "go-labels", Description: &text, DataType: modelarts.LABELINGDATATYPE_OBS, Type: modelarts.LABELINGJOBTYPE_MANUAL_IMAGE_CLASSIFY, Path: &path}).Execute()
	check("labeling job", first(err, func() error {
		name := "go-labels-2"
		changed, _, err := jobs.LabelingJobsAPI.UpdateAnnotationJob(ctx, project, labels.JobId).UpdateAnnotationJobRequest(modelarts.UpdateAnnotationJobRequest{Name: name, Description: &text}).Execute()
		return first(err, func() error { return must(changed.JobId == labels.JobId) })
	}))
	_, response, err := jobs.TrainingJobsAPI.UpdateTrainingJob(ctx, project, 404404).UpdateTrainingJobRequest(modelarts.UpdateTrainingJobRequest{JobDesc: text}).Execute()
	check("failure of ModelArts", rejected(response, err, 400, func(model interface{}) (string, bool) {
		failure, typed := model.(modelarts.JobFailure)
		return failure.ErrorCode, typed
	}, "ModelArts.0102"))

	keys := context.WithValue(context.Background(), mrs.ContextAPIKeys, map[string]mrs.APIKey{"token": {Key: token}})
	settings := mrs.NewConfiguration()
	settings.Servers = mrs.ServerConfigurations{{URL: endpoint}}
	objects := mrs.NewAPIClient(settings)
	changed, _, err := objects.JobsAPI.UpdateJob(keys, project, job).UpdateJobRequest(mrs.UpdateJobRequest{Description: &text}).Execute()
	check("job object", first(err, func() error { return must(*changed.Job.Description == text) }))
	copied, _, err := objects.JobsAPI.CreateJob(keys, project).CreateJobRequest(mrs.CreateJobRequest{Name: "go-copy", Type: mrs.JOBTYPEFORCREATE_DIST_CP}).Execute()
	check("DistCp", first(err, func() error { return must(copied.Job.Name == "go-copy") }))
	executions, _, err := objects.JobExecutionsAPI.ListJobExecutions(keys, project).Execute()
	check("executions", first(err, func() error { return must(len(executions.JobExecutions) > 0, "none") }))
	exes, _, err := objects.JobExesAPI.ListJobExes(keys, project).Execute()
	check("exe objects", first(err, func() error { return must(len(exes.JobExecutions) > 0, "none") }))
	ofMrs := func(model interface{}) (string, bool) {
		switch failure := model.(type) {
		case mrs.MrsFailure:
			return failure.GetErrorCode(), true
		case mrs.MrsError:
			return failure.ErrorCode, true
		}
		return "", false
	}
	_, response, err = objects.JobsAPI.ShowJob(keys, project, "none").Execute()
	check("failure of MRS", rejected(response, err, 404, ofMrs, "0176"))
	wrong := context.WithValue(context.Background(), mrs.ContextAPIKeys, map[string]mrs.APIKey{"token": {Key: "wrong"}})
	_, response, err = objects.JobsAPI.ListJobs(wrong, project).Execute()
	check("rejected by the gateway", rejected(response, err, 401, ofMrs, "APIG.0301"))
}

// first returns the error, or what a check of the result says.
func first(err error, result func() error) error {
	if err != nil {
		return err
	}
	return result()
}

func main() {
	emulator()
	vectors(os.Args[1])
	fmt.Printf("openapi-generator go: %d of %d checks pass\n", passed, passed+failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}
