//! The program's arguments.

use crate::backends::{BACKENDS, Backend};

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The backends to run; all where none is named.
    names: Vec<String>,
    /// Those to leave out.
    skipped: Vec<String>,
    /// Folders whose packages could not be installed, and why.
    absent: Vec<(String, String)>,
    /// Whether the doctor is tried there, and not the core.
    pub doctor: bool,
    /// Whether to print JSON in place of a table.
    pub json: bool,
}

impl Arguments {
    /// Reads them; an error is for people.
    pub fn of(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} lacks its value"));
            match word.as_str() {
                "--doctor" => arguments.doctor = true,
                "--json" => arguments.json = true,
                "--skip" => arguments.skipped.push(known(value()?)?),
                "--absent" => {
                    let value = value()?;
                    let (folder, why) = value.split_once('=').unwrap_or((&value, ""));
                    arguments.absent.push((folder.to_owned(), why.to_owned()));
                }
                _ => arguments.names.push(known(word)?),
            }
        }
        Ok(arguments)
    }

    /// Whether the backend of this name is to be run.
    pub fn asks_for(&self, name: &str) -> bool {
        let is_in = |names: &[String]| names.iter().any(|known| known == name);
        (self.names.is_empty() || is_in(&self.names)) && !is_in(&self.skipped)
    }

    /// Why a backend cannot be run, if it cannot.
    pub fn absent(&self, backend: &Backend) -> Option<String> {
        let mut absent = self.absent.iter();
        let found = absent.find(|(folder, _)| folder == backend.folder);
        found.map(|(_, why)| why.clone())
    }
}

fn known(name: String) -> Result<String, String> {
    if BACKENDS.iter().any(|backend| backend.name == name) {
        return Ok(name);
    }
    let names = BACKENDS.map(|backend| backend.name);
    Err(format!(
        "there is no server {name}; there are {}",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Result<Arguments, String> {
        Arguments::of(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn all_or_those_that_are_named_without_those_that_are_skipped() {
        let runs = |words: &[&str]| -> Vec<_> {
            let arguments = of(words).unwrap();
            let names = BACKENDS.map(|backend| backend.name);
            names
                .into_iter()
                .filter(|name| arguments.asks_for(name))
                .collect()
        };
        assert_eq!(runs(&[]).len(), BACKENDS.len());
        assert_eq!(runs(&["parse", "--json"]), ["parse"]);
        assert_eq!(runs(&["--doctor", "parse"]), ["parse"]);
        assert_eq!(runs(&["--skip", "parse"]).len(), BACKENDS.len() - 1);
        assert!(!runs(&["--skip", "parse"]).contains(&"parse"));
        assert!(of(&["nothing"]).unwrap_err().contains("djoser"));
        assert!(of(&["--skip"]).is_err());
    }

    #[test]
    fn what_could_not_be_installed_is_absent_with_the_reason() {
        let arguments = of(&["--absent", "strapi=npm ci = failed"]).unwrap();
        let absent: Vec<_> = (BACKENDS.iter())
            .filter_map(|backend| Some((backend.name, arguments.absent(backend)?)))
            .collect();
        let why = || "npm ci = failed".to_owned();
        assert_eq!(absent, [("strapi", why()), ("strapi-sessions", why())]);
    }
}
