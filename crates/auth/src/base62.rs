//! Numbers as letters and digits.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes a big-endian number in exactly `N` digits, which must be enough to hold it.
pub(crate) fn encode<const N: usize>(number: &[u8]) -> [u8; N] {
    let mut digits = [0_u8; N];
    for byte in number {
        let mut carry = u32::from(*byte);
        for digit in digits.iter_mut().rev() {
            let value = u32::from(*digit) * 256 + carry;
            *digit = (value % 62) as u8;
            carry = value / 62;
        }
        debug_assert_eq!(carry, 0, "the number does not fit into {N} digits");
    }
    digits.map(|digit| ALPHABET[usize::from(digit)])
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn numbers_are_written_with_the_most_significant_digit_first() {
        assert_eq!(&encode(&[0]), b"000");
        assert_eq!(&encode(&[61]), b"00z");
        assert_eq!(&encode(&[62]), b"010");
        assert_eq!(&encode(&u32::MAX.to_be_bytes()), b"4gfFC3");
    }
}
