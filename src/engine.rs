//! Implementations in other programs: an *engine* is described in a TOML file and speaks the launch protocol.
//!
//! `docs/ADDING.md` shows how to write one. The file names the ids, how to build the program if it has to be built, and
//! how to run it. A program that cannot be had is no error: its rows say what is missing and what brings it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
pub use record::answer::validate;
use serde::Deserialize;

/// A program that runs implementations which this one cannot.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Name in messages.
    pub name: String,
    /// What it runs.
    pub implementations: Vec<Offered>,
    /// Command that builds it, run in the description's folder; `{tool}` and `{out}` are replaced.
    #[serde(default)]
    pub build: Vec<String>,
    /// Command that runs one launch; `{out}` is replaced by the built program.
    pub run: Vec<String>,
    /// Command, run in the description's folder, that prints the path of the tool that `build` needs, or fails.
    #[serde(default)]
    pub find: Vec<String>,
    /// What to say when the program or its tool cannot be had, with the command that brings it.
    pub hint: String,
    /// Where the description stands.
    #[serde(skip)]
    pub file: PathBuf,
}

/// One implementation of an engine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offered {
    /// Permanent id.
    pub id: String,
    /// The idea, in a line.
    pub summary: String,
    /// Id of the implementation that it stands for or changes: pages show it with the lineage of that one.
    #[serde(default)]
    pub follows: Option<String>,
    /// Whether its waits may stand beside those of threads.
    #[serde(default = "yes")]
    pub compare_waits: bool,
    /// Whether its workers can be pinned to cores.
    #[serde(default = "yes")]
    pub pins: bool,
    /// Whether it knows operations that hold two locks at once.
    #[serde(default)]
    pub holds_two: bool,
}

fn yes() -> bool {
    true
}

/// The engines of this project, where its source tree is at hand, and those in `files`.
pub fn find(files: &[PathBuf]) -> Result<Vec<Engine>> {
    let mut found = Vec::new();
    for root in [Path::new(env!("CARGO_MANIFEST_DIR")), Path::new(".")] {
        let peers = root.join("scripts").join("peers");
        let Ok(entries) = std::fs::read_dir(&peers) else { continue };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path().join("engine.toml")).collect();
        paths.retain(|path| path.is_file());
        paths.sort();
        found.extend(paths);
        if !found.is_empty() {
            break;
        }
    }
    found.extend(files.iter().cloned());
    found.iter().map(|file| Engine::load(file)).collect()
}

impl Engine {
    /// Reads a description.
    pub fn load(file: &Path) -> Result<Engine> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut engine: Engine = toml::from_str(&text).map_err(|error| {
            let line =
                error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
            anyhow::anyhow!("{}:{line}: {}", file.display(), error.message().replace('\n', " "))
        })?;
        ensure!(!engine.run.is_empty(), "{}: `run` is empty: it must name the program", file.display());
        ensure!(!engine.implementations.is_empty(), "{}: `implementations` is empty", file.display());
        for offered in &engine.implementations {
            ensure!(
                offered
                    .id
                    .split_once('/')
                    .is_some_and(|(family, name)| !family.is_empty() && !name.is_empty()),
                "{}: `{}` is not an id: expected `family/name`",
                file.display(),
                offered.id
            );
        }
        engine.file = file.to_owned();
        Ok(engine)
    }

    fn offers(&self, id: &str, what: fn(&Offered) -> bool) -> bool {
        self.implementations.iter().any(|offered| offered.id == id && what(offered))
    }

    /// Whether the waits of `id` may stand beside those of threads.
    pub fn waits_compare(&self, id: &str) -> bool {
        self.offers(id, |offered| offered.compare_waits)
    }

    /// Whether the workers of `id` can be pinned to cores.
    pub fn pins(&self, id: &str) -> bool {
        self.offers(id, |offered| offered.pins)
    }

    /// Whether `id` knows operations that hold two locks at once.
    pub fn holds_two(&self, id: &str) -> bool {
        self.offers(id, |offered| offered.holds_two)
    }

    fn folder(&self) -> PathBuf {
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new(".")).to_owned()
    }

    /// The command of one launch, built first if need be. The error says what is missing and what brings it.
    pub fn ready(&self) -> Result<Vec<String>> {
        let folder =
            self.folder().canonicalize().with_context(|| format!("no folder of {}", self.file.display()))?;
        let out = cache_folder()?.join(format!("engine-{}", self.name));
        let out_text = out.to_string_lossy().into_owned();
        if !self.build.is_empty() {
            let sources = newest_change(&folder);
            let built = std::fs::metadata(&out).and_then(|meta| meta.modified()).ok();
            if built.is_none() || built < sources {
                // Two runs may build at once: each builds under a name of its own, and the rename is atomic.
                let fresh = out.with_extension(std::process::id().to_string());
                self.make(&folder, &fresh.to_string_lossy())?;
                std::fs::rename(&fresh, &out).with_context(|| format!("cannot write {}", out.display()))?;
            }
        }
        let run: Vec<String> = self.run.iter().map(|part| part.replace("{out}", &out_text)).collect();
        let program = Path::new(&run[0]);
        let program =
            if program.components().count() > 1 { folder.join(program) } else { program.to_owned() };
        if program.components().count() > 1 && !program.is_file() {
            bail!("{}: {} does not exist; {}", self.name, program.display(), self.hint);
        }
        Ok([program.to_string_lossy().into_owned()].into_iter().chain(run.into_iter().skip(1)).collect())
    }

    fn make(&self, folder: &Path, out: &str) -> Result<()> {
        let tool = match self.find.split_first() {
            None => String::new(),
            Some((program, rest)) => {
                let program = if program.contains('/') { folder.join(program) } else { program.into() };
                let found =
                    Command::new(program).args(rest).current_dir(folder).stdin(Stdio::null()).output();
                match found {
                    Ok(output) if output.status.success() => {
                        String::from_utf8_lossy(&output.stdout).trim().to_owned()
                    }
                    _ => bail!("{}", self.hint),
                }
            }
        };
        let command: Vec<String> =
            self.build.iter().map(|part| part.replace("{tool}", &tool).replace("{out}", out)).collect();
        let output =
            Command::new(&command[0]).args(&command[1..]).current_dir(folder).stdin(Stdio::null()).output();
        let output = output.with_context(|| format!("cannot start `{}`; {}", command[0], self.hint))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let first = stderr.lines().find(|line| !line.is_empty()).unwrap_or("no message");
            bail!("{}: `{}` failed: {first}", self.name, command.join(" "));
        }
        Ok(())
    }
}

/// Where built engines are kept: the user's cache folder, so that a checkout stays clean.
pub(crate) fn cache_folder() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .unwrap_or_else(std::env::temp_dir);
    let folder = base.join("synchroscope");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(folder)
}

fn newest_change(folder: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries.flatten().filter_map(|entry| entry.metadata().ok()?.modified().ok()).max()
}
