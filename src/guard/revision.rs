//! A git revision becomes a binary: its files are laid out in a folder of the cache and built there. The repository's
//! own index, work tree and branches are not touched.
//!
//! All revisions of a repository are laid out at the same place, one after the other, without its history: so that cargo
//! builds only what differs, and that sources which are alike become binaries which are alike, byte by byte.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};
use record::host::short_hash;

use crate::engine::cache_folder;

/// The folder that is there if driver and probes are a part of the repository.
const DRIVER: &str = "workloads/src/driver";
/// Paths of the work tree that are no sources.
const LEFT_BY_TOOLS: [&str; 3] =
    [":(exclude,glob)**/target/**", ":(exclude,glob)**/node_modules/**", ":(exclude,glob)**/node_modules"];

/// A commit of the repository that the working directory lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Its whole hash.
    pub(crate) hash: String,
    /// The top of the repository's work tree.
    pub(crate) top: PathBuf,
}

impl Commit {
    /// The commit that `name` names here.
    pub(crate) fn find(name: &str) -> Result<Commit> {
        let top = top()?;
        let mut git = git(&top);
        git.args(["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")]);
        let output = git.output().context("cannot start git")?;
        ensure!(output.status.success(), "the repository here has no revision `{name}`");
        Ok(Commit { hash: text(&output.stdout), top })
    }

    /// Whether `name`, which names it, will name it for ever: it begins its hash, or is a tag.
    pub(crate) fn is_pinned_by(&self, name: &str) -> Result<bool> {
        let mut git = git(&self.top);
        git.args(["show-ref", "--verify", "--quiet", &format!("refs/tags/{name}")]);
        let is_tag = git.status().context("cannot start git")?.success();
        Ok(is_tag || (name.len() >= 7 && self.hash.starts_with(&name.to_lowercase())))
    }

    /// The first digits of its hash.
    pub(crate) fn short(&self) -> &str {
        &self.hash[..self.hash.len().min(12)]
    }
}

/// What is checked out here: the commit's first digits, and `-dirty` if files of it were changed.
pub(crate) fn here() -> Result<String> {
    let mut git = git(&top()?);
    let output = git.args(["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]).output();
    let output = output.context("cannot start git")?;
    ensure!(output.status.success(), "the repository here has no commit");
    Ok(text(&output.stdout))
}

/// The top of the repository that the working directory lies in.
fn top() -> Result<PathBuf> {
    let output = Command::new("git").args(["rev-parse", "--show-toplevel"]).stdin(Stdio::null()).output();
    let output = output.context("there is no git here to ask for a revision")?;
    ensure!(output.status.success(), "this folder lies in no git repository");
    Ok(PathBuf::from(text(&output.stdout)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn git(top: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(top).stdin(Stdio::null());
    command
}

/// How a revision is built: as the program was that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipe {
    /// Name of the binary.
    pub(crate) binary: String,
    /// Cargo's profile.
    pub(crate) profile: String,
    /// Folder of the crate, relative to the top of the repository.
    pub(crate) folder: PathBuf,
}

impl Recipe {
    /// As this program was built: its name, and the profile whose folder it lies in; of the crate here.
    pub(crate) fn of_this_program(top: &Path) -> Result<Recipe> {
        let own = std::env::current_exe().context("cannot find this program's own file")?;
        let name = |path: &Path| path.file_stem().map(|name| name.to_string_lossy().into_owned());
        let profile = match own.parent().and_then(name).as_deref() {
            Some("debug") => "dev".to_owned(),
            Some(folder) if own.ancestors().any(|dir| dir.join("CACHEDIR.TAG").is_file()) => {
                folder.to_owned()
            }
            // Installed somewhere: releases are.
            _ => "release".to_owned(),
        };
        let here = std::env::current_dir().and_then(|here| here.canonicalize());
        let here = here.context("cannot find the working directory")?;
        let manifest = here
            .ancestors()
            .take_while(|dir| dir.starts_with(top))
            .find(|dir| dir.join("Cargo.toml").is_file());
        let Some(folder) = manifest else {
            bail!("no Cargo.toml between {} and the top of the repository: nothing to build", here.display());
        };
        Ok(Recipe {
            binary: name(&own).unwrap_or_else(|| "synchroscope".into()),
            profile,
            folder: folder.strip_prefix(top).unwrap_or(Path::new("")).to_owned(),
        })
    }
}

/// Sources that can be built: a tree in the repository's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree(String);

/// A repository's place in the cache. While it lives, nobody else builds there.
pub(crate) struct Workshop {
    top: PathBuf,
    folder: PathBuf,
    _lock: File,
}

impl Workshop {
    /// Opens it; waits for whoever builds there.
    pub(crate) fn open(top: &Path) -> Result<Workshop> {
        let folder = cache_folder()?.join(format!("guard-{}", short_hash(top.to_string_lossy().as_bytes())));
        for part in ["tree", "bin"] {
            let part = folder.join(part);
            fs::create_dir_all(&part)
                .with_context(|| format!("cannot make the folder {}", part.display()))?;
        }
        let lock = File::create(folder.join("lock")).context("cannot lock the cache of builds")?;
        lock.lock().context("cannot lock the cache of builds")?;
        Ok(Workshop { top: top.to_owned(), folder, _lock: lock })
    }

    /// Git over an index of our own.
    fn git(&self, index: &str) -> Command {
        let mut command = git(&self.top);
        command.env("GIT_INDEX_FILE", self.folder.join(index));
        command
    }

    fn done(&self, command: &mut Command) -> Result<Output> {
        let output = command.output().context("cannot start git")?;
        ensure!(output.status.success(), "git failed: {}", text(&output.stderr).replace('\n', "; "));
        Ok(output)
    }

    /// The sources of a commit.
    pub(crate) fn tree(&self, commit: &Commit) -> Result<Tree> {
        let name = format!("{}^{{tree}}", commit.hash);
        Ok(Tree(text(&self.done(self.git("index").args(["rev-parse", &name]))?.stdout)))
    }

    /// The sources in the work tree as they are now, what is not committed included.
    pub(crate) fn work_tree(&self) -> Result<Tree> {
        let index = || self.git("index-here");
        self.done(index().args(["read-tree", "HEAD"]))?;
        // What tools leave, should nobody have told git to ignore it, may be gigabytes.
        self.done(index().args(["add", "--all", "--", "."]).args(LEFT_BY_TOOLS))?;
        Ok(Tree(text(&self.done(index().arg("write-tree"))?.stdout)))
    }

    /// What is measured of the one, measured by the other. In this project's repository: `harness` with the folder `impls` of
    /// `implementations`. Elsewhere driver and probes come from what the crate depends on: `implementations` with the
    /// manifests of `harness`.
    pub(crate) fn mixed(&self, harness: &Tree, implementations: &Tree, recipe: &Recipe) -> Result<Tree> {
        let index = || self.git("index-mixed");
        if self.object(harness, DRIVER)?.is_some() && self.object(implementations, "impls")?.is_some() {
            self.done(index().args(["read-tree", &harness.0]))?;
            self.done(index().args(["rm", "-r", "--cached", "--quiet", "--force", "impls"]))?;
            let impls = format!("{}:impls", implementations.0);
            self.done(index().args(["read-tree", "--prefix=impls/", &impls]))?;
        } else {
            self.done(index().args(["read-tree", &implementations.0]))?;
            for folder in [Path::new(""), &recipe.folder] {
                for name in ["Cargo.toml", "Cargo.lock"] {
                    let path = folder.join(name).to_string_lossy().into_owned();
                    let Some(object) = self.object(harness, &path)? else { continue };
                    let entry = format!("100644,{object},{path}");
                    self.done(index().args(["update-index", "--add", "--cacheinfo", &entry]))?;
                }
            }
        }
        Ok(Tree(text(&self.done(index().arg("write-tree"))?.stdout)))
    }

    /// The object of a path of a tree, if it has that path.
    fn object(&self, tree: &Tree, path: &str) -> Result<Option<String>> {
        let name = format!("{}:{path}", tree.0);
        let output = self.git("index-mixed").args(["rev-parse", "--verify", "--quiet", &name]).output();
        let output = output.context("cannot start git")?;
        Ok(output.status.success().then(|| text(&output.stdout)))
    }

    /// The binary of a tree, built unless it was before. The error holds what the compiler said first.
    pub(crate) fn build(&self, tree: &Tree, what: &str, recipe: &Recipe) -> Result<PathBuf> {
        let key = format!("{}{:?}{:?}", tree.0, recipe, std::env::var_os("RUSTFLAGS"));
        let built = self.folder.join("bin").join(short_hash(key.as_bytes())).join(&recipe.binary);
        if built.is_file() {
            return Ok(built);
        }
        let laid = self.folder.join("tree");
        let mut lay = self.git("index");
        lay.arg(format!("--work-tree={}", laid.display()));
        self.done(lay.args(["read-tree", "--reset", "-u", &tree.0]))?;
        eprintln!("builds {what} ({}), once", recipe.profile);
        let target = self.folder.join("target");
        let output = Command::new("cargo")
            .args([
                "build",
                "--quiet",
                "--color",
                "never",
                "--profile",
                &recipe.profile,
                "--bin",
                &recipe.binary,
            ])
            .current_dir(laid.join(&recipe.folder))
            .env("CARGO_TARGET_DIR", &target)
            // A checkout without history: no revision in the binary, and none of a repository around the cache.
            .env("GIT_CEILING_DIRECTORIES", &self.folder)
            .env_remove("GIT_DIR")
            .stdin(Stdio::null())
            .output();
        let output = output.context("cannot start cargo")?;
        ensure!(output.status.success(), "{what} does not build: {}", first_error(&text(&output.stderr)));
        let profile_folder = if recipe.profile == "dev" { "debug" } else { &recipe.profile };
        let binary = format!("{}{}", recipe.binary, std::env::consts::EXE_SUFFIX);
        let made = target.join(profile_folder).join(binary);
        let into = built.parent().context("a file has a folder")?;
        fs::create_dir_all(into).with_context(|| format!("cannot make the folder {}", into.display()))?;
        // Renamed into place: a build that was cut off is none.
        let fresh = built.with_extension("new");
        fs::copy(&made, &fresh).with_context(|| format!("cannot copy {}", made.display()))?;
        fs::rename(&fresh, &built).with_context(|| format!("cannot write {}", built.display()))?;
        Ok(built)
    }
}

/// The first error of a compiler, with the place that it names, in one line.
fn first_error(stderr: &str) -> String {
    let mut lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let Some(error) = lines.by_ref().find(|line| line.starts_with("error")) else {
        return stderr.lines().rev().find(|line| !line.is_empty()).unwrap_or("it said nothing").to_owned();
    };
    match lines.next().and_then(|line| line.strip_prefix("--> ")) {
        Some(place) => format!("{error} at {place}"),
        None => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_told() {
        let said = "   Compiling x\nwarning: unused\nerror[E0308]: mismatched types\n --> src/a.rs:3:5\n  |\n3 | 1\n\
                    error: aborting";
        assert_eq!(first_error(said), "error[E0308]: mismatched types at src/a.rs:3:5");
        assert_eq!(first_error("no such command"), "no such command");
        assert_eq!(first_error(""), "it said nothing");
    }
}
