//! The threads that hash. They yield to the threads that serve requests.

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// For whom they hash, which says how much of a busy processor they take.
#[derive(Clone, Copy)]
pub(super) enum HashesFor {
    /// A request waits: about a tenth.
    Requests,
    /// Nobody waits: about a seventieth, the least there is.
    Nobody,
}

impl HashesFor {
    #[cfg(target_os = "linux")]
    const fn niceness(self) -> i32 {
        match self {
            Self::Requests => 10,
            Self::Nobody => 19,
        }
    }
}

/// Threads for functions that use a processor for long.
pub(super) struct HashThreads {
    handle: Handle,
    /// `None` where `handle` is that of the program.
    own: Option<Runtime>,
}

impl HashThreads {
    /// At most so many threads at once. Without threads of its own it uses those of `program`.
    pub(super) fn new(most: usize, whom: HashesFor, program: Handle) -> Self {
        let built = Builder::new_current_thread()
            .thread_name("hashing")
            .max_blocking_threads(most)
            .on_thread_start(move || yield_to_others(whom))
            .build();
        match built {
            Ok(own) => Self { handle: own.handle().clone(), own: Some(own) },
            Err(error) => {
                tracing::warn!(%error, "hashing has no threads of its own and may delay requests");
                Self { handle: program, own: None }
            }
        }
    }

    /// Runs `work` on one of the threads, even if nobody waits for it any more.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        self.handle.spawn_blocking(work)
    }
}

impl Drop for HashThreads {
    fn drop(&mut self) {
        // Waiting for them here could block a thread that runs futures.
        if let Some(own) = self.own.take() {
            own.shutdown_background();
        }
    }
}

/// On Linux the niceness is that of a thread; elsewhere it would be that of the whole process.
#[cfg_attr(
    not(target_os = "linux"),
    expect(unused_variables, reason = "there is no niceness of a thread")
)]
fn yield_to_others(whom: HashesFor) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(whom.niceness()) {
        tracing::debug!(%error, "a hashing thread has the priority of all others");
    }
}
