//! Reads HAR files of any tool: what the format demands and a tool left out has a default.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use super::{Entry, Message};

/// Reads a HAR file. An entry that cannot be read has the reason in its place.
pub(crate) fn read(text: &str) -> Result<Vec<Result<Entry, String>>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let entries = file["log"]["entries"].as_array().ok_or("it has no `log.entries`")?;
    Ok(entries.iter().map(Entry::read).collect())
}

/// The time of a request. The format needs one, so a text that is none becomes 1970.
fn request_time(value: &Value) -> String {
    value.as_str().and_then(|text| text.parse::<Timestamp>().ok()).unwrap_or_default().to_string()
}

impl Entry {
    fn read(value: &Value) -> Result<Self, String> {
        let (request, response) = (&value["request"], &value["response"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let needed = |name: &str| request[name].as_str().ok_or_else(|| format!("it has no `request.{name}`"));
        let milliseconds = |value: &Value| value.as_f64().filter(|time| *time > 0.0).unwrap_or_default();
        let (wait, receive) = (milliseconds(&value["timings"]["wait"]), milliseconds(&value["timings"]["receive"]));
        // Tools write 0, -1 or null for a request that was blocked.
        let status = response["status"].as_f64().unwrap_or_default();
        let started = request_time(&value["startedDateTime"]);
        Ok(Self {
            started,
            wait: if wait + receive > 0.0 { wait } else { milliseconds(&value["time"]) },
            receive,
            method: needed("method")?.to_owned(),
            url: needed("url")?.to_owned(),
            request: Message::read(request, &request["postData"]),
            status: if (100.0..1000.0).contains(&status) { status as u16 } else { 0 },
            status_text: text(&response["statusText"]),
            response: Message::read(response, &response["content"]),
        })
    }
}

impl Message {
    fn read(message: &Value, content: &Value) -> Self {
        let list = |name: &str| message[name].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut read = Self {
            version: text(&message["httpVersion"]),
            // HTTP/2 writes parts of the first line as headers such as `:method`.
            headers: list("headers")
                .map(|header| (text(&header["name"]), text(&header["value"])))
                .filter(|(name, _)| !name.starts_with(':'))
                .collect(),
            cookies: list("cookies").map(|cookie| text(&cookie["value"])).collect(),
            media_type: text(&content["mimeType"]),
            size: content["size"].as_u64().or_else(|| message["bodySize"].as_u64()),
            body: content["text"].as_str().filter(|text| !text.is_empty()).map(str::to_owned),
            comment: content["comment"].as_str().filter(|text| !text.is_empty()).map(str::to_owned),
        };
        if content["encoding"] == "base64"
            && let Some(encoded) = read.body.take()
        {
            match BASE64_STANDARD.decode(encoded.trim_end()).map(String::from_utf8) {
                Ok(Ok(text)) => read.body = Some(text),
                Ok(Err(_)) => read.comment = Some("the recorded body is no text".to_owned()),
                Err(_) => read.comment = Some("the recorded body is no base64".to_owned()),
            }
        }
        read
    }

    /// Returns whether the body is missing although there was one.
    pub(crate) fn is_cut(&self) -> bool {
        self.body.is_none() && (self.comment.is_some() || self.size.is_some_and(|size| size > 0))
    }
}
