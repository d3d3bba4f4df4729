//! The documents that were found valid, so that each is read once.

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::document::{self, Refused};
use super::validation::Validator;

/// Bytes that the kept documents may take up together.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// What a token of a document takes up at most once it is parsed: it may be a field by itself.
const BYTES_A_TOKEN: u64 = 300;
/// A guess of how large a document is, which only sets the size of the index.
const USUAL_BYTES: u64 = 16 * 1024;

/// Reads documents and keeps them.
pub(super) struct Documents {
    validator: Validator,
    /// By their texts. Positives only: what is here has had its verdict.
    valid: Cache<Box<str>, ValidDocument, Weight>,
}

/// A document within the limits and valid.
#[derive(Clone)]
pub(super) struct ValidDocument {
    document: Arc<ExecutableDocument>,
    tokens: usize,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Box<str>, ValidDocument> for Weight {
    fn weight(&self, text: &Box<str>, document: &ValidDocument) -> u64 {
        text.len() as u64 + document.tokens as u64 * BYTES_A_TOKEN
    }
}

impl std::ops::Deref for ValidDocument {
    type Target = ExecutableDocument;

    fn deref(&self) -> &ExecutableDocument {
        &self.document
    }
}

impl Documents {
    /// Of the schema of this definition.
    pub(super) fn new(sdl: &str) -> Self {
        let items = usize::try_from(MAX_BYTES / USUAL_BYTES).unwrap_or_default();
        Self {
            validator: Validator::new(sdl),
            valid: Cache::with_weighter(items, MAX_BYTES, Weight),
        }
    }

    /// What documents are held to.
    pub(super) const fn validator(&self) -> &Validator {
        &self.validator
    }

    /// The document of this text.
    ///
    /// # Errors
    /// When it is beyond the limits or not valid.
    pub(super) fn read(&self, text: &str) -> Result<ValidDocument, Refused> {
        if let Some(valid) = self.valid.get(text) {
            return Ok(valid);
        }
        let (document, tokens) = document::parse(text)?;
        self.validator.check(text)?;
        let valid = ValidDocument { document: Arc::new(document), tokens };
        self.valid.insert(text.into(), valid.clone());
        Ok(valid)
    }
}
