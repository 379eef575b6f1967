//! The ends of transactions and savepoints.

use super::{ABORTED, Answer, Model, Rejected, Transaction, done};

impl Model {
    pub(super) fn begin(&mut self) -> Answer {
        if self.has_failed() {
            return Err(ABORTED);
        }
        let before = self.settings;
        self.transaction.get_or_insert(Transaction {
            before,
            savepoints: Vec::new(),
            failed: false,
        });
        done()
    }

    pub(super) fn end(&mut self, chain: bool, commit: bool) -> Answer {
        match self.transaction.take() {
            None if chain => return Err(Rejected("25P01", "")),
            None => return done(),
            Some(transaction) if commit && !transaction.failed => self.forget_local(),
            Some(transaction) => self.go_back_to(transaction.before),
        }
        if chain { self.begin() } else { done() }
    }

    pub(super) fn rollback_to(&mut self, name: usize) -> Answer {
        let transaction = self.transaction.as_mut().ok_or(Rejected("25P01", ""))?;
        let Some(place) = transaction.savepoints.iter().rposition(|(of, _)| *of == name) else {
            transaction.failed = true;
            return Err(Rejected("3B001", ""));
        };
        transaction.savepoints.truncate(place + 1);
        transaction.failed = false;
        let then = transaction.savepoints[place].1;
        self.go_back_to(then);
        done()
    }
}
