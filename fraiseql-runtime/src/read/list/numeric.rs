//! Decimal numbers from their text to PostgreSQL's digits, which count to ten thousand.

/// How many digits a number may have, written without an exponent.
pub(super) const MOST_DIGITS: usize = 1_000;
/// How many of PostgreSQL's digits a value of a document can have, with a margin.
const MOST_OF_DOCUMENT: usize = 64;

/// The binary form of a decimal number, `-12.5e-3`: how many digits there are, the weight of the
/// first, the sign, how many places behind the point are shown, the digits.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let (negative, text) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        text => (false, text),
    };
    if text.len() > MOST_DIGITS {
        return None;
    }
    let (number, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        None => (text, 0),
        Some(at) => {
            let exponent = std::str::from_utf8(&text[at + 1..]).ok()?;
            (&text[..at], exponent.parse::<i16>().ok()?)
        }
    };
    let mut parts = number.split(|byte| *byte == b'.');
    let (whole, fraction) = (parts.next()?, parts.next().unwrap_or_default());
    let digits: Vec<u8> = whole.iter().chain(fraction).copied().collect();
    if parts.next().is_some() || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // How many of the digits are before the point; it may be to their left, or to their right.
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
    let scale = (i64::try_from(digits.len()).ok()? - point).max(0);
    if point + scale > i64::try_from(MOST_DIGITS).ok()?
        || scale > i64::try_from(MOST_DIGITS).ok()?
    {
        return None;
    }
    // In groups of four, from the point outwards.
    let first = (point - 1).div_euclid(4);
    let last = (-scale).div_euclid(4);
    let digit = |place: i64| {
        let index = usize::try_from(point - 1 - place).ok();
        let digit = index.and_then(|index| digits.get(index));
        digit.map_or(0, |digit| u16::from(digit - b'0'))
    };
    let mut groups: Vec<u16> = (last..=first.max(last))
        .rev()
        .map(|group| {
            (0..4)
                .rev()
                .fold(0, |sum, place| sum * 10 + digit(group * 4 + place))
        })
        .collect();
    let mut weight = first.max(last);
    while groups.first() == Some(&0) {
        groups.remove(0);
        weight -= 1;
    }
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let sign: u16 = if negative && !groups.is_empty() {
        0x4000
    } else {
        0
    };
    if groups.is_empty() {
        weight = 0;
    }
    let mut bytes = Vec::with_capacity(8 + groups.len() * 2);
    bytes.extend(u16::try_from(groups.len()).ok()?.to_be_bytes());
    bytes.extend(i16::try_from(weight).ok()?.to_be_bytes());
    bytes.extend(sign.to_be_bytes());
    bytes.extend(u16::try_from(scale).ok()?.to_be_bytes());
    for group in groups {
        bytes.extend(group.to_be_bytes());
    }
    Some(bytes)
}

/// Whether it is the binary form of a number that a document can have.
pub(super) fn accepts(bytes: &[u8]) -> bool {
    let words: Vec<u16> = bytes
        .chunks_exact(2)
        .take(4 + MOST_OF_DOCUMENT)
        .map(|word| u16::from_be_bytes([word[0], word[1]]))
        .collect();
    let [count, weight, sign, scale, ref digits @ ..] = words[..] else {
        return false;
    };
    let most = MOST_OF_DOCUMENT as i32;
    bytes.len() == words.len() * 2
        && usize::from(count) == digits.len()
        && (-most..=most).contains(&i32::from(weight.cast_signed()))
        && matches!(sign, 0 | 0x4000)
        && usize::from(scale) <= MOST_OF_DOCUMENT * 4
        && digits.iter().all(|digit| *digit < 10_000)
}
