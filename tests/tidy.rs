//! Rules of this source tree that no compiler knows, as tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rooms: folder, name in code, and the rooms that it may know.
const ROOMS: [(&str, &str, &[&str]); 5] = [
    ("impls", "impls", &[]),
    ("profiler/record", "record", &[]),
    ("profiler", "profiler", &["impls", "record"]),
    ("workloads", "workloads", &["impls", "record"]),
    ("reports", "reports", &["record"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that belongs to the project, relative to its root: what git tracks, or all but what is built.
fn files() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let tracked = listed.ok().filter(|output| output.status.success() && !output.stdout.is_empty());
    let mut files: Vec<String> = match tracked {
        Some(output) => String::from_utf8_lossy(&output.stdout).split('\0').map(str::to_owned).collect(),
        None => walk(root()),
    };
    files.retain(|file| !file.is_empty() && root().join(file).is_file());
    assert!(files.len() > 100, "only {} files were found", files.len());
    files
}

fn walk(folder: &Path) -> Vec<String> {
    const BUILT: [&str; 5] = ["target", "node_modules", "runs", ".git", "out"];
    let entries = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let entries =
        entries.filter(|path| path.file_name().is_some_and(|name| BUILT.iter().all(|built| name != *built)));
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![relative(&path)] }).collect()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned()
}

fn with_extension(extension: &str) -> Vec<String> {
    let ending = format!(".{extension}");
    files().into_iter().filter(|file| file.ends_with(&ending)).collect()
}

/// The text of a file; `None` if it is not text.
fn text(file: &str) -> Option<String> {
    String::from_utf8(fs::read(root().join(file)).expect("a file")).ok()
}

fn source(file: &str) -> String {
    text(file).unwrap_or_else(|| panic!("{file} is not UTF-8"))
}

/// The code of a line, without its comment. A `//` in a string ends it too, which no rule here minds.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

#[track_caller]
fn none(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn files_open_with_what_they_hold() {
    let opens = |file: &String| source(file).trim_start_matches("#![cfg(test)]\n").starts_with("//! ");
    none(
        "files without a `//!` header",
        with_extension("rs").into_iter().filter(|file| !opens(file)).collect(),
    );
}

#[test]
fn files_hold_one_idea() {
    const MOST: usize = 500;
    let long = with_extension("rs").into_iter().map(|file| (source(&file).lines().count(), file));
    let long = long.filter(|(lines, _)| *lines > MOST).map(|(lines, file)| format!("{file}: {lines} lines"));
    none(&format!("files of more than {MOST} lines"), long.collect());
}

/// Modules that `file` declares, by `mod name;` or by a line of `family!`; those with a `#[path]` by that.
fn declared(file: &str) -> Vec<String> {
    let text = source(file);
    let mut modules = Vec::new();
    let mut in_family = false;
    let mut elsewhere = None;
    for line in text.lines().map(|line| code(line).trim()) {
        if in_family {
            in_family = !line.starts_with('}');
            modules.extend(line.split_once("::").map(|(module, _)| module.to_owned()));
        } else if line.starts_with("family!") {
            in_family = true;
        } else if let Some(path) = line.strip_prefix("#[path = \"") {
            elsewhere = path.split('"').next().map(str::to_owned);
        } else if let Some((head, _)) = line.rsplit_once(';') {
            let words: Vec<&str> = head.split_whitespace().collect();
            if let [.., "mod", name] = words[..]
                && !name.starts_with('$')
            {
                modules.push(elsewhere.take().unwrap_or_else(|| name.to_owned()));
            }
        }
    }
    modules
}

/// Where the module `name` of `file` is.
fn module_file(file: &str, name: &str) -> Option<String> {
    let path = Path::new(file);
    let folder = path.parent()?;
    let stem = path.file_stem()?.to_str()?;
    let is_root = ["lib", "main", "mod", "build"].contains(&stem)
        || folder
            .file_name()
            .is_some_and(|folder| ["tests", "benches", "examples"].iter().any(|name| folder == *name));
    if name.ends_with(".rs") {
        let path = root().join(folder).join(name).canonicalize().ok()?;
        return path
            .strip_prefix(root().canonicalize().ok()?)
            .ok()
            .map(|path| path.to_string_lossy().into_owned());
    }
    let base = if is_root { folder.to_owned() } else { folder.join(stem) };
    let candidates = [base.join(format!("{name}.rs")), base.join(name).join("mod.rs")];
    candidates
        .into_iter()
        .find(|path| root().join(path).is_file())
        .map(|path| path.to_string_lossy().into_owned())
}

#[test]
fn every_file_is_reached() {
    let files = with_extension("rs");
    const TARGETS: [&str; 4] = ["tests", "benches", "examples", "bin"];
    let is_root = |file: &&String| {
        let parts: Vec<&str> = file.rsplit('/').take(3).collect();
        match parts[..] {
            ["build.rs", ..] => true,
            ["lib.rs" | "main.rs", "src", ..] => true,
            ["main.rs", _, targets] => TARGETS.contains(&targets),
            [_, targets, ..] => TARGETS.contains(&targets),
            _ => false,
        }
    };
    let mut open: Vec<String> = files.iter().filter(is_root).cloned().collect();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut missing = Vec::new();
    while let Some(file) = open.pop() {
        if !reached.insert(file.clone()) {
            continue;
        }
        for name in declared(&file) {
            match module_file(&file, &name) {
                Some(found) => open.push(found),
                None => missing.push(format!("{file}: no file of module `{name}`")),
            }
        }
    }
    none("modules without a file", missing);
    none(
        "files that no `mod` line reaches",
        files.into_iter().filter(|file| !reached.contains(file)).collect(),
    );
}

#[test]
fn files_are_formatted() {
    // By name: cargo fmt does not follow modules that a macro declares.
    let checked = Command::new("rustfmt")
        .args(["--edition", "2024", "--check", "--files-with-diff"])
        .args(with_extension("rs"))
        .current_dir(root())
        .output();
    match checked {
        Err(error) => eprintln!("skipped: rustfmt: {error}"),
        Ok(output) => {
            let (out, err) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "rustfmt would change:\n{out}{err}");
        }
    }
}

#[test]
fn arrows_between_rooms() {
    let mut found = Vec::new();
    for (folder, own, allowed) in ROOMS {
        let others = ROOMS.iter().map(|room| room.1).chain(["synchroscope"]);
        let forbidden: Vec<&str> = others.filter(|name| *name != own && !allowed.contains(name)).collect();
        let manifest = source(&format!("{folder}/Cargo.toml"));
        for name in &forbidden {
            let is_dependency = |line: &&str| {
                let key = line.split(['.', '=', ' ']).next().unwrap_or_default();
                key == *name || line.contains(&format!("\"synchroscope-{name}\""))
            };
            let named = manifest.lines().filter(|line| !line.starts_with("name")).find(is_dependency);
            found.extend(named.map(|line| format!("{folder}/Cargo.toml: {line}")));
        }
        let prefix = format!("{folder}/");
        let inner = |file: &str| {
            ROOMS.iter().any(|room| room.0.len() > folder.len() && file.starts_with(&format!("{}/", room.0)))
        };
        for file in with_extension("rs").into_iter().filter(|file| file.starts_with(&prefix) && !inner(file))
        {
            for (number, line) in source(&file).lines().enumerate() {
                for name in &forbidden {
                    let path = format!("{name}::");
                    let uses = code(line).match_indices(&path).any(|(at, _)| {
                        let before = line[..at].chars().next_back();
                        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
                    });
                    if uses {
                        found.push(format!("{file}:{}: {}", number + 1, line.trim()));
                    }
                }
            }
        }
    }
    none("arrows that the rooms do not have", found);
}

#[test]
fn mutexes_open_with_their_cards() {
    let mut found = Vec::new();
    let mut seen = 0;
    for file in with_extension("rs").iter().filter(|file| file.starts_with("impls/src/mutex/")) {
        let text = source(file);
        let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if ["mod", "lock_api"].contains(&stem) {
            continue;
        }
        seen += 1;
        let header: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        let has = |start: &str| header.iter().any(|line| line.starts_with(start));
        let plain = text.contains("role: Role::Peer") || text.contains("role: Role::Floor");
        let mut need = vec!["//! - **Idea**", "//! - **Fairness**"];
        if !text.contains("role: Role::Floor") {
            need.push("//! - **Source**");
        }
        if !plain {
            need.extend(["//! - **Cost**", "//! - **Pathology**"]);
        }
        found.extend(
            need.into_iter().filter(|start| !has(start)).map(|start| format!("{file}: no `{start}`")),
        );
        // State and orderings may share a section, and may be told by a mechanism's file that the section names.
        for word in ["State", "rderings"] {
            let section = |line: &&&str| line.starts_with("//! ## ") && line.contains(word);
            let shared = word == "State" && has("//! ## Invariants");
            if !plain && !shared && !header.iter().any(|line| section(&line)) {
                found.push(format!(
                    "{file}: no section on {}",
                    if word == "State" { "state" } else { "orderings" }
                ));
            }
        }
        let id = format!("\"mutex/{}\"", stem.replace('_', "-"));
        if !text.contains(&id) {
            found.push(format!("{file}: its card has no id {id}: ids are names of files"));
        }
    }
    assert!(seen >= 20, "only {seen} mutexes were found");
    none("cards", found);
}

#[test]
fn nothing_is_left_to_do() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("to", "do!("),
        concat!("unimplemented", "!("),
        concat!("#[ig", "nore"),
    ];
    let mut found = Vec::new();
    for file in files().iter().filter(|file| !file.ends_with(".lock") && !file.ends_with("-lock.json")) {
        for (number, line) in text(file).unwrap_or_default().lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{file}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("marks of unfinished work", found);
}

#[test]
fn unsafe_code_argues_for_itself() {
    let mut found = Vec::new();
    let mut seen = 0;
    for file in with_extension("rs") {
        let text = source(&file);
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = code(line);
            let opens = ["unsafe {", "unsafe impl"].iter().any(|form| {
                // In a string, as in this very test, it is followed or preceded by a quote.
                code.match_indices(form)
                    .any(|(at, form)| !code[..at].ends_with('"') && !code[at + form.len()..].starts_with('"'))
            });
            if opens {
                seen += 1;
                let above = &lines[number.saturating_sub(5)..=number];
                if !above.iter().any(|line| line.contains("SAFETY:")) {
                    found.push(format!("{file}:{}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    assert!(seen > 10, "only {seen} unsafe blocks were found");
    none("unsafe code without a SAFETY comment in the five lines above", found);
}

#[test]
fn nothing_tells_of_a_workplace() {
    let folders = ["home", "root", "tmp", "work", "Users"].map(|folder| format!("/{folder}/"));
    let private = [".internal", ".local", ".lan", ".corp"];
    let mut found = Vec::new();
    for file in files().iter().filter(|file| !file.ends_with(".lock")) {
        for (number, line) in text(file).unwrap_or_default().lines().enumerate() {
            let absolute = folders.iter().any(|folder| {
                line.match_indices(folder).any(|(at, _)| {
                    // A path in a variable's folder, in an address, or relative is none of a workplace.
                    let before = line[..at].trim_end_matches('"').chars().next_back();
                    let quoted = line[..at].ends_with("target\"");
                    !quoted && !before.is_some_and(|c| c.is_alphanumeric() || "._-~}$".contains(c))
                })
            });
            let host = line.split("://").skip(1).any(|rest| {
                let host: String =
                    rest.chars().take_while(|c| c.is_alphanumeric() || ".-:".contains(*c)).collect();
                let name = host.split(':').next().unwrap_or_default();
                let is_address = !name.is_empty() && name.chars().all(|c| c.is_ascii_digit() || c == '.');
                is_address
                    || host.contains(':') && host.len() > name.len() + 1
                    || private.iter().any(|end| name.ends_with(end))
            });
            if absolute || host {
                found.push(format!("{file}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("paths or hosts of somebody's own computer", found);
}

/// The places that `text` of Markdown links to, without other people's and without fragments.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let own = targets.filter(|target| {
        !target.contains("://") && !target.starts_with(['#', '<']) && !target.starts_with("mailto:")
    });
    own.filter_map(|target| target.split('#').next()).map(str::to_owned).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut found = Vec::new();
    for file in with_extension("md") {
        let folder = Path::new(&file).parent().map_or_else(PathBuf::new, Path::to_owned);
        for link in links(&source(&file)) {
            if !root().join(&folder).join(&link).exists() {
                found.push(format!("{file}: {link}"));
            }
        }
    }
    none("links to nothing", found);
}

/// Paths in words: `impls/src/card.rs`, docs/RECORD.md. Those of things that a reader makes have `my` in them.
#[test]
fn paths_in_words_exist() {
    let all = files();
    let tops: BTreeSet<&str> =
        all.iter().filter_map(|file| file.split_once('/')).map(|(top, _)| top).collect();
    let endings = [".rs", ".md", ".toml", ".json", ".yml"];
    let mut found = Vec::new();
    for file in all.iter().filter(|file| [".rs", ".md", ".toml"].iter().any(|ending| file.ends_with(ending)))
    {
        let is_prose = file.ends_with(".md");
        for (number, line) in source(file).lines().enumerate() {
            let said = if is_prose {
                line
            } else {
                line.split_once("//").or(line.split_once('#')).map_or("", |(_, said)| said)
            };
            // Where a design comes from is a path of other people.
            if said.contains("**Source**") {
                continue;
            }
            let words = said.split(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c)));
            let words = words.map(|word| word.trim_end_matches(['.', '/', '-']));
            let paths = words.filter(|word| word.split_once('/').is_some_and(|(top, _)| tops.contains(top)));
            let paths = paths
                .filter(|path| endings.iter().any(|ending| path.ends_with(ending)) && !path.contains("my"));
            // A room's own files may be named as the room sees them.
            let folders = Path::new(file.as_str()).ancestors();
            let exists = |path: &&str| folders.clone().any(|folder| root().join(folder).join(path).exists());
            found.extend(
                paths.filter(|path| !exists(path)).map(|path| format!("{file}:{}: {path}", number + 1)),
            );
        }
    }
    none("paths of files that do not exist", found);
}

#[test]
fn raw_counters_stay_in_the_clock() {
    let mark = concat!("_rd", "tsc");
    let uses = with_extension("rs").into_iter().filter(|file| source(file).contains(mark));
    assert_eq!(uses.collect::<Vec<_>>(), ["impls/src/machine/os/clock.rs"]);
}

#[test]
fn definitions_and_suites_are_embedded_under_their_names() {
    let stems = |folder: &str| {
        let toml = with_extension("toml").into_iter().filter(|file| file.starts_with(folder));
        toml.filter_map(|file| Some(Path::new(&file).file_stem()?.to_str()?.to_owned()))
            .collect::<BTreeSet<_>>()
    };
    let own = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    // What is built in may hold a file that is not tracked yet, but none may be missing.
    let definitions = own(workloads::Workload::names().collect());
    let suites = own(workloads::Suite::names().collect());
    assert!(stems("workloads/defs/").is_subset(&definitions), "{definitions:?}");
    assert!(stems("workloads/suites/").is_subset(&suites), "{suites:?}");
    for workload in workloads::Workload::all().expect("definitions that are right") {
        assert!(definitions.contains(&workload.name), "`{}` is not the name of its file", workload.name);
    }
    for suite in workloads::Suite::all().expect("suites that are right") {
        assert!(suites.contains(&suite.name), "`{}` is not the name of its file", suite.name);
    }
}
