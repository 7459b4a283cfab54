//! How much work a hash is.

use argon2::Params;

/// How slow a hash is, and how much memory it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    memory_kib: u32,
    passes: u32,
}

/// The numbers are not a usable cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "takes {} to {} KiB of memory and 1 to {} passes",
    PasswordCost::MIN.memory_kib,
    PasswordCost::MOST_MEMORY_KIB,
    PasswordCost::MOST_PASSES
)]
pub struct PasswordCostError;

impl Default for PasswordCost {
    /// 19 MiB and two passes, which is what OWASP asks for at least.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}

impl PasswordCost {
    /// The fastest: for tests only.
    pub const MIN: Self = Self { memory_kib: Params::MIN_M_COST, passes: Params::MIN_T_COST };
    const MOST_MEMORY_KIB: u32 = 1024 * 1024;
    const MOST_PASSES: u32 = 32;

    /// Checks that the numbers are a usable cost.
    pub fn new(memory_kib: u32, passes: u32) -> Result<Self, PasswordCostError> {
        let is_usable = (Self::MIN.memory_kib..=Self::MOST_MEMORY_KIB).contains(&memory_kib)
            && (Self::MIN.passes..=Self::MOST_PASSES).contains(&passes);
        if is_usable { Ok(Self { memory_kib, passes }) } else { Err(PasswordCostError) }
    }

    /// The work, to which the time is proportional: blocks of 1 KiB that are computed.
    pub(super) fn blocks(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }

    /// What is to be computed beside a hash of another cost so that both together are as much work
    /// as this one, give or take a block for each pass; nothing where the other is more already.
    pub(super) fn beside(self, other: Self) -> Option<Self> {
        let missing = self.blocks().saturating_sub(other.blocks());
        let passes = missing.div_ceil(u64::from(self.memory_kib)).max(1);
        let memory_kib = u32::try_from(missing / passes).ok()?;
        let passes = u32::try_from(passes).ok()?;
        (Self::MIN.memory_kib <= memory_kib).then_some(Self { memory_kib, passes })
    }

    pub(super) fn params(self) -> Result<Params, argon2::Error> {
        Params::new(self.memory_kib, self.passes, Params::DEFAULT_P_COST, None)
    }
}

impl From<&Params> for PasswordCost {
    fn from(params: &Params) -> Self {
        Self { memory_kib: params.m_cost(), passes: params.t_cost() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::PasswordCost;

    proptest! {
        #[test]
        fn what_is_beside_a_cheaper_hash_makes_up_for_it(
            (memory, passes) in (8..40_000_u32, 1..8_u32),
            (cheaper_memory, cheaper_passes) in (8..40_000_u32, 1..8_u32),
        ) {
            let cost = PasswordCost::new(memory, passes).unwrap();
            let other = PasswordCost::new(cheaper_memory, cheaper_passes).unwrap();
            let missing = cost.blocks().saturating_sub(other.blocks());
            let beside = cost.beside(other);
            let made_up = beside.map_or(0, PasswordCost::blocks);
            prop_assert!(made_up <= missing && missing - made_up <= 8 + u64::from(passes));
            prop_assert!(beside.is_none_or(|beside| beside.memory_kib <= memory));
        }
    }
}
