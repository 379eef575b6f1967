//! docs/errors.md lists every message.

use std::fs;

use testkit::root;

/// The string literals that follow a marker, without their escapes.
fn literals(source: &str, marker: &str) -> Vec<String> {
    source
        .split(marker)
        .skip(1)
        .filter_map(|after| {
            let (before, text) = after.split_once('"')?;
            // Between a marker and its literal there is at most `format!(`.
            before.trim().trim_start_matches("format!(").is_empty().then(|| {
                let text = text.replace("\\\"", "\u{1}");
                text[..text.find('"').unwrap()].replace('\u{1}', "\"")
            })
        })
        .collect()
}

/// Whether the page has the fixed parts of a message in one line, in this order.
fn is_listed(page: &str, message: &str) -> bool {
    let parts = message.split('{').enumerate().map(|(index, part)| match index {
        0 => part,
        _ => part.split_once('}').map_or(part, |(_, rest)| rest),
    });
    page.lines().any(|line| {
        let mut parts = parts.clone();
        parts
            .try_fold(line, |rest, part| Some(rest.split_once(part)?.1))
            .is_some()
    })
}

#[test]
fn the_page_lists_every_message() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let page = read("docs/errors.md");
    let mut messages = literals(&read("crates/token/src/error.rs"), "#[error(");
    messages.extend(literals(&read("src/error/mod.rs"), "message: "));
    assert!(messages.len() > 40, "{} messages", messages.len());
    let missing: Vec<&String> = messages.iter().filter(|message| !is_listed(&page, message)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
