//! See `windlass_fuzz_checks::token_block`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| windlass_fuzz_checks::token_block(data));
