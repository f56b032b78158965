//! The benches run, at a size that measures nothing.
#![allow(missing_docs, clippy::unwrap_used)]

use std::process::Command;

#[test]
fn bench_feed_measures_what_it_is_asked_for_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("none.db").display());
    let run = |more: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_valmed"))
            .args(["bench", "feed", "--database", &database])
            .args(["--seconds", "1", "--sessions", "1,3", "--wards", "2"])
            .args(["--changes", "20"])
            .args(more)
            .env("HOME", folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(ran.stdout).unwrap();
        let wrong = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{said}{wrong}");
        said
    };
    let table = run(&["--from", "here"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(lines[1].contains("age p99 ms"), "{table}");
    let rows: serde_json::Value = serde_json::from_str(&run(&["--json"])).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 4, "here and elsewhere, one session and three");
    for row in rows {
        assert_eq!(row["missed"], 0, "{row}");
        assert!(row["readings_per_second"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["age_p99_ms"].as_f64().unwrap() > 0.0, "{row}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn many_nurses_give_doses_over_ssh_and_the_books_agree() {
    let folder = tempfile::tempdir().unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_valmed"))
        .args(["bench", "sessions", "--sessions", "20", "--doses", "3"])
        .env("HOME", folder.path())
        .env_remove("VALMED_DATABASE")
        .env_remove("VALMED_CONFIG")
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    let wrong = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}{wrong}");
    assert!(said.contains("20 sessions gave 60 doses"), "{said}");
    let books = "✓ 60 doses were seen to be given, and 60 are on record";
    assert!(said.contains(books), "{said}");
    assert!(!said.contains('✗'), "{said}");
}
