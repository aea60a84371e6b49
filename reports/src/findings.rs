//! Sentences that the launches support: each rests on a ratio whose interval excludes 1, or is not said.
