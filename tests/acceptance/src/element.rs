//! Finding things as a person does: by what they are and what they are called. Roles and
//! names are the browser's own (`computedrole`, `computedlabel`), not a guess from markup.

use thirtyfour::common::command::FormatRequestData;
use thirtyfour::error::WebDriverResult;
use thirtyfour::{By, RequestData, SessionId, WebDriver, WebElement};

use crate::app::App;

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Something to press.
    Button,
    /// Something that leads elsewhere.
    Link,
    /// Something to type into; passwords too, whatever the browser calls their role.
    Field,
    /// A heading of any level.
    Heading,
    /// An entry of an open menu.
    MenuItem,
    /// One of a few.
    Radio,
    /// A part of a page with a name.
    Region,
}

impl Role {
    /// What may have this role; the browser then says what really does.
    fn candidates(self) -> &'static str {
        match self {
            Self::Button => "button, [role=button], input[type=submit]",
            Self::Link => "a[href], [role=link]",
            Self::Field => "input, textarea",
            Self::Heading => "h1, h2, h3, h4, h5, h6",
            Self::MenuItem => "[role=menuitem]",
            Self::Radio => "[role=radio], input[type=radio]",
            Self::Region => "section, [role=region]",
        }
    }

    fn computed(self) -> Option<&'static str> {
        match self {
            Self::Button => Some("button"),
            Self::Link => Some("link"),
            // Browsers disagree on the role of a password field.
            Self::Field => None,
            Self::Heading => Some("heading"),
            Self::MenuItem => Some("menuitem"),
            Self::Radio => Some("radio"),
            Self::Region => Some("region"),
        }
    }
}

/// What a thing is called.
#[derive(Clone, Debug)]
pub enum Name {
    /// Exactly this.
    Is(String),
    /// This is part of it.
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

/// A name of which only a part is known.
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

/// The first visible thing of this role and name; `Err` says what there is instead.
pub(crate) async fn find(
    driver: &WebDriver,
    role: Role,
    name: &Name,
) -> Result<WebElement, String> {
    let mut others = Vec::new();
    let all = driver.find_all(By::Css(role.candidates())).await;
    for element in all.map_err(|error| error.to_string())? {
        // An element that goes away meanwhile is not the one we look for.
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

/// What the thing that has the keyboard's focus is called.
///
/// # Panics
/// If the driver does not answer.
pub async fn focused(app: &App) -> String {
    let element = app.driver().active_element().await;
    let element = element.expect("something has the focus, if only the page");
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
