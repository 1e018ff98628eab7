//! The word somebody probably meant.

/// The nearest of some words, if one is near enough to be a slip of the finger.
pub(super) fn nearest<'w>(word: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    const LONGEST: usize = 64;
    let length = word.chars().count();
    let allowed = (length / 3).clamp(1, 3);
    if !(2..=LONGEST).contains(&length) {
        return None;
    }
    words
        .into_iter()
        .filter(|other| *other != word && other.chars().count().abs_diff(length) <= allowed)
        .map(|other| (distance(word, other), other))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, other)| other)
}

/// Insertions, deletions, replacements, and two neighbours changing places, as one each.
fn distance(one: &str, two: &str) -> usize {
    let (one, two): (Vec<char>, Vec<char>) = (one.chars().collect(), two.chars().collect());
    let width = two.len() + 1;
    let mut rows = vec![0; (one.len() + 1) * width];
    let at = |rows: &[usize], i: usize, j: usize| rows.get(i * width + j).copied().unwrap_or(0);
    for i in 0..=one.len() {
        for j in 0..width {
            let cost = match (i.checked_sub(1), j.checked_sub(1)) {
                (None, _) => j,
                (_, None) => i,
                (Some(a), Some(b)) => {
                    let differs = usize::from(one.get(a) != two.get(b));
                    let swapped = a > 0 && b > 0 && one.get(a) == two.get(b - 1);
                    let swapped = swapped && one.get(a - 1) == two.get(b);
                    let least = (at(&rows, a, b) + differs).min(at(&rows, a, j) + 1);
                    let least = least.min(at(&rows, i, b) + 1);
                    if swapped { least.min(at(&rows, a - 1, b - 1) + 1) } else { least }
                }
            };
            if let Some(cell) = rows.get_mut(i * width + j) {
                *cell = cost;
            }
        }
    }
    at(&rows, one.len(), two.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let words = ["labels", "limit", "values", "from"];
        assert_eq!(nearest("lables", words), Some("labels"));
        assert_eq!(nearest("form", words), Some("from"));
        assert_eq!(nearest("value", words), Some("values"));
        assert_eq!(nearest("colour", words), None);
        assert_eq!(nearest("x", words), None);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
