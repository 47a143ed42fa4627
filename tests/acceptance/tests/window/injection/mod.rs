//! P16 and P20: what is injected into a page is contained, and nothing leaves the window by a
//! side door. Every attack of `attacks.js` is tried in the app's window, where it must come to
//! nothing, and in a browser without any policy, where it must succeed. Both stand in a network
//! in which every lookup and every packet is heard.

mod contained;
mod control;
mod first_moment;

use serde_json::json;
use thirtyfour::{By, WebDriver};

/// Puts `attacks` into a page.
const ATTACKS: &str = include_str!("attacks.js");

/// The attacks of this kind, by name; the page must know them.
async fn names(page: &WebDriver, kind: &str) -> Vec<String> {
    let names = page
        .execute(format!("return attacks.{kind}"), Vec::new())
        .await;
    let names = names.expect("the page knows the attacks");
    serde_json::from_value(names.json().clone()).expect("names")
}

/// Begins one with each of these addresses, and clicks where a person would.
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
        clicked.unwrap_or_else(|error| panic!("{name} takes no click: {error}"));
    }
}
