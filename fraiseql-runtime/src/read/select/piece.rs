//! Appending short pieces, which most of an answer consists of.
//!
//! A copy of so many bytes as the program knows is two instructions; of any other number, it
//! is a call that has to look at it. So a short piece is copied with what is behind it, and
//! what is too much is cut off.

/// Pieces up to this length are short.
const SHORT: usize = 32;

/// Appends the part of `from` between two places.
#[inline(always)]
pub(super) fn append(out: &mut Vec<u8>, from: &[u8], at: usize, end: usize) {
    let len = end - at;
    match from[at..].first_chunk::<SHORT>() {
        Some(chunk) if len <= SHORT => {
            let end = out.len() + len;
            out.extend_from_slice(chunk);
            out.truncate(end);
        }
        _ => out.extend_from_slice(&from[at..end]),
    }
}

/// A piece that is appended often.
#[derive(Debug)]
pub(super) struct Piece {
    /// The bytes, and zeros behind them where they are few.
    bytes: Box<[u8]>,
    len: usize,
}

impl Piece {
    pub(super) fn new(mut bytes: Vec<u8>) -> Self {
        let len = bytes.len();
        bytes.resize(len.max(SHORT), 0);
        Self {
            bytes: bytes.into_boxed_slice(),
            len,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    #[inline(always)]
    pub(super) fn append(&self, out: &mut Vec<u8>) {
        append(out, &self.bytes, 0, self.len);
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, append};

    #[test]
    fn a_piece_is_appended_whole_and_nothing_more() {
        let from: Vec<u8> = (0..100).collect();
        for at in 0..100 {
            for end in at..100 {
                let mut out = vec![7; at % 5];
                let before = out.len();
                append(&mut out, &from, at, end);
                assert_eq!(out[before..], from[at..end]);
                let piece = Piece::new(from[at..end].to_vec());
                piece.append(&mut out);
                assert_eq!(out[before + end - at..], from[at..end]);
            }
        }
    }
}
