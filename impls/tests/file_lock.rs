//! `mutex/file` between processes: the test binary runs itself again as the other process.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use impls::machine::Machine;
use impls::machine::os::Os;
use impls::mutex::RawMutex;
use impls::mutex::file::Mutex;

const PATH: &str = "SYNCHROSCOPE_LOCK_FILE";
const COUNTER: &str = "SYNCHROSCOPE_COUNTER_FILE";
const ROUNDS: u64 = 200;

fn soon() -> u64 {
    <Os>::now_ns() + 20_000_000
}

fn late() -> u64 {
    <Os>::now_ns() + 20_000_000_000
}

fn at(path: &Path) -> Mutex<Os> {
    Mutex::at(path).expect("the folder is writable")
}

/// The other process: takes the lock, says so, and holds it until it is told to go on or dies.
#[test]
fn plays_the_holder() {
    let Some(path) = env::var_os(PATH) else { return };
    let lock = at(Path::new(&path));
    let mut context = lock.context();
    say("waits");
    lock.lock(&mut context);
    say("holds");
    std::io::stdin().read_line(&mut String::new()).expect("stdin is a pipe");
    lock.unlock(&mut context);
}

/// The other process: increments the number in a file, under the lock.
#[test]
fn plays_the_counter() {
    let (Some(path), Some(counter)) = (env::var_os(PATH), env::var_os(COUNTER)) else { return };
    count(&at(Path::new(&path)), Path::new(&counter));
}

fn count(lock: &Mutex<Os>, counter: &Path) {
    let mut context = lock.context();
    for i in 0..ROUNDS {
        if i % 2 == 0 {
            lock.lock(&mut context);
        } else {
            assert!(lock.lock_until(&mut context, late()));
        }
        let number: u64 = fs::read_to_string(counter).expect("readable").parse().expect("a number");
        fs::write(counter, (number + 1).to_string()).expect("writable");
        lock.unlock(&mut context);
    }
}

fn say(word: &str) {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{word}").and_then(|()| stdout.flush()).expect("stdout is a pipe");
}

/// The other process, killed with the test.
struct Other {
    process: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Other {
    fn start(test: &str, path: &Path, counter: &Path) -> Self {
        let mut process = Command::new(env::current_exe().expect("the test binary has a path"))
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(PATH, path)
            .env(COUNTER, counter)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test binary starts again");
        let stdin = process.stdin.take().expect("piped");
        let stdout = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Other { process, stdin, lines }
    }

    fn holder(path: &Path) -> Self {
        Other::start("plays_the_holder", path, path)
    }

    fn says(&self, word: &str, patience: Duration) -> bool {
        // The harness writes the test's name before the word, on the same line.
        while let Ok(line) = self.lines.recv_timeout(patience) {
            if line.ends_with(word) {
                return true;
            }
        }
        false
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_second_process_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lock");
    let lock = at(&path);
    let mut context = lock.context();
    lock.lock(&mut context);
    let mut other = Other::holder(&path);
    assert!(other.says("waits", Duration::from_secs(20)), "the other process did not start");
    assert!(!other.says("holds", Duration::from_millis(50)), "two processes hold the lock");
    lock.unlock(&mut context);
    assert!(other.says("holds", Duration::from_secs(20)), "the freed lock was not taken");
    assert!(!lock.try_lock(&mut context), "a try on a lock that another process holds");
    assert!(!lock.lock_until(&mut context, soon()), "a time-out on a lock that another process holds");
    other.stdin.write_all(b"\n").expect("it reads");
    assert!(lock.lock_until(&mut context, late()), "the lock was not given back");
    assert!(other.process.wait().expect("it ends").success());
    lock.unlock(&mut context);
}

#[test]
fn the_kernel_releases_the_lock_of_a_killed_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lock");
    let lock = at(&path);
    let mut context = lock.context();
    let mut other = Other::holder(&path);
    assert!(other.says("holds", Duration::from_secs(20)), "the other process did not start");
    assert!(!lock.try_lock(&mut context), "two processes hold the lock");
    other.process.kill().expect("it is ours");
    lock.lock(&mut context);
    assert!(!other.process.wait().expect("it ends").success());
    lock.unlock(&mut context);
}

#[test]
fn processes_exclude_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, counter) = (folder.path().join("lock"), folder.path().join("counter"));
    fs::write(&counter, "0").expect("writable");
    let mut others = [(); 2].map(|()| Other::start("plays_the_counter", &path, &counter));
    count(&at(&path), &counter);
    for other in &mut others {
        assert!(other.process.wait().expect("it ends").success());
    }
    assert_eq!(fs::read_to_string(&counter).expect("readable"), (3 * ROUNDS).to_string());
}

#[test]
fn the_path_stays_and_an_own_file_goes() {
    use impls::card::Defaults;
    use impls::mutex::{MutexImpl, file::File};
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lock");
    drop(at(&path));
    assert!(path.exists(), "a file that the caller named was removed");
    let error =
        Mutex::<Os>::at(&folder.path().join("no/such/folder")).err().expect("there is no such folder");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);

    let ours = || {
        let prefix = format!("synchroscope-{}-", std::process::id());
        let entries = fs::read_dir(env::temp_dir()).expect("readable");
        entries
            .filter_map(Result::ok)
            .filter(|e| e.file_name().to_string_lossy().starts_with(&prefix))
            .count()
    };
    let lock = File::build::<Os, _>(Defaults);
    assert_eq!(ours(), 1);
    drop(lock);
    assert_eq!(ours(), 0, "an own file was left behind");
}
