//! Injected code is contained, and nothing leaves the window by another way. Every
//! attack of `attacks.js` is tried in the app's window, where it must have no effect, and in a
//! browser without any policy, where it must succeed. Both run in a network in which every lookup
//! and every packet is recorded.

mod contained;
mod control;
mod first_moment;

use serde_json::json;
use thirtyfour::{By, WebDriver};

/// The script that adds `attacks` to a page.
const ATTACKS: &str = include_str!("attacks.js");

/// The names of the attacks of this kind; the page must have loaded the script.
async fn names(page: &WebDriver, kind: &str) -> Vec<String> {
    let names = page
        .execute(format!("return attacks.{kind}"), Vec::new())
        .await;
    let names = names.expect("the page knows the attacks");
    serde_json::from_value(names.json().clone()).expect("names")
}

/// Starts an attack with each of these addresses, and clicks where a user would have to.
async fn attack(page: &WebDriver, name: &str, addresses: &[String]) {
    let begin = "const [name, addresses, done] = arguments;
        attacks.begin(name, addresses).then(done)";
    let to_click = page
        .execute_async(begin, vec![json!(name), json!(addresses)])
        .await
        .unwrap_or_else(|error| panic!("{name} does not begin: {error}"));
    if to_click.json() == true {
        let bait = page.find(By::Id("bait")).await;
        let clicked = bait.expect("something to click").click().await;
        clicked.unwrap_or_else(|error| panic!("{name} accepts no click: {error}"));
    }
}
