//! The file with the password of the gateway's login.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Reads the password. The end of the line is not a part of it.
pub fn read(path: &Path) -> io::Result<String> {
    let text = std::fs::read_to_string(path)?;
    let line = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n'));
    Ok(line.unwrap_or(&text).to_owned())
}

/// Warns if others than the file's owner can read it. libpq does not use such a file; but a secret that a container mounts can
/// be one.
pub fn warn_if_exposed(path: &Path) {
    // The login reports a file that cannot be read.
    if std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o044 != 0) {
        tracing::warn!(
            file = %path.display(),
            "group or others can read the password file; its permissions should be 0600 or less"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("secret", "secret")]
    #[case("secret\n", "secret")]
    #[case("secret\r\n", "secret")]
    #[case("secret\r", "secret\r")]
    #[case("secret\n\n", "secret\n")]
    #[case(" secret \n", " secret ")]
    #[case("", "")]
    fn ends_of_lines(#[case] text: &str, #[case] password: &str) {
        let name = format!("password-{}-{}", std::process::id(), text.escape_debug());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        let read = read(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read.unwrap(), password);
    }
}
