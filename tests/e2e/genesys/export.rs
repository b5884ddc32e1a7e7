//! The command that writes the files.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::{exported, read};
use crate::support::{consentry, ended};

const URL: &str = "https://consentry.example.com";

/// Exports into a folder, and gives the exit code and what was said.
fn export(folder: &TempDir, arguments: &[&str]) -> (i32, String) {
    let mut command = consentry(&["genesys", "export"]);
    command.args(arguments).current_dir(folder.path());
    let output = ended(&mut command);
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(said).unwrap(),
    )
}

#[test]
fn nothing_is_written_over_without_a_word() {
    let folder = TempDir::new().unwrap();
    let (code, said) = export(&folder, &["--url", URL]);
    assert_eq!(code, 0, "{said}");
    let file = folder.path().join("genesys/flows/inbound-message.yaml");
    fs::write(&file, "changed by hand").unwrap();
    let (code, said) = export(&folder, &["--url", URL]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("--force"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "changed by hand");
    let (code, said) = export(&folder, &["--url", URL, "--force", "--json"]);
    assert_eq!(code, 0, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    for name in said["files"].as_array().unwrap() {
        assert!(
            folder
                .path()
                .join("genesys")
                .join(name.as_str().unwrap())
                .exists()
        );
    }
    assert_ne!(fs::read_to_string(&file).unwrap(), "changed by hand");
}

#[test]
fn an_address_that_genesys_cloud_would_not_call_is_refused() {
    let folder = TempDir::new().unwrap();
    for url in [
        "http://consentry.example.com",
        "consentry.example.com",
        "ftp://consentry.example.com",
        "https://key:secret@consentry.example.com",
        "https://consentry.example.com/?key=1",
        "https://consentry.example.com/$x",
        "",
    ] {
        let (code, said) = export(&folder, &["--url", url]);
        assert_eq!(code, 2, "{url}: {said}");
        assert!(said.contains("--url"), "{said}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn names_are_taken_as_they_are_and_quoted() {
    let more = [
        "--queue",
        "Night \"A\" ${x} 100%{y}",
        "--integration",
        "Ask: Consentry",
        "--bot",
        "Shop \\ Bot",
        "--alert-to",
        "+1 415 555 0199",
    ];
    let folder = exported(URL, &more);
    let flow: Value =
        serde_saphyr::from_str(&read(folder.path(), "flows/inbound-message.yaml")).unwrap();
    let text = flow.to_string();
    assert!(text.contains("Night \\\"A\\\" ${x} 100%{y}"), "{text}");
    assert!(text.contains("Shop \\\\ Bot"), "{text}");
    let flow: Value =
        serde_saphyr::from_str(&read(folder.path(), "flows/outbound-message.yaml")).unwrap();
    assert!(flow.to_string().contains("+14155550199"));
    for names in [
        ["--queue", ""],
        ["--bot", "a\nb"],
        ["--bot", "{{x}}"],
        ["--alert-to", "nobody"],
    ] {
        let folder = TempDir::new().unwrap();
        let (code, said) = export(&folder, &[&["--url", URL], &names[..]].concat());
        assert_eq!(code, 2, "{said}");
    }
}
