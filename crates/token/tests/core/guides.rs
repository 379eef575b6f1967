//! The settings in docs/providers are settings that can be used.

use std::fs;

use pg_session_jwt_token::provider::{KeySource, Provider, parse};

/// The values that a Markdown text gives `pg_session_jwt.providers` in its SQL.
fn values(markdown: &str) -> Vec<&str> {
    let after_each = markdown.split("SET pg_session_jwt.providers = '").skip(1);
    after_each.map(|rest| rest.split('\'').next().unwrap()).collect()
}

fn guides() -> Vec<(String, String)> {
    let directory = testkit::root().join("docs/providers");
    let read = |file: fs::DirEntry| {
        let name = file.file_name().into_string().unwrap();
        (name, fs::read_to_string(file.path()).unwrap())
    };
    fs::read_dir(directory)
        .unwrap()
        .map(|file| read(file.unwrap()))
        .collect()
}

#[test]
fn every_guide_has_a_setting_and_each_can_be_used() {
    let (mut with_url, mut discovered) = (0, 0);
    for (name, text) in guides() {
        let values: Vec<&str> = values(&text).into_iter().filter(|value| *value != "[…]").collect();
        assert_eq!(values.is_empty(), name == "README.md", "{name}");
        for value in values {
            let list = parse(value).unwrap_or_else(|error| panic!("{name}: {error:?} in {value}"));
            let from_url = |provider: &&Provider| matches!(provider.source, KeySource::Url(_));
            with_url += list.iter().filter(from_url).count();
            let is_discovered = |provider: &&Provider| matches!(provider.source, KeySource::Discovery(_));
            discovered += list.iter().filter(is_discovered).count();
            for provider in list {
                assert_eq!(provider.roles, ["authenticated"], "{name}");
            }
        }
    }
    assert!(with_url >= 5 && discovered >= 5, "{with_url} and {discovered}");
}

#[test]
fn providers_that_share_their_keys_are_distinguished_by_issuer_and_audience() {
    for name in ["firebase.md", "azure-ad-b2c.md"] {
        let text = guides().into_iter().find(|guide| guide.0 == name).unwrap().1;
        for provider in values(&text).iter().flat_map(|value| parse(value).unwrap()) {
            assert!(provider.issuer.is_some() && !provider.audience.is_empty(), "{name}");
        }
    }
}
