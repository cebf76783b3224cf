//! The documented updates, end to end, against an embedded emulator.

use std::error::Error;
use std::io::Write;

use huaweicloud_jobs::emulator::{Emulator, Exchange};
use huaweicloud_jobs::modelarts::{Code, Data, Resources, Training};
use huaweicloud_jobs::mrs::types as mrs;
use huaweicloud_jobs::{Session, spec};
use serde::Serialize;
use serde_json::{Value, json};

use super::output::ReportFormat;

/// The texts of the SDK's pages. The REST pages print the same operation with another text.
const SDK_TRAINING_TEXT: &str = "update description";
const SDK_VISUALIZATION_TEXT: &str = "update visualization job";

/// One update and its result.
#[derive(Serialize)]
struct Step {
    number: &'static str,
    title: &'static str,
    operation: &'static str,
    exchange: Exchange,
    /// The request is the documented one.
    request_matches: bool,
    /// The response is the documented one; times are compared by their form.
    response_matches: bool,
    /// The job contains the change when it is read again.
    stored: bool,
    /// The operation with which the job was read back.
    read_back_by: &'static str,
}

impl Step {
    fn is_good(&self) -> bool {
        self.request_matches && self.response_matches && self.stored
    }
}

/// Runs all updates. Returns whether every one went as documented.
pub(super) async fn run(format: ReportFormat, out: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    let emulator = Emulator::builder().record(64).check_responses(true).start().await?;
    let steps = Updates { session: emulator.session()?, emulator: &emulator }.all().await?;
    let good = steps.iter().all(Step::is_good);
    match format {
        ReportFormat::Json => {
            let report = json!({"endpoint": emulator.endpoint(), "matches": good, "updates": steps});
            writeln!(out, "{report:#}")?;
        }
        ReportFormat::Text => print(&emulator, &steps, out)?,
    }
    emulator.stop().await;
    Ok(good)
}

fn print(emulator: &Emulator, steps: &[Step], out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "Emulator at {} (embedded, stops with this command)\n", emulator.endpoint())?;
    for step in steps {
        let verdict = |good: bool| if good { "ok" } else { "DIFFERS" };
        writeln!(
            out,
            "{:<3} {}\n    request {}, response {}, stored {} (read back by {})",
            step.number,
            step.title,
            verdict(step.request_matches),
            verdict(step.response_matches),
            verdict(step.stored),
            step.read_back_by,
        )?;
        let Exchange { method, target, headers, request, status, response, .. } = &step.exchange;
        writeln!(out, "    > {method} {target}")?;
        for (name, value) in headers {
            writeln!(out, "    > {name}: {value}")?;
        }
        writeln!(out, "    > {request}\n    < {status}\n    < {response}\n")?;
    }
    let good = steps.iter().filter(|step| step.is_good()).count();
    writeln!(out, "{good} of {} documented updates match", steps.len())
}

struct Updates<'a> {
    session: Session,
    emulator: &'a Emulator,
}

impl Updates<'_> {
    async fn all(&self) -> Result<Vec<Step>, Box<dyn Error>> {
        let modelarts = self.session.modelarts();
        let mut steps = Vec::new();

        let job = modelarts.training_job(10)?;
        let text = documented("update_training_job").0["job_desc"].as_str().unwrap_or_default().to_owned();
        job.update_description(&text).await?;
        steps.push(self.training("1", "training job 10, as the REST page prints it", job.id().get(), &text).await?);

        let job = modelarts.training_job(182_626)?;
        job.update_description(SDK_TRAINING_TEXT).await?;
        let title = "training job named by its id";
        steps.push(self.training("2a", title, job.id().get(), SDK_TRAINING_TEXT).await?);

        let job = modelarts.training_jobs().create("quickstart", training()).send().await?;
        job.update_description(SDK_TRAINING_TEXT).await?;
        let title = "training job as create returned it";
        steps.push(self.training("2b", title, job.id().get(), SDK_TRAINING_TEXT).await?);

        let versions = modelarts.training_job(10)?.versions().list().try_collect::<Vec<_>>().await?;
        let version = versions.first().ok_or("training job 10 has no version")?;
        version.job().update_description(SDK_TRAINING_TEXT).await?;
        let title = "training job of a version in the version list";
        steps.push(self.training("2c", title, version.job().id().get(), SDK_TRAINING_TEXT).await?);

        let job = modelarts.visualization_job(8992)?;
        job.update_description(SDK_VISUALIZATION_TEXT).await?;
        steps.push(self.visualization("3a", "visualization job named by its id", &job).await?);

        let job = modelarts.visualization_jobs().create("quickstart", "/obs/name/").send().await?;
        job.update_description(SDK_VISUALIZATION_TEXT).await?;
        steps.push(self.visualization("3b", "visualization job as create returned it", &job).await?);

        let jobs = modelarts.visualization_jobs().list().try_collect::<Vec<_>>().await?;
        let job = jobs.first().ok_or("the list of visualization jobs is empty")?;
        job.update_description(SDK_VISUALIZATION_TEXT).await?;
        steps.push(self.visualization("3c", "visualization job out of the job list", job).await?);

        steps.push(self.labeling().await?);
        steps.push(self.mrs().await?);
        Ok(steps)
    }

    /// Returns the exchange of the update, which is the latest one.
    fn exchange(&self) -> Result<Exchange, Box<dyn Error>> {
        Ok(self.emulator.take_exchanges().pop().ok_or("nothing was sent")?)
    }

    async fn training(
        &self,
        number: &'static str,
        title: &'static str,
        id: i64,
        text: &str,
    ) -> Result<Step, Box<dyn Error>> {
        let exchange = self.exchange()?;
        let jobs = self.session.modelarts().training_jobs().list().per_page(1000).try_collect::<Vec<_>>().await?;
        let stored = jobs.iter().any(|job| job.id().get() == id && job.details.job_desc.as_deref() == Some(text));
        let request = json!({"job_desc": text});
        Ok(step(number, title, "update_training_job", exchange, &request, stored, "list_training_jobs"))
    }

    async fn visualization(
        &self,
        number: &'static str,
        title: &'static str,
        job: &huaweicloud_jobs::modelarts::VisualizationJob,
    ) -> Result<Step, Box<dyn Error>> {
        let exchange = self.exchange()?;
        let stored = job.show().await?.job_desc.as_deref() == Some(SDK_VISUALIZATION_TEXT);
        let request = json!({"job_desc": SDK_VISUALIZATION_TEXT});
        Ok(step(number, title, "update_visualization_job", exchange, &request, stored, "show_visualization_job"))
    }

    async fn labeling(&self) -> Result<Step, Box<dyn Error>> {
        let operation = "update_annotation_job";
        let (request, id) = (documented(operation).0, "062ef90a-da4d-4af4-82ba-1523da57e78e");
        let field = |name: &str| request[name].as_str().unwrap_or_default();
        let job = self.session.modelarts().labeling_job(id)?;
        job.update(field("name")).description(field("description")).send().await?;
        let exchange = self.exchange()?;
        let jobs = self.session.modelarts().labeling_jobs().list().try_collect::<Vec<_>>().await?;
        let stored = jobs.iter().any(|job| {
            job.id().as_str() == id
                && job.details.name == field("name")
                && job.details.description.as_deref() == Some(field("description"))
        });
        Ok(step("4", "labeling job", operation, exchange, &request, stored, "list_annotation_jobs"))
    }

    async fn mrs(&self) -> Result<Step, Box<dyn Error>> {
        let operation = "update_job";
        let request = documented(operation).0;
        let body: mrs::UpdateJobRequest = serde_json::from_value(request.clone())?;
        let job = self.session.mrs().job("b8ea4daa-0042-45e0-a522-e8b714e74760")?;
        let mut update = job
            .update()
            .mains(body.mains.unwrap_or_default().into_iter().map(String::from))
            .libs(body.libs.unwrap_or_default().into_iter().map(String::from))
            .interface(body.interface.unwrap_or_default())
            .is_protected(body.is_protected.unwrap_or_default())
            .is_public(body.is_public.unwrap_or_default())
            .name(body.name.map(String::from).unwrap_or_default())
            .description(body.description.map(String::from).unwrap_or_default());
        if let Some(job_type) = body.type_ {
            update = update.job_type(job_type);
        }
        update.send().await?;
        let exchange = self.exchange()?;
        let shown = serde_json::to_value(job.show().await?)?;
        // Binaries are sent as ids and returned whole.
        let ids = |binaries: &Value| -> Vec<Value> {
            binaries.as_array().into_iter().flatten().map(|binary| binary["id"].clone()).collect()
        };
        let stored = request.as_object().into_iter().flatten().all(|(name, value)| match name.as_str() {
            "mains" | "libs" => *value == Value::from(ids(&shown[name])),
            _ => *value == shown[name],
        });
        Ok(step("5", "MRS job object, all eight fields", operation, exchange, &request, stored, "show_job"))
    }
}

fn step(
    number: &'static str,
    title: &'static str,
    operation: &'static str,
    exchange: Exchange,
    request: &Value,
    stored: bool,
    read_back_by: &'static str,
) -> Step {
    let sent: Value = serde_json::from_str(&exchange.request).unwrap_or_default();
    let response: Value = serde_json::from_str(&exchange.response).unwrap_or_default();
    let expected = match documented(operation).1 {
        Some(response) => response,
        // The labeling pages print no response; their table has only the id of the job.
        None => json!({"job_id": exchange.target.rsplit('/').next().unwrap_or_default()}),
    };
    Step {
        number,
        title,
        operation,
        request_matches: sent == *request,
        response_matches: exchange.status == status(operation) && same(&response, &expected),
        stored,
        read_back_by,
        exchange,
    }
}

/// Returns the documented request and, if one is printed, the documented response of an operation.
fn documented(operation: &str) -> (Value, Option<Value>) {
    let example = spec::operation(operation)
        .and_then(|(document, operation)| document.examples(operation).into_iter().next())
        .filter(|example| example.request.is_some());
    let body = |value: Option<&Value>| value.cloned().unwrap_or_default();
    example
        .map_or((Value::Null, None), |example| (body(example.request), example.response.map(|(_, body)| body.clone())))
}

fn status(operation: &str) -> u16 {
    spec::operation(operation).and_then(|(document, operation)| document.success_status(operation)).unwrap_or_default()
}

/// Compares two values. The time of a change depends on the clock, so it is compared by its form.
fn same(response: &Value, documented: &Value) -> bool {
    match (response, documented) {
        (Value::Object(response), Value::Object(documented)) => {
            response.len() == documented.len()
                && documented.iter().all(|(name, value)| match (name.as_str(), response.get(name)) {
                    ("updated_at", Some(Value::String(time))) => {
                        let form = |text: &str| {
                            text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>()
                        };
                        value.as_str().map(form) == Some(form(time))
                    }
                    (_, Some(other)) => same(other, value),
                    (_, None) => false,
                })
        }
        (Value::Array(response), Value::Array(documented)) => {
            response.len() == documented.len() && response.iter().zip(documented).all(|(a, b)| same(a, b))
        }
        _ => response == documented,
    }
}

/// Returns the documented example with the data of the second one, an OBS path.
fn training() -> Training {
    let code = Code::own("/usr/app/", "/usr/app/boot.py").engine(1);
    Training::new(code, Data::obs("/usr/data/"), Resources::spec(1))
}
