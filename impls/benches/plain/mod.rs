//! Plain twins: the algorithms of the catalogue written by hand over `std` atomics, without Machine, card or probe.
//!
//! A twin is what a careful author would ship who wants this one lock on this one computer. It has the same layout, the
//! same checks and the same cut between fast and slow path as the implementation of the same id, so that any
//! instruction more in the implementation is what writing it over a Machine costs. The slow paths are real: a twin
//! whose contended half is missing or diverges lets the compiler make the fast half cheaper than any lock could be.

mod futex;
mod go;
mod go_starving;
mod queue;
mod sema;
mod spin;

/// A hand-written lock.
pub(crate) trait Twin: Send + Sync + 'static {
    /// Id of the implementation that it stands beside.
    const ID: &'static str;
    /// What a thread brings along.
    type Context;
    /// An unlocked lock.
    fn new() -> Self;
    /// A context for the calling thread.
    fn context(&self) -> Self::Context;
    /// Takes the lock.
    fn lock(&self, context: &mut Self::Context);
    /// Gives it back.
    fn unlock(&self, context: &mut Self::Context);
}

/// Does something for every twin, each as a type of its own.
pub(crate) trait TwinVisitor {
    /// Visits one twin.
    fn visit<T: Twin>(&mut self);
}

/// Visits every twin.
pub(crate) fn visit_all(visitor: &mut impl TwinVisitor) {
    visitor.visit::<go::Key>();
    visitor.visit::<go::Woken>();
    visitor.visit::<go::Spinning>();
    visitor.visit::<go_starving::Whole>();
    visitor.visit::<go_starving::Outlined>();
    visitor.visit::<spin::Tas>();
    visitor.visit::<spin::Ttas>();
    visitor.visit::<spin::Ticket>();
    visitor.visit::<queue::mcs::Mcs>();
    visitor.visit::<queue::clh::Clh>();
    visitor.visit::<futex::Drepper>();
}

#[cold]
#[inline(never)]
fn unlock_of_unlocked(id: &str) -> ! {
    panic!("{id}: unlock of unlocked mutex")
}

#[cold]
#[inline(never)]
fn reentry(id: &str) -> ! {
    panic!("{id}: lock of a mutex by the context that already holds one: unlock first")
}

fn several_cores() -> bool {
    static CORES: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, |n| n.get())) > 1
}
