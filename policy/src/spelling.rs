//! Misspellings as a thumb makes them: a key beside the right one is nearer than one across the
//! keyboard, a doubled letter nearer still. Distances are in tenths of a wrong letter.

/// A key beside the right one.
pub(crate) const NEIGHBOUR: u32 = 6;
/// Two letters that changed places.
const SWAP: u32 = 8;
/// A letter too many that repeats the one beside it, or is missing from a pair.
const DOUBLED: u32 = 4;
/// Any other letter wrong, missing or too many.
const OTHER: u32 = 10;

/// The longest word that is looked at.
const MAX: usize = 24;

/// How far off a misspelling of a word of this length may be.
pub(crate) fn tolerance(length: usize) -> u32 {
    match length {
        0..=2 => 0,
        3 => NEIGHBOUR,
        4..=6 => 2 * NEIGHBOUR,
        7 => 16,
        8..=10 => 20,
        _ => 26,
    }
}

/// The rows of a keyboard, each moved right against the one above by half a key.
const ROWS: [&[u8]; 4] = [b"1234567890", b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];

#[allow(
    clippy::indexing_slicing,
    reason = "computed when it is compiled, where an index that is wrong is an error"
)]
/// Where each key lies: its row and its column in half keys, from 1; 0 is no key.
const KEYS: [(u8, u8); 128] = {
    let mut keys = [(0, 0); 128];
    let mut row = 0;
    while row < ROWS.len() {
        let mut column = 0;
        while column < ROWS[row].len() {
            keys[ROWS[row][column] as usize] = (row as u8 + 1, (2 * column + row) as u8);
            column += 1;
        }
        row += 1;
    }
    keys
};

fn are_neighbours(a: u8, b: u8) -> bool {
    let key = |letter: u8| KEYS.get(usize::from(letter)).copied().unwrap_or_default();
    let ((row_a, column_a), (row_b, column_b)) = (key(a), key(b));
    let across = column_a.abs_diff(column_b);
    row_a > 0
        && row_b > 0
        && match row_a.abs_diff(row_b) {
            0 => across == 2,
            1 => across <= 1,
            _ => false,
        }
}

fn substitution(a: u8, b: u8) -> u32 {
    // Digits that stand for the letters they look like.
    let looks_alike = matches!(
        (a, b),
        (b'0', b'o')
            | (b'1', b'i' | b'l')
            | (b'5', b's')
            | (b'3', b'e')
            | (b'q', b'g')
            | (b'g', b'q')
            | (b'z', b'2')
    );
    if a == b {
        0
    } else if looks_alike || are_neighbours(a, b) {
        NEIGHBOUR
    } else {
        OTHER
    }
}

/// Whether what was written may be the beginning of a word: its first letter, a key beside it, or
/// that letter with one too many or one missing before it.
pub(crate) fn may_begin(written: &[u8], word: &[u8]) -> bool {
    let is_near = |a: Option<&u8>, b: Option<&u8>| match (a, b) {
        (Some(a), Some(b)) => substitution(*a, *b) < OTHER,
        _ => false,
    };
    is_near(written.first(), word.first())
        || is_near(written.first(), word.get(1))
        || is_near(written.get(1), word.first())
}

/// The distance of what was written from a word, up to a limit; both ASCII. Nothing when it is
/// farther.
pub(crate) fn distance(written: &[u8], word: &[u8], limit: u32) -> Option<u32> {
    if written.len() > MAX || word.len() > MAX {
        return None;
    }
    if u32::try_from(written.len().abs_diff(word.len())).ok()? * DOUBLED > limit {
        return None;
    }
    let mut above = [0_u32; MAX + 1];
    let mut two_above = [0_u32; MAX + 1];
    for (at, cost) in above.iter_mut().enumerate().skip(1) {
        *cost = at as u32 * OTHER;
    }
    let mut before: Option<u8> = None;
    for (row, letter) in written.iter().copied().enumerate() {
        let surplus = if before == Some(letter) {
            DOUBLED
        } else {
            OTHER
        };
        let mut current = [0_u32; MAX + 1];
        let mut least = (row as u32 + 1) * OTHER;
        let mut left = least;
        if let Some(first) = current.first_mut() {
            *first = left;
        }
        let mut wanted_before: Option<u8> = None;
        for (at, wanted) in word.iter().copied().enumerate() {
            let get =
                |row: &[u32; MAX + 1], at: usize| row.get(at).copied().unwrap_or(u32::MAX / 2);
            let missing = if wanted_before == Some(wanted) {
                DOUBLED
            } else {
                OTHER
            };
            let mut cost = get(&above, at) + substitution(letter, wanted);
            cost = cost.min(get(&above, at + 1) + surplus).min(left + missing);
            if row > 0 && before == Some(wanted) && wanted_before == Some(letter) {
                cost = cost.min(get(&two_above, at - 1) + SWAP);
            }
            if let Some(cell) = current.get_mut(at + 1) {
                *cell = cost;
            }
            (left, wanted_before) = (cost, Some(wanted));
            least = least.min(cost);
        }
        if least > limit + SWAP {
            return None;
        }
        (two_above, above) = (above, current);
        before = Some(letter);
    }
    above.get(word.len()).copied().filter(|cost| *cost <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn off(written: &str, word: &str) -> Option<u32> {
        distance(written.as_bytes(), word.as_bytes(), tolerance(word.len()))
    }

    #[test]
    fn slips_of_the_thumb_are_near() {
        for (written, word) in [
            ("srop", "stop"),
            ("stpo", "stop"),
            ("stoppp", "stop"),
            ("sto", "stop"),
            ("stio", "stop"),
            ("st0p", "stop"),
            ("wuit", "quit"),
            ("rnd", "end"),
            ("unsuscribe", "unsubscribe"),
            ("unsubcribe", "unsubscribe"),
            ("wuit2ebd", "quit2end"),
        ] {
            assert!(off(written, word).is_some(), "{written} {word}");
        }
    }

    #[test]
    fn other_words_are_far() {
        for (written, word) in [
            ("and", "end"),
            ("hello", "stop"),
            ("start", "stop"),
            ("st", "stop"),
            ("endless", "end"),
        ] {
            assert_eq!(off(written, word), None, "{written} {word}");
        }
    }

    #[test]
    fn a_word_is_no_distance_from_itself() {
        assert_eq!(off("cancel", "cancel"), Some(0));
        assert_eq!(off("shop", "stop"), Some(10));
        assert_eq!(off("atop", "stop"), Some(6));
    }
}
