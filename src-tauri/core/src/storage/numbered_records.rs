//! Records in JSON, each with a format number. A record of a newer version cannot be read and is left
//! alone; a damaged one is set aside.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::records::{Durability, RecordStore};

/// The format that this version writes and reads.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct WithFormat<T> {
    format: u32,
    #[serde(flatten)]
    value: T,
}

#[derive(Deserialize)]
struct FormatNumber {
    #[serde(default)]
    format: Option<u32>,
}

/// The records of a folder as values with a format number.
#[derive(Clone)]
pub(crate) struct NumberedRecords(Arc<dyn RecordStore>);

impl NumberedRecords {
    pub(crate) fn new(store: Arc<dyn RecordStore>) -> Self {
        Self(store)
    }

    /// The folder below, for what is no value.
    pub(crate) fn store(&self) -> &dyn RecordStore {
        &*self.0
    }

    /// Reads `name`; damage is an error of the kind `InvalidData`, a newer format of the kind
    /// `Unsupported`.
    pub(crate) fn read_as_is<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        let Some(bytes) = self.0.read(name)? else {
            return Ok(None);
        };
        let damaged = |_| io::Error::from(ErrorKind::InvalidData);
        let number: FormatNumber = serde_json::from_slice(&bytes).map_err(damaged)?;
        if number.format.is_some_and(|format| format > FORMAT) {
            tracing::warn!(
                name,
                format = number.format,
                "a newer version of the app has written this record: it cannot be read"
            );
            return Err(ErrorKind::Unsupported.into());
        }
        serde_json::from_slice(&bytes).map(Some).map_err(damaged)
    }

    /// The same, but a damaged record is renamed, so that somebody can look into it, and counts as
    /// lost: it must not keep the app from starting.
    pub(crate) fn read_or_put_aside<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> io::Result<Option<T>> {
        match self.read_as_is(name) {
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                tracing::warn!(
                    name,
                    "a record is damaged: it is renamed and counts as lost"
                );
                self.0.rename(name, &format!("{name}.damaged"))?;
                Ok(None)
            }
            read => read,
        }
    }

    /// Writes `value` with the format number.
    pub(crate) fn write<T: Serialize>(
        &self,
        name: &str,
        value: &T,
        durability: Durability,
    ) -> io::Result<()> {
        let numbered = WithFormat {
            format: FORMAT,
            value,
        };
        self.0
            .write(name, &serde_json::to_vec(&numbered)?, durability)
    }
}
