//! Sixteen and sixty-four bytes at once: which of them are quotes, backslashes, brackets.
//!
//! A mask has one bit for each byte, the first byte's lowest.

use wide::u8x16;

/// How many bytes a [`Block`] has.
pub(super) const BLOCK: usize = 16;

/// The bit in which `[` and `{`, `]` and `}` differ.
const CASE: u8 = 0x20;

/// Sixteen bytes.
#[derive(Clone, Copy)]
pub(super) struct Block(u8x16);

impl Block {
    #[inline(always)]
    pub(super) fn new(bytes: &[u8; BLOCK]) -> Self {
        Self(u8x16::new(*bytes))
    }

    #[inline(always)]
    fn equal(self, byte: u8) -> u8x16 {
        self.0.simd_eq(u8x16::splat(byte))
    }

    /// Where a string may end: its quotes and backslashes.
    #[inline(always)]
    pub(super) fn ends(self) -> u32 {
        (self.equal(b'"') | self.equal(b'\\')).to_bitmask()
    }
}

/// Sixty-four bytes.
#[derive(Clone, Copy)]
pub(super) struct Blocks([Block; 4]);

impl Blocks {
    #[inline(always)]
    pub(super) fn new(bytes: &[u8; 4 * BLOCK]) -> Self {
        let (blocks, _) = bytes.as_chunks::<BLOCK>();
        Self(std::array::from_fn(|index| Block::new(&blocks[index])))
    }

    #[inline(always)]
    fn mask(self, mask: impl Fn(Block) -> u8x16) -> u64 {
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
        self.mask(|block| Block(block.0 | u8x16::splat(CASE)).equal(brace))
    }
}

#[cfg(test)]
mod tests {
    use super::Blocks;

    #[test]
    fn a_mask_has_the_bits_of_the_bytes_and_no_others() {
        // Every byte at every place, beside others that are near it.
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
                let blocks = Blocks::new(&bytes);
                assert_eq!(blocks.quotes(), expected(b"\""), "{bytes:?}");
                assert_eq!(blocks.backslashes(), expected(b"\\"), "{bytes:?}");
                assert_eq!(blocks.opening(), expected(b"{["), "{bytes:?}");
                assert_eq!(blocks.closing(), expected(b"}]"), "{bytes:?}");
                let ends: u64 = (0..4)
                    .map(|place| u64::from(blocks.0[place].ends()) << (16 * place))
                    .sum();
                assert_eq!(ends, expected(b"\"\\"), "{bytes:?}");
            }
        }
    }
}
