//! The contract of all back ends.

windlass_storage::contract_tests!(windlass_storage_seaorm::test_util::fresh_store);
