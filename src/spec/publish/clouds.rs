//! The editions of the clouds as files for others.

use std::fmt::Write;
use std::io;

use crate::cloud::{Cloud, Documented};
use crate::spec::clouds::{self, Partial};
use crate::spec::differences::{Difference, differences};
use crate::spec::{Document, documents, documents_of, html};

/// The folder of an edition.
fn folder(cloud: Cloud) -> String {
    format!("clouds/{}", cloud.name())
}

/// A document in the forms in which it is published, each with the ending of its file.
pub(super) type Forms = fn(&Document) -> io::Result<[(&'static str, String); 3]>;

/// Returns the files of all editions: the overlay, and each description in all forms.
pub(super) fn files(forms: Forms) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for cloud in Cloud::all() {
        let folder = folder(cloud);
        let overlay = clouds::overlay(cloud);
        files.push((format!("{folder}/overlay.yaml"), overlay.yaml().to_owned()));
        files.push((format!("{folder}/overlay.json"), format!("{:#}\n", overlay.value())));
        for document in documents_of(cloud) {
            let name = document.name();
            files.extend(forms(document)?.map(|(ending, text)| (format!("{folder}/{name}.{ending}"), text)));
        }
    }
    Ok(files)
}

/// Returns the rows of the table of clouds in the index.
pub(super) fn rows() -> String {
    Cloud::all().fold(String::new(), |mut rows, cloud| {
        let folder = folder(cloud);
        let cells = ["iam", "modelarts", "mrs"].map(|name| {
            match documents_of(cloud).iter().find(|document| document.name() == name) {
                None => "<td>not documented</td>".to_owned(),
                Some(document) => format!(
                    "<td>{} operations: <a href=\"{folder}/{name}.html\">page</a> <a href=\"{folder}/{name}.yaml\">YAML</a> \
                     <a href=\"{folder}/{name}.json\">JSON</a></td>",
                    document.operations().count()
                ),
            }
        });
        let _ = writeln!(
            rows,
            "<tr><td><a href=\"{folder}/overlay.yaml\">{}</a></td>{}</tr>",
            html(cloud.title()),
            cells.concat()
        );
        rows
    })
}

/// Returns the guide about clouds, `docs/clouds.md`.
pub fn guide() -> String {
    let clouds: Vec<Cloud> = Cloud::all().collect();
    include_str!("clouds.md")
        .replace("{operations}", operations(&clouds).trim_end())
        .replace("{counts}", counts(&clouds).trim_end())
        .replace("{connections}", connections(&clouds).trim_end())
        .replace("{sign_in}", sign_in(&clouds).trim_end())
        .replace("{pairs}", pairs(&clouds).trim_end())
        .replace("{differences}", table_of_differences(&clouds).trim_end())
}

/// A row of a table in Markdown.
fn row(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn head(cells: &[String]) -> String {
    row(cells.iter().cloned()) + &row(cells.iter().map(|_| "---".to_owned()))
}

fn word(documented: Documented, deprecated: bool) -> String {
    match (documented, deprecated) {
        (Documented::Yes, false) => "yes",
        (Documented::Yes, true) => "deprecated",
        (Documented::Unknown, _) => "?",
        (Documented::No, _) => "–",
    }
    .to_owned()
}

fn operations(clouds: &[Cloud]) -> String {
    let partial = clouds::partial();
    let titles = clouds.iter().map(|cloud| cloud.title().to_owned()).chain(partial.iter().map(Partial::heading));
    let mut table = head(&["Operation".to_owned()].into_iter().chain(titles).collect::<Vec<_>>());
    for document in documents() {
        for operation in document.operations() {
            let id = operation.id();
            let cells = clouds.iter().map(|cloud| word(cloud.documents(id), cloud.deprecates(id)));
            let is_known = document.name() == "mrs";
            let others = partial.iter().map(|edition| match is_known {
                true => word(edition.documents(id), edition.deprecates(id)),
                false => String::new(),
            });
            table += &row([format!("`{id}`")].into_iter().chain(cells).chain(others));
        }
    }
    let notes = partial.iter().filter(|edition| !edition.note().is_empty());
    let notes = notes.map(|edition| format!("- {}: {}\n", edition.heading(), edition.note()));
    format!(
        "{table}\nOf the last {} only the pages on MRS were looked for.\n\n{}",
        partial.len(),
        notes.collect::<String>()
    )
}

fn counts(clouds: &[Cloud]) -> String {
    clouds.iter().fold(String::new(), |mut text, cloud| {
        let count = |service: &str| {
            let documents = documents_of(*cloud).iter().filter(|document| document.name() == service);
            let operations = documents.flat_map(|document| document.operations());
            operations.filter(|operation| cloud.documents(operation.id()) == Documented::Yes).count()
        };
        let (modelarts, mrs) = (count("modelarts"), count("mrs"));
        let summary = clouds::overlay(*cloud).summary();
        let _ =
            writeln!(text, "- **{cloud}** (`{}`), {modelarts} of ModelArts and {mrs} of MRS: {summary}", cloud.name());
        text
    })
}

fn connections(clouds: &[Cloud]) -> String {
    let service = |cloud: &Cloud, name: &str| match (cloud.form(name), cloud.regions(name)) {
        (None, _) => "–".to_owned(),
        (Some(_), []) => "any region".to_owned(),
        (Some(_), regions) if cloud.has_other_regions() => format!("{} and others", regions.join(", ")),
        (Some(_), regions) => regions.join(", "),
    };
    let mut table = head(&["Cloud", "Addresses", "IAM", "ModelArts", "MRS"].map(str::to_owned));
    for cloud in clouds {
        let address = cloud.form("mrs").unwrap_or_default().replace("mrs", "{service}");
        let cells = ["iam", "modelarts", "mrs"].map(|name| service(cloud, name));
        table += &row([format!("{cloud}, `{}`", cloud.name()), format!("`{address}`")].into_iter().chain(cells));
    }
    table
}

fn sign_in(clouds: &[Cloud]) -> String {
    clouds.iter().fold(String::new(), |mut text, cloud| {
        let facts: Vec<&str> = clouds::overlay(*cloud).sign_in().collect();
        let _ = writeln!(text, "**{cloud}.** {}\n", facts.join(" "));
        text
    })
}

fn pairs(clouds: &[Cloud]) -> String {
    let titles = clouds.iter().map(|cloud| cloud.title().to_owned());
    let mut table = head(&["Differing facts".to_owned()].into_iter().chain(titles).collect::<Vec<_>>());
    for one in clouds {
        let counts = clouds.iter().map(|other| match one == other {
            true => String::new(),
            false => differences(&[*one, *other]).len().to_string(),
        });
        table += &row([one.title().to_owned()].into_iter().chain(counts));
    }
    table
}

fn table_of_differences(clouds: &[Cloud]) -> String {
    let titles = clouds.iter().map(|cloud| cloud.title().to_owned());
    let mut table = head(&["Operation", "Place"].map(str::to_owned).into_iter().chain(titles).collect::<Vec<_>>());
    for Difference { operation, place, values } in differences(clouds) {
        // The first table has the operations as a whole.
        if place.is_empty() {
            continue;
        }
        let cells = values.into_iter().map(|value| match value.as_str() {
            "" => "–".to_owned(),
            "mandatory" | "optional" | "absent" => value,
            _ => format!("`{value}`"),
        });
        table += &row([format!("`{operation}`"), place].into_iter().chain(cells));
    }
    table
}
