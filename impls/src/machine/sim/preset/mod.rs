//! A simulated machine as data: cores, distances, and what each operation costs, in integers only.
