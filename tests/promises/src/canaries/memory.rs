//! The memory of another process, searched while it runs: every mapping that can be read, and
//! of it every page that is there. A page that was never touched holds nothing, and a window's
//! engine reserves more of those than any machine has. Nor is a program searched that is still
//! as the system installed it: a page of one that was written to is a page of the process.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use super::search::{Hit, Search};

const PAGE: u64 = 4096;
/// How much is read at once.
const PIECE: usize = 1 << 20;
/// How much is kept of what follows a hit.
const AFTER: usize = 128;
/// How many pages are asked about at once.
const ASKED: u64 = 1 << 16;
/// Bits of an entry in `pagemap`: the page is in memory, or in the swap.
const THERE: u64 = 0b11 << 62;
/// The page is a file's, or shared.
const FILES: u64 = 1 << 61;

/// A mark in a process, or in a file.
pub struct Sighting {
    /// The mark.
    pub hit: Hit,
    /// The mapping.
    pub place: String,
    /// What follows it.
    pub after: Vec<u8>,
}

/// What came of a search.
#[derive(Default)]
pub struct Searched {
    /// The marks.
    pub sightings: Vec<Sighting>,
    /// How many bytes were read.
    pub bytes: u64,
}

/// Searches the process of this id.
///
/// # Errors
/// If it cannot be read, as when it is another user's, or gone.
pub fn search(process: u32, search: &Search) -> io::Result<Searched> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
    let reader = Reader {
        memory: File::open(format!("/proc/{process}/mem"))?,
        pages: File::open(format!("/proc/{process}/pagemap"))?,
    };
    let mut found = Searched::default();
    let mut buffer = vec![0; PIECE + AFTER.max(search.longest())];
    for map in maps.lines().filter_map(Map::of) {
        for (start, end) in reader.there(&map)? {
            let read = reader.run(start, end, &mut buffer, |bytes, own| {
                for part in written(bytes) {
                    let (from, part) = (part.start, &bytes[part]);
                    let hits = search.hits(part).filter(|hit| from + hit.at < own);
                    found.sightings.extend(hits.map(|hit| Sighting {
                        place: map.name.to_owned(),
                        after: part[hit.end..part.len().min(hit.end + AFTER)].to_vec(),
                        hit,
                    }));
                }
            });
            found.bytes += read;
        }
    }
    if found.bytes == 0 {
        return Err(io::Error::other("nothing of it could be read"));
    }
    Ok(found)
}

/// The parts that something was written to. No mark reaches over a page of zeros.
fn written(bytes: &[u8]) -> Vec<Range<usize>> {
    const EMPTY: [u8; PAGE as usize] = [0; PAGE as usize];
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (number, page) in bytes.chunks(EMPTY.len()).enumerate() {
        if *page == EMPTY[..page.len()] {
            continue;
        }
        let start = number * EMPTY.len();
        let end = start + page.len();
        match parts.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => parts.push(start..end),
        }
    }
    parts
}

struct Map<'a> {
    start: u64,
    end: u64,
    name: &'a str,
}

impl<'a> Map<'a> {
    /// `55e0-55f0 rw-p 00000000 00:00 0   [heap]`, if it can be read.
    fn of(line: &'a str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        let (start, end) = words.next()?.split_once('-')?;
        let readable = words.next()?.starts_with('r');
        let name = words.nth(3).unwrap_or_default().trim();
        // The kernel's own: not the process's data, and not all of it can be read.
        let own = !matches!(name, "[vvar]" | "[vvar_vclock]" | "[vsyscall]" | "[vdso]");
        (readable && own).then_some(Self {
            start: u64::from_str_radix(start, 16).ok()?,
            end: u64::from_str_radix(end, 16).ok()?,
            name: if name.is_empty() { "anonymous" } else { name },
        })
    }
}

struct Reader {
    memory: File,
    pages: File,
}

impl Reader {
    /// The parts of a mapping that are there.
    fn there(&self, map: &Map) -> io::Result<Vec<(u64, u64)>> {
        let mut parts: Vec<(u64, u64)> = Vec::new();
        let length = |pages: u64| usize::try_from(pages.min(ASKED) * 8).unwrap_or_default();
        let mut entries = vec![0; length((map.end - map.start) / PAGE)];
        let mut at = map.start;
        while at < map.end {
            let entries = &mut entries[..length((map.end - at) / PAGE)];
            let length = self.pages.read_at(entries, at / PAGE * 8)?;
            if length == 0 {
                break;
            }
            for entry in entries[..length].as_chunks::<8>().0 {
                let entry = u64::from_ne_bytes(*entry);
                let installed = map.name.starts_with("/usr/") && entry & FILES != 0;
                if entry & THERE != 0 && !installed {
                    match parts.last_mut() {
                        Some((_, end)) if *end == at => *end += PAGE,
                        _ => parts.push((at, at + PAGE)),
                    }
                }
                at += PAGE;
            }
        }
        Ok(parts)
    }

    /// Hands over a run of pages piece by piece; of each piece the first `own` bytes are new,
    /// and what follows begins the next. Answers how much was read: a page may have gone.
    fn run(
        &self,
        start: u64,
        end: u64,
        buffer: &mut [u8],
        mut each: impl FnMut(&[u8], usize),
    ) -> u64 {
        let mut at = start;
        while at < end {
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX);
            let wanted = wanted.min(buffer.len());
            match self.memory.read_at(&mut buffer[..wanted], at) {
                Ok(read) if read > 0 => {
                    let last = at + read as u64 >= end;
                    let own = if last { read } else { read.min(PIECE) };
                    each(&buffer[..read], own);
                    at += own as u64;
                }
                _ => break,
            }
        }
        at - start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrecy::needles::Form;

    #[test]
    fn pages_of_zeros_are_passed_over() {
        let mut bytes = vec![0; 5 * 4096 + 100];
        for at in [4096, 3 * 4096 - 1, 5 * 4096 + 99] {
            bytes[at] = 1;
        }
        assert_eq!(written(&bytes), [4096..3 * 4096, 5 * 4096..5 * 4096 + 100]);
        assert!(written(&[0; 4096]).is_empty());
    }

    #[test]
    fn what_this_process_holds_is_found_across_the_edge_of_a_piece() {
        // Made here, so that it stands nowhere else: the search holds its own copy.
        let mark: String = ('a'..='z').rev().chain('0'..='9').collect();
        let finder = Search::of(&[&mark]);
        let mut held = vec![b'.'; 3 * PIECE];
        let place = held.as_ptr() as usize;
        // Over the end of the first piece that begins at the block's first page.
        let edge = (place.next_multiple_of(4096) - place) + PIECE;
        for at in [10, edge - 10, 2 * PIECE + 77] {
            held[at..at + mark.len()].copy_from_slice(mark.as_bytes());
        }
        let found = search(std::process::id(), &finder).expect("this process");
        let after = |sighting: &&Sighting| sighting.after.starts_with(b"....");
        let raw = |sighting: &&Sighting| sighting.hit.look.form == Form::Raw;
        let seen = found.sightings.iter().filter(raw).filter(after).count();
        // A mark on the edge of what is read may be cut off its text, not off the search.
        assert!(seen >= 3, "{seen} of three");
        assert!(found.bytes > held.len() as u64);
        assert!(held.contains(&b'z'), "it is still held");
    }
}
