//! The output of commands. The macros of the standard library panic when it cannot be written.

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

/// Does standard output keep what is written to it? If it is closed, the standard library opens the
/// null device in its place, which accepts every write.
///
/// # Errors
/// What is wrong with it.
pub(super) fn ensure_kept() -> Result<(), &'static str> {
    use std::os::fd::AsFd;
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    let output = std::io::stdout().as_fd().try_clone_to_owned().map(std::fs::File::from);
    let Ok(output) = output.and_then(|file| file.metadata()) else {
        return Err("is closed");
    };
    let is_null = std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == output.rdev());
    if output.file_type().is_char_device() && is_null {
        return Err("is closed or /dev/null");
    }
    Ok(())
}

/// Writes a line for the person who ran the command, to standard error. A failure to write it is
/// ignored, because the command has done its work.
pub fn report(text: &str) {
    // In one piece, so that the lines of several processes do not mix.
    let line = format!("tokenwright: {text}\n");
    let _nobody_listens = std::io::stderr().lock().write_all(line.as_bytes());
}
