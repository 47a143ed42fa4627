//! What the product costs. Each figure is in one table next to a floor and an alternative measured
//! in the same run, with targets that are data.
//!
//! An entry of the [`registry`] measures one thing and returns [`row::Row`]s. A row holds every
//! sample; its [`target::Target`] decides whether it holds. What could not be measured is a row
//! too, with the reason. No test asserts a time: times are compared with targets in the table only,
//! counts and controls in the tests.
//!
//! Linux only, since there is no WebDriver for the window elsewhere.

#![cfg(target_os = "linux")]

pub mod accounts;
pub mod bare;
pub mod bare_window;
pub mod built;
pub mod child;
pub mod counts;
pub mod fixture;
pub mod floors;
pub mod growth;
pub mod in_page;
pub mod instruments;
pub mod launch;
pub mod machine;
pub mod memory;
pub mod origin;
pub mod plot;
pub mod publish;
pub mod registry;
pub mod report;
pub mod row;
pub mod rows;
pub mod setting;
pub mod summary;
pub mod table;
pub mod target;
pub mod tls;
pub mod unit;
pub mod web;
