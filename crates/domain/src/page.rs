//! Keyset pagination, independent of any back end.

/// Asks for the items beyond a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest<C> {
    /// Return items strictly beyond this one, in the list's order.
    pub cursor: Option<C>,
    limit: u16,
}

/// The page limit is not in `1..=200`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be between 1 and {max}", max = PageRequest::<()>::MAX)]
pub struct InvalidPageLimit;

impl<C> PageRequest<C> {
    /// Most items on one page.
    pub const MAX: u16 = 200;
    /// Items on a page when the caller does not say.
    pub const DEFAULT: u16 = 50;

    /// Checks the limit, so no repository has to.
    pub fn new(cursor: Option<C>, limit: Option<u16>) -> Result<Self, InvalidPageLimit> {
        let limit = limit.unwrap_or(Self::DEFAULT);
        if !(1..=Self::MAX).contains(&limit) {
            return Err(InvalidPageLimit);
        }
        Ok(Self { cursor, limit })
    }

    /// How many rows to read: one more than wanted, to learn whether a next page exists.
    #[must_use]
    pub fn fetch_limit(&self) -> u64 {
        u64::from(self.limit) + 1
    }

    /// Cuts the extra row off.
    #[must_use]
    pub fn page_of<T>(&self, mut items: Vec<T>) -> Page<T> {
        let has_next = usize::from(self.limit) < items.len();
        items.truncate(usize::from(self.limit));
        Page { items, has_next }
    }
}

impl<C> Default for PageRequest<C> {
    fn default() -> Self {
        Self { cursor: None, limit: Self::DEFAULT }
    }
}

/// One page of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, newest first unless the query says otherwise.
    pub items: Vec<T>,
    /// Whether items follow the last one.
    pub has_next: bool,
}
