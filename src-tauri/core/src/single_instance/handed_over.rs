//! What a later launch hands over to the owner beside the wish to show itself: arguments, such as the
//! link that it was started with.
//!
//! The owner answers [`super::SHOWN_ANSWER`] first, to a launch of any version. A launch with arguments
//! then sends them in one message, which the owner answers in the same way. A launch of a version before
//! this one closes the connection there, and an owner of one does; neither keeps the window from being
//! shown.

use std::ffi::OsString;

use crate::browser::LONGEST_REDIRECT;

/// The most arguments that are handed over at once.
pub const MOST_ARGUMENTS: usize = 16;
/// The longest argument, in bytes: the browser comes back to a sign-in by one.
pub const LONGEST_ARGUMENT: usize = LONGEST_REDIRECT;

/// How many bytes the length of a message takes.
pub(super) const HEADER: usize = 4;
/// The longest message: for each argument its length and, of one that is too long, one byte more than it
/// may have.
const LONGEST_MESSAGE: usize = MOST_ARGUMENTS * (LENGTH + LONGEST_ARGUMENT + 1);
const LENGTH: usize = 2;

/// Arguments as they were given, of which not every one is text. There are [`MOST_ARGUMENTS`] at most.
/// One that is longer than [`LONGEST_ARGUMENT`] is cut behind the byte after, so whoever reads it sees
/// that it was too long.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Arguments(Vec<Vec<u8>>);

impl Arguments {
    /// The first of these arguments; later ones are dropped with a line in the log.
    pub fn new(given: impl IntoIterator<Item = OsString>) -> Self {
        let given = given.into_iter();
        let mut bytes = given.map(|argument| {
            let mut bytes = argument.into_encoded_bytes();
            bytes.truncate(LONGEST_ARGUMENT + 1);
            bytes
        });
        let kept = bytes.by_ref().take(MOST_ARGUMENTS).collect();
        let dropped = bytes.count();
        if dropped > 0 {
            tracing::warn!(
                dropped,
                "more arguments were given than are taken at once; the last of them are dropped"
            );
        }
        Self(kept)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The message that holds these arguments, its header included.
    pub(crate) fn message(&self) -> Vec<u8> {
        let body: Vec<u8> = self
            .0
            .iter()
            .flat_map(|argument| {
                // Two bytes hold every length, by the bound of an argument.
                let length = u16::try_from(argument.len()).unwrap_or(u16::MAX);
                length
                    .to_be_bytes()
                    .into_iter()
                    .chain(argument.iter().copied())
            })
            .collect();
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        [&length.to_be_bytes()[..], &body].concat()
    }

    /// The length of the message that begins with this header; `None` where it is longer than any.
    pub(crate) fn length(header: [u8; HEADER]) -> Option<usize> {
        let length = usize::try_from(u32::from_be_bytes(header)).ok()?;
        (length <= LONGEST_MESSAGE).then_some(length)
    }

    /// Reads a message without its header; `None` where it is not one.
    pub(crate) fn read(mut body: &[u8]) -> Option<Self> {
        let mut read = Vec::new();
        while let Some((length, rest)) = body.split_first_chunk::<LENGTH>() {
            let length = usize::from(u16::from_be_bytes(*length));
            let is_bounded = length <= LONGEST_ARGUMENT + 1 && read.len() < MOST_ARGUMENTS;
            let (argument, rest) = is_bounded.then(|| rest.split_at_checked(length))??;
            read.push(argument.to_owned());
            body = rest;
        }
        body.is_empty().then_some(Self(read))
    }
}

impl IntoIterator for Arguments {
    type Item = Vec<u8>;
    type IntoIter = std::vec::IntoIter<Vec<u8>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arguments(given: &[&str]) -> Arguments {
        Arguments::new(given.iter().map(OsString::from))
    }

    fn read_again(arguments: &Arguments) -> Option<Arguments> {
        let message = arguments.message();
        let (header, body) = message.split_first_chunk().expect("a header");
        assert_eq!(Arguments::length(*header), Some(body.len()));
        Arguments::read(body)
    }

    #[test]
    fn what_is_sent_is_what_is_read() {
        // The longest address with which the browser comes back.
        let long = "x".repeat(16 * 1024);
        let many = ["y"; MOST_ARGUMENTS];
        for given in [
            &[][..],
            &["app:/join"],
            &["", "a\0b", "é"],
            &[&*long, &*long],
            &many,
        ] {
            let read = read_again(&arguments(given)).expect("it is read");
            let given = given.iter().map(|argument| argument.as_bytes());
            assert!(read.into_iter().eq(given));
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_arrives_as_it_is() {
        use std::os::unix::ffi::OsStringExt as _;
        let given = Arguments::new([OsString::from_vec(vec![b'a', b':', 0xff])]);
        assert!(read_again(&given) == Some(given));
    }

    #[test]
    fn what_is_too_long_is_seen_to_be_and_what_is_too_much_is_dropped() {
        let long = "x".repeat(LONGEST_ARGUMENT * 3);
        let many: Vec<_> = std::iter::repeat_n(&*long, MOST_ARGUMENTS * 2).collect();
        let given = arguments(&many);
        let read: Vec<_> = read_again(&given)
            .expect("it is read")
            .into_iter()
            .collect();
        assert_eq!(read.len(), MOST_ARGUMENTS);
        assert!(
            read.iter()
                .all(|argument| argument.len() == LONGEST_ARGUMENT + 1)
        );
    }

    #[test]
    fn what_is_no_message_is_not_read() {
        let too_many = [0_u8, 0].repeat(MOST_ARGUMENTS + 1);
        let too_long = [&[0xff, 0xff][..], &[b'x'; 0xffff]].concat();
        for body in [
            &[0][..],
            &[0, 2, b'x'],
            &[0, 1, b'x', 0],
            &too_many,
            &too_long,
        ] {
            assert!(Arguments::read(body).is_none(), "{} bytes", body.len());
        }
        assert_eq!(Arguments::length([0xff; HEADER]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_that_is_written_the_same_again_or_none(
            body in prop::collection::vec(any::<u8>(), 0..200)
        ) {
            if let Some(read) = Arguments::read(&body) {
                prop_assert_eq!(&read.message()[HEADER..], &body[..]);
            }
        }
    }
}
