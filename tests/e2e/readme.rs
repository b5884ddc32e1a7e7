//! The tour of the README: every command is run, every answer shown is compared.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Gateway, consentry};

/// A command and the answer shown below it.
struct Step {
    command: String,
    shown: Value,
}

#[test]
fn every_command_of_the_tour_answers_as_the_readme_shows() {
    let gateway = Gateway::start();
    let steps = tour();
    assert!(steps.len() > 10);
    for Step { command, shown } in steps {
        let printed = run(&gateway, &command);
        let found: Value = serde_json::from_str(&printed)
            .unwrap_or_else(|error| panic!("{command}\n{error}\n{printed}"));
        if let Err(difference) = compare(&shown, &found, "") {
            panic!("{command}\n{difference}\n{found:#}");
        }
    }
}

#[test]
fn the_commands_above_the_tour_are_those_the_program_has() {
    let readme = readme();
    let (above, _) = readme.split_once("## A tour").unwrap();
    let commands: Vec<&str> = above
        .lines()
        .filter(|line| line.starts_with("cargo "))
        .collect();
    assert_eq!(
        commands,
        [
            "cargo run --release -- demo",
            "cargo run --release -- serve",
            "cargo test --workspace",
        ]
    );
    for name in ["demo", "serve"] {
        assert!(
            consentry(&[name, "--help"])
                .output()
                .unwrap()
                .status
                .success()
        );
    }
}

#[test]
fn every_page_that_the_readme_points_to_is_there() {
    let readme = readme();
    let links = readme
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap());
    let links: Vec<&str> = links.filter(|link| !link.starts_with("http")).collect();
    assert!(links.len() > 4, "{links:?}");
    for link in links {
        assert!(root().join(link).is_file(), "{link}");
    }
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// Each block of commands in the tour, with the block of JSON that follows it.
fn tour() -> Vec<Step> {
    let readme = readme();
    let (_, rest) = readme.split_once("## A tour").unwrap();
    let (tour, _) = rest.split_once("\n## ").unwrap();
    let commands = tour.split("```sh\n").skip(1);
    commands
        .map(|block| {
            let (command, rest) = block.split_once("```\n").unwrap();
            let shown = rest.strip_prefix("```json\n").unwrap_or_else(|| {
                panic!("no answer is shown for\n{command}");
            });
            let (shown, _) = shown.split_once("```").unwrap();
            Step {
                command: command.to_owned(),
                shown: serde_json::from_str(shown).unwrap(),
            }
        })
        .collect()
}

/// Runs commands as somebody would who follows the tour, but for the place of the gateway and of
/// the program. Gives what the last of them printed.
fn run(gateway: &Gateway, commands: &str) -> String {
    let program = env!("CARGO_BIN_EXE_consentry");
    let commands = commands
        .replace("http://127.0.0.1:8080", &gateway.url(""))
        .replace("cargo run --release --", &format!("'{program}'"))
        .replace(
            "policy/rules",
            &format!("'{}'", root().join("policy/rules").display()),
        );
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &commands])
        .current_dir(gateway.folder())
        .output()
        .unwrap();
    assert!(output.status.success(), "{commands}\n{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    // `policy build` prints a line of its own before the document.
    let lines = printed.lines().skip_while(|line| !line.starts_with('{'));
    lines.collect::<Vec<_>>().join("\n")
}

/// Checks that everything shown is there. An answer may hold more fields than are shown, and a
/// reply more words, as a brand may be added to it.
fn compare(shown: &Value, found: &Value, at: &str) -> Result<(), String> {
    let fits = match (shown, found) {
        (Value::Object(shown), Value::Object(found)) => {
            for (name, shown) in shown {
                let field = found.get(name).ok_or(format!("{at}.{name} is missing"))?;
                compare(shown, field, &format!("{at}.{name}"))?;
            }
            true
        }
        (Value::Array(shown), Value::Array(found)) => {
            for (index, (shown, found)) in shown.iter().zip(found).enumerate() {
                compare(shown, found, &format!("{at}[{index}]"))?;
            }
            shown.len() == found.len()
        }
        (Value::String(shown), Value::String(found)) => match shown.split_once('…') {
            Some((start, end)) => found.starts_with(start) && found.ends_with(end),
            None if at.ends_with(".reply") => found.contains(shown),
            None => shown == found,
        },
        _ => shown == found,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("{at}: shown {shown}, found {found}"))
    }
}
