//! Processes of a server that are killed: PostgreSQL then ends all its other processes, and starts them again.

use std::io::Error;

use crate::key_server::wait_until;
use crate::server::Server;

impl Server {
    /// Kills a process of this server, and waits until it accepts sessions again (`restart_after_crash = on`).
    #[track_caller]
    pub fn kill(&self, process: i32) {
        signal(process, libc::SIGKILL);
        self.accepts_after(&[process]);
    }

    /// Waits until the server has noticed the ends of these processes and accepts sessions again.
    ///
    /// A session that is accepted earlier may end with the others. The postmaster rejects new sessions from the moment in
    /// which it reaps a killed process (`HandleChildCrash`, postmaster.c), and a reaped process no longer exists.
    #[track_caller]
    pub fn accepts_after(&self, processes: &[i32]) {
        for process in processes {
            wait_until("the postmaster to notice", || is_gone(*process));
        }
        wait_until("the server", || self.try_connect("template1", "postgres", "").is_ok());
    }
}

/// Sends a signal to a process of a server that this test started.
pub fn signal(process: i32, signal: libc::c_int) {
    assert!(process > 1, "{process} is not a process of a server");
    // SAFETY: kill(2) has no preconditions, and a positive number means one process.
    unsafe { libc::kill(process, signal) };
}

fn is_gone(process: i32) -> bool {
    // SAFETY: kill(2) has no preconditions; signal 0 only asks whether the process exists.
    let found = unsafe { libc::kill(process, 0) };
    found == -1 && Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}
