//! How many segments an SMS takes. 3GPP TS 23.038: 160 characters of the GSM alphabet, or 70 of any
//! other; fewer in each when there are several.

const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// These take two places.
const GSM_EXTENDED: &str = "^{}\\[~]|€\u{c}";

/// The segments of a text.
pub(super) fn segments(text: &str) -> usize {
    match gsm_length(text) {
        Some(length) if length <= 160 => 1,
        Some(length) => length.div_ceil(153),
        None => match text.encode_utf16().count() {
            length if length <= 70 => 1,
            length => length.div_ceil(67),
        },
    }
}

/// Whether the GSM alphabet has every character of a text.
pub(super) fn is_gsm(text: &str) -> bool {
    gsm_length(text).is_some()
}

fn gsm_length(text: &str) -> Option<usize> {
    text.chars()
        .map(|char| match () {
            () if GSM.contains(char) => Some(1),
            () if GSM_EXTENDED.contains(char) => Some(2),
            () => None,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::segments;

    #[test]
    fn the_alphabet_decides_how_much_fits() {
        assert_eq!(segments(&"a".repeat(160)), 1);
        assert_eq!(segments(&"a".repeat(161)), 2);
        assert_eq!(segments(&"€".repeat(80)), 1);
        assert_eq!(segments(&"€".repeat(81)), 2);
        assert_eq!(segments(&"ê".repeat(70)), 1);
        assert_eq!(segments(&"ê".repeat(71)), 2);
        assert_eq!(segments(&"é".repeat(160)), 1);
    }
}
