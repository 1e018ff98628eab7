//! The end of a server in two phases: nothing new is taken, what was taken is finished; past a deadline it is cut.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Everything that had been taken was finished.
    Clean,
    /// This many tasks were cut at the deadline.
    Cut(usize),
}

/// Shared by all tasks of a server, and by whoever ends it. Clones are the same drain.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    begun: CancellationToken,
    over: CancellationToken,
    tasks: TaskTracker,
}

impl Drain {
    /// First phase: listeners stop, connections end after the requests they have.
    pub fn begin(&self) {
        self.begun.cancel();
    }

    /// Whether the first phase has begun.
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Waits for the first phase.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// Waits for the moment after which nothing is finished any more.
    pub async fn over(&self) {
        self.over.cancelled().await;
    }

    /// Starts a task the drain waits for, on the runtime of the caller.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// The same on another runtime.
    pub fn spawn_on(&self, task: impl Future<Output = ()> + Send + 'static, runtime: &Handle) {
        self.tasks.spawn_on(task, runtime);
    }

    /// Waits until all is finished or cut: as long as a runtime has to live.
    pub async fn done(&self) {
        tokio::select! {
            () = self.tasks.wait() => {}
            () = self.over() => {}
        }
    }

    /// Begins, waits for the tasks, and cuts those that are left when `within` has passed.
    pub async fn finish(&self, within: Duration) -> Drained {
        self.begin();
        self.tasks.close();
        if tokio::time::timeout(within, self.tasks.wait()).await.is_ok() {
            return Drained::Clean;
        }
        let left = self.tasks.len();
        self.over.cancel();
        Drained::Cut(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_taken_is_finished_and_the_rest_is_cut() {
        let drain = Drain::default();
        let told = drain.clone();
        drain.spawn(async move { told.begun().await });
        assert_eq!(drain.finish(Duration::from_secs(5)).await, Drained::Clean);

        let drain = Drain::default();
        let told = drain.clone();
        drain.spawn(async move { told.over().await });
        assert_eq!(drain.finish(Duration::from_millis(20)).await, Drained::Cut(1));
        drain.done().await;
    }
}
