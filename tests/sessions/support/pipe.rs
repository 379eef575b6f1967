//! Pipes where a file is expected: reading one blocks forever.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Makes a pipe that every user may read.
pub fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").args(["-m", "644"]).arg(path).status().unwrap();
    assert!(made.success(), "{}", path.display());
}

/// The answer of a session within half a minute. After that the pipe is opened for it, and the test fails.
#[track_caller]
pub fn within_half_a_minute<T: Send + 'static>(pipe: &Path, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    let session = thread::spawn(move || {
        let _ = send.send(work());
    });
    let answer = receive.recv_timeout(Duration::from_secs(30));
    while answer.is_err() && !session.is_finished() {
        drop(File::options().read(true).write(true).open(pipe));
        thread::sleep(Duration::from_millis(20));
    }
    answer.expect("an answer in time")
}
