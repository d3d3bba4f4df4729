//! A kind of request that is measured.

/// A kind of request.
pub struct Operation {
    pub name: String,
    /// The operation that this one should cost no more than.
    pub compared_with: Option<String>,
    /// No index serves it: it is asked for on one connection, to be known.
    pub is_slow: bool,
    /// On each connection, in each round.
    pub requests: usize,
    /// The body of the n-th request, where there are so many tokens.
    pub body: Box<dyn Fn(usize, usize) -> String>,
}

impl Operation {
    /// One that an index serves.
    pub fn new(name: impl Into<String>, body: impl Fn(usize, usize) -> String + 'static) -> Self {
        Self {
            name: name.into(),
            compared_with: None,
            is_slow: false,
            requests: 20,
            body: Box::new(body),
        }
    }

    /// The same, to cost no more than this one.
    pub fn like(self, other: &str) -> Self {
        Self { compared_with: Some(other.to_owned()), ..self }
    }

    /// The same with so many requests.
    pub fn times(self, requests: usize) -> Self {
        Self { requests, ..self }
    }

    /// The same where no index serves it.
    pub fn slow(self) -> Self {
        Self { is_slow: true, ..self.times(2) }
    }
}
