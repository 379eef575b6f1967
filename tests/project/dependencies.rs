//! The extension's library has nothing of the gateway.

use std::process::Command;

use testkit::root;

/// What the gateway is built on, and the extension must never link.
const GATEWAY: [&str; 9] = [
    "axum",
    "clap",
    "deadpool",
    "hyper",
    "metrics",
    "pg_session_jwt_gateway",
    "tokio",
    "tower-http",
    "tracing",
];

#[test]
fn the_extension_has_no_crate_of_the_gateway() {
    let output = Command::new("cargo")
        .args([
            "tree",
            "--locked",
            "-p",
            "pg_session_jwt",
            "-e",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"pgrx"), "{tree}");
    let linked: Vec<&&str> = GATEWAY.iter().filter(|name| crates.contains(*name)).collect();
    assert_eq!(linked, Vec::<&&str>::new());
}
