//! P17, short form: the fuzz targets over their committed seeds, without a fuzzer.
//! `cargo xtask fuzz` goes on from there.

use std::path::Path;

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

#[test]
fn no_seed_breaks_a_parser() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (name, target) in targets::TARGETS {
        let folder = seeds.join(name);
        let mut run = 0;
        for file in std::fs::read_dir(&folder).expect("every target has seeds") {
            let path = file.expect("a seed").path();
            let bytes = std::fs::read(&path).expect("a seed");
            // Truncated anywhere, as a connection may leave it.
            for end in 0..=bytes.len() {
                let input = &bytes[..end];
                let survived = std::panic::catch_unwind(|| target(input));
                assert!(
                    survived.is_ok(),
                    "{name} breaks on the first {end} bytes of {}",
                    path.display()
                );
            }
            run += 1;
        }
        assert!(run >= 10, "{name} has {run} seeds");
    }
}
