//! The words of a checked machine: a checker's atomics, whose orderings pass through [`sites`](super::sites) and whose
//! writes wake those who await them.

macro_rules! words {
    ($checker:ident) => {
        $crate::machine::checked::words::words! { @integers $checker;
            AtomicU32, u32, u32::MAX - 0x5A;
            AtomicI32, i32, i32::MIN + 0x5A;
            AtomicU64, u64, u64::MAX - 0x5A;
            AtomicUsize, usize, usize::MAX - 0x5A;
        }
        $crate::machine::checked::words::words! { @word $checker;
            AtomicPtr, *mut T, core::ptr::without_provenance_mut(usize::MAX - 0x5A), T
        }
    };
    (@integers $checker:ident; $($name:ident, $value:ty, $unlikely:expr;)*) => {$(
        $crate::machine::checked::words::words!(@word $checker; $name, $value, $unlikely);
        $crate::machine::checked::words::words!(@integer $name, $value; fetch_add, fetch_sub, fetch_or, fetch_and);
    )*};
    (@integer $name:ident, $value:ty; $($operation:ident),*) => {
        impl AtomicInt<$value> for $name {$(
            #[track_caller]
            fn $operation(&self, value: $value, order: Ordering) -> $value {
                let previous = self.0.$operation(value, sites::order(Location::caller(), Slot::First, order));
                self.wrote();
                previous
            }
        )*}
    };
    (@word $checker:ident; $name:ident, $value:ty, $unlikely:expr $(, $generic:ident)?) => {
        #[doc = concat!("The checker's `", stringify!($name), "`.")]
        #[derive(Debug)]
        pub struct $name$(<$generic>)?(::$checker::sync::atomic::$name$(<$generic>)?);

        impl$(<$generic>)? $name$(<$generic>)? {
            fn sleep(&self) -> Sleep {
                Sleep::Word(core::ptr::from_ref(&self.0).addr())
            }

            /// Whoever awaits the word looks again.
            fn wrote(&self) {
                scene::wake(self.sleep(), None, u32::MAX);
            }

            /// The latest value, without order: what a compare-exchange reads that fails, for its guess is unlikely.
            fn peek(&self) -> $value {
                let unlikely = $unlikely;
                let read = self.0.compare_exchange(unlikely, unlikely, Ordering::Relaxed, Ordering::Relaxed);
                read.unwrap_or_else(|value| value)
            }

            /// Waits until the word has been written, if its latest value is `value`; else lets others go first.
            fn await_write(&self, value: $value) {
                // No switch happens between the look and the sleep, so no write gets lost between them.
                if self.peek() == value {
                    sleep(self.sleep(), None);
                } else {
                    yield_now();
                }
            }
        }

        impl$(<$generic: 'static>)? Atomic<$value> for $name$(<$generic>)? {
            #[track_caller]
            fn new(value: $value) -> Self {
                $name(::$checker::sync::atomic::$name::new(value))
            }
            #[track_caller]
            fn load(&self, order: Ordering) -> $value {
                self.0.load(sites::order(Location::caller(), Slot::First, order))
            }
            #[track_caller]
            fn store(&self, value: $value, order: Ordering) {
                let order = sites::order(Location::caller(), Slot::First, order);
                store_last(|| { self.peek(); }, || self.0.store(value, order));
                self.wrote();
            }
            #[track_caller]
            fn swap(&self, value: $value, order: Ordering) -> $value {
                let previous = self.0.swap(value, sites::order(Location::caller(), Slot::First, order));
                self.wrote();
                previous
            }
            #[track_caller]
            fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let at = Location::caller();
                let success = sites::order(at, Slot::First, success);
                let failure = sites::order(at, Slot::Failure, failure);
                let exchanged = self.0.compare_exchange(current, new, success, failure);
                if exchanged.is_ok() {
                    self.wrote();
                }
                exchanged
            }
            #[track_caller]
            fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }
            #[track_caller]
            fn spin_while(&self, order: Ordering, mut busy: impl FnMut($value) -> bool) -> $value {
                let order = sites::order(Location::caller(), Slot::First, order);
                loop {
                    let value = self.0.load(order);
                    if !busy(value) {
                        return value;
                    }
                    self.await_write(value);
                }
            }
            #[track_caller]
            fn poll_while(
                &self,
                order: Ordering,
                busy: impl FnMut($value) -> bool,
                _between: impl FnMut($value),
            ) -> $value {
                self.spin_while(order, busy)
            }
            #[track_caller]
            fn swap_while(
                &self,
                value: $value,
                order: Ordering,
                mut busy: impl FnMut($value) -> bool,
            ) -> $value {
                let order = sites::order(Location::caller(), Slot::First, order);
                loop {
                    let previous = self.0.swap(value, order);
                    if !busy(previous) {
                        return previous;
                    }
                    self.await_write(value);
                }
            }
        }
    };
}
pub(super) use words;
