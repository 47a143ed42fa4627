//! Values by names that a profile gives: what a step has kept, and cookies.

use crate::secrets::Secret;

/// Secrets by name.
#[derive(Clone, Debug, Default)]
pub struct NamedValues(Vec<(String, Secret)>);

impl NamedValues {
    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        let found = self.0.iter().find(|(held, _)| held == name);
        found.map(|(_, value)| value)
    }

    /// All values.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter().map(|(_, value)| value)
    }
}

impl FromIterator<(String, Secret)> for NamedValues {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}
