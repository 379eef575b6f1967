//! The trust of a session in minimal form: the settings that apply to it, and the users that they permit.

use std::collections::{BTreeMap, BTreeSet};

/// The modelled settings; their values are numbers. For providers the number is a set: 1 is `a`, 2 is `b`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    Providers,
    Fallback,
    Bind,
    /// These two are set in the server's file only.
    ClientKeys,
    Jwk,
}

pub const STORED: [Name; 3] = [Name::Providers, Name::Fallback, Name::Bind];

/// The subject for which ALTER stores a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Database(usize),
    Role(bool),
}

/// Values of [`STORED`].
type Values = [Option<u8>; 3];

/// The settings of a superuser outside the sessions.
#[derive(Debug, Clone, Default)]
pub struct Config {
    file: BTreeMap<Name, u8>,
    stored: BTreeMap<(Place, Name), u8>,
}

impl Config {
    /// The value without a line in the file.
    pub fn default_of(name: Name) -> u8 {
        match name {
            Name::Fallback | Name::Bind | Name::ClientKeys => 1,
            Name::Providers | Name::Jwk => 0,
        }
    }

    pub fn file(&self, name: Name) -> u8 {
        self.file.get(&name).copied().unwrap_or(Config::default_of(name))
    }

    pub fn set_file(&mut self, name: Name, value: Option<u8>) {
        match value {
            Some(value) => self.file.insert(name, value),
            None => self.file.remove(&name),
        };
    }

    pub fn store(&mut self, place: Place, name: Name, value: Option<u8>) {
        match value {
            Some(value) => self.stored.insert((place, name), value),
            None => self.stored.remove(&(place, name)),
        };
    }

    fn stored(&self, place: Place, name: Name) -> Option<u8> {
        self.stored.get(&(place, name)).copied()
    }

    /// A dropped database loses its stored settings.
    pub fn forget(&mut self, database: usize) {
        self.stored.retain(|(place, _), _| *place != Place::Database(database));
    }

    fn stored_for(&self, database: usize, login: bool) -> Values {
        STORED.map(|name| {
            let of_role = self.stored(Place::Role(login), name);
            of_role.or_else(|| self.stored(Place::Database(database), name))
        })
    }
}

/// The contents of the startup packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// A key of the client.
    pub key: bool,
    /// The login has alice's token (PostgreSQL 18); the token in the packet is then bob's.
    pub login: bool,
    pub as_bob: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    None,
    Client,
    Server,
}

#[derive(Debug, Clone)]
pub struct Session {
    pub database: usize,
    packet: Packet,
    key: Key,
    /// The configuration at its opening, at its last check, and as set by a superuser's function.
    applied: Values,
    looked: Values,
    set: Values,
    lost: bool,
    /// At a check the stored value differed from the one it depends on; that is permanent.
    outdated: bool,
}

/// The users that it may become, and its current identity.
pub type Answer = (BTreeSet<&'static str>, Option<&'static str>);

impl Session {
    /// None if the connection is rejected.
    pub fn open(config: &Config, database: usize, packet: Packet) -> Option<Session> {
        let of_server = config.file(Name::Jwk) == 1;
        let may_bring = !of_server && config.file(Name::ClientKeys) == 1;
        let may_log_in = config.file(Name::Providers) & 1 == 1;
        let may_be_bob = config.file(Name::Bind) == 0;
        if packet.key && !may_bring || packet.login && (!may_log_in || packet.as_bob && !may_be_bob) {
            return None;
        }
        let applied = config.stored_for(database, packet.login);
        Some(Session {
            database,
            packet,
            key: match (packet.key, of_server) {
                (true, _) => Key::Client,
                (false, true) => Key::Server,
                (false, false) => Key::None,
            },
            applied,
            looked: applied,
            set: Values::default(),
            lost: false,
            outdated: false,
        })
    }

    /// The session's value of a setting that can be set there.
    pub fn value(&self, config: &Config, name: Name) -> u8 {
        let place = name as usize;
        let own = self.set[place].or(self.applied[place]);
        own.unwrap_or_else(|| config.file(name))
    }

    fn providers(&self, config: &Config) -> u8 {
        self.value(config, Name::Providers)
    }

    /// The files were reloaded.
    pub fn reload(&mut self, before: &Config, after: &Config) {
        let (had, has) = (self.providers(before), self.providers(after));
        self.lost |= had != 0 && has == 0;
        self.looked = after.stored_for(self.database, self.packet.login);
    }

    /// A superuser's function sets it or resets it; after a transaction the value is as before.
    pub fn put(&mut self, config: &Config, name: Name, value: Option<u8>, is_local: bool) {
        let before = (self.set, self.providers(config));
        self.set[name as usize] = value;
        let between = self.providers(config);
        if is_local {
            self.set = before.0;
        }
        self.lost |= before.1 != 0 && between == 0 || is_local && between != 0 && before.1 == 0;
    }

    /// Whether the stored value differs from the one it depends on.
    fn is_outdated(&self, config: &Config) -> bool {
        STORED.into_iter().any(|name| {
            let place = name as usize;
            self.set[place].is_none()
                && match self.looked[place] {
                    Some(stored) => stored != self.value(config, name),
                    None => self.applied[place].is_some(),
                }
        })
    }

    pub fn answer(&mut self, config: &Config) -> Answer {
        let anonymous = (BTreeSet::new(), None);
        let providers = self.providers(config);
        let is_bound = self.packet.login && self.value(config, Name::Bind) == 1;
        let base = match self.packet {
            Packet { login: false, .. } => "-",
            Packet { as_bob: true, .. } => "bob",
            Packet { .. } => "alice",
        };
        self.outdated |= self.is_outdated(config);
        if self.outdated {
            return anonymous;
        }
        if providers != 0 {
            let mut whom = BTreeSet::new();
            if providers & 1 == 1 {
                whom.insert("a=alice");
            }
            if !is_bound {
                whom.extend((providers & 1 == 1).then_some("a=bob"));
                whom.extend((providers & 2 == 2).then_some("b=alice"));
            }
            let is_good = !self.packet.login || providers & 1 == 1 && (!is_bound || base == "alice");
            return (whom, is_good.then_some(base));
        }
        let client_keys = config.file(Name::ClientKeys) == 1;
        if self.lost || is_bound || self.key == Key::Client && !client_keys {
            return anonymous;
        }
        let now = (!self.packet.login).then_some(base);
        match self.key {
            Key::Client => (BTreeSet::from(["client"]), now),
            Key::Server => (BTreeSet::from(["server"]), now),
            Key::None if self.value(config, Name::Fallback) == 1 => (BTreeSet::from(["claims"]), now),
            Key::None => (BTreeSet::new(), now),
        }
    }
}
