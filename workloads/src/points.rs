//! From the axes of a workload to its points on one machine.

use record::spec::Expect;
use record::{Arrivals, Choice, Distribution, Point, Role, Schedule, Take};

use crate::axes::{self, Count, THREADS_MAX};
use crate::definition::{Axis, Load, RoleAxes, Workload};
use crate::diagnose::Result;

/// Most points that one workload may have.
pub const POINTS_MAX: usize = 1024;

/// Values that a suite or a flag puts in place of a definition's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AxisOverrides {
    /// Numbers of threads.
    pub threads: Option<Vec<Count>>,
    /// Work while holding.
    pub hold: Option<Vec<Distribution>>,
    /// Work between giving back and asking again.
    pub think: Option<Vec<Distribution>>,
}

impl AxisOverrides {
    /// Whether they leave everything as it is.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Workload {
    /// Whether the axes of threads, hold and think can be overridden: they belong to the roles if the file has roles.
    pub fn has_open_axes(&self) -> bool {
        !self.named_roles
    }

    /// The same workload with other values on some axes; an error if they belong to its roles.
    pub fn with_axes(&self, axes: &AxisOverrides) -> Result<Workload> {
        let mut workload = self.clone();
        if axes.is_empty() {
            return Ok(workload);
        }
        if self.named_roles {
            let message =
                "its roles fix threads, hold and think: change the roles in a definition of your own";
            return Err(self.wrong("role", message));
        }
        let role = &mut workload.roles[0];
        let RoleAxes { threads, hold, think, .. } = role;
        replace(threads, &axes.threads);
        replace(hold, &axes.hold);
        replace(think, &axes.think);
        Ok(workload)
    }

    /// Every combination of the axes' values on a machine of `cores`, the first axis slowest. Values that a machine
    /// makes equal, such as `2` and `cores`, give one point.
    ///
    /// An error if values do not go together, perhaps on this machine only: too many threads, a ramp beyond the threads
    /// there are, think times without a closed loop.
    pub fn points(&self, cores: usize) -> Result<Vec<Point>> {
        let mut lens: Vec<usize> = Vec::new();
        for role in &self.roles {
            lens.extend([role.threads.values.len(), role.hold.values.len(), role.think.values.len()]);
        }
        lens.extend([self.locks.values.len(), self.choice.values.len()]);
        lens.extend([self.take.values.len(), self.arrivals.values.len()]);
        let count = lens.iter().try_fold(1_usize, |product, &len| product.checked_mul(len));
        let Some(count) = count.filter(|&count| count <= POINTS_MAX) else {
            return Err(self
                .wrong("", format_args!("its axes make more than {POINTS_MAX} points: list fewer values")));
        };
        self.check_think()?;
        let mut points: Vec<Point> = Vec::with_capacity(count);
        for index in 0..count {
            let point = self.point(&digits(index, &lens), cores)?;
            if !points.contains(&point) {
                points.push(point);
            }
        }
        Ok(points)
    }

    /// In an open loop threads begin by the clock: a think time that could never be spent is a misunderstanding.
    pub(crate) fn check_think(&self) -> Result<()> {
        let is_closed = self.arrivals.values.contains(&Arrivals::Closed);
        let mut thinks = self.roles.iter().flat_map(|role| &role.think.values);
        if !is_closed && thinks.any(|think| *think != Distribution::Constant { ns: 0 }) {
            let message = "expected 0, since threads with fixed or poisson arrivals begin by the clock";
            return Err(self.wrong("think", message));
        }
        Ok(())
    }

    fn point(&self, pick: &[usize], cores: usize) -> Result<Point> {
        let mut picks = pick.iter().copied();
        let mut next = || picks.next().unwrap_or(0);
        let mut roles = Vec::with_capacity(self.roles.len());
        let mut shown = String::new();
        for axes in &self.roles {
            let threads = axes.threads.values[next()].resolve(cores);
            let role = Role {
                name: axes.name.clone(),
                threads: threads.map_err(|message| self.wrong("threads", message))?,
                hold: axes.hold.values[next()],
                think: axes.think.values[next()],
            };
            // With several roles, what varies must tell whose it is; the threads of one role are the label's `t`.
            let whose = if self.named_roles { format!("{}-", role.name) } else { String::new() };
            if axes.threads.shown && self.named_roles {
                shown += &format!("/{whose}t{}", role.threads);
            }
            if axes.hold.shown {
                shown += &format!("/{whose}h{}", axes::show_distribution(&role.hold));
            }
            if axes.think.shown {
                shown += &format!("/{whose}w{}", axes::show_distribution(&role.think));
            }
            roles.push(role);
        }
        let locks: u32 = self.locks.values[next()];
        let choice: Choice = self.choice.values[next()];
        let take: Take = self.take.values[next()];
        self.check_take(take, locks)?;
        let arrivals: Arrivals = self.arrivals.values[next()];
        if self.locks.shown {
            shown += &format!("/l{locks}");
        }
        if self.choice.shown {
            shown += &format!("/{}", axes::show_choice(&choice));
        }
        if self.take.shown {
            shown += &format!("/{}", axes::show_take(&take));
        }
        if self.arrivals.shown {
            shown += &format!("/{}", axes::show_arrivals(&arrivals));
        }
        let threads: u64 = roles.iter().map(|role| u64::from(role.threads)).sum();
        if threads > THREADS_MAX {
            let message = format_args!("{threads} threads together; at most {THREADS_MAX} are allowed");
            return Err(self.wrong("threads", message));
        }
        Ok(Point {
            workload: self.name.clone(),
            label: format!("{}/t{threads}{shown}", self.name),
            family: self.family.clone(),
            schedule: self.schedule_on(cores, threads)?,
            roles,
            locks,
            choice,
            take,
            arrivals,
            expect: self.expect,
        })
    }

    /// Who takes two locks needs two, and moves something between them.
    fn check_take(&self, take: Take, locks: u32) -> Result<()> {
        if locks < take.count() {
            let message =
                format_args!("expected at least 2, since an operation takes two of them, found {locks}");
            return Err(self.wrong("locks", message));
        }
        match (take, self.expect) {
            (Take::One, Expect::Counter) | (Take::Two { .. }, Expect::Sum) => Ok(()),
            (Take::One, Expect::Sum) => {
                Err(self.wrong("expect", "expected `counter`, since an operation takes one lock: see `take`"))
            }
            (Take::Two { .. }, Expect::Counter) => Err(self
                .wrong("expect", "expected `sum`, since an operation takes two locks and moves an amount")),
        }
    }

    fn schedule_on(&self, cores: usize, threads: u64) -> Result<Schedule> {
        let phases = match &self.schedule {
            Load::Same(schedule) => return Ok(schedule.clone()),
            Load::Ramp(phases) => phases,
        };
        let mut active = Vec::with_capacity(phases.len());
        for phase in phases {
            let count = phase.resolve(cores).map_err(|message| self.wrong("schedule.active", message))?;
            if u64::from(count) > threads {
                let message =
                    format_args!("expected at most the {threads} threads there are, found {count} active");
                return Err(self.wrong("schedule.active", message));
            }
            active.push(count);
        }
        Ok(Schedule::Ramp { active })
    }
}

fn replace<T: Clone>(axis: &mut Axis<T>, values: &Option<Vec<T>>) {
    if let Some(values) = values {
        *axis = Axis::chosen(values.clone());
    }
}

/// `index` as a number whose digits count up to `lens`, the last fastest.
fn digits(mut index: usize, lens: &[usize]) -> Vec<usize> {
    let mut digits = vec![0; lens.len()];
    for (digit, &len) in digits.iter_mut().zip(lens).rev() {
        *digit = index % len;
        index /= len;
    }
    digits
}
