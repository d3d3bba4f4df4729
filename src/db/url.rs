//! Where the database is.

use std::fmt;
use std::path::PathBuf;

use super::postgres::PostgresTarget;

/// A database URL: `sqlite:PATH` or `postgres://...`. `Debug` does not show a password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<PostgresTarget>),
}

/// The text is not a database URL. It is not repeated, as it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// The text has no scheme.
    #[error("the database URL has no scheme; write `sqlite:PATH` or `postgres://...`")]
    NoScheme,
    /// The scheme is none of ours.
    #[error(
        "the database URL has the unknown scheme `{0}`; \
         write `sqlite:PATH` or `postgres://...`"
    )]
    UnknownScheme(String),
    /// No file is named.
    #[error("the database URL names no file; write `sqlite:PATH`")]
    NoPath,
    /// The path has this character, which begins parameters or a fragment.
    #[error(
        "the path of a SQLite database has a `{0}` in it; parameters and fragments are not known: \
         write `sqlite:PATH` alone, with a path that has neither `?` nor `#`"
    )]
    Parameters(char),
    /// A database in memory, which a restart would lose.
    #[error("a database in memory cannot be shared by several connections; write `sqlite:PATH`")]
    InMemory,
    /// The rest of a PostgreSQL URL cannot be used.
    #[error("the PostgreSQL URL cannot be read: {0}")]
    Postgres(String),
}

impl fmt::Display for DatabaseUrl {
    /// Where the database is, without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(target) => target.fmt(f),
        }
    }
}

impl DatabaseUrl {
    /// Reads a URL. Never makes a file.
    ///
    /// # Errors
    /// For anything but the two schemes, and for a path or URL that cannot be used.
    pub fn parse(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        let (scheme, rest) = text.split_once(':').ok_or(InvalidDatabaseUrl::NoScheme)?;
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                let place = path.split(['?', '#']).next().unwrap_or(path);
                match (place, path.chars().find(|c| matches!(c, '?' | '#'))) {
                    (":memory:", _) => Err(InvalidDatabaseUrl::InMemory),
                    (_, Some(mark)) => Err(InvalidDatabaseUrl::Parameters(mark)),
                    ("", None) => Err(InvalidDatabaseUrl::NoPath),
                    (path, None) => std::path::absolute(path)
                        .map(Self::Sqlite)
                        .map_err(|_| InvalidDatabaseUrl::NoPath),
                }
            }
            "postgres" | "postgresql" if !rest.starts_with("//") => {
                let message = "write `postgres://USER:PASSWORD@HOST/NAME`".to_owned();
                Err(InvalidDatabaseUrl::Postgres(message))
            }
            "postgres" | "postgresql" => PostgresTarget::parse(text)
                .map(|target| Self::Postgres(Box::new(target)))
                .map_err(InvalidDatabaseUrl::Postgres),
            _ => {
                let letters = scheme.chars().take_while(char::is_ascii_alphanumeric);
                Err(InvalidDatabaseUrl::UnknownScheme(letters.take(20).collect()))
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres://.."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_schemes() {
        let here = std::path::absolute("t.db").unwrap();
        assert_eq!(DatabaseUrl::parse("sqlite:t.db"), Ok(DatabaseUrl::Sqlite(here)));
        let absolute = Ok(DatabaseUrl::Sqlite("/var/t.db".into()));
        assert_eq!(DatabaseUrl::parse("sqlite:/var/t.db"), absolute);
        assert_eq!(DatabaseUrl::parse("sqlite:///var/t.db"), absolute);
        assert_eq!(DatabaseUrl::parse("SQLite:/var/t.db"), absolute);
        assert!(DatabaseUrl::parse("postgres://u:p@localhost/db").is_ok());
        assert!(DatabaseUrl::parse("Postgres://u:p@localhost/db").is_ok());
        assert!(DatabaseUrl::parse("POSTGRESQL://u:p@localhost/db").is_ok());
    }

    #[test]
    fn shows_where_the_database_is_and_no_password() {
        for (text, expected) in [
            ("sqlite:/var/t.db", "sqlite:/var/t.db"),
            ("postgres://u:secret@h/n", "postgres://u:(hidden)@h:5432/n"),
            ("postgres://u@h:1,i:2/n?password=secret", "postgres://u:(hidden)@h:1,i:2/n"),
            ("postgres://h?user=u&options=secret", "postgres://u@h:5432"),
            ("postgres:///n?host=/run/pg&user=u", "postgres://u@/run/pg:5432/n"),
        ] {
            assert_eq!(DatabaseUrl::parse(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_without_repeating_it() {
        for text in [
            "t.db",
            "sqlite:",
            "sqlite::memory:",
            "mysql://u:hidden@h/db",
            "postgresq://u:hidden@h",
        ] {
            let refusal = DatabaseUrl::parse(text).unwrap_err().to_string();
            assert!(refusal.contains("URL") || refusal.contains("memory"), "{refusal}");
            assert!(!refusal.contains("hidden"), "{refusal}");
        }
    }

    #[test]
    fn sqlite_has_no_parameters_and_no_fragment() {
        for text in
            ["sqlite:t.db?mode=ro", "sqlite:///t.db?", "sqlite:t.db#x", "sqlite:?mode=memory"]
        {
            let refusal = DatabaseUrl::parse(text).unwrap_err();
            assert!(refusal.to_string().contains("`sqlite:PATH` alone"), "{text}: {refusal}");
        }
        for text in ["sqlite::memory:?cache=shared", "sqlite://:memory:#x"] {
            assert_eq!(DatabaseUrl::parse(text), Err(InvalidDatabaseUrl::InMemory), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let url = DatabaseUrl::parse("postgres://u:hidden@localhost/db").unwrap();
        assert!(!format!("{url:?}").contains("hidden"));
    }
}
