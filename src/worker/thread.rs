//! A thread beside PostgreSQL, for work that blocks.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::thread::{Builder, JoinHandle};

/// Starts a thread that receives no signal: PostgreSQL's handlers belong to the process's first thread. The work must
/// not touch PostgreSQL in any way; whether it has ended is asked of the handle.
///
/// # Errors
/// The operating system has no thread to give.
pub fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
    let mut every = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: writes a whole set.
    unsafe { libc::sigfillset(every.as_mut_ptr()) };
    // A thread begins with the mask of the one that starts it, and so do those that it starts itself.
    // SAFETY: both sets are there; the first was written just now.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, every.as_ptr(), before.as_mut_ptr()) };
    let thread = Builder::new().name("key set".to_owned()).spawn(work);
    // SAFETY: the call before has written the old mask.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    thread
}
