//! The engine in memory keeps the contract and does what tests tell it.

mod contract;
mod fake;
