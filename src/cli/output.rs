//! What commands say. The macros of the standard library panic when nobody can be told.

use std::io::Write;

/// Writes to standard output, to the last byte.
///
/// # Errors
/// When it is full or closed.
pub(super) fn print(text: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// Tells the person who ran the command, on standard error. If nobody listens there, nothing can be
/// done about it, and the command has done its work all the same.
pub fn tell(text: &str) {
    // In one piece, so that the lines of several processes do not mix.
    let line = format!("tokenwright: {text}\n");
    let _nobody_listens = std::io::stderr().lock().write_all(line.as_bytes());
}
