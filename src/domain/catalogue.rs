//! The permission catalogue: which permissions this server knows, in which order.

use std::collections::HashMap;

use icu_properties::props::{BinaryProperty, NoncharacterCodePoint};
use serde::Deserialize;

use super::permission::{InvalidPermissionCode, PermissionCode, PermissionSet, required};

const DEFAULT: &str = include_str!("default_permissions.toml");
/// What Tokenwright itself asks for and the default catalogue does not list.
const OWN: &str = include_str!("own_permissions.toml");
/// Longest description, and longest reason of a deprecation, in characters.
const MAX_TEXT: usize = 1_000;

/// The permissions that this server knows, in the order that clients see.
#[derive(Debug)]
pub struct Catalogue {
    entries: Vec<CatalogueEntry>,
    by_code: HashMap<PermissionCode, usize>,
    by_name: HashMap<String, usize>,
}

/// One permission of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// The dotted code.
    pub code: PermissionCode,
    /// Its value in the GraphQL enum.
    pub enum_name: String,
    /// What it allows, for the person who grants it.
    pub description: String,
    /// Why it is granted to no new token. Tokens that hold it keep it, and so do their renewals.
    pub deprecated: Option<String>,
}

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The text is no TOML of the expected form.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A code is malformed.
    #[error(transparent)]
    Code(#[from] InvalidPermissionCode),
    /// A code appears twice.
    #[error("`{0}` is listed twice")]
    Repeated(PermissionCode),
    /// Two codes have the same name in GraphQL.
    #[error("`{0}` and `{1}` would have the same name in the GraphQL enum")]
    SameName(PermissionCode, PermissionCode),
    /// A text about a permission cannot be shown: which one.
    #[error(
        "`{1}` of `{0}` is blank, longer than {MAX_TEXT} characters, or has control characters \
         other than line breaks and tabs, or noncharacters"
    )]
    Text(PermissionCode, &'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    permission: Vec<FileEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    code: String,
    description: String,
    deprecated: Option<String>,
}

impl Catalogue {
    /// The catalogue that is used unless the operator names another.
    ///
    /// # Errors
    /// None in a released binary: a test reads it.
    pub fn built_in() -> Result<Self, CatalogueError> {
        Self::from_toml(DEFAULT)
    }

    /// Reads an operator's catalogue. The permissions that Tokenwright itself asks for are appended
    /// where the text does not list them.
    ///
    /// # Errors
    /// When the text is no catalogue; the message names what is wrong in it.
    pub fn from_toml(text: &str) -> Result<Self, CatalogueError> {
        let mut catalogue =
            Self { entries: Vec::new(), by_code: HashMap::new(), by_name: HashMap::new() };
        let file: File = toml::from_str(text)?;
        for entry in file.permission {
            catalogue.add(entry)?;
        }
        let own = [toml::from_str::<File>(DEFAULT)?, toml::from_str::<File>(OWN)?];
        for entry in own.into_iter().flat_map(|file| file.permission) {
            let is_required = required::ALL.contains(&entry.code.as_str());
            if is_required && !catalogue.by_code.contains_key(entry.code.as_str()) {
                catalogue.add(entry)?;
            }
        }
        Ok(catalogue)
    }

    fn add(&mut self, entry: FileEntry) -> Result<(), CatalogueError> {
        let code = PermissionCode::parse(&entry.code)?;
        if !can_be_shown(&entry.description) {
            return Err(CatalogueError::Text(code, "description"));
        }
        if entry.deprecated.as_deref().is_some_and(|reason| !can_be_shown(reason)) {
            return Err(CatalogueError::Text(code, "deprecated"));
        }
        let enum_name = code.enum_name();
        if self.by_code.contains_key(&code) {
            return Err(CatalogueError::Repeated(code));
        }
        if let Some(other) = self.by_name(&enum_name) {
            return Err(CatalogueError::SameName(other.code.clone(), code));
        }
        let place = self.entries.len();
        self.by_code.insert(code.clone(), place);
        self.by_name.insert(enum_name.clone(), place);
        let FileEntry { description, deprecated, .. } = entry;
        self.entries.push(CatalogueEntry { code, enum_name, description, deprecated });
        Ok(())
    }

    /// All permissions, in order.
    pub fn entries(&self) -> &[CatalogueEntry] {
        &self.entries
    }

    /// The permission with this code.
    pub fn by_code(&self, code: &str) -> Option<&CatalogueEntry> {
        self.by_code.get(code).and_then(|place| self.entries.get(*place))
    }

    /// The permission with this value in the GraphQL enum.
    pub fn by_name(&self, name: &str) -> Option<&CatalogueEntry> {
        self.by_name.get(name).and_then(|place| self.entries.get(*place))
    }

    /// The permissions of a set, in the order of the catalogue. Codes that it does not know are
    /// left out: [`Self::unknown`] finds them.
    pub fn in_order<'a>(&'a self, set: &PermissionSet) -> Vec<&'a CatalogueEntry> {
        self.sorted(set.iter().filter_map(|code| self.by_code.get(code).copied()).collect())
    }

    /// The same of a set that the catalogue knows as a whole.
    ///
    /// # Errors
    /// A code that it does not know.
    pub fn all_in_order<'a, 's>(
        &'a self,
        set: &'s PermissionSet,
    ) -> Result<Vec<&'a CatalogueEntry>, &'s PermissionCode> {
        let place = |code| self.by_code.get(code).copied().ok_or(code);
        Ok(self.sorted(set.iter().map(place).collect::<Result<_, _>>()?))
    }

    /// The permissions at these places, in order.
    fn sorted(&self, mut places: Vec<usize>) -> Vec<&CatalogueEntry> {
        places.sort_unstable();
        places.into_iter().filter_map(|place| self.entries.get(place)).collect()
    }

    /// The codes of a set that the catalogue does not know.
    pub fn unknown<'a>(&self, set: &'a PermissionSet) -> impl Iterator<Item = &'a PermissionCode> {
        set.iter().filter(|code| !self.by_code.contains_key(*code))
    }

    /// The codes of everything that can be granted to a new token, in order.
    pub fn grantable(&self) -> Vec<String> {
        let current = self.entries.iter().filter(|entry| entry.deprecated.is_none());
        current.map(|entry| entry.code.to_string()).collect()
    }

    /// The first permission that can be granted, for examples that work without a change.
    pub fn first_grantable(&self) -> Option<&CatalogueEntry> {
        self.entries.iter().find(|entry| entry.deprecated.is_none())
    }
}

/// Is it a text for people, which every format that shows it can hold?
fn can_be_shown(text: &str) -> bool {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    !text.trim().is_empty()
        && text.chars().nth(MAX_TEXT).is_none()
        && !text.chars().any(|c| odd(c) || NoncharacterCodePoint::for_char(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalogue_has_64_permissions_in_order_and_our_own() {
        let catalogue = Catalogue::built_in().unwrap();
        assert_eq!(catalogue.entries().len(), 65);
        assert_eq!(catalogue.entries()[0].code.as_str(), "api.organizations.read");
        assert_eq!(catalogue.entries()[63].code.as_str(), "scim.user.schema");
        assert_eq!(catalogue.entries()[64].code.as_str(), "api.policy.write");
    }

    #[test]
    fn an_own_catalogue_keeps_its_order_and_gains_the_required_codes() {
        let text = r#"
            [[permission]]
            code = "shop.orders.read"
            description = "Read orders."
            [[permission]]
            code = "api.users.read"
            description = "Ours."
        "#;
        let catalogue = Catalogue::from_toml(text).unwrap();
        let codes: Vec<_> = catalogue.entries().iter().map(|entry| entry.code.as_str()).collect();
        assert_eq!(
            codes,
            [
                "shop.orders.read",
                "api.users.read",
                "api.api-tokens.read",
                "api.api-tokens.write",
                "api.api-tokens.delete",
                "api.policy.write"
            ]
        );
    }

    #[test]
    fn what_is_deprecated_is_no_example() {
        let text = r#"
            [[permission]]
            code = "shop.orders.print"
            description = "Print orders."
            deprecated = "Nobody prints."
            [[permission]]
            code = "shop.orders.read"
            description = "Read orders."
        "#;
        let catalogue = Catalogue::from_toml(text).unwrap();
        let first = catalogue.first_grantable().unwrap();
        assert_eq!(first.code.as_str(), "shop.orders.read");
    }

    #[test]
    fn says_what_is_wrong_with_a_catalogue() {
        let refusal = |text: &str| Catalogue::from_toml(text).unwrap_err().to_string();
        let entry =
            |code: &str| format!("[[permission]]\ncode = \"{code}\"\ndescription = \"x\"\n");
        assert!(refusal("[[permission]]\ncode = \"a.b.c\"").contains("description"));
        assert!(refusal("[[permissions]]").contains("permissions"));
        assert!(refusal(&entry("nonsense")).contains("`nonsense` is not a permission code"));
        assert!(refusal(&(entry("a.b.c") + &entry("a.b.c"))).contains("listed twice"));
        assert!(refusal(&(entry("a-b.c.d") + &entry("a.b-c.d"))).contains("same name"));
        for text in ["", " ", "\\u0000", "a\\u001b[2J", "\\ufdd0", "\\U0001ffff"] {
            let entry = format!("[[permission]]\ncode = \"a.b.c\"\ndescription = \"{text}\"\n");
            assert!(refusal(&entry).contains("`description` of `a.b.c`"), "{text}");
            let entry = format!(
                "[[permission]]\ncode = \"a.b.c\"\ndescription = \"x\"\ndeprecated = \"{text}\"\n"
            );
            assert!(refusal(&entry).contains("`deprecated` of `a.b.c`"), "{text}");
        }
        assert!(Catalogue::from_toml(&entry("a.b.c").replace('x', "x\\n\\ty")).is_ok());
    }
}
