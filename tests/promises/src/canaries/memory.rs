//! Searches the memory of another process while it runs: every readable mapping, and in it every
//! page that is present. A page that was never touched holds nothing, and the web engine reserves
//! more of those than any machine has. Unchanged pages of installed program files are not searched;
//! a page that the process has written to is, since it then belongs to the process.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use super::search::{Hit, Search};

const PAGE: u64 = 4096;
/// How many bytes are read at once.
const PIECE: usize = 1 << 20;
/// How many bytes after a hit are kept.
const AFTER: usize = 128;
/// How many pages are looked up in `pagemap` at once.
const ASKED: u64 = 1 << 16;
/// Bits of an entry in `pagemap`: the page is in memory or in swap.
const THERE: u64 = 0b11 << 62;
/// Bit of an entry in `pagemap`: the page belongs to a file or is shared.
const FILES: u64 = 1 << 61;

/// A mark that was found in a process or in a file.
pub struct Sighting {
    /// Which mark, and in which form.
    pub hit: Hit,
    /// The name of the mapping, or the path of the file.
    pub place: String,
    /// The bytes that follow it.
    pub after: Vec<u8>,
}

/// The result of a search.
#[derive(Default)]
pub struct Searched {
    /// The marks found.
    pub sightings: Vec<Sighting>,
    /// How many bytes were read.
    pub bytes: u64,
}

/// Searches the process with this id.
///
/// # Errors
/// If its memory cannot be read, as when it belongs to another user or has ended.
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
        return Err(io::Error::other("no page of the process could be read"));
    }
    Ok(found)
}

/// The ranges that are not zero. No mark reaches over a page of zeros.
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
    /// Parses a line such as `55e0-55f0 rw-p 00000000 00:00 0   [heap]`; `None` if not readable.
    fn of(line: &'a str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        let (start, end) = words.next()?.split_once('-')?;
        let readable = words.next()?.starts_with('r');
        let name = words.nth(3).unwrap_or_default().trim();
        // Mappings of the kernel: they hold no data of the process, and not all can be read.
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
    /// The ranges of a mapping whose pages are present.
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

    /// Passes a run of pages on in pieces. The first `own` bytes of a piece are new; what follows
    /// them begins the next piece. Returns how many bytes were read: pages can disappear meanwhile.
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
        // Built at run time, so that the mark is in no other memory than the search's own copy.
        let mark: String = ('a'..='z').rev().chain('0'..='9').collect();
        let finder = Search::of(&[&mark]);
        let mut held = vec![b'.'; 3 * PIECE];
        let place = held.as_ptr() as usize;
        // Across the end of the first piece, counted from the block's first page.
        let edge = (place.next_multiple_of(4096) - place) + PIECE;
        for at in [10, edge - 10, 2 * PIECE + 77] {
            held[at..at + mark.len()].copy_from_slice(mark.as_bytes());
        }
        let found = search(std::process::id(), &finder).expect("this process");
        let after = |sighting: &&Sighting| sighting.after.starts_with(b"....");
        let raw = |sighting: &&Sighting| sighting.hit.look.form == Form::Raw;
        let seen = found.sightings.iter().filter(raw).filter(after).count();
        // A mark at the edge of a piece may lose the text that follows it, but must be found.
        assert!(seen >= 3, "{seen} of three marks were found");
        assert!(found.bytes > held.len() as u64);
        assert!(held.contains(&b'z'), "the memory is still held");
    }
}
