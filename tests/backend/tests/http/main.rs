//! The backend over real HTTP: each row of the contract, and each fault.

mod account;
mod bounds;
mod codes;
mod durability;
mod fault_answers;
mod fault_book;
mod fault_cuts;
mod issuer;
mod limits;
mod program;
mod raw;
mod rotation;
mod sign_in;
mod support;
mod transfer;
