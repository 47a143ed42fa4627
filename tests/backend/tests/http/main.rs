//! The backend over real HTTP: the contract row by row, and its misbehaviour.

mod rotation;
mod sign_in;
mod support;
