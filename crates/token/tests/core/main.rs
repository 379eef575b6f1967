//! Tests of the verifier: the exact outcome for each token, key and setting, without PostgreSQL.
//!
//! Keys and tokens are made when a test runs (`sign`). Time is an argument, `NOW`. An error is compared as a whole, with its
//! numbers, so that a token rejected for the wrong reason fails its test.

mod address_fence;
mod certificate_forms;
mod certificates;
mod claim_rules;
mod compact_form;
mod curve_keys;
mod dates;
mod discovery;
mod discovery_documents;
mod examinations;
mod fetched_keys;
mod flat_identity;
mod guides;
mod header;
mod identity;
mod json_numbers;
mod json_strings;
mod json_text;
mod key_confusion;
mod key_leniences;
mod key_members;
mod key_names;
mod key_reasons;
mod key_sets;
mod key_urls;
mod mistakes;
mod mutations;
mod provider_shapes;
mod providers;
mod random;
mod reasons;
mod recognition;
mod refetch;
mod rsa_keys;
mod select_key;
mod sign;
mod signatures;
mod token_age;
mod token_id;
mod token_leeway;
mod token_types;
mod twin_keys;
mod unescape;
mod user_id;
mod uuid;
mod vectors;
