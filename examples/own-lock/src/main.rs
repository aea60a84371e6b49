//! Two locks of one's own, and the whole command line of the observatory over them.

mod backoff;
mod patient;

use synchroscope::impls::mutex::lock_api::LockApi;

fn main() -> std::process::ExitCode {
    synchroscope::Observatory::new().mutex::<patient::Patient>().mutex::<LockApi<backoff::Backoff>>().main()
}

/// Exclusion, progress, honesty of try_lock, misuse: one line a lock.
#[cfg(test)]
mod conformance {
    mod patient {
        synchroscope::impls::mutex_battery!(crate::patient::Patient);
    }
    mod backoff {
        synchroscope::impls::mutex_battery!(
            synchroscope::impls::mutex::lock_api::LockApi<crate::backoff::Backoff>
        );
    }
}
