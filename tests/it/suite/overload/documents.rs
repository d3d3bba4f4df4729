//! Documents that ask for much.

use std::fmt::Write;

use super::Case;

/// Characters of a document that leave room for the rest of the body.
const FULL: usize = 60_000;

/// Tokens of a document that the limits let through, with some left for the rest of it: the
/// documents that take longest are those just within the limits.
const MOST_TOKENS: usize = 4_900;

/// As many of these as a document may have.
fn filled(unit: &str) -> String {
    numbered(usize::MAX, |_| unit.to_owned())
}

/// As many numbered ones as a document may have, and at most so many.
fn numbered(most: usize, unit: impl Fn(usize) -> String) -> String {
    let (mut text, mut tokens) = (String::new(), 0);
    for n in 0..most {
        let next = unit(n);
        tokens += tokens_in(&next);
        if tokens > MOST_TOKENS || text.len() + next.len() > FULL {
            break;
        }
        text.push_str(&next);
    }
    text
}

/// About so many tokens.
fn tokens_in(text: &str) -> usize {
    let punctuators = text.matches(|c| "{}[]()@:!$=\"?".contains(c)).count();
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    punctuators + words.filter(|word| !word.is_empty()).count() + text.matches("...").count()
}

fn nested(depth: usize, open: &str, inside: &str, close: &str) -> String {
    format!("{}{inside}{}", open.repeat(depth), close.repeat(depth))
}

pub fn cases() -> Vec<Case> {
    [brackets(), fragments(), fields(), values(), texts(), definitions(), introspection()]
        .into_iter()
        .flatten()
        .collect()
}

fn brackets() -> Vec<Case> {
    let deep = 14_000;
    vec![
        Case::new("open braces", "{".repeat(FULL)),
        Case::new("open brackets", "[".repeat(FULL)),
        Case::new("open parentheses", "(".repeat(FULL)),
        Case::new("closed braces", "}".repeat(FULL)),
        Case::new("braces", nested(deep, "{a", "", "}")),
        Case::new("inline fragments", nested(3_000, "{... on Query ", "{__typename}", "}")),
        Case::new("lists", format!("{{node(id:{}){{id}}}}", nested(deep, "[", "", "]"))),
        Case::new("objects", format!("{{node(id:{}){{id}}}}", nested(deep, "{a:", "1", "}"))),
        Case::new("a list in every object", nested(6_000, "{a(b:[", "", "])}")),
        Case::new("lists in a type", format!("query($a:{}){{a}}", nested(deep, "[", "ID", "]"))),
        Case::new(
            "lists in a default",
            format!("query($a:ID={}){{a}}", nested(deep, "[", "", "]")),
        ),
        Case::new("objects in a default", nested(39, "query($a:ID={a:", "1", "}")),
        Case::new(
            "lists in a directive",
            format!("{{__typename@skip(if:{})}}", nested(deep, "[", "", "]")),
        ),
        Case::new("as deep as may be", nested(40, "{a", "", "}")),
        Case::new(
            "values as deep as may be",
            format!("{{a(b:{})}}", nested(37, "[{a:", "1", "}]")),
        ),
        Case::new(
            "users of tokens of users",
            format!("{{currentApiToken{{{}}}}}", nested(18, "user{apiToken{", "id", "}}")),
        ),
    ]
}

fn fragments() -> Vec<Case> {
    let doubling = |depth: usize, on: &str| {
        let mut text = format!("{{...F0}}fragment F{depth} on {on}{{__typename}}");
        for n in 0..depth {
            write!(text, "fragment F{n} on {on}{{...F{0} ...F{0}}}", n + 1).unwrap();
        }
        text
    };
    let chain =
        numbered(98, |n| format!("fragment F{n} on Query{{a{n}:__typename ...F{}}}", n + 1));
    let many = numbered(99, |n| format!("fragment F{n} on Query{{a{n}:__typename}}"));
    let spreads = numbered(99, |n| format!("...F{n} "));
    let cycle = numbered(99, |n| format!("fragment F{n} on Query{{...F{}}}", (n + 1) % 99));
    let everyone = numbered(20, |n| {
        let others = numbered(20, |other| format!("...F{other} "));
        format!("fragment F{n} on Query{{{others}}}")
    });
    let nested_uses =
        |n: usize| format!("fragment F{n} on User{{apiToken{{user{{...F{}}}}}}}", n + 1);
    let wide = " __typename".repeat(90);
    vec![
        Case::new("doubling", doubling(99, "Query")),
        Case::new("doubling within the limit", doubling(12, "Query")),
        Case::new("doubling on another type", doubling(12, "User")),
        Case::new("a chain", format!("{{...F0}}{chain}fragment F98 on Query{{__typename}}")),
        Case::new("a long cycle", format!("{{...F0}}{cycle}")),
        Case::new("all spread all", format!("{{...F0}}{everyone}")),
        Case::new("many fragments", format!("{{{spreads}}}{many}")),
        Case::new(
            "many spreads",
            format!("{{{}}}fragment F on Query{{__typename}}", filled("...F ")),
        ),
        Case::new(
            "as many spreads as may be",
            format!("{{{}}}fragment F on Query{{__typename}}", "...F ".repeat(500)),
        ),
        Case::new(
            "spreads of a wide fragment",
            format!("{{{}}}fragment F on Query{{{wide}}}", "...F ".repeat(100)),
        ),
        Case::new("spreads of nothing", format!("{{{}}}", numbered(500, |n| format!("...F{n} ")))),
        Case::new("unused fragments", format!("{{__typename}}{many}")),
        Case::new("more fragments", filled("fragment F on Query{a}")),
        Case::new("nested uses", numbered(90, nested_uses)),
        Case::new("wide inline fragments", format!("{{{}}}", filled("...{__typename}"))),
        Case::new("wide typed fragments", format!("{{{}}}", filled("...on Query{__typename}"))),
        Case::new(
            "fragments on the types of a node",
            format!("{{node(id:\"x\"){{{}}}}}", filled("...on User{id}...on ApiToken{id}")),
        ),
    ]
}

fn fields() -> Vec<Case> {
    let overlapping = |most: usize| numbered(most, |n| format!("a:node(id:{n}){{id}}"));
    let overlapping_below = nested(12, "user{apiToken{", "id", "}}");
    let branches = numbered(4_000, |_| "currentUser{apiToken{user{id}}}".to_owned());
    let arguments = numbered(100, |n| format!("a{n}:1 "));
    let object = numbered(100, |n| format!("a{n}:1 "));
    vec![
        Case::new("one field often", format!("{{{}}}", filled("a "))),
        Case::new("one valid field often", format!("{{{}}}", filled("__typename "))),
        Case::new("aliases", format!("{{{}}}", numbered(9_999, |n| format!("a{n}:__typename ")))),
        Case::new("unknown fields", format!("{{{}}}", numbered(9_999, |n| format!("a{n} ")))),
        Case::new("fields without selections", format!("{{{}}}", filled("currentUser "))),
        Case::new("fields that contradict each other", format!("{{{}}}", overlapping(9_999))),
        Case::new(
            "aliases that contradict each other",
            format!("{{{}}}", filled("a:node a:user ")),
        ),
        Case::new("branches to compare", format!("{{{branches}}}")),
        Case::new(
            "deep branches to compare",
            format!("{{{}}}", filled(&format!("currentApiToken{{{overlapping_below}}}"))),
        ),
        Case::new("many arguments", format!("{{node({arguments}){{id}}}}")),
        Case::new(
            "many arguments to compare",
            format!("{{node({arguments}){{id}}{}}}", filled("node{id}")[..8 * 1_100].to_owned()),
        ),
        Case::new(
            "many arguments twice",
            format!("{{node({arguments}){{id}}node({arguments}){{id}}}}"),
        ),
        Case::new(
            "objects to compare",
            format!("{{node(id:{{{object}}}){{id}}node(id:{{{object}}}){{id}}}}"),
        ),
        Case::new("directives on one field", format!("{{a {}}}", filled("@b "))),
        Case::new("skips on one field", format!("{{a {}}}", "@skip(if:true)".repeat(100))),
        Case::new("directives on many fields", format!("{{{}}}", filled("a@skip(if:false) "))),
        Case::new(
            "twenty pages",
            format!(
                "{{{}}}",
                numbered(20, |n| format!("a{n}:apiTokens(first:100){{nodes{{user{{id}}}}}}"))
            ),
        ),
        Case::new("the same page often", format!("{{{}}}", filled("apiTokens{nodes{id}}"))),
        Case::new("fields beyond the limit", format!("{{{}}}", "a ".repeat(FULL / 2))),
        Case::new("arguments beyond the limit", format!("{{node({})}}", "a:1 ".repeat(FULL / 4))),
        Case::new(
            "pairs of objects to compare",
            format!("{{{}}}", numbered(16, |_| format!("node(id:{{{object}}}){{id}}"))),
        ),
        Case::new("a long mutation", format!("mutation{{{}}}", filled("a{b}"))),
    ]
}

fn values() -> Vec<Case> {
    let input = |inside: &str| format!("mutation{{createApiToken(input:{{{inside}}}){{token}}}}");
    vec![
        Case::new("a wide list", format!("{{node(id:[{}]){{id}}}}", filled("1 "))),
        Case::new(
            "a wide list of texts",
            input(&format!("allowedAddresses:[{}]", "\"\" ".repeat(FULL / 6))),
        ),
        Case::new("a wide list of permissions", input(&format!("permissions:[{}]", filled("A ")))),
        Case::new("a wide list of lists", input(&format!("permissions:[{}]", filled("[] ")))),
        Case::new("a wide list of objects", input(&format!("permissions:[{}]", filled("{} ")))),
        Case::new("a wide object", input(&numbered(100, |n| format!("a{n}:1 ")))),
        Case::new("one field of an object often", input(&"name:1 ".repeat(100))),
        Case::new(
            "one field of many objects often",
            format!("{{apiTokens(filter:{{{}}}){{totalCount}}}}", "userId:{a:1 a:1} ".repeat(100)),
        ),
        Case::new("a long number", format!("{{node(id:{}){{id}}}}", "9".repeat(FULL))),
        Case::new("a long fraction", format!("{{node(id:0.{}){{id}}}}", "9".repeat(FULL))),
        Case::new("a long exponent", format!("{{node(id:1e{}){{id}}}}", "9".repeat(FULL))),
        Case::new(
            "a long number for an Int",
            format!("{{apiTokens(first:{}){{totalCount}}}}", "9".repeat(FULL)),
        ),
        Case::new("many numbers", format!("{{node(id:[{}]){{id}}}}", filled("1.5e3 "))),
        Case::new("a long text", format!("{{node(id:\"{}\"){{id}}}}", "a".repeat(FULL))),
        Case::new("a long name", format!("{{{}}}", "a".repeat(FULL))),
        Case::new("a long type", format!("query($a:{}){{a}}", "a".repeat(FULL))),
        Case::new("a long name of an operation", format!("query {}{{a}}", "a".repeat(FULL))),
        Case::new("a long name of a fragment", format!("{{...{}}}", "a".repeat(FULL))),
        Case::new(
            "a long name of an enum value",
            input(&format!("permissions:{}", "A".repeat(FULL))),
        ),
        Case::new("a long name of a field", input(&format!("{}:1", "a".repeat(FULL)))),
    ]
}

fn texts() -> Vec<Case> {
    vec![
        Case::new("escapes", format!("{{node(id:\"{}\"){{id}}}}", "\\n".repeat(FULL / 4))),
        Case::new(
            "escapes of characters",
            format!("{{node(id:\"{}\"){{id}}}}", "\\u00e9".repeat(FULL / 8)),
        ),
        Case::new("a block", format!("{{node(id:\"\"\"{}\"\"\"){{id}}}}", "a\n ".repeat(FULL / 4))),
        Case::new(
            "indented lines",
            format!("{{node(id:\"\"\"{}\"\"\"){{id}}}}", "\n\t".repeat(FULL / 4)),
        ),
        Case::new(
            "escaped quotes",
            format!("{{node(id:\"\"\"{}\"\"\"){{id}}}}", "\\\"\"\"".repeat(FULL / 8)),
        ),
        Case::new("open blocks", "\"\"\"".repeat(FULL / 6)),
        Case::new("open blocks with an end", "\"\"\"a\\\"\"\"".repeat(FULL / 16)),
        Case::new("open texts", "\" ".repeat(FULL / 3)),
        Case::new("many texts", format!("{{node(id:[{}]){{id}}}}", "\"\"".repeat(FULL / 4))),
        Case::new("comments", "#\n".repeat(FULL / 4)),
        Case::new("a long comment", format!("#{}", "a".repeat(FULL))),
        Case::new("comments before a field", format!("{{{}__typename}}", "#a\n".repeat(FULL / 4))),
        Case::new("commas", format!("{{{}__typename}}", ",".repeat(FULL))),
        Case::new("commas between fields", format!("{{{}}}", filled("a,,,,,"))),
        Case::new("spaces", format!("{{{}__typename}}", " ".repeat(FULL))),
        Case::new("ends of lines", format!("{{{}a}}", "\r\n".repeat(FULL / 4))),
        Case::new("byte order marks", format!("{{{}__typename}}", "\u{feff}".repeat(FULL / 3))),
        Case::new("other letters", format!("{{{}}}", "\u{e9}".repeat(FULL / 2))),
        Case::new(
            "wide characters",
            format!("{{node(id:\"{}\"){{id}}}}", "\u{1f600}".repeat(FULL / 4)),
        ),
        Case::new("nothing that means anything", "?".repeat(FULL)),
        Case::new("exclamation marks", filled("!")),
        Case::new("dollar signs", format!("{{a(b:{})}}", filled("$"))),
        Case::new("ellipses", filled("...")),
        Case::new("nulls", "\0".repeat(FULL / 6)),
    ]
}

fn definitions() -> Vec<Case> {
    let operations = numbered(3_000, |n| format!("query A{n}{{__typename}}"));
    let spreading = numbered(490, |n| format!("query A{n}{{...F}}"));
    let variables = numbered(100, |n| format!("$a{n}:ID "));
    let used = numbered(2_000, |n| format!("$a{} ", n % 100));
    let defined = numbered(100, |n| format!("$a{n}:ID!"));
    vec![
        Case::new("many operations", operations.clone()),
        Case::new("one operation often", filled("query A{__typename}")),
        Case::new("anonymous operations", filled("{__typename}")),
        Case::new("many mutations", numbered(3_000, |n| format!("mutation A{n}{{__typename}}"))),
        Case::new("subscriptions", numbered(3_000, |n| format!("subscription A{n}{{a}}"))),
        Case::new(
            "operations that spread a fragment",
            format!("{spreading}fragment F on Query{{{}}}", "__typename ".repeat(15)),
        ),
        Case::new("types", filled("type A{a:A}")),
        Case::new("extensions", filled("extend type A{a:A}")),
        Case::new("schemas", filled("schema{query:A}")),
        Case::new("variables", format!("query({variables}){{__typename}}")),
        Case::new("one variable often", format!("query({}){{a}}", "$a:ID ".repeat(100))),
        Case::new("variables in use", format!("query({defined}){{node(id:[{used}]){{id}}}}")),
        Case::new(
            "variables that are not defined",
            format!("{{node(id:[{}]){{id}}}}", numbered(9_000, |n| format!("$a{n} "))),
        ),
        Case::new(
            "variables in many operations",
            numbered(600, |n| format!("query A{n}($a:ID!){{node(id:$a){{id}}}}")),
        ),
        Case::new(
            "variables of an unknown type",
            format!("query({}){{a}}", numbered(100, |n| format!("$a{n}:A{n} "))),
        ),
        Case::new(
            "defaults",
            format!("query({}){{a}}", numbered(100, |n| format!("$a{n}:ID={{a:1}} "))),
        ),
    ]
}

/// The longest type of the schema, so many times.
fn types_by_name(times: usize, selected: &str) -> String {
    format!(
        "{{{}}}",
        numbered(times, |n| format!("a{n}:__type(name:\"Permission\"){{{selected}}}"))
    )
}

fn introspection() -> Vec<Case> {
    let lists = nested(10, "fields{type{", "name", "}}");
    let all = "kind name description specifiedByURL isOneOf fields(includeDeprecated:true){name \
               description args(includeDeprecated:true){name description type{kind name} \
               defaultValue} type{kind name ofType{kind name ofType{kind name}}} isDeprecated \
               deprecationReason} inputFields{name description type{name}} interfaces{name} \
               enumValues(includeDeprecated:true){name description} possibleTypes{name}";
    vec![
        Case::new("deep lists of types", format!("{{__schema{{types{{{lists}}}}}}}")),
        Case::new("deep lists of one type", format!("{{__type(name:\"Query\"){{{lists}}}}}")),
        Case::new(
            "the whole schema twice",
            format!("{{a:__schema{{types{{{all}}}}}b:__schema{{types{{{all}}}}}}}"),
        ),
        Case::new(
            "the whole schema often",
            format!("{{{}}}", numbered(30, |n| format!("a{n}:__schema{{types{{{all}}}}}"))),
        ),
        Case::new(
            "types of fields of types",
            "{a:__schema{types{fields{type{fields{name args{name type{name}}}}}}}}".to_owned(),
        ),
        Case::new("a long type by its name, often", types_by_name(30, all)),
        Case::new("a long type by its name, as often as may be", types_by_name(10, all)),
        Case::new(
            "a chain of ofType",
            format!("{{__type(name:\"A\"){{{}}}}}", nested(36, "ofType{", "name", "}")),
        ),
    ]
}
