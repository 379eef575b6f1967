//! Whether catalogs can have changed since an earlier transaction.
//!
//! Each change of a catalog that commits sends a message to all processes (`src/backend/utils/cache/inval.c`). A process reads
//! the messages at the start of a transaction, and when it locks a relation.

use pgrx::pg_sys;

/// The number of messages that this process has read. While it stays the same, no other transaction has changed a catalog,
/// as far as this process may know.
pub fn messages_read() -> u64 {
    // SAFETY: reads a global of this process (sinval.c). It grows also where messages were lost.
    unsafe { pg_sys::SharedInvalidMessageCounter }
}

/// Whether the current transaction itself can have changed a catalog. A rollback of that sends no message.
pub fn may_have_changed_catalogs() -> bool {
    // SAFETY: reads the state of the transaction (xact.c). Each change needs a transaction id.
    unsafe { pg_sys::GetTopTransactionIdIfAny() != pg_sys::InvalidTransactionId }
}
