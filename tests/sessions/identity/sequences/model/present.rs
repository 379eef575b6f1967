//! How a token is presented, and which identities `pg_session_jwt.identity_scope` lets count.

use testkit::messages;

use super::{Model, Name, Rejected};

const OUTLASTS: Rejected = Rejected("55000", messages::OUTLASTS_TRANSACTION);

impl Model {
    /// As the function presents it, which checks the scope first.
    pub(super) fn present(&mut self, token: usize, is_local: bool) -> Result<(), Rejected> {
        if !is_local && self.is_transaction() {
            return Err(OUTLASTS);
        }
        self.set_token(token, is_local)
    }

    /// As SET does, which checks the scope last. The same token may follow with SET LOCAL, so its `jti` is not used up.
    pub(super) fn set_token(&mut self, token: usize, is_local: bool) -> Result<(), Rejected> {
        // A token of the startup packet that was not used yet came before this one.
        let _ = self.user_id();
        let presented = self.tokens[token].clone();
        self.verify(&presented, self.last_jti)?;
        self.assign(Name::Jwt, Some(token), is_local);
        if !is_local && self.is_transaction() {
            return Err(OUTLASTS);
        }
        self.last_jti = self.last_jti.max(presented.jti);
        Ok(())
    }

    /// Whether an identity has to end with its transaction.
    fn is_transaction(&self) -> bool {
        self.value(Name::Scope) == 1
    }

    /// Whether an identity in this setting counts.
    pub(super) fn counts(&self, name: Name) -> bool {
        !self.is_transaction() || self.settings[name as usize].is_own_local()
    }
}
