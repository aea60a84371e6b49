//! The card of an implementation: what it is, where it comes from, what it can do.
//!
//! The prose of the card opens each file; this is the part that programs read: `list`, the runner, the conformance
//! batteries and the golden table of capabilities.

/// What an implementation can do beyond the required operations of its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Takes the object only if that needs no waiting.
    TryLock,
    /// Waits at most until a deadline.
    Timeout,
    /// Tells how many threads hold or wait (`count`).
    WaiterCount,
    /// Tells whether it is held.
    IsLocked,
    /// Tells whether a waiter has been woken and competes.
    IsWoken,
    /// Tells whether it is in starvation mode.
    IsStarving,
    /// The owner may lock again.
    Recursive,
    /// A thread other than the one that locked may unlock.
    ForeignUnlock,
    /// Unlock of unlocked ends in a panic that names it.
    DetectsUnlocked,
    /// Unlock by a non-owner ends in a panic that names both.
    DetectsForeign,
    /// A second lock by the same context ends in a panic that names it.
    DetectsReentry,
    /// Its state can be shown as text.
    StateText,
    /// Excludes other processes too, and is released when its process dies.
    CrossProcess,
    /// Reports spins, parks and wakes to the probe. Without it only the driver's reports exist.
    Observable,
}

impl Capability {
    /// Every capability, in the order of the tables.
    pub const ALL: [Capability; 14] = [
        Capability::TryLock,
        Capability::Timeout,
        Capability::WaiterCount,
        Capability::IsLocked,
        Capability::IsWoken,
        Capability::IsStarving,
        Capability::Recursive,
        Capability::ForeignUnlock,
        Capability::DetectsUnlocked,
        Capability::DetectsForeign,
        Capability::DetectsReentry,
        Capability::StateText,
        Capability::CrossProcess,
        Capability::Observable,
    ];

    /// The name used in tables and files.
    pub const fn name(self) -> &'static str {
        match self {
            Capability::TryLock => "try",
            Capability::Timeout => "time-out",
            Capability::WaiterCount => "count",
            Capability::IsLocked => "is-locked",
            Capability::IsWoken => "is-woken",
            Capability::IsStarving => "is-starving",
            Capability::Recursive => "recursive",
            Capability::ForeignUnlock => "foreign-unlock",
            Capability::DetectsUnlocked => "detects-unlocked",
            Capability::DetectsForeign => "detects-foreign",
            Capability::DetectsReentry => "detects-reentry",
            Capability::StateText => "state-text",
            Capability::CrossProcess => "cross-process",
            Capability::Observable => "observable",
        }
    }
}

/// The order in which waiters are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fairness {
    /// In the order of arrival.
    Fifo,
    /// Newcomers may pass waiters, without bound.
    Barging,
    /// Newcomers may pass waiters, until a bound that the card's prose states.
    BoundedBarging,
    /// Whoever the processor or the kernel favours.
    Unordered,
}

impl Fairness {
    /// The name used in tables and files.
    pub const fn name(self) -> &'static str {
        match self {
            Fairness::Fifo => "fifo",
            Fairness::Barging => "barging",
            Fairness::BoundedBarging => "bounded barging",
            Fairness::Unordered => "unordered",
        }
    }
}

/// The kinds of machine that an implementation runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// Written over `Machine`: wherever a machine exists.
    AnyMachine,
    /// On the threads of this computer only, with the reason.
    OsOnly(&'static str),
}

/// What an implementation stands for in a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A design of the catalogue.
    Design,
    /// Somebody else's code, measured beside ours.
    Peer,
    /// Does nothing: the cost of the harness. It breaks exclusion, so counter and floor are not checked.
    Floor,
}

/// The machine-readable part of an implementation's card.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    /// Permanent id, `family/implementation`.
    pub id: &'static str,
    /// The idea, in a line.
    pub summary: &'static str,
    /// Year in which the design was published or shipped.
    pub year: u16,
    /// Where the design comes from: paper and venue, or repository and commit.
    pub source: &'static str,
    /// Design, peer or floor.
    pub role: Role,
    /// Order of service.
    pub fairness: Fairness,
    /// Machines.
    pub runs: Runs,
    /// What it can do. Each entry brings its tests.
    pub can: &'static [Capability],
    /// The parameters that it reads, with history's defaults.
    pub params: &'static [Param],
    /// Id of the design that this one changes, if it belongs to a lineage.
    pub follows: Option<&'static str>,
    /// Known pathologies, a sentence each.
    pub pathologies: &'static [&'static str],
}

impl Card {
    /// Whether the card claims `capability`.
    pub fn offers(&self, capability: Capability) -> bool {
        self.can.contains(&capability)
    }

    /// The part of the id before the slash.
    pub fn family(&self) -> &'static str {
        self.id.split_once('/').map_or(self.id, |(family, _)| family)
    }
}

/// A named number that shapes an algorithm's slow path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Name, with the unit last.
    pub name: &'static str,
    /// What history chose.
    pub default: u64,
    /// Smallest value that makes sense.
    pub min: u64,
    /// Largest value that makes sense.
    pub max: u64,
    /// Where the default comes from.
    pub origin: &'static str,
}

/// Where a primitive's parameters come from.
///
/// [`Defaults`] takes no space and folds into constants, so that a type with it has the historical size and code.
/// [`Tuned`] is a reference. Only slow paths read parameters.
pub trait ParamSource: Copy + Send + Sync + 'static {
    /// The value of `param`.
    fn get(self, param: &'static Param) -> u64;
}

/// History's values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defaults;

impl ParamSource for Defaults {
    #[inline(always)]
    fn get(self, param: &'static Param) -> u64 {
        param.default
    }
}

/// Values set at run time; parameters that are not named keep their default.
#[derive(Clone, Copy, Debug)]
pub struct Tuned(pub &'static [(&'static str, u64)]);

impl ParamSource for Tuned {
    fn get(self, param: &'static Param) -> u64 {
        self.0.iter().find(|(name, _)| *name == param.name).map_or(param.default, |&(_, value)| value)
    }
}
