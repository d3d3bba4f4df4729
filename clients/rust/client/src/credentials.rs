use crate::Refusal;

/// Longer than any secret: what is longer is not handed on.
const MAX_LENGTH: usize = 256;

/// The secret in the values of all `Authorization` headers (RFC 6750 section 2.1).
///
/// There must be exactly one: of two, something else on the way may have read the other one. Some
/// servers join them by a comma, which no secret has.
pub(crate) fn bearer<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<&'a str, Refusal> {
    let mut lines = lines.into_iter();
    let line = lines.next().ok_or(Refusal::TokenMissing)?;
    if lines.next().is_some() {
        return Err(Refusal::InvalidRequest);
    }
    let line = str::from_utf8(line).ok().filter(|line| line.is_ascii());
    let line = line.ok_or(Refusal::InvalidRequest)?;
    let (scheme, token) = line.split_once(' ').unwrap_or((line, ""));
    if !scheme.eq_ignore_ascii_case("Bearer") {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let named = !scheme.is_empty() && scheme.bytes().all(is_name);
        return Err(if named { Refusal::TokenMissing } else { Refusal::InvalidRequest });
    }
    match token.trim_start_matches(' ') {
        "" => Err(Refusal::InvalidRequest),
        token if token.contains(',') => Err(Refusal::InvalidRequest),
        token if token.len() > MAX_LENGTH => Err(Refusal::InvalidToken),
        token => Ok(token),
    }
}
