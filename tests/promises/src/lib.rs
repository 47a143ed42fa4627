//! What the session promises, shown by injecting the failure.
