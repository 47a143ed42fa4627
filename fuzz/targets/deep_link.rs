#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vestibule_fuzz::deep_link(data));
