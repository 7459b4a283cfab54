//! Choices that a seed repeats.

use std::time::Duration;

/// A sequence of numbers that look random: `SplitMix64`.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Another sequence for a part of the work, so that the parts don't disturb each other.
    pub(crate) fn fork(&self, number: usize) -> Self {
        let mut other = self.clone();
        for _ in 0..=number {
            other.next();
        }
        Self::new(other.next() ^ self.state)
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..sides`.
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.next() % sides.max(1)
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A time of so many milliseconds.
    pub(crate) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_choices_and_another_does_not() {
        let roll = |seed| {
            let mut dice = Dice::new(seed);
            [(); 8].map(|()| dice.below(1_000))
        };
        assert_eq!(roll(7), roll(7));
        assert_ne!(roll(7), roll(8));
    }

    #[test]
    fn forks_differ() {
        let dice = Dice::new(7);
        assert_ne!(dice.fork(0).next(), dice.fork(1).next());
        assert_eq!(dice.fork(1).next(), dice.fork(1).next());
    }

    #[test]
    fn times_stay_within_their_bounds() {
        let mut dice = Dice::new(1);
        for _ in 0..1_000 {
            let time = dice.millis(3, 5);
            assert!((3..=5).contains(&time.as_millis()));
        }
    }
}
