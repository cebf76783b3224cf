// Checks the clients that openapi-generator makes for TypeScript (fetch), against the emulator and the conformance vectors.
import { readFileSync } from "node:fs";

import * as iam from "./iam/index.js";
import * as modelarts from "./modelarts/index.js";
import * as mrs from "./mrs/index.js";

const endpoint = process.env.HWJOBS_ENDPOINT!;
const projectId = process.env.HUAWEICLOUD_SDK_PROJECT_ID!;
const job = "b8ea4daa-0042-45e0-a522-e8b714e74760";
let passed = 0;
let failed = 0;

async function check(name: string, act: () => unknown): Promise<void> {
  try {
    await act();
    passed += 1;
  } catch (error) {
    failed += 1;
    console.log(`openapi-generator typescript-fetch: ${name}: ${String(error).slice(0, 600)}`);
  }
}

function must(condition: unknown, what: unknown): void {
  if (!condition) throw new Error(typeof what === "string" ? what : JSON.stringify(what));
}

/** Throws where a decoded value has lost something of what was sent; an absent field may stand for null. */
function same(want: any, got: any, at = ""): void {
  if (want && got && typeof want === "object" && typeof got === "object") {
    for (const [name, value] of Object.entries(want)) {
      if (value !== null || name in got) same(value, got[name], `${at}.${name}`);
    }
  } else {
    must(want === got || (want === null && got === undefined), `${at} is ${JSON.stringify(got)}, sent ${JSON.stringify(want)}`);
  }
}

async function vectors(folder: string): Promise<void> {
  for (const [service, types] of Object.entries({ iam, modelarts, mrs }) as [string, any][]) {
    for (const vector of JSON.parse(readFileSync(`${folder}/${service}.json`, "utf8"))) {
      if (vector.response?.body === undefined) continue;
      await check(vector.name, () => {
        const name = vector.decodesTo.schema;
        const value = types[`${name}FromJSON`](vector.response.body);
        must(value, `no type ${name}`);
        same(vector.response.body, JSON.parse(JSON.stringify(types[`${name}ToJSON`](value))));
      });
    }
  }
}

/** Checks that a call fails with a status and a failure of the documented form. */
async function rejected(call: () => Promise<unknown>, status: number, read: (body: unknown) => string | undefined, code: string) {
  try {
    await call();
  } catch (error) {
    const { response } = error as { response: Response };
    const failure = await response.json();
    must(response.status === status && read(failure) === code, { status: response.status, failure });
    return;
  }
  throw new Error("no failure");
}

async function emulator(): Promise<void> {
  let token = "";
  await check("sign in", async () => {
    const answer = await new iam.TokensApi(new iam.Configuration({ basePath: endpoint })).createTokenRaw({
      createTokenRequest: {
        auth: {
          identity: {
            methods: [iam.AuthenticationMethod.Password],
            password: {
              user: {
                name: process.env.HWJOBS_USER!,
                password: process.env.HWJOBS_PASSWORD!,
                domain: { name: process.env.HWJOBS_DOMAIN! },
              },
            },
          },
          scope: { project: { name: process.env.HWJOBS_PROJECT_NAME! } },
        },
      },
    });
    token = answer.raw.headers.get("X-Subject-Token")!;
    must((await answer.value()).token.project?.id === projectId, "another project");
  });
  const settings = { basePath: endpoint, apiKey: (name: string) => (name === "X-Auth-Token" ? token : "") };
  const jobs = new modelarts.TrainingJobsApi(new modelarts.Configuration(settings));
  const text = "from TypeScript";
  await check("training job", async () =>
    must((await jobs.updateTrainingJob({ projectId, jobId: 10, updateTrainingJobRequest: { jobDesc: text } })).isSuccess, "no success"));
  await check("list", async () =>
    must((await jobs.listTrainingJobs({ projectId, perPage: 100 })).jobs?.some((shown) => shown.jobDesc === text), "the change is not in the list"));
  await check("creation", async () => {
    const config = {
      workerServerNum: 1, appUrl: "/usr/app/", bootFileUrl: "/usr/app/boot.py", dataUrl: "/usr/data/", specId: 1, engineId: 1, trainUrl: "/usr/train/",
    };
    const created = await jobs.createTrainingJob({ projectId, createTrainingJobRequest: { jobName: "typescript-job", config } });
    must((await jobs.updateTrainingJob({ projectId, jobId: Number(created.jobId), updateTrainingJobRequest: { jobDesc: text } })).isSuccess, created);
  });
  const seen = new modelarts.VisualizationJobsApi(new modelarts.Configuration(settings));
  await check("visualization job", async () =>
    must((await seen.updateVisualizationJob({ projectId, jobId: "8992", updateVisualizationJobRequest: { jobDesc: text } })).isSuccess, "no success"));
  const labels = new modelarts.LabelingJobsApi(new modelarts.Configuration(settings));
  await check("labeling job", async () => {
    const created = await labels.createAnnotationJob({
      projectId,
      createAnnotationJobRequest: { name: "typescript-labels", description: "d", dataType: "OBS", type: "Manual Image classify", path: "images/" },
    });
    const jobId = created.jobId;
    const changed = await labels.updateAnnotationJob({ projectId, jobId, updateAnnotationJobRequest: { name: "typescript-labels-2", description: text } });
    must(changed.jobId === jobId, changed);
  });
  await check("failure of ModelArts", () =>
    rejected(
      () => jobs.updateTrainingJob({ projectId, jobId: 404404, updateTrainingJobRequest: { jobDesc: text } }),
      400, (body) => modelarts.JobFailureFromJSON(body).errorCode, "ModelArts.0102"));
  const configuration = new mrs.Configuration(settings);
  const objects = new mrs.JobsApi(configuration);
  await check("job object", async () =>
    must((await objects.updateJob({ projectId, jobId: job, updateJobRequest: { description: text } })).job.description === text, "another description"));
  await check("DistCp", async () =>
    must((await objects.createJob({ projectId, createJobRequest: { name: "typescript-copy", type: "DistCp" } })).job.name === "typescript-copy", "another name"));
  await check("executions", async () =>
    must((await new mrs.JobExecutionsApi(configuration).listJobExecutions({ projectId })).jobExecutions.length, "none"));
  await check("exe objects", async () => must((await new mrs.JobExesApi(configuration).listJobExes({ projectId })).jobExecutions.length, "none"));
  await check("failure of MRS", () =>
    rejected(() => objects.showJob({ projectId, jobId: "none" }), 404, (body) => mrs.MrsFailureFromJSON(body).errorCode, "0176"));
}

(async () => {
await emulator();
await vectors(process.argv[2]!);
console.log(`openapi-generator typescript-fetch: ${passed} of ${passed + failed} checks pass`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
})();
