//! Undoes the compression of an answer (RFC 9110 §8.4). Some servers and proxies compress what nobody
//! asked to have compressed, and by then a strict backend has rotated the token: an answer that is not
//! understood costs the session. Decoded bytes are handed on piece by piece, so that whoever reads them
//! bounds what they decode to.

use std::io::{self, BufReader, ErrorKind, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use brotli_decompressor::Decompressor;
use bytes::{Buf as _, Bytes};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};

use super::request::wiped;
use crate::header_text;
use crate::transport::{BoxFuture, HttpResponse, ResponseBodyStream, TransportError};

/// What an API call may be answered with.
pub(super) const ACCEPTED: &str = "gzip, deflate, br";
/// What every other request asks for: nothing to undo.
pub(super) const NONE: &str = "identity";

/// The most bytes that one read decodes.
const PIECE: usize = 16 * 1024;
/// More encodings, one over the other, are nobody's.
const MOST: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Gzip,
    Deflate,
    Brotli,
}

/// The answer with its body decoded; as it is where an encoding is not known.
pub(super) fn undo(mut response: HttpResponse) -> HttpResponse {
    let Some(encodings) = encodings(&response.headers) else {
        tracing::warn!("the answer's content encoding is not known: its body is left as it is");
        return response;
    };
    if encodings.is_empty() {
        return response;
    }
    response.headers.remove(CONTENT_ENCODING);
    // Both are of the encoded body.
    response.headers.remove(CONTENT_LENGTH);
    response.length = None;
    // The last one was applied last.
    for encoding in encodings.into_iter().rev() {
        response.body = Box::new(DecodedBody::new(response.body, encoding));
    }
    response
}

/// The encodings in the order in which they were applied; `None` if one is not known.
fn encodings(headers: &HeaderMap) -> Option<Vec<Encoding>> {
    let mut found = Vec::new();
    for line in headers.get_all(CONTENT_ENCODING) {
        for name in header_text::text(line).split(',') {
            match name.trim().to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" => found.push(Encoding::Gzip),
                "deflate" => found.push(Encoding::Deflate),
                "br" => found.push(Encoding::Brotli),
                _ => return None,
            }
        }
    }
    (found.len() <= MOST).then_some(found)
}

/// Encoded bytes that have come, for the decoder to read.
#[derive(Clone, Default)]
struct Feed(Arc<Mutex<Fed>>);

#[derive(Default)]
struct Fed {
    bytes: Bytes,
    /// Whether any byte has come.
    any: bool,
    ended: bool,
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, Fed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut fed = self.lock();
        if fed.bytes.is_empty() && !fed.ended {
            // The decoders keep their state, and go on here at the next call.
            return Err(ErrorKind::WouldBlock.into());
        }
        let length = into.len().min(fed.bytes.len());
        fed.bytes
            .split_to(length)
            .copy_to_slice(&mut into[..length]);
        Ok(length)
    }
}

struct DecodedBody {
    body: Box<dyn ResponseBodyStream>,
    encoding: Encoding,
    feed: Feed,
    /// Made at the first byte. A lock, because no decoder need be shared between threads.
    decoder: Mutex<Option<Box<dyn Read + Send>>>,
    done: bool,
}

/// What became of one read.
enum Progress {
    Decoded(Bytes),
    Ended,
    NeedsMore,
}

impl DecodedBody {
    fn new(body: Box<dyn ResponseBodyStream>, encoding: Encoding) -> Self {
        Self {
            body,
            encoding,
            feed: Feed::default(),
            decoder: Mutex::default(),
            done: false,
        }
    }

    fn read(&mut self) -> Result<Progress, TransportError> {
        let (first, ended) = {
            let fed = self.feed.lock();
            match (self.done, fed.any, fed.ended) {
                (true, ..) | (_, false, true) => return Ok(Progress::Ended),
                (_, false, false) => return Ok(Progress::NeedsMore),
                _ => (fed.bytes.first().copied(), fed.ended),
            }
        };
        let decoder = self
            .decoder
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let decoder = decoder.get_or_insert_with(|| decoder_of(self.encoding, first, &self.feed));
        let mut piece = vec![0; PIECE];
        match decoder.read(&mut piece) {
            Ok(0) => {
                self.done = true;
                Ok(Progress::Ended)
            }
            Ok(length) => {
                piece.truncate(length);
                Ok(Progress::Decoded(wiped(piece)))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && !ended => {
                Ok(Progress::NeedsMore)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Progress::NeedsMore),
            // It broke off, or is not what the header says.
            Err(_) => Err(TransportError::Broken),
        }
    }
}

impl ResponseBodyStream for DecodedBody {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
        Box::pin(async move {
            loop {
                match self.read()? {
                    Progress::Decoded(bytes) => return Ok(Some(bytes)),
                    Progress::Ended => return Ok(None),
                    Progress::NeedsMore => {}
                }
                let more = self.body.chunk().await?;
                let mut fed = self.feed.lock();
                match more {
                    Some(bytes) => {
                        fed.any |= !bytes.is_empty();
                        fed.bytes = bytes;
                    }
                    None => fed.ended = true,
                }
            }
        })
    }
}

fn decoder_of(encoding: Encoding, first: Option<u8>, feed: &Feed) -> Box<dyn Read + Send> {
    let bytes = BufReader::with_capacity(PIECE, feed.clone());
    match encoding {
        Encoding::Gzip => Box::new(MultiGzDecoder::new(bytes)),
        // It should begin with a header of zlib (RFC 1950 §2.2: its method is 8). Some servers leave
        // that out, and browsers read both.
        Encoding::Deflate if first.is_some_and(|byte| byte & 0x0f == 8) => {
            Box::new(ZlibDecoder::new(bytes))
        }
        Encoding::Deflate => Box::new(DeflateDecoder::new(bytes)),
        Encoding::Brotli => Box::new(Decompressor::new(feed.clone(), PIECE)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use reqwest::StatusCode;

    use super::*;

    const TEXT: &[u8] = b"hello, hello, hello, hello";
    const BROTLI: &[u8] = &[
        0x1b, 0x19, 0x00, 0xf8, 0x8d, 0x94, 0x6e, 0xde, 0x44, 0x09, 0x52, 0x86, 0x96, 0x6c, 0x2c,
        0x6f, 0x31, 0x4f, 0x24, 0xb0, 0xe3, 0x00,
    ];

    struct Pieces(VecDeque<Bytes>);

    impl ResponseBodyStream for Pieces {
        fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
            let next = self.0.pop_front();
            Box::pin(async move { Ok(next) })
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn response(encoding: &str, body: &[u8], piece: usize) -> HttpResponse {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        headers.insert(CONTENT_LENGTH, body.len().into());
        HttpResponse {
            status: StatusCode::OK,
            headers,
            length: Some(body.len() as u64),
            body: Box::new(Pieces(
                body.chunks(piece).map(Bytes::copy_from_slice).collect(),
            )),
        }
    }

    async fn decoded(encoding: &str, body: &[u8], piece: usize) -> Result<Vec<u8>, TransportError> {
        let mut response = undo(response(encoding, body, piece));
        let mut all = Vec::new();
        while let Some(bytes) = response.body.chunk().await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn every_encoding_is_undone_in_pieces_of_any_size() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(TEXT).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
        raw.write_all(TEXT).unwrap();
        let two = [gzip(&TEXT[..7]), gzip(&TEXT[7..])].concat();
        for (encoding, body) in [
            ("gzip", gzip(TEXT)),
            ("X-GZip", gzip(TEXT)),
            ("gzip", two),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("br", BROTLI.to_vec()),
            ("br, gzip", gzip(BROTLI)),
            ("identity", TEXT.to_vec()),
            ("gzip, gzip", gzip(&gzip(TEXT))),
        ] {
            for piece in [1, 2, 7, 1000] {
                let all = decoded(encoding, &body, piece).await;
                assert_eq!(all.as_deref(), Ok(TEXT), "{encoding} by {piece}");
            }
            if encoding == "identity" {
                continue;
            }
            // Where there are two, the inner one may be whole although the outer one is not.
            let lost = if encoding.contains(',') {
                body.len() / 2
            } else {
                3
            };
            let broken = decoded(encoding, &body[..body.len() - lost], 4).await;
            assert_eq!(broken, Err(TransportError::Broken), "{encoding}");
        }
        assert_eq!(decoded("gzip", b"", 1).await.as_deref(), Ok(&b""[..]));
        assert!(decoded("gzip", b"no gzip at all", 4).await.is_err());
    }

    #[tokio::test]
    async fn what_is_not_known_is_left_as_it_is() {
        for encoding in ["zstd", "gzip, zstd", "gzip, gzip, gzip, gzip"] {
            let kept = undo(response(encoding, TEXT, 100));
            assert!(kept.headers.contains_key(CONTENT_ENCODING));
            assert_eq!(kept.length, Some(TEXT.len() as u64));
        }
        let undone = undo(response("gzip", &gzip(TEXT), 100));
        assert!(undone.headers.is_empty() && undone.length.is_none());
    }

    #[tokio::test]
    async fn a_bomb_is_decoded_piece_by_piece() {
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 1 << 17);
        let mut response = undo(response("gzip", &bomb, bomb.len()));
        let first = response.body.chunk().await.unwrap().unwrap();
        assert!(first.len() <= PIECE, "{}", first.len());
    }
}
