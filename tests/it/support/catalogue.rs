//! Permission catalogues that several tests need.

/// A catalogue that begins with what can be granted no more.
pub const DEPRECATED_FIRST: &str = r#"
    [[permission]]
    code = "shop.orders.print"
    description = "Print orders."
    deprecated = "Nobody prints."
    [[permission]]
    code = "shop.orders.read"
    description = "Read orders."
"#;
