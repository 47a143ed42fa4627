//! The record of the workspaces that were added: what is damaged, newer, missing or cannot be written.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vestibule_backend::Config;
use vestibule_core::ErrorCode;
use vestibule_core::workspaces::Workspaces;
use vestibule_harness::{start_backend, *};

use crate::{look, names, open};

const RECORD: &str = "added.json";

fn write(folder: &Path, value: &Value) {
    fs::write(folder.join(RECORD), value.to_string()).expect("written");
}

fn written(folder: &Path) -> Value {
    let bytes = fs::read(folder.join(RECORD)).expect("a record");
    serde_json::from_slice(&bytes).expect("it is JSON")
}

/// Adds the workspace at this address, which fits.
async fn add(workspaces: &Workspaces, typed: &str) -> String {
    let found = look(workspaces, typed).await.expect("an address");
    assert!(found.fits, "{found:?}");
    workspaces.add(&found.address).expect("it fits")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_added_is_there_after_a_restart_until_it_is_removed() {
    let backend = start_backend(Config::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let workspaces = open(json!({}), folder.path());
    assert_eq!(names(&workspaces), ["default"], "no record is an empty one");
    let (one, two) = (
        format!("http://one.localhost:{}", backend.port()),
        format!("http://two.localhost:{}", backend.port()),
    );
    let id = add(&workspaces, &one).await;
    let is_folder = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(id.len() <= 40 && id.chars().all(is_folder), "{id}");
    assert_eq!(add(&workspaces, &one).await, id, "the same address");
    assert_eq!(workspaces.add(&format!("{one}/login")), Ok(id.clone()));
    let other = add(&workspaces, &two).await;
    assert_ne!(other, id);
    assert_eq!(
        written(folder.path()),
        json!({"format": 1, "workspaces": [{"address": one}, {"address": two}]})
    );

    let workspaces = open(json!({}), folder.path());
    let all = workspaces.all();
    assert_eq!(all.len(), 3);
    assert_eq!((all[1].id.as_str(), all[1].added), (id.as_str(), true));
    assert_eq!(all[1].name, all[1].host);
    assert_eq!(all[2].id, other);
    workspaces.remove(&id).expect("it is there");
    let gone = workspaces.remove(&id).expect_err("it is gone");
    assert_eq!(gone.code, ErrorCode::UnknownWorkspace);
    let gone = workspaces.section_of(&id).expect_err("it is gone");
    assert_eq!(gone.code, ErrorCode::UnknownWorkspace);
    let workspaces = open(json!({}), folder.path());
    assert_eq!(workspaces.all()[1].id, other);
    for own in ["default", ""] {
        workspaces.remove(own).expect_err("it is not added");
    }
    // What the section takes back is not shown, and not forgotten.
    let workspaces = open(json!({"workspaces": {"adding": "one"}}), folder.path());
    assert_eq!(names(&workspaces), ["default"]);
    workspaces.section_of(&other).expect_err("not here");
    workspaces.remove(&other).expect_err("not here");
    assert_eq!(open(json!({}), folder.path()).all()[1].id, other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_is_set_aside_and_its_workspaces_can_be_added_again() {
    let backend = start_backend(Config::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("http://one.localhost:{}", backend.port());
    let id = add(&open(json!({}), folder.path()), &address).await;
    fs::create_dir(folder.path().join(&id)).expect("its accounts");
    let many: Vec<_> = (0..51)
        .map(|number| json!({"address": format!("https://w{number}.example")}))
        .collect();
    for damaged in [
        json!("{"),
        json!([]),
        json!({"format": 1}),
        json!({"format": 1, "workspaces": [address]}),
        json!({"format": 1, "workspaces": [{"address": "../../etc"}]}),
        json!({"format": 1, "workspaces": [{"address": "http://evil.example"}]}),
        json!({"format": 1, "workspaces": [{"address": "https://a:b@evil.example"}]}),
        json!({"format": 1, "workspaces": [{"address": "https://One.example"}]}),
        json!({"format": 1, "workspaces": [{"address": "https://one.example/x"}]}),
        json!({"format": 1, "workspaces": [{"address": address}, {"address": address}]}),
        json!({"format": 1, "workspaces": many}),
    ] {
        match damaged.as_str() {
            Some(text) => fs::write(folder.path().join(RECORD), text).expect("written"),
            None => write(folder.path(), &damaged),
        }
        let bytes = fs::read(folder.path().join(RECORD)).expect("a record");
        let workspaces = open(json!({}), folder.path());
        assert_eq!(names(&workspaces), ["default"], "{damaged}");
        let aside = fs::read(folder.path().join("added.json.damaged"));
        assert_eq!(aside.expect("set aside"), bytes, "{damaged}");
        let unknown = workspaces.section_of(&id).expect_err("it is lost");
        assert_eq!(unknown.code, ErrorCode::UnknownWorkspace);
        assert!(folder.path().join(&id).is_dir(), "its accounts stay");
        assert_eq!(add(&workspaces, &address).await, id, "as it was: {damaged}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_record_is_left_alone_and_adding_fails_in_words() {
    let backend = start_backend(Config::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let newer = json!({"format": 2, "workspaces": {"what": "is this"}});
    write(folder.path(), &newer);
    let workspaces = open(json!({}), folder.path());
    assert_eq!(names(&workspaces), ["default"]);
    let found = look(&workspaces, &backend.url()).await.expect("an address");
    assert!(found.fits, "{found:?}");
    let error = workspaces
        .add(&found.address)
        .expect_err("it must not be changed");
    assert!(error.message.contains("newer version"), "{error}");
    workspaces.remove("added-1").expect_err("nor here");
    assert_eq!(written(folder.path()), newer);
    assert_eq!(files_of(folder.path()), [RECORD]);
    // The other version is gone, and its record with it.
    fs::remove_file(folder.path().join(RECORD)).expect("gone");
    workspaces.add(&found.address).expect("now it can");
    assert_eq!(names(&workspaces).len(), 2);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_is_not_written_over_and_is_read_again() {
    let backend = start_backend(Config::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("workspaces");
    let address = format!("http://one.localhost:{}", backend.port());
    let id = add(&open(json!({}), &folder), &address).await;
    let record = Unreadable::make(&folder, RECORD);
    let workspaces = open(json!({}), &folder);
    assert_eq!(names(&workspaces), ["default"], "they are not known");
    let found = look(&workspaces, &backend.url()).await.expect("an address");
    assert!(found.fits, "{found:?}");
    let error = workspaces
        .add(&found.address)
        .expect_err("it is not known what is there");
    assert!(error.message.contains("cannot be read"), "{error}");
    workspaces.remove(&id).expect_err("nor here");
    assert!(!record.is_written_over());
    record.heal();
    assert_eq!(workspaces.all()[1].id, id, "without a restart");
    workspaces.add(&found.address).expect("now it can");
    assert_eq!(names(&open(json!({}), &folder)).len(), 3);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_the_list_stays_as_it_was() {
    let backend = start_backend(Config::default()).await;
    let above = tempfile::tempdir().expect("a folder");
    let folder = above.path().join("workspaces");
    let address = format!("http://one.localhost:{}", backend.port());
    let id = add(&open(json!({}), &folder), &address).await;
    let cramped = Cramped::move_in(&folder);
    let workspaces = open(json!({}), &cramped.records);
    let found = look(&workspaces, &backend.url()).await.expect("an address");
    let error = workspaces
        .add(&found.address)
        .expect_err("there is no room");
    assert!(error.message.contains("was not changed"), "{error}");
    workspaces.remove(&id).expect_err("nor for that");
    assert_eq!(workspaces.all().len(), 2, "as it was");
    cramped.move_out();
    let workspaces = open(json!({}), &folder);
    assert_eq!(workspaces.all()[1].id, id);
    look(&workspaces, &backend.url()).await.expect("an address");
    workspaces.add(&found.address).expect("now there is room");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_fifty_at_most() {
    let backend = start_backend(Config::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let many: Vec<_> = (0..50)
        .map(|number| json!({"address": format!("https://w{number}.example")}))
        .collect();
    write(folder.path(), &json!({"format": 1, "workspaces": many}));
    let workspaces = open(json!({}), folder.path());
    assert_eq!(workspaces.all().len(), 51);
    let found = look(&workspaces, &backend.url()).await.expect("an address");
    let error = workspaces.add(&found.address).expect_err("one too many");
    assert!(error.message.contains("50 workspaces"), "{error}");
    let last = workspaces.all().pop().expect("the last");
    workspaces.remove(&last.id).expect("it was added");
    workspaces.add(&found.address).expect("now there is room");
}
