//! The snippets for continuous integration: they parse, and the commands that they call exist.

mod support;

use std::fs;
use std::process::Command;

use support::{Place, Ran, binary, root};
use yaml_rust2::{Yaml, YamlLoader};

fn yaml(text: &str) -> Yaml {
    YamlLoader::load_from_str(text).expect("YAML").remove(0)
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A folder of programs that stand before all others: cargo, which runs the binary under test for a plan, and what the
/// scripts would install.
fn stand_ins(place: &Place) -> String {
    let cargo = format!(
        "#!/usr/bin/env bash\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec '{}' \"$@\" --dry-run\n",
        binary()
    );
    for (name, text) in [("bin/cargo", cargo.as_str()), ("bin/valgrind", "#!/bin/sh\n")] {
        place.write(name, text);
        executable(place, name);
    }
    format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap_or_default())
}

fn executable(place: &Place, name: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o755)).expect("permissions");
}

fn plan_of(place: &Place, command: &mut Command) -> Ran {
    command.current_dir(place.path("")).env("PATH", stand_ins(place));
    let ran = Ran::of(&[], &command.output().expect("bash starts")).code(0);
    assert!(ran.stdout.contains("mutex/mcs contended/t2/h0 sim:vm-2"), "{ran:#?}");
    ran
}

#[test]
fn the_action_calls_what_exists() {
    let action = yaml(&read("scripts/ci/action.yml"));
    assert_eq!(action["runs"]["using"].as_str(), Some("composite"));
    let inputs = action["inputs"].as_hash().expect("inputs");
    assert!(inputs.iter().all(|(_, input)| input["description"].as_str().is_some()));
    for step in action["runs"]["steps"].as_vec().expect("steps") {
        let run = step["run"].as_str().expect("a command");
        let script = run.trim_matches('"').strip_prefix("$GITHUB_ACTION_PATH/").expect("a script beside it");
        let path = root().join("scripts/ci").join(script);
        assert!(Command::new("bash").arg("-n").arg(&path).status().expect("bash").success(), "{script}");
        // Every input that a step names exists, and every variable that it sets is read.
        let text = fs::read_to_string(&path).expect("a script");
        for (name, value) in step["env"].as_hash().expect("variables") {
            let (name, value) = (name.as_str().expect("a name"), value.as_str().expect("a value"));
            assert!(text.contains(name) || name.starts_with("GH_"), "{script} does not read {name}");
            if let Some(input) = value.split("inputs.").nth(1) {
                let input = input.trim_end_matches(['}', ' ']);
                assert!(inputs.contains_key(&Yaml::String(input.to_owned())), "{value}");
            }
        }
    }
}

#[test]
fn the_script_of_the_action_asks_for_a_plan_that_can_be_made() {
    let place = Place::new();
    let mut command = Command::new(root().join("scripts/ci/guard"));
    command.env("BASELINE", "mutex/ticket").env("OUT", "out").env("FORMAT", "github");
    plan_of(&place, command.env("ARGUMENTS", "--layer exact --candidate 'mutex/mcs'"));
    // A wrong word is refused by the program, not by the shell.
    let mut command = Command::new(root().join("scripts/ci/guard"));
    command
        .env("BASELINE", "mutex/ticket")
        .env("ARGUMENTS", "--candidate $(touch x)")
        .env("PATH", stand_ins(&place));
    Ran::of(&[], &command.current_dir(place.path("")).output().expect("bash starts")).code(2);
    assert!(!place.path("x").exists(), "what is given as arguments is not run");
}

#[test]
fn the_job_of_gitlab_asks_for_a_plan_that_can_be_made() {
    let job = &yaml(&read("scripts/ci/gitlab.yml"))["synchroscope-guard"];
    let line = job["script"][0].as_str().expect("a command");
    let layer = job["variables"]["ARGUMENTS"].as_str().expect("arguments");
    let place = Place::new();
    let mut command = Command::new("bash");
    command.args(["-euc", line]).env("CI_MERGE_REQUEST_DIFF_BASE_SHA", "mutex/ticket");
    plan_of(&place, command.env("ARGUMENTS", format!("{layer} --candidate mutex/mcs")));
    assert_eq!(job["artifacts"]["reports"]["junit"].as_str(), Some("guard/junit.xml"));
}

#[test]
fn a_comment_is_written_once_and_then_over() {
    let place = Place::new();
    place.write("out/comment.md", "<!-- synchroscope-guard -->\n");
    // The first argument but options says which call it is; the answer to a question is `known`.
    place
        .write("bin/gh", "#!/usr/bin/env bash\necho \"$*\" >>calls\n[ \"$2\" != --paginate ] || cat known\n");
    executable(&place, "bin/gh");
    let comment = |known: &str| {
        place.write("known", known);
        place.write("calls", "");
        let mut command = Command::new(root().join("scripts/ci/comment"));
        command.current_dir(place.path("")).env("PATH", stand_ins(&place)).env("OUT", "out");
        command.env("GH_REPO", "me/mine").env("PULL_REQUEST", "7");
        Ran::of(&[], &command.output().expect("bash starts")).code(0);
        fs::read_to_string(place.path("calls")).expect("calls")
    };
    assert!(
        comment("").contains("--method POST repos/me/mine/issues/7/comments --field body=@out/comment.md")
    );
    assert!(comment("123\n456\n").contains("--method PATCH repos/me/mine/issues/comments/123"));
    assert!(read("scripts/ci/comment").contains(reports::guard::markdown::MARKER));
}

#[test]
fn what_the_page_shows_is_what_there_is() {
    let page = read("docs/CI.md");
    let snippet =
        page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a snippet");
    assert!(snippet.lines().count() <= 5, "five lines are promised");
    let steps = yaml(snippet);
    let action = yaml(&read("scripts/ci/action.yml"));
    let uses = steps[1]["uses"].as_str().expect("an action");
    assert!(uses.contains("/scripts/ci@"), "{uses}");
    for (input, _) in steps[1]["with"].as_hash().expect("inputs") {
        assert!(action["inputs"].as_hash().expect("inputs").contains_key(input), "{input:?}");
    }
    for (input, _) in action["inputs"].as_hash().expect("inputs") {
        assert!(
            page.contains(&format!("| `{}` |", input.as_str().expect("a name"))),
            "{input:?} is not in the table"
        );
    }
}
