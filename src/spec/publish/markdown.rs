//! Markdown as pages that need no network.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::spec;

/// The style of all pages but the references.
pub(super) const STYLE: &str = include_str!("pages/style.css");

/// A page of Markdown text. `target` says where a link leads from inside the exported folder; a link without a target there
/// becomes its text.
pub(super) fn page(title: &str, text: &str, target: impl Fn(&str) -> Option<String>) -> String {
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut kept = Vec::new();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let target = target(&dest_url);
                kept.push(target.is_some());
                if let Some(target) = target {
                    events.push(Event::Start(Tag::Link { link_type, dest_url: target.into(), title, id }));
                }
            }
            Event::End(TagEnd::Link) => {
                if kept.pop() == Some(true) {
                    events.push(Event::End(TagEnd::Link));
                }
            }
            // Comments for those who edit the text.
            Event::Html(_) | Event::InlineHtml(_) => {}
            Event::End(TagEnd::Heading(level)) => {
                name_heading(&mut events);
                events.push(Event::End(TagEnd::Heading(level)));
            }
            event => events.push(event),
        }
    }
    let mut body = String::new();
    html::push_html(&mut body, events.into_iter());
    include_str!("pages/text.html")
        .replace("{style}", STYLE)
        .replace("{title}", &spec::html(title))
        .replace("{body}", &body)
}

/// Gives the heading at the end the id that links inside the page use.
fn name_heading(events: &mut [Event<'_>]) {
    let Some(start) = events.iter().rposition(|event| matches!(event, Event::Start(Tag::Heading { .. }))) else {
        return;
    };
    let text: String = events[start..]
        .iter()
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect();
    if let Event::Start(Tag::Heading { id, .. }) = &mut events[start] {
        *id = Some(CowStr::from(spec::deviations::anchor(&text)));
    }
}
