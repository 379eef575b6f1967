//! A thread beside PostgreSQL's, for work that blocks.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::thread::{Builder, JoinHandle};

/// Starts a thread that receives no signal: PostgreSQL's handlers belong to the process's first thread. The work must not
/// call PostgreSQL in any way. Poll the handle to learn whether it has ended.
///
/// # Errors
/// The operating system cannot create a thread.
pub fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: writes a whole set.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // A thread begins with the signal mask of the thread that starts it, and so do the threads that it starts itself.
    // SAFETY: `all` was written above, and `before` has room for a set.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
    let thread = Builder::new().name("key set".to_owned()).spawn(work);
    // SAFETY: the call before `spawn` has written the old mask.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    thread
}
