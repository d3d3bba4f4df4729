//! What is to be done in the end, also where a test fails: nothing can be tidied up on a server
//! that waits.

/// Runs when it is dropped.
pub struct Finally<F: Fn()>(pub F);

impl<F: Fn()> Drop for Finally<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
