//! Lines of text without colours, as tracing-subscriber writes them, for a third of what that costs:
//! there each name passes through what could paint it, and each piece through what formats it.

use std::cell::Cell;
use std::fmt::{self, Debug};

use chrono::Utc;
use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::{RecordFields, VisitOutput};
use tracing_subscriber::fmt::format::{
    DefaultVisitor, Format, FormatEvent, FormatFields, Full, Writer,
};
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// The target of lines of crates that use `log`: their own metadata is among their fields.
const OF_LOG: &str = "log";

/// Writes lines.
pub(super) struct PlainLines {
    usual: Format<Full, Micros>,
}

impl Default for PlainLines {
    fn default() -> Self {
        Self { usual: Format::default().with_timer(Micros) }
    }
}

impl<S, N> FormatEvent<S, N> for PlainLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        if metadata.target() == OF_LOG {
            return self.usual.format_event(ctx, writer, event);
        }
        Micros.format_time(&mut writer)?;
        writer.write_str(level(*metadata.level()))?;
        if let Some(scope) = ctx.event_scope() {
            let mut any = false;
            for span in scope.from_root() {
                any = true;
                writer.write_str(span.name())?;
                if let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                    && !fields.is_empty()
                {
                    writer.write_str("{")?;
                    writer.write_str(&fields.fields)?;
                    writer.write_str("}")?;
                }
                writer.write_str(":")?;
            }
            if any {
                writer.write_str(" ")?;
            }
        }
        writer.write_str(metadata.target())?;
        writer.write_str(": ")?;
        ctx.format_fields(writer.by_ref(), event)?;
        writer.write_str("\n")
    }
}

/// The level between spaces, as wide as the widest.
const fn level(level: Level) -> &'static str {
    match level {
        Level::TRACE => " TRACE ",
        Level::DEBUG => " DEBUG ",
        Level::INFO => "  INFO ",
        Level::WARN => "  WARN ",
        Level::ERROR => " ERROR ",
    }
}

/// Writes fields.
pub(super) struct PlainFields;

impl<'w> FormatFields<'w> for PlainFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        write(writer, true, &fields)
    }

    fn add_fields(
        &self,
        current: &'w mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let is_empty = current.fields.is_empty();
        write(current.as_writer(), is_empty, fields)
    }
}

fn write(writer: Writer<'_>, is_empty: bool, fields: &impl RecordFields) -> fmt::Result {
    let mut writing = Writing { writer, is_empty, written: Ok(()) };
    fields.record(&mut writing);
    writing.written
}

struct Writing<'w> {
    writer: Writer<'w>,
    is_empty: bool,
    written: fmt::Result,
}

impl Writing<'_> {
    /// Writes a field: its name and its value, unless it is one that is written in its own way.
    fn field(
        &mut self,
        field: &Field,
        value: impl FnOnce(&mut Writer<'_>) -> fmt::Result,
        own: impl FnOnce(&mut DefaultVisitor<'_>),
    ) {
        if self.written.is_err() {
            return;
        }
        let name = field.name();
        self.written = if name == "message" || name.starts_with("r#") || name.starts_with("log.") {
            let mut usual = DefaultVisitor::new(self.writer.by_ref(), self.is_empty);
            own(&mut usual);
            usual.finish()
        } else {
            let space = if self.is_empty { Ok(()) } else { self.writer.write_str(" ") };
            space
                .and_then(|()| self.writer.write_str(name))
                .and_then(|()| self.writer.write_str("="))
                .and_then(|()| value(&mut self.writer))
        };
        self.is_empty &= name.starts_with("log.");
    }
}

impl Visit for Writing<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // What `Debug` writes as it is.
        let is_plain = value
            .bytes()
            .all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'&' | b'('..=b'[' | b']'..=b'~'));
        self.field(
            field,
            |writer| {
                if !is_plain {
                    return write!(writer, "{value:?}");
                }
                writer.write_str("\"")?;
                writer.write_str(value)?;
                writer.write_str("\"")
            },
            |usual| usual.record_str(field, value),
        );
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        if self.written.is_ok() {
            let mut usual = DefaultVisitor::new(self.writer.by_ref(), self.is_empty);
            usual.record_error(field, value);
            self.written = usual.finish();
            self.is_empty = false;
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.field(
            field,
            |writer| write!(writer, "{value:?}"),
            |usual| usual.record_debug(field, value),
        );
    }
}

/// The time, to the microsecond, in UTC.
struct Micros;

/// Bytes of a time in seconds, until the year 9999.
const SECONDS: usize = "2026-01-01T00:00:00".len();

thread_local! {
    /// A second, and how it is written. Nothing that is dropped with the thread, which may log then.
    static WRITTEN: Cell<(i64, [u8; SECONDS])> = const { Cell::new((i64::MIN, [0; SECONDS])) };
}

impl FormatTime for Micros {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        #[expect(clippy::disallowed_methods, reason = "the log says when its lines were written")]
        let now = Utc::now();
        let (second, mut text) = WRITTEN.get();
        if second != now.timestamp() {
            let formatted = now.format("%Y-%m-%dT%H:%M:%S").to_string();
            text = formatted.as_bytes().try_into().map_err(|_| fmt::Error)?;
            WRITTEN.set((now.timestamp(), text));
        }
        writer.write_str(str::from_utf8(&text).map_err(|_| fmt::Error)?)?;
        write!(writer, ".{:06}Z", now.timestamp_subsec_micros())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use chrono::DateTime;
    use tracing::field::{Empty, display};
    use tracing::{debug, error, info, info_span, trace, warn};
    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const TIME: usize = "2026-01-01T00:00:00.000000Z".len();

    #[derive(Debug, Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        /// Without the time, which each layer reads for itself.
        fn without_times(&self) -> Vec<String> {
            let written = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            // A value may have lines of its own.
            let line = |line: &str| match line.split_at_checked(TIME) {
                Some((time, rest)) if DateTime::parse_from_rfc3339(time).is_ok() => rest.to_owned(),
                _ => line.to_owned(),
            };
            written.lines().map(line).collect()
        }
    }

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("outer \u{1b}[31m")]
    struct Outer(#[source] io::Error);

    fn log_everything() {
        let empty = info_span!("empty");
        let _empty = empty.enter();
        let span = info_span!("request", id = %"req_1", path = "/a \"b\" \\ '", none = Empty);
        span.record("none", display("now"));
        let late = info_span!("late", token = Empty, other = Empty);
        late.record("token", Option::<u64>::None);
        late.record("other", 7_u64);
        info!(parent: &span, status = 200_u16, micros = 12_u64, "answered");
        info!(parent: &late, "late");
        let error = Outer(io::Error::other("inner \u{1b}[0m\n"));
        let error: &(dyn std::error::Error + 'static) = &error;
        for text in ["", "plain", "it's", "a\tb\nc", "\u{1b}[1mbold", "é\u{9b}", "\"", "\\", "{}"]
        {
            warn!(text, shown = %text, debug = ?text, "message {text}");
        }
        error!(error, after = true, "failed");
        error!(first = error);
        debug!(r#type = "t", float = 1.5, many = ?[1, 2], negative = -1_i64);
        trace!("only \u{1b}a message\u{7}");
        info!(target: "log", "of another crate");
        info!(bytes = &b"ab"[..], wide = u128::MAX);
    }

    #[test]
    fn lines_are_those_of_tracing_subscriber() {
        let (plain, usual) = (Lines::default(), Lines::default());
        let (to_plain, to_usual) = (plain.clone(), usual.clone());
        let ours = fmt::layer()
            .with_ansi(false)
            .event_format(PlainLines::default())
            .fmt_fields(PlainFields)
            .with_writer(move || to_plain.clone());
        let theirs = fmt::layer().with_ansi(false).with_writer(move || to_usual.clone());
        let subscriber = tracing_subscriber::registry().with(ours).with(theirs);
        tracing::subscriber::with_default(subscriber, log_everything);
        let (plain, usual) = (plain.without_times(), usual.without_times());
        assert_eq!(plain, usual);
        assert!(plain[0].starts_with("  INFO empty:request{id=req_1 path="), "{}", plain[0]);
        assert!(plain.len() > 15);
    }
}
