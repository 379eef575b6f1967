//! Processes that this one starts: all end with it, by `atexit`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Mutex;

/// Stopped when the process ends, each by its signal; a static is never dropped.
static RUNNING: Mutex<Vec<(u32, libc::c_int)>> = Mutex::new(Vec::new());

/// Deleted when the process ends, after the children have.
static DIRECTORIES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Ends a child together with this process, and deletes the child's directory.
pub fn ends_with_this_process(child: &Child, signal: libc::c_int, directory: &Path) {
    deleted_with_this_process(directory);
    RUNNING.lock().unwrap().push((child.id(), signal));
}

/// Deletes a directory together with this process.
pub fn deleted_with_this_process(directory: &Path) {
    DIRECTORIES.lock().unwrap().push(directory.to_owned());
    stop_at_exit();
}

/// Kills a child, which has no directory, together with this process.
pub fn killed_with_this_process(child: &Child) {
    RUNNING.lock().unwrap().push((child.id(), libc::SIGKILL));
    stop_at_exit();
}

/// A child that will have ended earlier.
pub fn forget(child: &Child) {
    RUNNING.lock().unwrap().retain(|(pid, _)| *pid != child.id());
}

/// Ends such a child earlier, by this signal.
pub fn stop(child: &mut Child, signal: libc::c_int) {
    forget(child);
    send(child.id(), signal);
    child.wait().unwrap();
}

fn send(pid: u32, signal: libc::c_int) {
    // SAFETY: signals a child of this process that has not been waited for.
    unsafe { libc::kill(i32::try_from(pid).unwrap(), signal) };
}

fn stop_at_exit() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    extern "C" fn stop_all() {
        let Ok(running) = RUNNING.lock() else { return };
        for (pid, signal) in running.iter() {
            send(*pid, *signal);
        }
        for (pid, _) in running.iter() {
            let mut status = 0;
            // SAFETY: waits for a child of this process.
            unsafe { libc::waitpid(i32::try_from(*pid).unwrap_or(0), &mut status, 0) };
        }
        let Ok(directories) = DIRECTORIES.lock() else { return };
        for directory in directories.iter() {
            let _ = fs::remove_dir_all(directory);
        }
    }
    // SAFETY: the function lives as long as the process.
    ONCE.call_once(|| assert_eq!(unsafe { libc::atexit(stop_all) }, 0));
}
