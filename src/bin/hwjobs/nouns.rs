//! The nouns and verbs: the operation of each command. The description defines the arguments.

use clap::{Arg, ArgAction, Command, value_parser};
use huaweicloud_jobs::spec::load::{self, Operation};
use huaweicloud_jobs::{Cloud, Documented, spec};

use super::fields::{self, Field};
use super::options;

/// A noun: a kind of object.
pub(super) struct Noun {
    /// One word, or two if the first one names the service.
    pub(super) words: &'static str,
    about: &'static str,
    pub(super) verbs: &'static [Verb],
}

/// A verb: an operation on objects of a kind.
pub(super) struct Verb {
    pub(super) name: &'static str,
    /// The operation of the description.
    pub(super) operation: &'static str,
    pub(super) action: Action,
    /// The columns of a table.
    pub(super) columns: &'static [&'static str],
}

/// The way in which a command uses its operation.
pub(super) enum Action {
    /// Calls the operation once for each object.
    Call,
    /// Calls the operation until the job has ended.
    Wait,
    /// Calls the operation until the visualization job runs.
    WaitForRunning,
    /// Reads a log with the operation.
    Logs,
}

const fn call(name: &'static str, operation: &'static str) -> Verb {
    Verb { name, operation, action: Action::Call, columns: &[] }
}

const fn list(operation: &'static str, columns: &'static [&'static str]) -> Verb {
    Verb { name: "list", operation, action: Action::Call, columns }
}

const fn wait(operation: &'static str) -> Verb {
    Verb { name: "wait", operation, action: Action::Wait, columns: &[] }
}

const VERSIONS: &[&str] =
    &["version_id", "version_name", "status", "create_time", "duration", "engine_name", "spec_id", "worker_server_num"];
const EXECUTIONS: &[&str] = &["id", "job_id", "cluster_id", "start_time", "end_time", "return_code"];

/// All commands with an operation, in the order of the help.
pub(super) const NOUNS: &[Noun] = &[
    Noun {
        words: "training-job",
        about: "Training jobs of ModelArts; each run of one is a training-job-version",
        verbs: &[
            list(
                "list_training_jobs",
                &["job_id", "job_name", "status", "create_time", "duration", "version_count", "job_desc"],
            ),
            call("create", "create_training_job"),
            call("update", "update_training_job"),
            call("delete", "delete_training_job"),
        ],
    },
    Noun {
        words: "training-job-version",
        about: "Versions of training jobs: runs and their logs",
        verbs: &[
            list("list_training_job_versions", VERSIONS),
            call("show", "show_training_job_version"),
            call("create", "create_training_job_version"),
            call("delete", "delete_training_job_version"),
            call("stop", "stop_training_job_version"),
            wait("show_training_job_version"),
            Verb { name: "logs", operation: "show_training_job_log", action: Action::Logs, columns: &[] },
            call("log-files", "list_training_job_log_files"),
        ],
    },
    Noun {
        words: "visualization-job",
        about: "Visualization jobs of ModelArts",
        verbs: &[
            list(
                "list_visualization_jobs",
                &["job_id", "job_name", "status", "create_time", "duration", "service_url", "job_desc"],
            ),
            call("show", "show_visualization_job"),
            call("create", "create_visualization_job"),
            call("update", "update_visualization_job"),
            call("delete", "delete_visualization_job"),
            call("stop", "stop_visualization_job"),
            call("restart", "restart_visualization_job"),
            Verb { name: "wait", operation: "show_visualization_job", action: Action::WaitForRunning, columns: &[] },
        ],
    },
    Noun {
        words: "labeling-job",
        about: "Labeling jobs of ModelArts",
        verbs: &[
            list(
                "list_annotation_jobs",
                &["id", "name", "type", "data_type", "progress", "create_time", "description"],
            ),
            call("create", "create_annotation_job"),
            call("update", "update_annotation_job"),
            call("delete", "delete_annotation_job"),
            call("show-validation", "show_annotation_job_validation"),
            call("save-validation", "save_annotation_job_validation"),
        ],
    },
    Noun {
        words: "job-config",
        about: "Saved configurations of training jobs",
        verbs: &[
            list(
                "list_training_job_configs",
                &["config_name", "engine_name", "engine_version", "create_time", "config_desc"],
            ),
            call("show", "show_training_job_config"),
            call("create", "create_training_job_config"),
            call("update", "update_training_job_config"),
            call("delete", "delete_training_job_config"),
        ],
    },
    Noun {
        words: "algorithms",
        about: "Built-in algorithms of ModelArts",
        verbs: &[list(
            "list_built_in_algorithms",
            &["model_id", "model_name", "model_usage", "model_precision", "engine_name", "engine_version"],
        )],
    },
    Noun {
        words: "engines",
        about: "Engines that training jobs can use",
        verbs: &[list("list_job_ai_engines", &["engine_id", "engine_name", "engine_version", "engine_type"])],
    },
    Noun {
        words: "specs",
        about: "Resource specifications that jobs can use",
        verbs: &[list(
            "list_job_resource_specs",
            &["spec_id", "spec_code", "core", "cpu", "gpu_num", "gpu_type", "max_num", "no_resource"],
        )],
    },
    Noun {
        words: "mrs job",
        about: "Job objects of MapReduce Service",
        verbs: &[
            list("list_jobs", &["id", "name", "type", "created_at", "updated_at", "description"]),
            call("show", "show_job"),
            call("create", "create_job"),
            call("update", "update_job"),
            call("delete", "delete_job"),
            call("execute", "execute_job"),
            call("submit", "submit_job"),
        ],
    },
    Noun {
        words: "mrs job-binary",
        about: "Job binaries: the files of jobs",
        verbs: &[
            list("list_job_binaries", &["id", "name", "url", "created_at", "updated_at", "description"]),
            call("show", "show_job_binary"),
            call("create", "create_job_binary"),
            call("update", "update_job_binary"),
            call("delete", "delete_job_binary"),
        ],
    },
    Noun {
        words: "mrs data-source",
        about: "Data sources: where jobs read and write",
        verbs: &[
            list("list_data_sources", &["id", "name", "type", "url", "created_at", "description"]),
            call("show", "show_data_source"),
            call("create", "create_data_source"),
            call("update", "update_data_source"),
            call("delete", "delete_data_source"),
        ],
    },
    Noun {
        words: "mrs job-execution",
        about: "Executions of job objects",
        verbs: &[
            list("list_job_executions", EXECUTIONS),
            call("show", "show_job_execution"),
            call("cancel", "cancel_job_execution"),
            call("delete", "delete_job_execution"),
            wait("show_job_execution"),
        ],
    },
    Noun {
        words: "mrs job-exe",
        about: "Exe objects: jobs that were submitted to a cluster",
        verbs: &[
            list(
                "list_job_exes",
                &["id", "job_name", "job_type", "job_state", "job_final_status", "start_time", "end_time"],
            ),
            call("show", "show_job_exe"),
            wait("show_job_exe"),
        ],
    },
    Noun {
        words: "iam project",
        about: "Projects of the identity service",
        verbs: &[
            list("list_projects", &["id", "name", "enabled", "domain_id", "description"]),
            Verb {
                name: "list-own",
                operation: "list_auth_projects",
                action: Action::Call,
                columns: &["id", "name", "enabled", "domain_id", "description"],
            },
        ],
    },
    Noun { words: "iam token", about: "Tokens of the identity service", verbs: &[call("create", "create_token")] },
];

/// The first words of nouns with two words.
const SERVICES: [(&str, &str); 2] = [
    ("mrs", "Job objects of MapReduce Service, their programs, data and executions"),
    ("iam", "Projects and tokens of the identity service"),
];

/// Returns which clouds document an operation, in one sentence.
fn documented_by(operation: &str) -> String {
    let clouds = Cloud::all().filter(|cloud| cloud.documents(operation) == Documented::Yes);
    let titles: Vec<_> = clouds
        .map(|cloud| if cloud.deprecates(operation) { format!("{cloud} (deprecated)") } else { cloud.to_string() })
        .collect();
    match &titles[..] {
        [] => "Documented by no cloud any more.".to_owned(),
        titles => format!("Documented by {}.", titles.join(", ")),
    }
}

/// Returns the commands. Each is built only when it is needed, because the description is large.
pub(super) fn commands() -> impl Iterator<Item = Command> {
    let mut words: Vec<(&'static str, &'static str)> = Vec::new();
    for noun in NOUNS {
        match noun.words.split_once(' ') {
            None => words.push((noun.words, noun.about)),
            Some((service, _)) if words.iter().any(|(word, _)| *word == service) => {}
            Some((service, _)) => words.extend(SERVICES.iter().find(|(word, _)| *word == service)),
        }
    }
    words.into_iter().map(|(word, about)| group(word, about).defer(complete))
}

fn group(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).subcommand_required(true).arg_required_else_help(true)
}

fn complete(command: Command) -> Command {
    let name = command.get_name().to_owned();
    if let Some(noun) = NOUNS.iter().find(|noun| noun.words == name) {
        return noun.complete(command);
    }
    let nouns = NOUNS.iter().filter_map(|noun| Some((noun, noun.words.split_once(' ')?)));
    let nouns: Vec<_> = nouns.filter(|(_, (service, _))| *service == name).collect();
    let examples: Vec<_> = nouns.iter().filter_map(|(noun, _)| noun.example()).collect();
    let command = command.after_help(format!("Examples:\n  {}", examples.join("\n  ")));
    command.subcommands(nouns.into_iter().map(|(noun, (_, word))| noun.complete(group(word, noun.about))))
}

impl Noun {
    /// Returns the command with its verbs.
    fn complete(&'static self, command: Command) -> Command {
        let command = command.subcommands(self.verbs.iter().map(|verb| options::recorded(verb.command(self))));
        match self.example() {
            Some(example) => command.after_help(format!("Example:\n  {example}")),
            None => command,
        }
    }

    /// Returns an example of its first verb.
    fn example(&self) -> Option<String> {
        let verb = self.verbs.first()?;
        let (document, operation) = spec::operation(verb.operation)?;
        let words = format!("{} {}", self.words, verb.name);
        Some(fields::example(&words, document, operation, &Field::all(document, operation), ""))
    }
}

/// Finds the command that these words name.
pub(super) fn find(words: &[&str]) -> Option<(&'static Noun, &'static Verb)> {
    let (verb, noun) = words.split_last()?;
    let noun = NOUNS.iter().find(|known| known.words == noun.join(" "))?;
    Some((noun, noun.verbs.iter().find(|known| known.name == *verb)?))
}

impl Verb {
    /// Returns whether it changes an object, so that it can be applied to several objects.
    pub(super) fn takes_many(&self) -> bool {
        matches!(self.name, "update" | "delete" | "stop" | "restart" | "cancel")
    }

    /// Returns whether it can take its objects and values from a file.
    pub(super) fn takes_file(&self) -> bool {
        self.name == "update"
    }

    fn command(&self, noun: &Noun) -> Command {
        let (document, operation) = spec::operation(self.operation).expect("a test goes through all of them");
        let mut fields = Field::all(document, operation);
        let text = |key: &str| operation.value[key].as_str().unwrap_or_default();
        let command = Command::new(self.name);
        let (command, more) = match self.action {
            Action::Call => {
                let command = command.about(text("summary").to_owned());
                let paragraphs = [
                    vec![text("summary").to_owned(), text("description").to_owned()],
                    load::lifecycle(operation.value),
                    vec![documented_by(self.operation)],
                ];
                (command.long_about(paragraphs.concat().join("\n\n")), "")
            }
            Action::Wait | Action::WaitForRunning => (
                command
                    .about("Wait until it has come to its end, and show it")
                    .long_about(
                        "Wait until it has come to its end, and show it.\n\nA visualization job is waited for until it \
                         runs. Exit code: 1 if it did not end well, 10 if the time is up.",
                    )
                    .args(waiting("1h")),
                "--timeout 30m",
            ),
            Action::Logs => {
                // The newest log file is found with another call.
                fields.iter_mut().for_each(Field::make_optional_in_query);
                let follow = Arg::new("follow").long("follow").short('f').action(ArgAction::SetTrue);
                let raw = Arg::new("raw").long("raw").action(ArgAction::SetTrue);
                (
                    command
                        .about("Print the lines of a log, and follow it")
                        .long_about(
                            "Print the lines of a log.\n\nOn a terminal, control sequences other than colours are made \
                             visible. Without --log-file, the first of the log files is read. With --follow, new lines are printed as they come, until the version has ended.",
                        )
                        .arg(follow.help("Go on with new lines until the version has ended"))
                        .arg(raw.help("Pass everything on to the terminal, control sequences too"))
                        .args(waiting("24h").into_iter().map(|arg| arg.requires("follow"))),
                    "--follow",
                )
            }
        };
        let command = fields::add(command, &fields, self.takes_many(), self.takes_file());
        let command = if is_paged(operation) { command.arg(paginate()) } else { command };
        let words = format!("{} {}", noun.words, self.name);
        let example = fields::example(&words, document, operation, &fields, more);
        let mut example = format!("Operation: {}\n\nExample:\n  {example}", self.operation);
        let command = if self.takes_file() {
            example = format!("{}\n  hwjobs {words} --from updates.csv", example.replace("Example:", "Examples:"));
            command.args(bulk(&fields))
        } else {
            command
        };
        command.after_help(example)
    }
}

fn duration(name: &'static str, default: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("DURATION").default_value(default).value_parser(options::duration).help(help)
}

fn waiting(timeout: &'static str) -> [Arg; 2] {
    [
        duration("timeout", timeout, "How long to wait at the most, for example 90s or 1h30m"),
        duration("interval", "5s", "How long to wait between the first two requests, then longer, up to a minute"),
    ]
}

/// Returns whether an operation returns pages.
fn is_paged(operation: Operation<'_>) -> bool {
    spec::list(operation).is_some_and(|list| list.pages.parameters().is_some())
}

pub(super) fn paginate() -> Arg {
    Arg::new("paginate").long("paginate").action(ArgAction::SetTrue).help("Ask for all pages and put them together")
}

fn bulk(fields: &[Field]) -> [Arg; 4] {
    let ids: Vec<&str> = fields.iter().filter(|field| field.is_in_path()).map(|field| field.name).collect();
    let conflicts = fields.iter().filter(|field| field.is_in_path()).map(Field::id);
    let columns: Vec<&str> = fields.iter().filter(|field| field.is_in_body()).map(|field| field.name).collect();
    [
        Arg::new("from").long("from").value_name("FILE").conflicts_with_all(conflicts).help(format!(
            "Updates in a file, CSV with a header or JSON Lines, - for the standard input; columns: {}",
            ids.into_iter().chain(columns).collect::<Vec<_>>().join(", ")
        )),
        Arg::new("journal").long("journal").value_name("FILE").requires("from").help(
            "Journal of finished updates, from which the same command resumes [default: the name of \
             the file with .journal at its end]",
        ),
        Arg::new("concurrency")
            .long("concurrency")
            .value_name("NUMBER")
            .default_value("32")
            .value_parser(value_parser!(u16).range(1..=256))
            .help("How many updates are in flight at most; fewer where the service asks for it"),
        duration(
            "patience",
            "5m",
            "How long the service may make all updates wait (429 with Retry-After) before the rest is given up",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_operation_has_its_command() {
        let said: BTreeSet<_> = NOUNS.iter().flat_map(|noun| noun.verbs).map(|verb| verb.operation).collect();
        let documents = spec::documents().iter();
        let described: BTreeSet<_> =
            documents.flat_map(|document| document.operations().map(|operation| operation.id())).collect();
        assert_eq!(said, described);
        assert_eq!(described.len(), 58);
    }

    #[test]
    fn columns_are_fields_of_the_response() {
        for verb in NOUNS.iter().flat_map(|noun| noun.verbs).filter(|verb| !verb.columns.is_empty()) {
            let (document, operation) = spec::operation(verb.operation).expect("it is described");
            let status = document.success_status(operation).expect("it can succeed");
            let schema = &document.response(operation, status).expect("it is described")["content"]["application/json"]
                ["schema"];
            let converted = document.json_schema(schema).to_string();
            for column in verb.columns {
                assert!(converted.contains(&format!("\"{column}\":")), "{}: {column}", verb.operation);
            }
        }
    }
}
