//! Finds elements as a person does, by role and name. Both are computed by the browser
//! (`computedrole`, `computedlabel`) and not derived from the markup.

use thirtyfour::common::command::FormatRequestData;
use thirtyfour::error::WebDriverResult;
use thirtyfour::{By, RequestData, SessionId, WebDriver, WebElement};

use crate::app::App;

/// The role of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A button.
    Button,
    /// A link.
    Link,
    /// A text field; password fields too, for which browsers compute different roles.
    Field,
    /// A heading of any level.
    Heading,
    /// An entry of an open menu.
    MenuItem,
    /// One of several entries of an open menu, of which one is chosen.
    MenuRadio,
    /// One of several radio buttons.
    Radio,
    /// A named region of a page.
    Region,
}

impl Role {
    /// A selector for the elements that can have this role; the browser then tells which have it.
    fn candidates(self) -> &'static str {
        match self {
            Self::Button => "button, [role=button], input[type=submit]",
            Self::Link => "a[href], [role=link]",
            Self::Field => "input, textarea",
            Self::Heading => "h1, h2, h3, h4, h5, h6",
            Self::MenuItem => "[role=menuitem]",
            Self::MenuRadio => "[role=menuitemradio]",
            Self::Radio => "[role=radio], input[type=radio]",
            Self::Region => "section, [role=region]",
        }
    }

    fn computed(self) -> Option<&'static str> {
        match self {
            Self::Button => Some("button"),
            Self::Link => Some("link"),
            // Browsers compute different roles for a password field.
            Self::Field => None,
            Self::Heading => Some("heading"),
            Self::MenuItem => Some("menuitem"),
            Self::MenuRadio => Some("menuitemradio"),
            Self::Radio => Some("radio"),
            Self::Region => Some("region"),
        }
    }
}

/// The name of an element.
#[derive(Clone, Debug)]
pub enum Name {
    /// The whole name.
    Is(String),
    /// A part of the name.
    Contains(String),
}

impl Name {
    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Is(wanted) => name == wanted,
            Self::Contains(part) => name.contains(part.as_str()),
        }
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self::Is(name.to_owned())
    }
}

/// A name that contains this text.
pub fn containing(part: impl Into<String>) -> Name {
    Name::Contains(part.into())
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Is(name) => write!(f, "{name:?}"),
            Self::Contains(part) => write!(f, "…{part:?}…"),
        }
    }
}

/// The first visible element with this role and name; `Err` lists the elements that exist instead.
pub(crate) async fn find(
    driver: &WebDriver,
    role: Role,
    name: &Name,
) -> Result<WebElement, String> {
    let mut others = Vec::new();
    let all = driver.find_all(By::Css(role.candidates())).await;
    for element in all.map_err(|error| error.to_string())? {
        // An element that disappears meanwhile is not the wanted one.
        let Ok(label) = ask(&element, "computedlabel").await else {
            continue;
        };
        if !name.fits(label.trim()) {
            others.push(label);
            continue;
        }
        if let Some(wanted) = role.computed()
            && ask(&element, "computedrole").await.ok().as_deref() != Some(wanted)
        {
            continue;
        }
        if element.is_displayed().await.unwrap_or(false) {
            return Ok(element);
        }
        others.push(format!("{label} (not visible)"));
    }
    Err(format!("there is no {role:?} {name}, but {others:?}"))
}

/// The name of the element that has the keyboard focus.
///
/// # Panics
/// If the driver does not answer.
pub async fn focused(app: &App) -> String {
    let element = app.driver().active_element().await;
    let element = element.expect("an element has the focus, at least the page's body");
    let name = ask(&element, "computedlabel").await.unwrap_or_default();
    name.trim().to_owned()
}

/// Asks the browser for an element's computed role or name.
async fn ask(element: &WebElement, what: &'static str) -> WebDriverResult<String> {
    let question = Question {
        element: element.element_id().to_string(),
        what,
    };
    element.handle().cmd(question).await?.value()
}

#[derive(Debug)]
struct Question {
    element: String,
    what: &'static str,
}

impl FormatRequestData for Question {
    fn format_request(&self, session: &SessionId) -> RequestData {
        let Self { element, what } = self;
        RequestData::new(
            http::Method::GET,
            format!("session/{session}/element/{element}/{what}"),
        )
    }
}
