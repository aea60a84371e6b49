//! The tracks of a timeline (Chrome's trace event format), as those who write one and those who read it number them.
//!
//! A process stands for a kind of track, a thread of it for one track. Perfetto takes thread 0 of a process for its main
//! thread, whose number is that of the process: so a track's number is never 0, and no two tracks share one.

/// Which thread runs on each core.
pub const CORES: u32 = 1;
/// What each thread does.
pub const THREADS: u32 = 2;
/// Who has each cache line.
pub const LINES: u32 = 3;
/// How many wait for each object.
pub const OBJECTS: u32 = 4;

/// More than the tracks of a kind.
const STRIDE: u32 = 100_000;

/// The number of the `index`-th track, from 0, of the kind `process`.
pub fn track(process: u32, index: u32) -> u32 {
    process * STRIDE + index
}

/// Which of its kind the track of that number is.
pub fn index(track: u32) -> u32 {
    track % STRIDE
}
