//! What a session may be, in as few words as possible: which settings hold for it, and whom they let it become.

use std::collections::{BTreeMap, BTreeSet};

/// The settings that are modelled; what they are worth is a number. Of providers it is a set: 1 is `a`, 2 is `b`.
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

/// Whom ALTER stores a setting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Database(usize),
    Role(bool),
}

/// Values of [`STORED`].
type Values = [Option<u8>; 3];

/// What a superuser has set outside of the sessions.
#[derive(Debug, Clone, Default)]
pub struct Config {
    file: BTreeMap<Name, u8>,
    stored: BTreeMap<(Place, Name), u8>,
}

impl Config {
    /// As it is without a line in the file.
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

    /// A database that is dropped takes what is stored for it along.
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

/// What the startup packet brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// A key of the client's own.
    pub key: bool,
    /// The login is one with alice's token (PostgreSQL 18); the token in the packet is then bob's.
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
    /// As it was opened with, as it was last looked at, and as a superuser's function has set it.
    applied: Values,
    looked: Values,
    set: Values,
    lost: bool,
    /// What is stored was not what it rests on when it was asked; that stays so.
    outdated: bool,
}

/// Whom it may be, and whether it is somebody now.
pub type Answer = (BTreeSet<&'static str>, Option<&'static str>);

impl Session {
    /// None where the connection is refused.
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

    /// What holds in the session, of a setting that can be set there.
    pub fn value(&self, config: &Config, name: Name) -> u8 {
        let place = name as usize;
        let own = self.set[place].or(self.applied[place]);
        own.unwrap_or_else(|| config.file(name))
    }

    fn providers(&self, config: &Config) -> u8 {
        self.value(config, Name::Providers)
    }

    /// The files were read anew.
    pub fn reload(&mut self, before: &Config, after: &Config) {
        let (had, has) = (self.providers(before), self.providers(after));
        self.lost |= had != 0 && has == 0;
        self.looked = after.stored_for(self.database, self.packet.login);
    }

    /// A superuser's function sets it, or takes that back; for a transaction it is as before afterwards.
    pub fn put(&mut self, config: &Config, name: Name, value: Option<u8>, is_local: bool) {
        let before = (self.set, self.providers(config));
        self.set[name as usize] = value;
        let between = self.providers(config);
        if is_local {
            self.set = before.0;
        }
        self.lost |= before.1 != 0 && between == 0 || is_local && between != 0 && before.1 == 0;
    }

    /// Whether what is stored is not what it rests on.
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
        let nobody = (BTreeSet::new(), None);
        let providers = self.providers(config);
        let is_bound = self.packet.login && self.value(config, Name::Bind) == 1;
        let base = match self.packet {
            Packet { login: false, .. } => "-",
            Packet { as_bob: true, .. } => "bob",
            Packet { .. } => "alice",
        };
        self.outdated |= self.is_outdated(config);
        if self.outdated {
            return nobody;
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
            return nobody;
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
