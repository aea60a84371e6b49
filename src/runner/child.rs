//! One child process: started, fed, watched, ended. Whatever it does, the run goes on.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use record::{Failure, FailureKind, LaunchResult, LaunchSpec};

use super::INTERRUPTED;
use crate::engine;
use crate::launch::{LAST_WORDS, PANICKED};

/// Longest answer that is read. A result with 64 roles has less than a tenth.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
/// So much of the end of standard error is kept.
const STDERR_BYTES: usize = 4096;
/// How often a wait looks for Ctrl-C.
const LOOK: Duration = Duration::from_millis(50);

/// What runs a cell's launches.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    command: Vec<String>,
    own: bool,
}

/// What a child of this program is asked for beside its spec.
pub(crate) struct Extra<'a> {
    /// It gives up by itself after so long, and says who hangs.
    pub(crate) watch: Option<Duration>,
    /// It writes the timeline of a simulated launch into this file.
    pub(crate) trace: Option<&'a Path>,
}

/// How a launch ended.
pub(crate) enum Ended {
    /// With a result that fits its spec, so long after its start.
    Result(Box<LaunchResult>, Duration),
    /// Without.
    Failed(Failure),
    /// By Ctrl-C.
    Interrupted,
}

impl Program {
    /// This program itself.
    pub(crate) fn own(path: &Path) -> Self {
        Program { command: vec![path.to_string_lossy().into_owned(), "launch".into()], own: true }
    }

    /// A program like this one, that writes the timeline of a simulated launch, from its first cycle on, into `file`.
    pub(crate) fn tracing(path: &Path, file: &Path) -> Self {
        let mut program = Program::own(path);
        let words = ["--trace-begin", "--trace"].map(str::to_owned);
        program.command.extend(words);
        program.command.push(file.to_string_lossy().into_owned());
        program
    }

    /// Another program.
    pub(crate) fn engine(command: Vec<String>) -> Self {
        Program { command, own: false }
    }

    /// Whether a launch can be repeated with the probe that names holder and waiters.
    pub(crate) fn can_watch(&self) -> bool {
        self.own
    }

    /// Runs one launch; gives up after `limit`.
    ///
    /// # Errors
    /// Only those of this side; whatever the child does is an [`Ended`].
    pub(crate) fn launch(&self, spec: &LaunchSpec, limit: Duration, extra: &Extra<'_>) -> Result<Ended> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(watch) = extra.watch {
            command.arg("--watch-ms").arg(watch.as_millis().to_string());
        }
        if let Some(trace) = extra.trace {
            command.arg("--trace").arg(trace);
        }
        isolate(&mut command);
        let started = Instant::now();
        let mut watch = Watch::default();
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                return Ok(failed(
                    FailureKind::NotStarted,
                    format!("{}: {error}", self.command[0]),
                    String::new(),
                ));
            }
        };
        let spec_json = serde_json::to_vec(spec).context("cannot encode a launch spec")?;
        let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // A child that does not read its spec must not block us; one that is gone makes the write fail, which its
        // missing answer tells better.
        let feeder =
            std::thread::spawn(move || stdin.as_mut().map(|pipe| pipe.write_all(&spec_json)).is_some());
        let (sender, answer) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout.map(|pipe| pipe.take(ANSWER_BYTES_MAX + 1).read_to_end(&mut bytes));
            let _ = sender.send(match read {
                Some(Ok(_)) => bytes,
                _ => Vec::new(),
            });
        });
        let complaint = std::thread::spawn(move || stderr.map_or_else(String::new, last_of));
        let bytes = loop {
            if INTERRUPTED.load(Ordering::Relaxed) {
                end(&mut child);
                return Ok(Ended::Interrupted);
            }
            match answer.recv_timeout(LOOK) {
                Ok(bytes) => break Some(bytes),
                Err(RecvTimeoutError::Timeout) if watch.look() < limit => {}
                Err(_) => break None,
            }
        };
        let took = started.elapsed();
        let too_long = bytes.as_ref().is_some_and(|bytes| bytes.len() as u64 > ANSWER_BYTES_MAX);
        let in_time = bytes.is_some() && !too_long && exited(&child, &mut watch, limit);
        let status = end(&mut child).filter(|_| in_time);
        drop((feeder, reader));
        let stderr = joined(complaint);
        Ok(match (bytes, status) {
            (_, None) if too_long => failed(
                FailureKind::Protocol,
                format!("its answer is longer than {ANSWER_BYTES_MAX} bytes"),
                stderr,
            ),
            (Some(bytes), Some(status)) => judge(spec, &bytes, took, status, stderr),
            _ => failed(FailureKind::Hang, format!("no result after {:.1} s", limit.as_secs_f64()), stderr),
        })
    }
}

/// Time that a child has had, as long as this process was there to see it pass.
///
/// While both stand still, in a debugger, in a shell that stopped the job, in a paused container, the clock goes on: a
/// child that is given up for that has not hung.
struct Watch {
    last: Instant,
    seen: Duration,
}

/// Between two looks no more than this counts. On a computer that has too much to do a look may be that late.
const LATE: Duration = Duration::from_secs(1);

impl Default for Watch {
    fn default() -> Self {
        Watch { last: Instant::now(), seen: Duration::ZERO }
    }
}

impl Watch {
    /// How long it has been.
    fn look(&mut self) -> Duration {
        let now = Instant::now();
        self.seen += (now - std::mem::replace(&mut self.last, now)).min(LATE);
        self.seen
    }
}

fn failed(kind: FailureKind, detail: String, stderr: String) -> Ended {
    Ended::Failed(Failure { kind, detail, stderr })
}

fn judge(spec: &LaunchSpec, bytes: &[u8], took: Duration, status: ExitStatus, stderr: String) -> Ended {
    let last_line =
        stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned();
    if !status.success() {
        return match status.code() {
            Some(profiler::probe::watch::HUNG) => failed(FailureKind::Hang, last_line, stderr),
            Some(PANICKED) => failed(FailureKind::Panic, panic_message(&stderr).unwrap_or(last_line), stderr),
            Some(code) => failed(FailureKind::Crash, format!("exit code {code}: {last_line}"), stderr),
            None => failed(FailureKind::Crash, format!("{status}: {last_line}"), stderr),
        };
    }
    if bytes.is_empty() {
        return failed(FailureKind::Protocol, "it ended without an answer".into(), stderr);
    }
    match serde_json::from_slice::<LaunchResult>(bytes) {
        Err(error) => {
            let start: String = String::from_utf8_lossy(bytes).chars().take(60).collect();
            failed(FailureKind::Protocol, format!("its answer is not a result ({error}): {start:?}"), stderr)
        }
        Ok(result) => match engine::validate(spec, &result) {
            Ok(()) => Ended::Result(Box::new(result), took),
            Err(error) => failed(FailureKind::WrongResult, format!("{error:#}"), stderr),
        },
    }
}

/// What a panic said: the last words of this program, or the line after Rust's "thread ... panicked at file:line:".
fn panic_message(stderr: &str) -> Option<String> {
    if let Some(words) = stderr.lines().rev().find_map(|line| line.strip_prefix(LAST_WORDS)) {
        return Some(words.to_owned());
    }
    let mut lines = stderr.lines().skip_while(|line| !line.contains("panicked at"));
    lines.next()?;
    lines.next().map(str::to_owned)
}

/// Waits until a child that has closed its output has exited; whether it did in time. It is not collected: until then
/// its process group cannot be anybody else's.
#[cfg(unix)]
fn exited(child: &Child, watch: &mut Watch, limit: Duration) -> bool {
    loop {
        // SAFETY: a zeroed siginfo_t is valid, and the kernel writes it through a valid pointer.
        let gone = unsafe {
            let mut info: libc::siginfo_t = core::mem::zeroed();
            let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            libc::waitid(libc::P_PID, child.id(), &raw mut info, flags) == 0 && info.si_signo == libc::SIGCHLD
        };
        if gone {
            return true;
        }
        if watch.look() >= limit {
            return false;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[cfg(not(unix))]
fn exited(_: &Child, _: &mut Watch, _: Duration) -> bool {
    true
}

fn joined(complaint: JoinHandle<String>) -> String {
    complaint.join().unwrap_or_default()
}

/// Reads to the end and keeps the last bytes.
fn last_of(mut pipe: impl Read) -> String {
    let mut kept: Vec<u8> = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..read]);
        if kept.len() > 2 * STDERR_BYTES {
            kept.drain(..kept.len() - STDERR_BYTES);
        }
    }
    kept.drain(..kept.len().saturating_sub(STDERR_BYTES));
    String::from_utf8_lossy(&kept).into_owned()
}

/// A process group of its own, so that its children end with it; and it ends with us, even if we are killed.
#[cfg(unix)]
fn isolate(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
    #[cfg(target_os = "linux")]
    // SAFETY: between fork and exec only this async-signal-safe call is made; it takes integers.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
}

#[cfg(not(unix))]
fn isolate(_: &mut Command) {}

/// Ends the child and its group, if they live still, and collects it.
fn end(child: &mut Child) -> Option<ExitStatus> {
    #[cfg(unix)]
    if let Ok(group) = i32::try_from(child.id()) {
        // SAFETY: the call takes integers. The child is collected below only, so its number is still its own.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    child.wait().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_which_nobody_looked_is_not_the_childs() {
        // Stopped for an hour, as by Ctrl-Z, a second after the start.
        let mut watch = Watch::default();
        let (hour, second) = (Duration::from_secs(3600), Duration::from_secs(1));
        let Some(before) = watch.last.checked_sub(hour) else { return };
        watch = Watch { last: before, seen: second };
        let seen = watch.look();
        assert!(seen == second + LATE, "{seen:?}");
        // From then on it counts as before.
        std::thread::sleep(Duration::from_millis(2));
        assert!(watch.look() >= seen + Duration::from_millis(2));
    }
}
