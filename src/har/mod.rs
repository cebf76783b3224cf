//! Recorded traffic in the format HAR 1.2, which browsers and proxies read and write.
//!
//! A [`Recorder`] notes every request of the sessions that it was given to, each attempt and each login included, and writes
//! them without secrets.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), huaweicloud_jobs::Error> {
//! use huaweicloud_jobs::har::Recorder;
//!
//! # let emulator = huaweicloud_jobs::emulator::Emulator::start().await?;
//! let recorder = Recorder::default();
//! let session = emulator.session_builder().record(&recorder).build()?;
//! session.modelarts().training_job(10)?.update_description("recorded").await?;
//! let har = recorder.har();
//! assert!(har.contains("recorded"));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use reqwest::Url;
use serde_json::{Value, json};

#[cfg(feature = "contract")]
mod read;
mod recorder;
mod redact;

#[cfg(feature = "contract")]
pub(crate) use read::read;
pub(crate) use recorder::Noted;
pub use recorder::Recorder;
pub(crate) use redact::redact;

/// The beginning of the files that [`write`] writes.
const HEAD: &str = "{\"log\": {\"version\": \"1.2\", \"creator\": {\"name\": \"hwjobs\"";
/// The format's word for a size that is not known.
const UNKNOWN: i64 = -1;

/// A request and its response.
#[derive(Clone, Default)]
pub(crate) struct Entry {
    /// When the request was sent, as in the file: RFC 3339.
    pub(crate) started: String,
    /// The milliseconds until the head of the response came, and from then to the end of its body.
    pub(crate) wait: f64,
    pub(crate) receive: f64,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) request: Message,
    /// The status of the response; 0 without one.
    pub(crate) status: u16,
    pub(crate) status_text: String,
    pub(crate) response: Message,
}

/// The part that request and response have in common.
#[derive(Clone, Default)]
pub(crate) struct Message {
    pub(crate) version: String,
    pub(crate) headers: Vec<(String, String)>,
    /// The values of cookies that a file lists. They are not written.
    pub(crate) cookies: Vec<String>,
    pub(crate) media_type: String,
    /// The number of bytes of the body, if it is known.
    pub(crate) size: Option<u64>,
    /// The body; none where there is none or where it was left out.
    pub(crate) body: Option<String>,
    /// The reason why there is no body or no response.
    pub(crate) comment: Option<String>,
}

/// Writes a HAR file. `comment` says what is missing in it.
pub(crate) fn write(entries: &[Entry], comment: Option<&str>) -> String {
    let mut text = format!("{HEAD}, \"version\": \"{}\"}}", env!("CARGO_PKG_VERSION"));
    if let Some(comment) = comment {
        text.push_str(&format!(",\n\"comment\": {}", Value::from(comment)));
    }
    text.push_str(",\n\"entries\": [");
    for (index, entry) in entries.iter().enumerate() {
        // A line for each entry, so that tools for text can count and compare them.
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&entry.written().to_string());
    }
    text + "\n]}}\n"
}

/// Whether a file begins like one that [`write`] wrote.
pub fn wrote(beginning: &[u8]) -> bool {
    beginning.starts_with(HEAD.as_bytes())
}

impl Entry {
    fn written(&self) -> Value {
        let mut request = json!({
            "method": self.method,
            "url": self.url,
            "httpVersion": self.request.version,
            "cookies": [],
            "headers": self.request.listed(),
            "queryString": self.query(),
            "headersSize": UNKNOWN,
            "bodySize": self.request.known_size(),
        });
        if self.request.body.is_some() || self.request.comment.is_some() {
            request["postData"] = self.request.content();
            request["postData"]["params"] = json!([]);
        }
        let mut content = self.response.content();
        content["size"] = self.response.size.unwrap_or_default().into();
        json!({
            "startedDateTime": self.started,
            "time": self.wait + self.receive,
            "request": request,
            "response": {
                "status": self.status,
                "statusText": self.status_text,
                "httpVersion": self.response.version,
                "cookies": [],
                "headers": self.response.listed(),
                "content": content,
                "redirectURL": self.response.header("location"),
                "headersSize": UNKNOWN,
                "bodySize": self.response.known_size(),
            },
            "cache": {},
            "timings": {"send": 0, "wait": self.wait, "receive": self.receive},
        })
    }

    /// The parameters of the address, decoded.
    fn query(&self) -> Value {
        let url = Url::parse(&self.url).ok();
        let pair = |(name, value)| json!({"name": name, "value": value});
        url.iter().flat_map(Url::query_pairs).map(pair).collect()
    }
}

impl Message {
    fn listed(&self) -> Value {
        self.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
    }

    /// The value of a header; empty without it.
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    fn known_size(&self) -> Value {
        self.size.map_or_else(|| UNKNOWN.into(), Value::from)
    }

    fn content(&self) -> Value {
        let mut content = json!({"mimeType": self.media_type});
        for (name, text) in [("text", &self.body), ("comment", &self.comment)] {
            if let Some(text) = text {
                content[name] = text.as_str().into();
            }
        }
        content
    }
}
