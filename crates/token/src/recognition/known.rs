//! What is known of a provider: the URLs by which it is recognised, and its entries in the list of providers.
//!
//! URLs and members are patterns, see [`pattern`](crate::recognition::pattern).

/// A provider.
#[derive(Debug)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// Its page, below `docs/providers/`.
    pub page: &'static str,
    /// What an entry cannot express.
    pub note: &'static str,
    /// The usual algorithms, for the documentation.
    pub algorithms: &'static str,
    /// The form of `sub`, for the documentation.
    pub sub: &'static str,
    /// The kinds of URLs, each with its entries. The first with a matching URL applies.
    pub forms: &'static [Form],
}

/// A kind of URLs of a provider, and what follows from them.
#[derive(Debug)]
pub struct Form {
    /// What distinguishes this form from the others; may be empty.
    pub which: &'static str,
    /// The patterns of the URLs, without `/.well-known/` and the name of a document.
    pub urls: &'static [&'static str],
    /// The entries: one for each form of `iss`. None where the tokens cannot be verified.
    pub entries: &'static [Entry],
    /// The values that the URLs may lack.
    pub to_fill_in: &'static [FillIn],
}

/// An entry whose texts are patterns.
#[derive(Debug)]
pub struct Entry {
    /// `issuer`
    pub issuer: &'static str,
    /// `jwks_url`; None where discovery finds it.
    pub jwks_url: Option<&'static str>,
    /// `audience`; None where tokens have none.
    pub audience: Option<&'static str>,
    /// `claims`: names and values.
    pub claims: &'static [(&'static str, &'static str)],
    /// `user_id_claim`; None for `sub`.
    pub user_id_claim: Option<&'static str>,
    /// `algorithms`, where the keys do not name one.
    pub algorithms: Option<&'static str>,
    /// `roles`
    pub roles: &'static str,
}

/// A value that a URL does not contain.
#[derive(Debug)]
pub struct FillIn {
    /// Its name, in patterns and in the argument `fill_in`.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// The values that it may have.
    pub kind: Kind,
    /// Whether the member may be left out instead, because another member still restricts tokens to the issuer's own.
    pub may_be_left_out: bool,
}

/// The values that a person may fill in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text, or a list of them: the whole value of a member.
    Texts,
    /// A part of a URL.
    Word,
    /// A GUID in lower case.
    Guid,
}

/// The usual entry, of which rows change what differs.
pub const PLAIN: Entry = Entry {
    issuer: "",
    jwks_url: None,
    audience: None,
    claims: &[],
    user_id_claim: None,
    algorithms: None,
    roles: "authenticated",
};

/// A text that is required.
pub const fn text(name: &'static str, meaning: &'static str) -> FillIn {
    FillIn {
        name,
        meaning,
        kind: Kind::Texts,
        may_be_left_out: false,
    }
}

/// A text whose member may be left out.
pub const fn optional_text(name: &'static str, meaning: &'static str) -> FillIn {
    FillIn {
        may_be_left_out: true,
        ..text(name, meaning)
    }
}

/// A part of a URL.
pub const fn word(name: &'static str, meaning: &'static str) -> FillIn {
    FillIn {
        kind: Kind::Word,
        ..text(name, meaning)
    }
}

/// A GUID.
pub const fn guid(name: &'static str, meaning: &'static str) -> FillIn {
    FillIn {
        kind: Kind::Guid,
        ..text(name, meaning)
    }
}
