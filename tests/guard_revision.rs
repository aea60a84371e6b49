//! `guard` against revisions whose driver or probes differ: built anew in the candidate's harness, or no verdict.
//!
//! The revisions are of small stand-ins that say of themselves what a build of this project says: to build the project
//! itself takes minutes. What they are asked to launch they cannot, and that is a row.

mod support;

use serde_json::Value;
use support::{Place, Ran};

/// A program that knows its driver's hash, and needs its implementations to.
const MAIN: &str = r##"
MODULE driver;
fn main() {
    let debug = cfg!(debug_assertions);
    println!(
        r#"{{"kind":"synchroscope-identity","protocol":PROTOCOL,"version":"0","revision":null,"harness_hash":"{}",
        "debug_assertions":{debug},"implementations":["mutex/ticket"]}}"#,
        driver::hash()
    );
}
"##;
const SUITE: &str = r#"
name = "short"
summary = "one thread"
launches = 1
probed = 0
slices = 1
slice_ms = 0.1
warmup_ms = 0

[[cells]]
workload = "uncontended"
implementations = "mutex/ticket"
"#;

fn manifest(name: &str, dependency: &str) -> String {
    let head = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    if dependency.is_empty() { head } else { format!("{head}[dependencies]\n{dependency}\n") }
}

struct Repository {
    place: Place,
    hash: String,
}

impl Repository {
    fn new() -> Repository {
        let place = Place::new();
        let identity = place.run(&["launch", "--identify"]).code(0).json();
        place.write("short.toml", SUITE);
        let main = MAIN.replace("MODULE", "mod").replace("PROTOCOL", &identity["protocol"].to_string());
        place.write("repository/src/main.rs", &main);
        let hash = identity["harness_hash"].as_str().expect("a hash").to_owned();
        let repository = Repository { place, hash };
        repository.place.git("repository", &["init", "-q", "-b", "main"]);
        repository
    }

    fn write(&self, name: &str, text: &str) {
        self.place.write(&format!("repository/{name}"), text);
    }

    fn commit(&self, tag: &str) {
        for arguments in [&["add", "-A"][..], &["commit", "-qm", tag], &["tag", tag]] {
            self.place.git("repository", arguments);
        }
    }

    fn guard(&self, baseline: &str, more: &[&str]) -> Ran {
        let base = [
            "guard",
            "../short.toml",
            "--layer",
            "exact",
            "--machine",
            "sim:vm-2",
            "--seeds",
            "8",
            "--quiet",
        ];
        let arguments = [&base[..], &["--baseline", baseline, "--format", "json"], more].concat();
        let mut command = self.place.command(&arguments);
        command.current_dir(self.place.path("repository")).env("XDG_CACHE_HOME", self.place.path("cache"));
        command.env("CARGO_NET_OFFLINE", "true").env("CARGO_PROFILE_DEV_DEBUG", "0");
        Ran::of(&arguments, &command.output().expect("it starts"))
    }

    /// Expects that the baseline was built in the candidate's harness, and then asked.
    #[track_caller]
    fn built_anew(&self, baseline: &str) {
        let report = self.guard(baseline, &[]).code(0).json();
        let notes = report["notes"].to_string();
        assert!(
            notes.contains("built into the candidate's harness: driver or probes differ (old and"),
            "{notes}"
        );
        let reasons: Vec<&Value> =
            report["rows"].as_array().expect("rows").iter().map(|row| &row["reason"]).collect();
        assert!(
            reasons.iter().any(|reason| reason.to_string().contains("the baseline cannot be asked")),
            "{reasons:?}"
        );
    }
}

#[test]
fn implementations_of_a_revision_in_the_harness_of_today() {
    let repository = Repository::new();
    let root = "impls = { path = \"impls\" }";
    repository.write("Cargo.toml", &manifest("synchroscope", root));
    repository.write("impls/Cargo.toml", &manifest("impls", ""));
    let driver = |hash: &str, name: &str| {
        repository.write("src/driver.rs", "include!(\"../workloads/src/driver/mod.rs\");\n");
        let text = format!("pub fn hash() -> &'static str {{ impls::{name}(); \"{hash}\" }}\n");
        repository.write("workloads/src/driver/mod.rs", &text);
        repository.write("impls/src/lib.rs", &format!("pub fn {name}() {{}}\n"));
    };
    driver("old", "lock");
    repository.commit("same-names");
    driver("old", "acquire");
    repository.commit("other-names");
    let today = repository.hash.clone();
    driver(&today, "lock");
    // The work tree counts as it is, committed or not; what a build left there does not.
    repository.write("target/debug/left", "gigabytes");

    repository.built_anew("same-names");
    // What does not fit into the harness of today cannot be measured alike, and that is no error.
    let ran = repository.guard("other-names", &[]).code(0);
    let report = ran.json();
    assert_eq!(report["verdict"], "inconclusive", "{report:#}");
    let notes = report["notes"].to_string();
    assert!(notes.contains("harness changed: driver or probes differ (old and"), "{notes}");
    assert!(notes.contains("do not go into the candidate's harness") && notes.contains("error[E"), "{notes}");
    repository.guard("other-names", &["--strict"]).code(3);
}

#[test]
fn a_users_crate_takes_the_harness_that_it_depends_on_today() {
    let repository = Repository::new();
    repository.write("src/driver.rs", "pub fn hash() -> &'static str { harness::HASH }\n");
    let today = repository.hash.clone();
    for (version, hash) in [("1", "old"), ("2", today.as_str())] {
        let folder = format!("harness{version}");
        repository.place.write(&format!("{folder}/Cargo.toml"), &manifest("harness", ""));
        let text = format!("pub const HASH: &str = \"{hash}\";\n");
        repository.place.write(&format!("{folder}/src/lib.rs"), &text);
        let path = repository.place.path(&folder);
        let dependency = format!("harness = {{ path = {:?} }}", path.display().to_string());
        repository.write("Cargo.toml", &manifest("synchroscope", &dependency));
        repository.commit(&format!("depends-on-{version}"));
    }
    repository.built_anew("depends-on-1");
    // The same sources and the same harness: nothing is built anew.
    let report = repository.guard("depends-on-2", &[]).code(0).json();
    assert!(!report["notes"].to_string().contains("harness"), "{report:#}");
}
