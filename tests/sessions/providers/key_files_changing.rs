//! Key files that change in ways that are hard to detect: within one tick of the clock, or into another kind of file.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use postgres::Client;
use testkit::key_server::wait_until;
use testkit::messages;
use testkit::provider::Provider;
use testkit::server::SHARED;
use testkit::session::{init, one, rejects, run, user_id};

use crate::support::jwks_faults::presenting;
use crate::support::pipe::{make_pipe, within_half_a_minute};

fn set_file(client: &mut Client, path: &Path) {
    let entry = format!(r#"{{"issuer":"a","jwks_file":"{}"}}"#, path.display());
    run(client, &format!("set pg_session_jwt.providers = '[{entry}]'"));
}

/// A file that is written through memory. Its change time is set when a page is first written, and not again until the
/// page is on disk. Changes in between share one time, as they do within a tick on file systems with coarse times.
struct Mapped {
    memory: *mut u8,
    length: usize,
}

impl Mapped {
    fn new(path: &Path, length: usize) -> Mapped {
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .unwrap();
        file.set_len(length as u64).unwrap();
        let (access, handle) = (libc::PROT_READ | libc::PROT_WRITE, file.as_raw_fd());
        // SAFETY: `file` is open and has this length, and a new mapping at an address of the kernel's choice overlaps
        // nothing.
        let memory = unsafe { libc::mmap(std::ptr::null_mut(), length, access, libc::MAP_SHARED, handle, 0) };
        assert_ne!(memory, libc::MAP_FAILED);
        Mapped {
            memory: memory.cast(),
            length,
        }
    }

    fn write(&self, text: &str) {
        assert_eq!(text.len(), self.length);
        // SAFETY: the mapping has this many bytes and does not overlap the text; the file is never truncated.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), self.memory, self.length) };
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: `new` made the mapping with this length, and no reference to it remains.
        unsafe { libc::munmap(self.memory.cast(), self.length) };
    }
}

/// attack: 152
#[test]
fn file_rewritten_within_a_clock_tick_is_read_again() {
    let (old, new) = (Provider::new("a"), Provider::new("a"));
    let path = SHARED.directory().join("same-tick.json");
    let file = Mapped::new(&path, old.key_set().len());
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    set_file(&mut client, &path);
    file.write(&old.key_set());
    init(&mut client, &old.token("alice"));
    let stamp = |path: &Path| {
        let file = fs::metadata(path).unwrap();
        (file.len(), file.ctime(), file.ctime_nsec())
    };
    let before = stamp(&path);
    file.write(&new.key_set());
    assert_eq!(stamp(&path), before);
    wait_until("the new keys", || {
        client.batch_execute(&presenting(&new.token("bob"))).is_ok()
    });
    assert_eq!(user_id(&mut client).as_deref(), Some("bob"));
    rejects(
        &mut client,
        &presenting(&old.token("alice")),
        "28000",
        messages::INVALID_SIGNATURE,
    );
}

/// attack: 152
#[test]
fn pipe_in_place_of_a_file_does_not_block_sessions() {
    let directory = SHARED.directory().join("replaced");
    fs::create_dir(&directory).unwrap();
    let place = |name: &str| directory.join(name);
    let (file, pipe, path) = (place("file"), place("pipe"), place("keys.json"));
    fs::write(&file, Provider::new("a").key_set()).unwrap();
    make_pipe(&pipe);
    let ended = AtomicBool::new(false);
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(&mut client, "set statement_timeout = '20s'");
    // Each assignment checks the file again.
    let look = format!(
        r#"do $$ begin for n in 1..5000 loop
            perform set_config('pg_session_jwt.providers', '[{{"issuer":"a","jwks_file":"{}"}}]', false);
            perform usable from auth.providers();
        end loop; end $$"#,
        path.display()
    );
    thread::scope(|scope| {
        scope.spawn(|| {
            let fresh = place("fresh");
            while !ended.load(SeqCst) {
                for next in [&file, &pipe] {
                    fs::hard_link(next, &fresh).unwrap();
                    fs::rename(&fresh, &path).unwrap();
                }
            }
        });
        let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            within_half_a_minute(&pipe, move || {
                run(&mut client, &look);
                client
            })
        }));
        ended.store(true, SeqCst);
        let mut client = looked.unwrap();
        assert_eq!(one::<i32>(&mut client, "select 1"), 1);
    });
}

/// The lines of the log about this file.
fn lines(path: &Path) -> Vec<String> {
    let about = format!("the key set in \"{}\" cannot be used: ", path.display());
    let log = SHARED.log();
    let told = log.lines().filter_map(|line| line.split_once(&about));
    // Details in parentheses come from libraries.
    told.map(|(_, reason)| reason.split(" (").next().unwrap().to_owned())
        .collect()
}

#[test]
fn unusable_file_is_logged_once_per_session() {
    let path = SHARED.directory().join("told-once.json");
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    let present = presenting(&Provider::new("a").token("alice"));
    let for_seconds = |client: &mut Client| {
        for _ in 0..3 {
            rejects(client, &present, "55000", messages::KEYS_NOT_AVAILABLE);
            // Also when the setting is assigned again, as a superuser's function may do for each request.
            set_file(client, &path);
            rejects(client, &present, "55000", messages::KEYS_NOT_AVAILABLE);
            thread::sleep(Duration::from_millis(1100));
        }
    };
    set_file(&mut client, &path);
    let missing = "it is not there, or not a regular file";
    for_seconds(&mut client);
    assert_eq!(lines(&path), [missing]);
    fs::write(&path, "").unwrap();
    let empty = messages::NOT_A_KEY;
    for_seconds(&mut client);
    assert_eq!(lines(&path), [missing, empty]);
    fs::write(&path, Provider::new("a").key_set()).unwrap();
    thread::sleep(Duration::from_millis(1100));
    rejects(&mut client, &present, "28000", messages::INVALID_SIGNATURE);
    // A file that was fixed and is broken again is logged again.
    fs::write(&path, "").unwrap();
    thread::sleep(Duration::from_millis(1100));
    for_seconds(&mut client);
    assert_eq!(lines(&path), [missing, empty, empty]);
}
