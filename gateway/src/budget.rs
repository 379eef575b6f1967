//! The memory that the bodies of all requests and responses may take together.
//!
//! A request whose share cannot grow fails at once: the others have memory that they will give back, but only after an
//! unknown time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sql_over_http::failure::{Failure, sqlstate};

#[derive(Debug, Clone)]
pub struct Budget(Arc<AtomicUsize>);

/// The part of one request. It returns to the budget when it is dropped.
#[derive(Debug)]
pub struct Share {
    budget: Budget,
    taken: usize,
}

impl Budget {
    pub fn new(bytes: usize) -> Budget {
        Budget(Arc::new(AtomicUsize::new(bytes)))
    }

    pub fn share(&self) -> Share {
        Share {
            budget: self.clone(),
            taken: 0,
        }
    }

    /// The bytes that no request has taken.
    pub fn free(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Share {
    /// Takes so many bytes more.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Failure> {
        // Relaxed: the number guards no other memory.
        let taken = self
            .budget
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(bytes));
        match taken {
            Ok(_) => {
                self.taken += bytes;
                Ok(())
            }
            Err(_) => Err(Failure::with_status(
                503,
                sqlstate::OUT_OF_MEMORY,
                "too much data in other requests",
            )),
        }
    }

    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Gives back what is more than so many bytes.
    pub fn shrink_to(&mut self, bytes: usize) {
        let more = self.taken.saturating_sub(bytes);
        self.taken -= more;
        self.budget.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Hands all that it has taken to another owner.
    pub fn take(&mut self) -> Share {
        let taken = std::mem::take(&mut self.taken);
        Share {
            budget: self.budget.clone(),
            taken,
        }
    }

    /// Takes what is missing to so many bytes.
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), Failure> {
        self.grow(bytes.saturating_sub(self.taken))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_grows_to_the_limit_and_returns() {
        let budget = Budget::new(100);
        let mut one = budget.share();
        let mut other = budget.share();
        assert_eq!(one.grow(60), Ok(()));
        assert_eq!(other.grow(40), Ok(()));
        assert_eq!(other.grow(1).unwrap_err().code(), "53200");
        assert_eq!(budget.free(), 0);
        drop(one);
        assert_eq!(budget.free(), 60);
        assert_eq!(other.grow_to(100), Ok(()));
        assert_eq!(other.grow_to(100), Ok(()));
        assert_eq!(other.grow_to(101).unwrap_err().code(), "53200");
        other.shrink_to(30);
        assert_eq!(budget.free(), 70);
        let owner = other.take();
        drop(other);
        assert_eq!(budget.free(), 70);
        drop(owner);
        assert_eq!(budget.free(), 100);
    }
}
