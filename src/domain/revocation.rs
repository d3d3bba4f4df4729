//! Which tokens a revocation of many ends, as it is asked for: a part of them that somebody names,
//! never all of them by an oversight.

use std::collections::BTreeSet;

use super::control::is_control;
use super::fault::{Field, FilterField, InputFault};
use super::filter::ApiTokenFilter;
use super::id::ApiTokenId;

/// Most ids in a list.
pub const MAX_IDS: usize = 1_000;
/// Longest reason, in characters (Unicode scalar values).
pub const MAX_REASON: usize = 200;

/// What a caller asks for, unchecked.
#[derive(Debug, Clone, Default)]
pub struct RequestedRevocation {
    /// The tokens with these ids.
    pub ids: Option<Vec<String>>,
    /// The tokens that meet this filter. An empty one chooses nothing.
    pub filter: ApiTokenFilter,
    /// All tokens.
    pub everything: bool,
    /// The ids of tokens that are left out.
    pub except: Vec<String>,
    /// How many tokens it must be.
    pub expected_count: Option<i32>,
    /// Why, for the audit.
    pub reason: Option<String>,
}

/// A revocation that can be tried.
#[derive(Debug, Clone)]
pub struct Revocation {
    /// The tokens that it is about.
    pub choice: Choice,
    /// Tokens that are left out. Each must be there: a slip in an id would end the token that it
    /// was to save.
    pub except: Vec<ApiTokenId>,
    /// How many tokens it must be.
    pub expected_count: Option<usize>,
    /// Why, for the audit.
    pub reason: Option<String>,
}

/// The tokens that a revocation is about, of those that are not deleted.
#[derive(Debug, Clone)]
pub enum Choice {
    /// These, each of which must be there. The caller's own is revoked if it is among them.
    Ids(Vec<ApiTokenId>),
    /// Those that meet a filter, apart from the caller's own. An empty filter: all.
    Filter(Box<ApiTokenFilter>),
}

impl RequestedRevocation {
    /// Checks what is asked for.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(self) -> Result<Revocation, Vec<InputFault>> {
        let mut faults = Vec::new();
        let Self { ids, filter, everything, except, expected_count, reason } = self;
        let mut refuse = |field, reason, message: &str| {
            faults.push(InputFault::invalid(field, reason, message));
        };
        match (&ids, filter.is_empty(), everything) {
            (Some(_), false, _) => refuse(
                Field::Ids,
                "ids_and_filter",
                "Choose the tokens by `ids` or by `filter`, not by both.",
            ),
            (Some(_), _, true) | (None, false, true) => refuse(
                Field::Everything,
                "everything_and_choice",
                "`everything` is true, but `ids` or `filter` chooses some tokens; give one of them.",
            ),
            (None, true, false) => refuse(
                Field::Everything,
                "everything_not_confirmed",
                "Neither `ids` nor `filter` chooses any tokens. If all are meant, set `everything` \
                 to true.",
            ),
            (Some(_), true, false) | (None, _, _) => {}
        }
        if ids.as_ref().is_some_and(Vec::is_empty) {
            refuse(Field::Ids, "ids_empty", "The list of ids must not be empty.");
        }
        let expected_count = expected_count.map(|count| {
            usize::try_from(count).map_err(|_| {
                refuse(
                    Field::ExpectedCount,
                    "expected_count_negative",
                    "The expected count must not be negative.",
                );
            })
        });
        if let Some((code, message)) = reason.as_deref().and_then(reason_fault) {
            refuse(Field::Reason, code, &message);
        }
        let ids = ids.map(|ids| parsed(Field::Ids, &ids, &mut faults));
        let except = parsed(Field::Except, &except, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let choice = ids.map_or_else(|| Choice::Filter(Box::new(filter)), Choice::Ids);
        Ok(Revocation {
            choice,
            except,
            expected_count: expected_count.and_then(Result::ok),
            reason,
        })
    }
}

impl Revocation {
    /// The ids whose tokens it is about or leaves out, with where each stands.
    pub fn named(&self) -> impl Iterator<Item = (Field, usize, ApiTokenId)> + '_ {
        let ids = match &self.choice {
            Choice::Ids(ids) => ids.as_slice(),
            Choice::Filter(_) => &[],
        };
        let of = |field| move |(index, id): (usize, &ApiTokenId)| (field, index, *id);
        let except = self.except.iter().enumerate().map(of(Field::Except));
        ids.iter().enumerate().map(of(Field::Ids)).chain(except)
    }

    /// Does it tell more of the tokens than what becomes of those that it names?
    pub fn counts(&self) -> bool {
        self.expected_count.is_some() || !matches!(self.choice, Choice::Ids(_))
    }

    /// The field that is to be narrowed where it is about too many tokens.
    pub fn field(&self) -> Field {
        match &self.choice {
            Choice::Ids(_) => Field::Ids,
            Choice::Filter(filter) if filter.is_empty() => Field::Everything,
            Choice::Filter(_) => Field::Filter(FilterField::Whole),
        }
    }

    /// Is this token among those that it names to revoke?
    pub fn names(&self, id: ApiTokenId) -> bool {
        matches!(&self.choice, Choice::Ids(ids) if ids.contains(&id))
    }

    /// The tokens that are left out.
    pub fn left_out(&self) -> BTreeSet<ApiTokenId> {
        self.except.iter().copied().collect()
    }
}

fn reason_fault(reason: &str) -> Option<(&'static str, String)> {
    if reason.trim().is_empty() {
        return Some(("reason_blank", "The reason must not be blank; leave it out.".to_owned()));
    }
    if reason.chars().nth(MAX_REASON).is_some() {
        let message = format!("The reason must not be longer than {MAX_REASON} characters.");
        return Some(("reason_too_long", message));
    }
    if reason.chars().any(is_control) {
        let message = "The reason must not contain control characters, line breaks, characters \
                       that change the writing direction, or noncharacters.";
        return Some(("reason_control_character", message.to_owned()));
    }
    None
}

fn parsed(field: Field, texts: &[String], faults: &mut Vec<InputFault>) -> Vec<ApiTokenId> {
    if texts.len() > MAX_IDS {
        let (reason, name) = match field {
            Field::Except => ("except_too_many", "except"),
            _ => ("ids_too_many", "ids"),
        };
        let message = format!("`{name}` takes at most {MAX_IDS} ids.");
        faults.push(InputFault::invalid(field, reason, message));
        return Vec::new();
    }
    let mut ids = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match text.parse() {
            Ok(id) => ids.push(id),
            Err(_) => {
                let message = "This is not the id of an API token, `tok_...`.";
                faults.push(InputFault::invalid(field, "id_syntax", message).at(index));
            }
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::api_token::ApiTokenStatus;

    const TOKEN: &str = "tok_0000000000000000000001";

    fn faults(change: impl FnOnce(&mut RequestedRevocation)) -> Vec<(Field, &'static str)> {
        let mut asked = RequestedRevocation::default();
        change(&mut asked);
        let faults = asked.check().err().unwrap_or_default();
        faults.into_iter().map(|fault| (fault.field, fault.reason)).collect()
    }

    fn active() -> ApiTokenFilter {
        ApiTokenFilter { status: vec![ApiTokenStatus::Active], ..ApiTokenFilter::default() }
    }

    #[test]
    fn tokens_are_chosen_in_exactly_one_way() {
        let ids = || Some(vec![TOKEN.to_owned()]);
        let not_confirmed = (Field::Everything, "everything_not_confirmed");
        let both = (Field::Everything, "everything_and_choice");
        assert_eq!(faults(|_| {}), [not_confirmed]);
        assert_eq!(faults(|asked| asked.everything = true), []);
        assert_eq!(faults(|asked| asked.ids = ids()), []);
        assert_eq!(faults(|asked| asked.filter = active()), []);
        assert_eq!(faults(|asked| (asked.ids, asked.everything) = (ids(), true)), [both]);
        assert_eq!(faults(|asked| (asked.filter, asked.everything) = (active(), true)), [both]);
        let two = [(Field::Ids, "ids_and_filter")];
        assert_eq!(faults(|asked| (asked.ids, asked.filter) = (ids(), active())), two);
        assert_eq!(faults(|asked| asked.ids = Some(vec![])), [(Field::Ids, "ids_empty")]);
    }

    #[test]
    fn all_that_is_wrong_is_reported_together() {
        let found = faults(|asked| {
            asked.ids = Some(vec![TOKEN.to_owned(), "usr_0000000000000000000001".to_owned()]);
            asked.except = vec![TOKEN.to_owned(); MAX_IDS + 1];
            asked.expected_count = Some(-1);
            asked.reason = Some("a\u{202e}b".to_owned());
        });
        let expected = [
            (Field::ExpectedCount, "expected_count_negative"),
            (Field::Reason, "reason_control_character"),
            (Field::Ids, "id_syntax"),
            (Field::Except, "except_too_many"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_reason_is_a_line_of_bounded_length() {
        let reason = |text: &str| {
            let found = faults(|asked| {
                (asked.everything, asked.reason) = (true, Some(text.to_owned()));
            });
            found.first().map(|(_, reason)| *reason)
        };
        assert_eq!(reason(&"ü".repeat(MAX_REASON)), None);
        assert_eq!(reason(&"ü".repeat(MAX_REASON + 1)), Some("reason_too_long"));
        for blank in ["", " ", "\u{3000}"] {
            assert_eq!(reason(blank), Some("reason_blank"), "{blank:?}");
        }
        for control in ["a\nb", "\0", "\u{1b}[2J", "a\u{2028}b", "\u{fffe}"] {
            assert_eq!(reason(control), Some("reason_control_character"), "{control:?}");
        }
    }
}
