//! The SQLite file: who may open it, and that it has one server.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Binary, TestDatabase, administrator, assert_ended, files, migrated};

const CREATE_TOKEN: [&str; 7] =
    ["admin", "create-token", "--name", "operator", "--expires-in", "90d", "--all-permissions"];

#[test]
fn a_folder_without_room_for_a_database_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let locked = folder.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o555)).unwrap();
    let mut paths = vec![folder.path().join("missing/t.db"), "/proc/tokenwright.db".into()];
    // Modes mean nothing to root.
    if std::fs::write(locked.join("probe"), "").is_err() {
        paths.push(locked.join("t.db"));
    }
    for path in paths {
        let path = path.to_str().unwrap();
        let url = format!("sqlite:{path}");
        for command in [&["migrate"][..], &["dev"], &["serve", "--migrate"]] {
            let command = [command, &["--database-url", &url]].concat();
            let ended = Binary::new(folder.path(), &command).run();
            assert_ended(&ended, 1, &format!("cannot make the database file {path}"));
        }
    }
    assert_eq!(files(folder.path()), ["locked"]);
}

#[test]
fn the_files_of_the_database_are_for_their_owner_only() {
    let database = TestDatabase::new();
    let _server = Binary::on(&database, &["serve", "--migrate"]).serve();
    administrator(&database, "to have something written");
    let names = files(database.folder());
    assert_eq!(names, ["test.db", "test.db-shm", "test.db-wal", "test.db.migrating.lock"]);
    for name in names {
        let path = database.folder().join(&name);
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_database_that_can_only_be_read_is_refused_at_the_start() {
    let database = migrated();
    let (folder, file) = (database.folder(), database.folder().join("test.db"));
    for (locked, mode) in [(folder, 0o500), (&file, 0o400)] {
        let before = std::fs::metadata(locked).unwrap().permissions();
        std::fs::set_permissions(locked, PermissionsExt::from_mode(mode)).unwrap();
        // Modes mean nothing to root.
        let writable = std::fs::OpenOptions::new().append(true).open(&file).is_ok()
            && std::fs::write(folder.join("probe"), "").is_ok();
        for command in [&["serve"][..], &CREATE_TOKEN] {
            if !writable {
                let ended = Binary::on(&database, command).run();
                let told = format!("test.db and its folder {} must be", folder.display());
                assert_ended(&ended, 1, &told);
            }
        }
        std::fs::set_permissions(locked, before).unwrap();
    }
}

#[test]
fn a_database_that_others_can_read_or_change_is_warned_of() {
    let database = migrated();
    let path = database.folder().join("test.db");
    let (read, changed) = ("can be read by others", "can be changed by others");
    let folder = "everybody on this machine can write in the folder";
    for (of_folder, of_file, expected) in [
        (0o700, 0o600, None),
        (0o755, 0o600, None),
        (0o700, 0o640, Some(read)),
        (0o700, 0o604, Some(read)),
        (0o700, 0o660, Some(changed)),
        (0o700, 0o602, Some(changed)),
        (0o770, 0o600, None),
        (0o777, 0o600, Some(folder)),
        (0o1777, 0o600, Some(folder)),
    ] {
        std::fs::set_permissions(database.folder(), PermissionsExt::from_mode(of_folder)).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(of_file)).unwrap();
        let told = Binary::on(&database, &["serve"]).serve().stop().stderr;
        for warning in [read, changed, folder] {
            let warned = told.contains(warning);
            assert_eq!(warned, Some(warning) == expected, "{of_folder:o} {of_file:o}: {told}");
        }
    }
}

#[test]
fn one_file_has_one_server() {
    let database = migrated();
    let first = Binary::on(&database, &["serve"]).serve();
    for second in [&["serve"][..], &["dev"]] {
        let second = Binary::on(&database, second).args(&["--listen", "127.0.0.1:0"]);
        assert_ended(&second.run(), 1, "another tokenwright server uses");
    }
    first.running.signal("KILL");
    assert_eq!(first.running.wait().code, None);
    Binary::on(&database, &["serve"]).serve();
}
