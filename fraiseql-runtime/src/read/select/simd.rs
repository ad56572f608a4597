//! SIMD masks of JSON's structural bytes, for sixteen or sixty-four bytes at a time.
//!
//! A mask is an integer with one bit for each byte, set if the byte is the one that is searched for.
//! The lowest bit is that of the first byte, so the number of trailing zeros is the offset of the
//! first match. `wide` compiles to SSE2 or NEON where available, and to plain code elsewhere; the
//! result is the same.

use wide::u8x16;

/// The number of bytes in [`Bytes16`].
pub(super) const WIDTH: usize = 16;

/// The only bit in which `[` and `{`, and `]` and `}`, differ.
const BRACE_BIT: u8 = 0x20;

/// Sixteen bytes.
#[derive(Clone, Copy)]
pub(super) struct Bytes16(u8x16);

impl Bytes16 {
    #[inline(always)]
    pub(super) fn new(bytes: &[u8; WIDTH]) -> Self {
        Self(u8x16::new(*bytes))
    }

    #[inline(always)]
    fn equal(self, byte: u8) -> u8x16 {
        self.0.simd_eq(u8x16::splat(byte))
    }

    /// Bytes at which scanning a string has to stop: quotes and backslashes.
    #[inline(always)]
    pub(super) fn quotes_or_backslashes(self) -> u32 {
        (self.equal(b'"') | self.equal(b'\\')).to_bitmask()
    }
}

/// Sixty-four bytes.
#[derive(Clone, Copy)]
pub(super) struct Bytes64([Bytes16; 4]);

impl Bytes64 {
    #[inline(always)]
    pub(super) fn new(bytes: &[u8; 4 * WIDTH]) -> Self {
        let (blocks, _) = bytes.as_chunks::<WIDTH>();
        Self(std::array::from_fn(|index| Bytes16::new(&blocks[index])))
    }

    #[inline(always)]
    fn mask(self, mask: impl Fn(Bytes16) -> u8x16) -> u64 {
        let [a, b, c, d] = self.0.map(|block| u64::from(mask(block).to_bitmask()));
        a | b << 16 | c << 32 | d << 48
    }

    #[inline(always)]
    pub(super) fn quotes(self) -> u64 {
        self.mask(|block| block.equal(b'"'))
    }

    #[inline(always)]
    pub(super) fn backslashes(self) -> u64 {
        self.mask(|block| block.equal(b'\\'))
    }

    /// `{` and `[`.
    #[inline(always)]
    pub(super) fn opening(self) -> u64 {
        self.bracket(b'{')
    }

    /// `}` and `]`.
    #[inline(always)]
    pub(super) fn closing(self) -> u64 {
        self.bracket(b'}')
    }

    #[inline(always)]
    fn bracket(self, brace: u8) -> u64 {
        // With the bit set, a square bracket equals its brace, and no other byte does.
        self.mask(|block| Bytes16(block.0 | u8x16::splat(BRACE_BIT)).equal(brace))
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes64;

    #[test]
    fn masks_have_the_bits_of_matching_bytes_only() {
        // Every byte at every offset, among bytes that differ from it in one bit or by one.
        for byte in 0..=u8::MAX {
            for at in 0..64 {
                let mut bytes = [byte.wrapping_add(1); 64];
                bytes[at] = byte;
                bytes[(at + 5) % 64] = byte ^ 0x80;
                bytes[(at + 9) % 64] = b'"';
                let expected = |these: &[u8]| {
                    let bit = |at: usize| u64::from(these.contains(&bytes[at])) << at;
                    (0..64).map(bit).sum::<u64>()
                };
                let blocks = Bytes64::new(&bytes);
                assert_eq!(blocks.quotes(), expected(b"\""), "{bytes:?}");
                assert_eq!(blocks.backslashes(), expected(b"\\"), "{bytes:?}");
                assert_eq!(blocks.opening(), expected(b"{["), "{bytes:?}");
                assert_eq!(blocks.closing(), expected(b"}]"), "{bytes:?}");
                let ends: u64 = (0..4)
                    .map(|place| u64::from(blocks.0[place].quotes_or_backslashes()) << (16 * place))
                    .sum();
                assert_eq!(ends, expected(b"\"\\"), "{bytes:?}");
            }
        }
    }
}
