//! The mutex of the crate `parking_lot`, measured beside ours.
//!
//! - **Source**: parking_lot 0.13, `src/raw_mutex.rs`; the idea of a table of parked threads is WebKit's, 2015.
//! - **Idea**: a byte of two bits, locked and parked; waiters spin a few rounds, then sleep in a global table by address.
//! - **Fairness**: barging, without bound: up to 0.12 an unlock handed over about every 0.5 ms of a queue's life; 0.13
//!   does so only when asked, by another call.
//! - **Differs from upstream**: nothing; it goes through [`crate::mutex::lock_api`].

use crate::card::{Card, Fairness, Role};
use crate::mutex::lock_api::{self, LockApi, LockApiMutex};

/// The lock.
pub type Mutex<M> = lock_api::Mutex<M, ParkingLot>;

/// The registration.
pub type PeerParkingLot = LockApi<ParkingLot>;

/// The crate's mutex and its card.
pub struct ParkingLot;

impl LockApiMutex for ParkingLot {
    const CARD: Card = Card {
        year: 2016,
        source: "parking_lot 0.13, src/raw_mutex.rs",
        role: Role::Peer,
        fairness: Fairness::Barging,
        pathologies: &["waiters of different locks may meet in one bucket of the global table"],
        ..lock_api::card(
            "mutex/peer-parking-lot",
            "parking_lot::Mutex: a byte, and a global table of sleepers",
        )
    };
    type Raw = parking_lot::RawMutex;
}
