//! The order in which the settings are defined when the library is loaded.

use crate::guc::{definitions, process, remembered, values};
use crate::identity::session_token::{self, TokenSetting};
use crate::keys::providers::ProvidersSetting;
use crate::keys::proxy_key::ProxyKeySetting;
use crate::keys::server_key;
use crate::settings::placeholders::Placeholders;

/// Defines the settings when the library is loaded, in a parallel operation too.
pub fn define() {
    if !process::outside_of_parallel_mode(define_all) {
        define_all();
    }
}

/// The key comes before the token, which is verified with it.
fn define_all() {
    values::note_preloading();
    let placeholders = Placeholders::read();
    // First, because the hooks of other settings remember by it.
    remembered::define();
    definitions::define::<ProvidersSetting, ProxyKeySetting>();
    placeholders.restore_dropped();
    server_key::retain();
    definitions::define_token::<TokenSetting>();
    session_token::loaded();
    definitions::reserve_prefix();
}
