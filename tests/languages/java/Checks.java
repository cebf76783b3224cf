import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.huaweicloud.iam.api.TokensApi;
import com.huaweicloud.modelarts.api.LabelingJobsApi;
import com.huaweicloud.modelarts.api.TrainingJobsApi;
import com.huaweicloud.modelarts.api.VisualizationJobsApi;
import com.huaweicloud.mrs.api.JobExecutionsApi;
import com.huaweicloud.mrs.api.JobExesApi;
import com.huaweicloud.mrs.api.JobsApi;
import java.io.File;
import java.util.Iterator;
import java.util.Map;

/** Checks the clients that openapi-generator makes for Java, against the emulator and the conformance vectors. */
public class Checks {
  private static final String ENDPOINT = System.getenv("HWJOBS_ENDPOINT");
  private static final String PROJECT = System.getenv("HUAWEICLOUD_SDK_PROJECT_ID");
  private static final String JOB = "b8ea4daa-0042-45e0-a522-e8b714e74760";
  private static int passed;
  private static int failed;

  interface Act {
    void run() throws Exception;
  }

  private static void check(String name, Act act) {
    try {
      act.run();
      passed++;
    } catch (Throwable error) {
      failed++;
      String text = String.valueOf(error);
      System.out.println("openapi-generator java: " + name + ": " + text.substring(0, Math.min(600, text.length())));
    }
  }

  private static void must(boolean condition, Object what) {
    if (!condition) {
      throw new AssertionError(what);
    }
  }

  /** Fails where a decoded value has lost something of what was sent; an absent field may stand for null. */
  private static void same(JsonNode want, JsonNode got, String at) {
    if (want instanceof ObjectNode && got instanceof ObjectNode) {
      for (Iterator<Map.Entry<String, JsonNode>> fields = want.fields(); fields.hasNext(); ) {
        Map.Entry<String, JsonNode> field = fields.next();
        if (!field.getValue().isNull() || got.hasNonNull(field.getKey())) {
          same(field.getValue(), got.path(field.getKey()), at + "." + field.getKey());
        }
      }
    } else if (want instanceof ArrayNode && got instanceof ArrayNode) {
      must(want.size() == got.size(), at + " has another size");
      for (int index = 0; index < want.size(); index++) {
        same(want.get(index), got.get(index), at + "[" + index + "]");
      }
    } else if (want.isNumber() && got.isNumber()) {
      must(want.decimalValue().compareTo(got.decimalValue()) == 0, at + " is " + got + ", sent " + want);
    } else if (want.isTextual() && (got.isNumber() || got.isBoolean())) {
      // Jackson reads a text that holds a number or a truth value as such.
      must(want.asText().equals(got.asText()), at + " is " + got + ", sent " + want);
    } else {
      must(want.equals(got), at + " is " + got + ", sent " + want);
    }
  }

  private static void vectors(String folder) throws Exception {
    ObjectMapper plain = new ObjectMapper();
    for (String service : new String[] {"iam", "modelarts", "mrs"}) {
      ObjectMapper mapper =
          (ObjectMapper) Class.forName("com.huaweicloud." + service + ".ApiClient").getMethod("createDefaultObjectMapper").invoke(null);
      for (JsonNode vector : plain.readTree(new File(folder, service + ".json"))) {
        JsonNode body = vector.at("/response/body");
        if (body.isMissingNode()) {
          continue;
        }
        check(vector.get("name").asText(), () -> {
          String type = "com.huaweicloud." + service + ".model." + vector.at("/decodesTo/schema").asText();
          Object value = mapper.readValue(body.toString(), Class.forName(type));
          same(body, plain.readTree(mapper.writeValueAsString(value)), "");
        });
      }
    }
  }

  private static void emulator() throws Exception {
    com.huaweicloud.iam.ApiClient iam = new com.huaweicloud.iam.ApiClient();
    iam.updateBaseUri(ENDPOINT);
    com.huaweicloud.iam.model.CreateTokenRequest request =
        new com.huaweicloud.iam.model.CreateTokenRequest()
            .auth(
                new com.huaweicloud.iam.model.Authentication()
                    .identity(
                        new com.huaweicloud.iam.model.Identity()
                            .addMethodsItem(com.huaweicloud.iam.model.AuthenticationMethod.PASSWORD)
                            .password(
                                new com.huaweicloud.iam.model.PasswordCredential()
                                    .user(
                                        new com.huaweicloud.iam.model.UserCredential()
                                            .name(System.getenv("HWJOBS_USER"))
                                            .password(System.getenv("HWJOBS_PASSWORD"))
                                            .domain(new com.huaweicloud.iam.model.UserDomain().name(System.getenv("HWJOBS_DOMAIN"))))))
                    .scope(
                        new com.huaweicloud.iam.model.Scope()
                            .project(new com.huaweicloud.iam.model.ScopeProject().name(System.getenv("HWJOBS_PROJECT_NAME")))));
    String[] token = new String[1];
    check("sign in", () -> {
      com.huaweicloud.iam.ApiResponse<com.huaweicloud.iam.model.CreateTokenResponse> answer =
          new TokensApi(iam).createTokenWithHttpInfo(request, null);
      must(PROJECT.equals(answer.getData().getToken().getProject().getId()), answer.getData());
      answer.getHeaders().forEach((name, values) -> {
        if (name.equalsIgnoreCase("X-Subject-Token")) {
          token[0] = values.get(0);
        }
      });
      must(token[0] != null, "no token");
    });

    com.huaweicloud.modelarts.ApiClient modelarts = new com.huaweicloud.modelarts.ApiClient();
    modelarts.updateBaseUri(ENDPOINT);
    modelarts.setRequestInterceptor(builder -> builder.header("X-Auth-Token", token[0]));
    TrainingJobsApi jobs = new TrainingJobsApi(modelarts);
    com.huaweicloud.modelarts.model.UpdateTrainingJobRequest change =
        new com.huaweicloud.modelarts.model.UpdateTrainingJobRequest().jobDesc("from Java");
    check("training job", () -> must(jobs.updateTrainingJob(PROJECT, 10L, change).getIsSuccess(), "no success"));
    check("list", () -> must(
        jobs.listTrainingJobs(PROJECT, null, 100, null, null, null, null, null).getJobs().stream()
            .anyMatch(job -> "from Java".equals(job.getJobDesc())), "the change is not in the list"));
    check("creation", () -> {
      com.huaweicloud.modelarts.model.TrainingJobConfig config =
          new com.huaweicloud.modelarts.model.TrainingJobConfig()
              .workerServerNum(1).appUrl("/usr/app/").bootFileUrl("/usr/app/boot.py").dataUrl("/usr/data/")
              .specId(1L).engineId(1L).trainUrl("/usr/train/");
      com.huaweicloud.modelarts.model.CreateTrainingJobResponse created =
          jobs.createTrainingJob(PROJECT, new com.huaweicloud.modelarts.model.CreateTrainingJobRequest().jobName("java-job").config(config));
      long id = ((Number) created.getJobId().getActualInstance()).longValue();
      must(jobs.updateTrainingJob(PROJECT, id, change).getIsSuccess(), "no success");
    });
    check("visualization job", () -> must(
        new VisualizationJobsApi(modelarts)
            .updateVisualizationJob(PROJECT, "8992", new com.huaweicloud.modelarts.model.UpdateVisualizationJobRequest().jobDesc("from Java"))
            .getIsSuccess(), "no success"));
    check("labeling job", () -> {
      LabelingJobsApi labels = new LabelingJobsApi(modelarts);
      String id = labels.createAnnotationJob(PROJECT,
          new com.huaweicloud.modelarts.model.CreateAnnotationJobRequest().name("java-labels").description("d").path("images/")
              .dataType(com.huaweicloud.modelarts.model.LabelingDataType.OBS)
              .type(com.huaweicloud.modelarts.model.LabelingJobType.MANUAL_IMAGE_CLASSIFY)).getJobId();
      must(id.equals(labels.updateAnnotationJob(PROJECT, id,
          new com.huaweicloud.modelarts.model.UpdateAnnotationJobRequest().name("java-labels-2").description("from Java")).getJobId()), id);
    });
    check("failure of ModelArts", () -> {
      try {
        jobs.updateTrainingJob(PROJECT, 404404L, change);
      } catch (com.huaweicloud.modelarts.ApiException error) {
        com.huaweicloud.modelarts.model.JobFailure failure =
            com.huaweicloud.modelarts.ApiClient.createDefaultObjectMapper()
                .readValue(error.getResponseBody(), com.huaweicloud.modelarts.model.JobFailure.class);
        must(error.getCode() == 400 && "ModelArts.0102".equals(failure.getErrorCode()), failure);
        return;
      }
      throw new AssertionError("no failure");
    });

    com.huaweicloud.mrs.ApiClient mrs = new com.huaweicloud.mrs.ApiClient();
    mrs.updateBaseUri(ENDPOINT);
    mrs.setRequestInterceptor(builder -> builder.header("X-Auth-Token", token[0]));
    JobsApi objects = new JobsApi(mrs);
    check("job object", () -> must(
        "from Java".equals(objects.updateJob(PROJECT, JOB, new com.huaweicloud.mrs.model.UpdateJobRequest().description("from Java"))
            .getJob().getDescription()), "another description"));
    check("DistCp", () -> must(
        "java-copy".equals(objects.createJob(PROJECT, new com.huaweicloud.mrs.model.CreateJobRequest().name("java-copy")
            .type(com.huaweicloud.mrs.model.JobTypeForCreate.DIST_CP)).getJob().getName()), "another name"));
    check("executions", () -> must(!new JobExecutionsApi(mrs).listJobExecutions(PROJECT, null, null, null).getJobExecutions().isEmpty(), "none"));
    check("exe objects", () -> must(!new JobExesApi(mrs).listJobExes(PROJECT, null, null, null, null, null, null).getJobExecutions().isEmpty(), "none"));
    check("failure of MRS", () -> {
      try {
        objects.showJob(PROJECT, "none");
      } catch (com.huaweicloud.mrs.ApiException error) {
        com.huaweicloud.mrs.model.MrsFailure failure =
            com.huaweicloud.mrs.ApiClient.createDefaultObjectMapper()
                .readValue(error.getResponseBody(), com.huaweicloud.mrs.model.MrsFailure.class);
        must(error.getCode() == 404 && "0176".equals(failure.getErrorCode()), failure);
        return;
      }
      throw new AssertionError("no failure");
    });
  }

  public static void main(String[] arguments) throws Exception {
    emulator();
    vectors(arguments[0]);
    System.out.println("openapi-generator java: " + passed + " of " + (passed + failed) + " checks pass");
    System.exit(failed > 0 || passed == 0 ? 1 : 0);
  }
}
