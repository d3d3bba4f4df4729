//! What the server must do, in the simplest words.

use chrono::{DateTime, SecondsFormat, TimeDelta};
use serde_json::{Value, json};
use tokenwright::domain::clock::Instant;

use super::operation::{ADDRESSES, Change, Operation, PERMISSIONS, PURPOSES, Pick};

/// Everything that was ever made. The administrator comes first and is never changed.
pub struct Model {
    pub now: Instant,
    pub tokens: Vec<Token>,
}

/// What is known of a token.
#[derive(Debug, Clone)]
pub struct Token {
    pub secret: String,
    pub id: String,
    pub user_id: String,
    pub version: i32,
    pub name: String,
    pub enabled: bool,
    pub expiry: Instant,
    pub permissions: Vec<String>,
    /// The place in the list of descriptions and labels.
    pub purpose: usize,
    /// The place in the list of lists.
    pub addresses: usize,
    pub deleted: bool,
    pub renewed_from: Option<String>,
    /// The place of the token that made it.
    pub made_by: Option<usize>,
    /// The place of the token that disabled it.
    pub disabled_by: Option<usize>,
}

/// The id of no token.
const UNKNOWN_TOKEN: &str = "tok_00000000000000000000zz";

/// What must come of something.
pub enum Expected {
    /// These errors, each as `CODE field reason`.
    Refused(Vec<String>),
    /// Success; a token that was changed by it.
    Done(Option<usize>),
}

impl Model {
    pub fn new(now: Instant, secret: &str, admin: &Value) -> Self {
        let text = |field: &str| admin[field].as_str().unwrap().to_owned();
        let permissions = admin["permissions"].as_array().unwrap().iter();
        let admin = Token {
            secret: secret.to_owned(),
            id: text("id"),
            user_id: text("userId"),
            version: 1,
            name: "administrator".to_owned(),
            enabled: true,
            expiry: text("expiry").parse().unwrap(),
            permissions: permissions.map(|name| name.as_str().unwrap().to_owned()).collect(),
            purpose: 0,
            addresses: 0,
            deleted: false,
            renewed_from: None,
            made_by: None,
            disabled_by: None,
        };
        Self { now, tokens: vec![admin] }
    }

    pub fn is_live(&self, id: &str) -> bool {
        self.tokens.iter().any(|token| token.id == id && !token.deleted)
    }

    /// Who does it.
    pub fn caller(&self, operation: &Operation) -> usize {
        match operation {
            Operation::Create { by, .. }
            | Operation::Update { by, .. }
            | Operation::Renew { by, .. }
            | Operation::Delete { by, .. }
            | Operation::Use { by } => self.picked(by),
            Operation::Advance { .. } => 0,
        }
    }

    fn picked(&self, pick: &Pick) -> usize {
        pick.map_or(0, |index| index.index(self.tokens.len()))
    }

    /// The one to which it is done. The administrator is spared: with it, all would end.
    fn target(&self, operation: &Operation) -> Option<usize> {
        match operation {
            Operation::Update { target, .. }
            | Operation::Renew { target, .. }
            | Operation::Delete { target, .. } => {
                let others = self.tokens.len() - 1;
                let index = target.map_or(others, |index| 1 + index.index(others.max(1)));
                Some(index.clamp(1.min(others), others))
            }
            _ => None,
        }
    }

    /// Why a request with this token is refused, if it is.
    pub fn let_in(&self, index: usize) -> Result<(), String> {
        let token = &self.tokens[index];
        if token.deleted || !token.enabled || self.now >= token.expiry {
            return Err("UNAUTHENTICATED invalid_token".to_owned());
        }
        if ADDRESSES[token.addresses].1 & 1 == 0 {
            return Err("FORBIDDEN address_not_allowed".to_owned());
        }
        Ok(())
    }

    /// The document and the variables of something.
    pub fn request(&self, operation: &Operation) -> (&'static str, Value) {
        let expiry =
            |hours: &i64| self.in_hours(*hours).to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let id = self.target(operation).map(|index| match index {
            0 => UNKNOWN_TOKEN,
            index => &self.tokens[index].id,
        });
        let version = self.target(operation).map_or(0, |index| self.tokens[index].version);
        let mut input = match operation {
            Operation::Create { name, purpose, permissions, addresses, hours, .. } => json!({
                "name": name, "permissions": named(*permissions),
                "description": PURPOSES[*purpose].0, "labels": labels(*purpose),
                "allowedAddresses": ADDRESSES[*addresses].0, "expiry": expiry(hours),
            }),
            Operation::Update { behind, change, .. } => {
                let Change { name, purpose, enabled, permissions, addresses, hours, descendants } =
                    change;
                json!({
                    "id": id, "version": version - behind, "name": name, "enabled": enabled,
                    "description": purpose.map(|purpose| PURPOSES[purpose].0),
                    "labels": purpose.map(labels),
                    "permissions": permissions.map(named),
                    "allowedAddresses": addresses.map(|place| ADDRESSES[place].0),
                    "expiry": hours.as_ref().map(expiry), "descendants": descendants,
                })
            }
            Operation::Renew { name, overlap, hours, .. } => json!({
                "id": id, "name": name, "overlapSeconds": overlap, "expiry": expiry(hours),
            }),
            Operation::Delete { behind, descendants, .. } => json!({
                "id": id, "version": behind.map(|behind| version - behind),
                "descendants": descendants,
            }),
            Operation::Use { .. } | Operation::Advance { .. } => json!({}),
        };
        // A field that is null and one that is left out are the same.
        if let Some(fields) = input.as_object_mut().filter(|_| version % 2 == 0) {
            fields.retain(|_, value| !value.is_null());
        }
        let by = &self.tokens[self.caller(operation)];
        let own = self.target(operation).is_some_and(|index| self.tokens[index].id == by.id);
        let reads = own || by.has("API_API_TOKENS_READ");
        (document(operation, reads), json!({ "input": input }))
    }

    /// The version that a refusal of a stale one reports.
    pub fn stale(&self, operation: &Operation) -> Option<i64> {
        let refused = match self.expect(operation) {
            Expected::Refused(errors) => errors,
            Expected::Done(_) => return None,
        };
        let stale = refused.contains(&"CONFLICT version version_stale".to_owned());
        self.target(operation).filter(|_| stale).map(|index| self.tokens[index].version.into())
    }

    /// What must come of something.
    pub fn expect(&self, operation: &Operation) -> Expected {
        let refused = |error: &str| Expected::Refused(vec![error.to_owned()]);
        let by = self.caller(operation);
        if let Err(refusal) = self.let_in(by) {
            return Expected::Refused(vec![refusal]);
        }
        let needed = match operation {
            Operation::Use { .. } | Operation::Advance { .. } => return Expected::Done(None),
            Operation::Delete { .. } => "API_API_TOKENS_DELETE",
            _ => "API_API_TOKENS_WRITE",
        };
        let (caller, by) = (by, &self.tokens[by]);
        if !by.has(needed) {
            return refused("FORBIDDEN permission_missing");
        }
        let faults = match operation {
            Operation::Create { name, permissions, addresses, hours, .. } => {
                let mut faults = self.name_faults(name, None);
                faults.extend(self.past(*hours));
                faults.extend(permission_faults(
                    *permissions,
                    by,
                    "FORBIDDEN permissions permission_beyond_reach",
                ));
                if !within(*addresses, by.addresses) {
                    faults.push("FORBIDDEN allowedAddresses addresses_beyond_reach".to_owned());
                }
                faults
            }
            _ => {
                let index = self.target(operation).filter(|index| *index != 0);
                let Some(index) = index else { return refused("NOT_FOUND") };
                let target = &self.tokens[index];
                let deletes = matches!(operation, Operation::Delete { .. });
                let all = matches!(operation, Operation::Delete { descendants: true, .. });
                if target.deleted && all && !self.live_line(index).is_empty() {
                    return Expected::Done(Some(index));
                }
                if target.deleted || !deletes && !by.reaches(target) {
                    return refused("NOT_FOUND");
                }
                match operation {
                    Operation::Update { behind, .. }
                    | Operation::Delete { behind: Some(behind), .. }
                        if *behind != 0 =>
                    {
                        return refused("CONFLICT version version_stale");
                    }
                    Operation::Update { change, .. } => self.update_faults(caller, index, change),
                    Operation::Renew { name, overlap, hours, .. } => {
                        self.renewal_faults(target, *name, *overlap, *hours)
                    }
                    _ => Vec::new(),
                }
            }
        };
        if faults.is_empty() {
            Expected::Done(self.target(operation))
        } else {
            Expected::Refused(faults)
        }
    }

    /// Did one token make or renew the other one, or one from which that comes?
    fn descends(&self, index: usize, from: usize) -> bool {
        let token = &self.tokens[index];
        let renewed = token.renewed_from.as_ref();
        let renewed = renewed.map(|id| self.tokens.iter().position(|old| old.id == *id).unwrap());
        [token.made_by, renewed]
            .into_iter()
            .flatten()
            .any(|parent| parent == from || self.descends(parent, from))
    }

    /// The live descendants.
    fn live_line(&self, from: usize) -> Vec<usize> {
        let descends = |index: &usize| !self.tokens[*index].deleted && self.descends(*index, from);
        (0..self.tokens.len()).filter(descends).collect()
    }

    /// Does a caller that disables this token become who did it?
    fn disables(&self, by: usize, index: usize) -> bool {
        self.tokens[index].disabled_by.is_none_or(|disabler| {
            let [caller, disabler] = [&self.tokens[by], &self.tokens[disabler]];
            caller.reaches(disabler) && !disabler.reaches(caller)
        })
    }

    /// Disables tokens; returns how many that changes.
    fn disable(&mut self, by: usize, tokens: Vec<usize>) -> usize {
        let disabled: Vec<usize> =
            tokens.into_iter().filter(|index| self.disables(by, *index)).collect();
        for index in &disabled {
            let token = &mut self.tokens[*index];
            (token.enabled, token.disabled_by) = (false, Some(by));
            token.version += 1;
        }
        disabled.len()
    }

    fn update_faults(&self, by: usize, index: usize, change: &Change) -> Vec<String> {
        let target = &self.tokens[index];
        let mut faults = Vec::new();
        if change.descendants && change.enabled != Some(false) {
            faults.push("BAD_USER_INPUT descendants descendants_not_disabled".to_owned());
        }
        let disabler = target.disabled_by.filter(|_| change.enabled == Some(true));
        let undoes =
            |disabler: usize| disabler == by || self.tokens[by].reaches(&self.tokens[disabler]);
        if disabler.is_some_and(|disabler| !undoes(disabler) || self.descends(by, index)) {
            faults.push("FORBIDDEN enabled enabling_beyond_reach".to_owned());
        }
        if let Some(name) = change.name {
            faults.extend(self.name_faults(name, Some(index)));
        }
        if let Some(permissions) = change.permissions {
            let widened = "BAD_USER_INPUT permissions permission_widened";
            faults.extend(permission_faults(permissions, target, widened));
        }
        if change.addresses.is_some_and(|addresses| !within(addresses, target.addresses)) {
            faults.push("BAD_USER_INPUT allowedAddresses addresses_widened".to_owned());
        }
        if let Some(expiry) = change.hours.map(|hours| self.in_hours(hours)) {
            if expiry != target.expiry && expiry <= self.now {
                faults.push("BAD_USER_INPUT expiry expiry_past".to_owned());
            } else if expiry > target.expiry {
                faults.push("BAD_USER_INPUT expiry expiry_widened".to_owned());
            }
        }
        faults
    }

    fn renewal_faults(
        &self,
        target: &Token,
        name: Option<&str>,
        overlap: Option<i32>,
        hours: i64,
    ) -> Vec<String> {
        let name = name.map_or_else(|| self.dated(target), str::to_owned);
        let mut faults = self.name_faults(&name, None);
        faults.extend(self.past(hours));
        if !target.enabled {
            faults.push("BAD_USER_INPUT id token_disabled".to_owned());
        }
        if overlap.is_some_and(|overlap| overlap < 0) {
            faults.push("BAD_USER_INPUT overlapSeconds overlap_negative".to_owned());
        }
        faults
    }

    fn name_faults(&self, name: &str, but: Option<usize>) -> Vec<String> {
        let taken = self.tokens.iter().enumerate().any(|(index, token)| {
            Some(index) != but && !token.deleted && key(&token.name) == key(name)
        });
        if taken { vec!["CONFLICT name name_taken".to_owned()] } else { Vec::new() }
    }

    fn past(&self, hours: i64) -> Option<String> {
        (hours <= 0).then(|| "BAD_USER_INPUT expiry expiry_past".to_owned())
    }

    /// The name of a renewal that is given none.
    fn dated(&self, old: &Token) -> String {
        let dated = old.name.rsplit_once(' ').filter(|_| old.renewed_from.is_some());
        let bare = dated.filter(|(_, date)| date.parse::<chrono::NaiveDate>().is_ok());
        let bare = bare.map_or(old.name.as_str(), |(bare, _)| bare);
        format!("{bare} {}", self.now.format("%Y-%m-%d"))
    }

    /// Does what was done to the server. The place of the token that the answer shows.
    pub fn apply(&mut self, operation: &Operation, data: &Value) -> Option<usize> {
        let target = self.target(operation);
        let by = self.caller(operation);
        match operation {
            Operation::Create { name, purpose, permissions, addresses, hours, .. } => {
                let made = Token {
                    name: (*name).to_owned(),
                    purpose: *purpose,
                    made_by: Some(by),
                    permissions: named(*permissions),
                    addresses: *addresses,
                    ..self.made(&data["createApiToken"], *hours)
                };
                self.tokens.push(made);
                Some(self.tokens.len() - 1)
            }
            Operation::Renew { name, overlap, hours, .. } => {
                let old = self.tokens[target?].clone();
                let made = Token {
                    name: name.map_or_else(|| self.dated(&old), str::to_owned),
                    renewed_from: Some(old.id.clone()),
                    made_by: Some(by),
                    permissions: old.permissions,
                    purpose: old.purpose,
                    addresses: old.addresses,
                    ..self.made(&data["renewApiToken"], *hours)
                };
                let end = overlap.map(|seconds| self.now + TimeDelta::seconds(seconds.into()));
                if let Some(end) = end.filter(|end| *end < old.expiry) {
                    let old = &mut self.tokens[target?];
                    old.expiry = end;
                    old.version += 1;
                }
                self.tokens.push(made);
                Some(self.tokens.len() - 1)
            }
            Operation::Update { change, .. } => {
                let index = target?;
                let takes_over = change.enabled == Some(false) && self.disables(by, index);
                let line = if change.descendants { self.live_line(index) } else { Vec::new() };
                let count = self.disable(by, line);
                assert_eq!(data["updateApiToken"]["descendantCount"], count);
                let expiry = change.hours.map(|hours| self.in_hours(hours));
                let token = &mut self.tokens[index];
                let before = token.version;
                token.change(change, expiry);
                if takes_over {
                    (token.disabled_by, token.version) = (Some(by), before + 1);
                }
                target
            }
            Operation::Delete { descendants, .. } => {
                let index = target?;
                let mut gone = if *descendants { self.live_line(index) } else { Vec::new() };
                let payload = &data["deleteApiToken"];
                assert_eq!(payload["descendantCount"], gone.len());
                assert_eq!(payload["deletedApiTokenId"], self.tokens[index].id);
                gone.extend((!self.tokens[index].deleted).then_some(index));
                for index in gone {
                    let token = &mut self.tokens[index];
                    token.deleted = true;
                    token.version += 1;
                }
                None
            }
            Operation::Use { .. } | Operation::Advance { .. } => None,
        }
    }

    fn made(&self, payload: &Value, hours: i64) -> Token {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Token {
            secret: text(&payload["token"]),
            id: text(&payload["apiToken"]["id"]),
            user_id: text(&payload["apiToken"]["userId"]),
            version: 1,
            name: String::new(),
            enabled: true,
            expiry: self.in_hours(hours),
            permissions: Vec::new(),
            purpose: 0,
            addresses: 0,
            deleted: false,
            renewed_from: None,
            made_by: None,
            disabled_by: None,
        }
    }

    fn in_hours(&self, hours: i64) -> Instant {
        self.now + TimeDelta::hours(hours)
    }
}

impl Token {
    fn has(&self, permission: &str) -> bool {
        self.permissions.iter().any(|held| held == permission)
    }

    /// Does the other one reach no further?
    pub fn reaches(&self, other: &Self) -> bool {
        other.permissions.iter().all(|permission| self.has(permission))
            && within(other.addresses, self.addresses)
    }

    fn change(&mut self, change: &Change, expiry: Option<Instant>) {
        let before = self.clone();
        self.name = change.name.map_or_else(|| self.name.clone(), str::to_owned);
        self.enabled = change.enabled.unwrap_or(self.enabled);
        self.disabled_by = self.disabled_by.filter(|_| !self.enabled);
        self.permissions = change.permissions.map_or_else(|| self.permissions.clone(), named);
        self.addresses = change.addresses.unwrap_or(self.addresses);
        self.purpose = change.purpose.unwrap_or(self.purpose);
        self.expiry = expiry.unwrap_or(self.expiry);
        let same = (&before.name, before.enabled, &before.permissions, before.addresses)
            == (&self.name, self.enabled, &self.permissions, self.addresses)
            && (before.expiry, before.purpose) == (self.expiry, self.purpose);
        self.version += i32::from(!same);
    }

    /// Is it as the server shows it?
    pub fn assert_is(&self, shown: &Value, now: Instant, told: &str) {
        let expiry: DateTime<chrono::Utc> = shown["expiry"].as_str().unwrap().parse().unwrap();
        let status = match () {
            () if now >= self.expiry => "EXPIRED",
            () if self.enabled => "ACTIVE",
            () => "DISABLED",
        };
        let expected =
            json!([self.id, self.user_id, self.version, self.name, self.permissions, status]);
        let fields = ["id", "userId", "version", "name", "permissions", "status"];
        assert_eq!(json!(fields.map(|field| &shown[field])), expected, "{told}");
        assert_eq!(expiry, self.expiry, "{told}");
        assert_eq!(shown["allowedAddresses"], json!(ADDRESSES[self.addresses].0), "{told}");
        assert_eq!(shown["description"], PURPOSES[self.purpose].0, "{told}");
        assert_eq!(shown["labels"], labels(self.purpose), "{told}");
    }
}

/// More of a changed token than its id and version is shown only to those who may read it.
fn document(operation: &Operation, reads: bool) -> &'static str {
    match operation {
        Operation::Update { .. } if !reads => {
            "mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) { \
             descendantCount apiToken { id version } } }"
        }
        Operation::Create { .. } => {
            "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token \
             apiToken { id version name expiry allowedAddresses \
             permissions status userId description labels { key value } } } }"
        }
        Operation::Update { .. } => {
            "mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) { \
             descendantCount apiToken { id version name expiry allowedAddresses \
             permissions status userId description labels { key value } } } }"
        }
        Operation::Renew { .. } => {
            "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) { token \
             apiToken { id version name expiry allowedAddresses \
             permissions status userId description labels { key value } } } }"
        }
        Operation::Delete { .. } => {
            "mutation ($input: DeleteApiTokenInput!) { \
             deleteApiToken(input: $input) { deletedApiTokenId descendantCount } }"
        }
        Operation::Use { .. } | Operation::Advance { .. } => "{ currentApiToken { id } }",
    }
}

/// The labels of a purpose, as clients write them.
pub fn labels(purpose: usize) -> Value {
    let (_, labels) = PURPOSES[purpose];
    labels.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

fn permission_faults(mask: u8, within: &Token, beyond: &str) -> Vec<String> {
    if mask == 0 {
        return vec!["BAD_USER_INPUT permissions permissions_empty".to_owned()];
    }
    let lacks = named(mask).iter().any(|permission| !within.has(permission));
    if lacks { vec![beyond.to_owned()] } else { Vec::new() }
}

/// Does one list of addresses admit no more than another?
fn within(inner: usize, outer: usize) -> bool {
    ADDRESSES[inner].1 & !ADDRESSES[outer].1 == 0
}

/// The permissions of a mask, in the order of the server.
fn named(mask: u8) -> Vec<String> {
    let names = PERMISSIONS.iter().enumerate().filter(|(bit, _)| mask & (1 << bit) != 0);
    names.map(|(_, name)| (*name).to_owned()).collect()
}

/// What the server compares names by, as far as these names go.
fn key(name: &str) -> String {
    name.to_lowercase().replace('ｃ', "c").replace('ｉ', "i").replace('ﬁ', "fi")
}
