//! `synchroscope verify`, end to end.

mod support;

use serde_json::Value;
use support::Place;

#[test]
fn a_sound_lock_passes_within_stated_bounds() {
    let ran = Place::new().run(&["verify", "mutex/ticket", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let json: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    let report = &json["reports"][0];
    assert_eq!(report["implementation"], "mutex/ticket");
    let checks = report["checks"].as_array().expect("checks are a list");
    for by in ["loom", "shuttle-random", "shuttle-pct", "simulator"] {
        let mine: Vec<_> = checks.iter().filter(|check| check["by"] == by).collect();
        assert!(!mine.is_empty(), "nothing by {by}");
        for check in mine {
            assert_eq!(check["passed"], true, "{check}");
            assert!(check["bounds"].as_str().is_some_and(|bounds| !bounds.is_empty()), "{check}");
        }
    }
    let orderings = &report["orderings"];
    assert!(orderings["weakened"].as_u64().is_some_and(|weakened| weakened >= 4), "{orderings}");
    assert_eq!(orderings["weakened"], orderings["caught"], "{orderings}");
}

#[test]
fn what_cannot_be_checked_says_why() {
    for (id, texts) in [
        ("mutex/tickett", ["no implementation `mutex/tickett`", "`mutex/ticket`"]),
        ("mutex/peer-std", ["`mutex/peer-std` runs on threads of this computer only", "Machine"]),
        ("mutex/empty", ["`mutex/empty` excludes nobody", "nothing to verify"]),
        ("mutex/{empty,peer-std}", ["mutex/{empty,peer-std}", "nothing among them can be checked"]),
        ("mutex/[", ["`mutex/[`", "not a glob"]),
    ] {
        let ran = Place::new().run(&["verify", id]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{id}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        for text in texts {
            assert!(ran.stderr.contains(text), "{id}: {}", ran.stderr);
        }
    }
}
