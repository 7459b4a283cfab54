//! Passwords: how long they are, and how they are hashed.

mod cost;
mod hasher;
mod plain;

pub use self::{
    cost::{PasswordCost, PasswordCostError},
    hasher::{PasswordHasher, PasswordOptions, PasswordVerdict},
    plain::{PasswordHash, PasswordLengthError, PlainPassword},
};
