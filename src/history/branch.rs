//! A store on a git branch, through git's plumbing: the work tree, the index and what is checked out stay as they are.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reports::history::{History, read};

use super::break_before;

/// The folder of the branch that holds the files: a branch may hold other things too.
const FOLDER: &str = "synchroscope-history";
/// How often a commit is tried when others commit meanwhile.
const ATTEMPTS: u32 = 30;

/// Whether a branch may be called so.
pub(super) fn check(flag: &str, branch: &str) -> Result<()> {
    let ok = git(&["check-ref-format", &reference(branch)], None, &[])?.status.success();
    ensure!(ok && !branch.starts_with('-'), "{flag} git:{branch}: git allows no branch of that name");
    Ok(())
}

fn reference(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

pub(super) fn files(branch: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let Some(tip) = tip(branch)? else {
        bail!("there is no history on the branch {branch}: `history add` makes one, `git fetch` brings one")
    };
    let listed = text(&["ls-tree", "-z", "--name-only", &tip, &format!("{FOLDER}/")], None, &[])?;
    let names = listed.split('\0').filter(|name| name.ends_with(".jsonl"));
    names.map(|name| Ok((format!("{branch}:{name}"), content(&tip, name)?.unwrap_or_default()))).collect()
}

/// Refuses a branch that is checked out somewhere.
pub(super) fn not_checked_out(flag: &str, branch: &str) -> Result<()> {
    let checked_out = text(&["worktree", "list", "--porcelain"], None, &[])?;
    let own = format!("branch {}", reference(branch));
    ensure!(
        !checked_out.lines().any(|line| line == own),
        "{flag} git:{branch}: the branch is checked out, and a commit behind the back of its work tree would look like a \
         revert; name another"
    );
    Ok(())
}

pub(super) fn append(
    branch: &str,
    name: &str,
    lines: &str,
    message: &str,
    refuses: &dyn Fn(&History) -> Option<String>,
) -> Result<std::result::Result<(), String>> {
    not_checked_out("the store", branch)?;
    let path = format!("{FOLDER}/{name}");
    for attempt in 0..ATTEMPTS {
        let tip = tip(branch)?;
        let mut file = match &tip {
            Some(tip) => content(tip, &path)?.unwrap_or_default(),
            None => Vec::new(),
        };
        if let Some(reason) = refuses(&read(&[(format!("{branch}:{path}"), file.clone())])) {
            return Ok(Err(reason));
        }
        file.extend_from_slice(break_before(&file).as_bytes());
        file.extend_from_slice(lines.as_bytes());
        let commit = commit(tip.as_deref(), &path, &file, message)?;
        // Only if the branch is still where it was; an empty old value means that there was none.
        let old = tip.unwrap_or_default();
        if git(&["update-ref", "-m", message, &reference(branch), &commit, &old], None, &[])?.status.success()
        {
            return Ok(Ok(()));
        }
        // Somebody else was faster: theirs first, ours on top.
        std::thread::sleep(Duration::from_millis(u64::from(10 + 7 * attempt)));
    }
    bail!("the store git:{branch}: others commit to the branch all the time; {ATTEMPTS} attempts failed")
}

/// Makes a commit that adds or replaces one file, and gives its id; no branch knows it yet.
fn commit(parent: Option<&str>, path: &str, content: &[u8], message: &str) -> Result<String> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    // An index of its own: the user's stays as it is.
    let index = folder.path().join("index").display().to_string();
    let index = [("GIT_INDEX_FILE", index.as_str())];
    let blob = text(&["hash-object", "-w", "--stdin"], Some(content), &[])?;
    if let Some(parent) = parent {
        text(&["read-tree", parent], None, &index)?;
    }
    text(&["update-index", "--add", "--cacheinfo", &format!("100644,{},{path}", blob.trim())], None, &index)?;
    let tree = text(&["write-tree"], None, &index)?;
    let mut arguments = vec!["commit-tree", tree.trim(), "-m", message];
    if let Some(parent) = parent {
        arguments.extend(["-p", parent]);
    }
    // Where nobody told git a name, as in continuous integration, the program is the author.
    let known = git(&["var", "GIT_COMMITTER_IDENT"], None, &[])?.status.success();
    let author = [
        ("GIT_AUTHOR_NAME", "synchroscope"),
        ("GIT_AUTHOR_EMAIL", "synchroscope"),
        ("GIT_COMMITTER_NAME", "synchroscope"),
        ("GIT_COMMITTER_EMAIL", "synchroscope"),
    ];
    let made = text(&arguments, None, if known { &[] } else { &author })?;
    Ok(made.trim().to_owned())
}

/// The commit of a branch; `None` if there is no such branch.
fn tip(branch: &str) -> Result<Option<String>> {
    // Outside of a repository this is not "no such branch".
    text(&["rev-parse", "--git-dir"], None, &[])?;
    let output = git(&["rev-parse", "--verify", "--quiet", &reference(branch)], None, &[])?;
    Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}

/// A file of a commit; `None` if it has none.
fn content(commit: &str, path: &str) -> Result<Option<Vec<u8>>> {
    let name = format!("{commit}:{path}");
    if !git(&["cat-file", "-e", &name], None, &[])?.status.success() {
        return Ok(None);
    }
    let output = git(&["cat-file", "blob", &name], None, &[])?;
    ensure!(output.status.success(), "git cannot read {path}: {}", said(&output));
    Ok(Some(output.stdout))
}

fn text(arguments: &[&str], input: Option<&[u8]>, environment: &[(&str, &str)]) -> Result<String> {
    let output = git(arguments, input, environment)?;
    ensure!(output.status.success(), "git {} failed: {}", arguments[0], said(&output));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first line of what git complains of.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("without a word").to_owned()
}

fn git(arguments: &[&str], input: Option<&[u8]>, environment: &[(&str, &str)]) -> Result<Output> {
    let mut command = Command::new("git");
    command.args(arguments).envs(environment.iter().copied());
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("the store git:BRANCH needs git, which could not be started")?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        // git reads all before it answers a line: no deadlock.
        stdin.write_all(input).context("cannot write to git")?;
    }
    child.wait_with_output().context("cannot wait for git")
}
