//! From registers to a number in PromQL: how many different ones, over replicas and windows.
//!
//! Source: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017 (improved raw estimator). Of its two
//! series the one for empty registers is written out; the one for full registers is nothing with 64-bit hashes. The error is
//! 1.04 / sqrt(registers) of the count, 4.6 % for 512, and less when there are few.
//!
//! A register is a series `NAME_register{key, register}`, and only those that are not 0 are there.

/// The registers of all replicas over a window, merged: the highest of each.
///
/// `name` is the metric, `NAME_register`; `by` are the labels to keep, `key` and `register` come by themselves; `window` is a
/// PromQL range such as `1d`. Sketches that were made differently have different keys and are never merged.
pub fn merged_registers(name: &str, by: &[&str], window: &str) -> String {
    let by = labels(by, &["key", "register"]);
    format!("max by ({by}) (max_over_time({name}[{window}]))")
}

/// How many different ones there were, for each set of `by` labels and each `key`.
///
/// `merged` is the name of a rule that holds [`merged_registers`], or such an expression in parentheses; it is used
/// `log2(registers) + 5` times, so a rule is cheaper. `registers` is how many a sketch has, a power of two. Nobody at all: no
/// result, since then there is no register to tell the labels.
pub fn distinct_from_registers(merged: &str, registers: usize, by: &[&str]) -> String {
    let by = labels(by, &["key"]);
    let empty = format!("(1 - count by ({by}) ({merged}) / {registers})");
    // Ertl's sigma, to as many terms as few people need: z + z^2 + 2 z^4 + 4 z^8 + ...
    let terms = registers.max(1).ilog2() + 4;
    let terms = (1..terms).map(|term| {
        let factor = 1_u64 << (term - 1);
        let factor = if factor == 1 { String::new() } else { format!("{factor} * ") };
        format!("{factor}{empty} ^ {}", 1_u64 << term)
    });
    let sigma: Vec<String> = [empty.clone()].into_iter().chain(terms).collect();
    let sigma = sigma.join(" + ");
    let filled = format!("sum by ({by}) (2 ^ -({merged}))");
    format!("{ALPHA} * {registers} ^ 2 / ({registers} * ({sigma}) + {filled})")
}

/// `1 / (2 ln 2)`.
const ALPHA: f64 = 0.721_347_520_444_481_7;

fn labels(by: &[&str], more: &[&str]) -> String {
    let mut all = by.to_vec();
    all.extend(more.iter().filter(|name| !by.contains(name)));
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_merge_by_their_key() {
        let merged = merged_registers("users_register", &["job"], "1d");
        assert_eq!(merged, "max by (job, key, register) (max_over_time(users_register[1d]))");
        assert!(merged_registers("u", &[], "7d").starts_with("max by (key, register) ("));
    }

    #[test]
    fn the_series_has_the_terms_that_a_few_people_need() {
        let text = distinct_from_registers("r", 4, &["key"]);
        let z = "(1 - count by (key) (r) / 4)";
        let expected = format!(
            "0.7213475204444817 * 4 ^ 2 / (4 * ({z} + {z} ^ 2 + 2 * {z} ^ 4 + 4 * {z} ^ 8 + 8 * {z} ^ 16 + 16 * {z} ^ 32) \
             + sum by (key) (2 ^ -(r)))"
        );
        assert_eq!(text, expected);
        assert_eq!(distinct_from_registers("r", 512, &[]).matches("count by").count(), 13);
    }

    /// The end-to-end tests ask a Prometheus what the rules will: the text they use is this one. `REWRITE=1` writes it anew.
    #[test]
    fn the_text_of_the_end_to_end_tests_is_ours() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/estimator.promql");
        let text = distinct_from_registers("REGISTERS", 512, &["service"]) + "\n";
        if std::env::var_os("REWRITE").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    }
}
