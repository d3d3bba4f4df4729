//! A cache of valid documents, so that each is read once.

use std::sync::Arc;

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::validation::Validator;
use super::{Document, Transport};
use crate::graphql::engine::limits::MAX_CACHED_BYTES;
use crate::graphql::engine::request_error::RequestError;

/// An estimate of the size of a document, which only sets the size of the index.
const USUAL_BYTES: u64 = 16 * 1024;

/// Reads documents and keeps them.
pub struct Documents {
    validator: Validator,
    /// By their texts. Holds valid documents only.
    valid: Cache<Box<str>, Arc<Document>, Weight>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Box<str>, Arc<Document>> for Weight {
    fn weight(&self, _: &Box<str>, document: &Arc<Document>) -> u64 {
        document.bytes
    }
}

impl Documents {
    /// For the schema of this definition.
    pub fn new(sdl: &str) -> Self {
        let items = usize::try_from(MAX_CACHED_BYTES / USUAL_BYTES).unwrap_or_default();
        Self {
            validator: Validator::new(sdl),
            valid: Cache::with_weighter(items, MAX_CACHED_BYTES, Weight),
        }
    }

    /// The schema that documents are judged by.
    pub(in crate::graphql::engine) const fn schema(&self) -> &Valid<Schema> {
        self.validator.schema()
    }

    /// The document of this text.
    ///
    /// # Errors
    /// When it exceeds a limit or is not valid.
    pub fn read(
        &self,
        text: &str,
        transport: Transport,
    ) -> Result<Arc<Document>, Vec<RequestError>> {
        if let Some(valid) = self.valid.get(text) {
            transport.carries(valid.subscription).map_err(|error| vec![error])?;
            return Ok(valid);
        }
        let document = Arc::new(Document::read(text, transport, &self.validator)?);
        self.valid.insert(text.into(), Arc::clone(&document));
        Ok(document)
    }
}
