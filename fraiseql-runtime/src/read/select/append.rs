//! Fast appending of short byte strings, which most of the output consists of.
//!
//! A copy whose length the compiler knows is two instructions; any other is a call of `memcpy`,
//! which first branches on the length. So a short string is appended as a copy of a fixed length,
//! with the bytes that happen to follow it, and the excess is truncated.

/// The maximum length of a short byte string, which is the length of the fixed copy.
const SHORT: usize = 32;

/// Appends `from[start..end]`.
#[inline(always)]
pub(super) fn append(out: &mut Vec<u8>, from: &[u8], start: usize, end: usize) {
    let len = end - start;
    match from[start..].first_chunk::<SHORT>() {
        Some(chunk) if len <= SHORT => {
            let end = out.len() + len;
            out.extend_from_slice(chunk);
            out.truncate(end);
        }
        _ => out.extend_from_slice(&from[start..end]),
    }
}

/// Bytes that are appended often, padded so that the fixed copy is possible.
#[derive(Debug)]
pub(super) struct PaddedBytes {
    /// The bytes, followed by zeros if there are fewer than [`SHORT`].
    bytes: Box<[u8]>,
    len: usize,
}

impl PaddedBytes {
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
    pub(super) fn append_to(&self, out: &mut Vec<u8>) {
        append(out, &self.bytes, 0, self.len);
    }
}

#[cfg(test)]
mod tests {
    use super::{PaddedBytes, append};

    #[test]
    fn exactly_the_given_bytes_are_appended() {
        let from: Vec<u8> = (0..100).collect();
        for start in 0..100 {
            for end in start..100 {
                let mut out = vec![7; start % 5];
                let before = out.len();
                append(&mut out, &from, start, end);
                assert_eq!(out[before..], from[start..end]);
                let padded = PaddedBytes::new(from[start..end].to_vec());
                padded.append_to(&mut out);
                assert_eq!(out[before + end - start..], from[start..end]);
            }
        }
    }
}
