//! The size of a chunk, from the size of the documents so far.

/// The bytes of documents that a chunk should have. Larger chunks are not faster, and slower as
/// soon as PostgreSQL spills their documents to disk.
const TARGET_CHUNK_BYTES: u64 = 1_500_000;
/// The documents of the first chunk, whose size is not known yet.
const FIRST_CHUNK: usize = 50;
/// The most documents of a chunk, however small they are.
const MAX_CHUNK: usize = 1_000;

/// The number of documents of the next chunk, if `documents` had `bytes` so far.
pub(crate) fn chunk_size(documents: u64, bytes: u64) -> usize {
    if documents == 0 || bytes == 0 {
        return FIRST_CHUNK;
    }
    // The product does not fit in 64 bits for more than 10^13 documents.
    let size = u128::from(TARGET_CHUNK_BYTES) * u128::from(documents) / u128::from(bytes);
    usize::try_from(size)
        .unwrap_or(MAX_CHUNK)
        .clamp(1, MAX_CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_has_the_target_size_within_its_limits() {
        for (documents, bytes, size) in [
            (0, 0, FIRST_CHUNK),
            (50, 0, FIRST_CHUNK),
            (50, 150_000, 500),
            (50, 1, MAX_CHUNK),
            (1, 3_000_000, 1),
            (u64::MAX, u64::MAX, MAX_CHUNK),
        ] {
            assert_eq!(
                chunk_size(documents, bytes),
                size,
                "{documents} documents of {bytes} bytes"
            );
        }
    }
}
