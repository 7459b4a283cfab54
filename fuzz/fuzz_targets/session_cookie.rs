//! See `windlass_fuzz_checks::session_cookie`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| windlass_fuzz_checks::session_cookie(data));
