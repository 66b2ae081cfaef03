//! Who is answered by the canary: a fixed share of the applicants, each always the same way.

use sha2::{Digest as _, Sha256};

/// Whether `who` falls into the `weight` percent that the canary answers.
///
/// The first eight bytes of SHA-256 of `service/version/who`, as a fraction of 2^64, against weight / 100: the same in
/// every pod, unrelated from canary to canary, and whoever is in at 10 % is in at 50 %.
#[must_use]
pub fn takes_canary(service: &str, version: u32, who: &str, weight: u8) -> bool {
    let mut hasher = Sha256::new();
    for part in [service, "/", &version.to_string(), "/", who] {
        hasher.update(part);
    }
    let hash = hasher.finalize();
    let head = u64::from_be_bytes(std::array::from_fn(|byte| hash[byte]));
    (u128::from(head) * 100) >> 64 < u128::from(weight)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::takes_canary;

    #[test]
    fn the_share_is_the_weight() {
        // A binomial with n = 20,000 stays within four standard deviations of its mean but once in 16,000 times.
        for weight in [1_u8, 10, 50, 90] {
            let taken = (0..20_000).filter(|who| takes_canary("loan-api", 2, &who.to_string(), weight)).count();
            let share = f64::from(weight) / 100.0;
            let spread = (20_000.0 * share * (1.0 - share)).sqrt();
            assert!((taken as f64 - 20_000.0 * share).abs() < 4.0 * spread, "{weight} %: {taken}");
        }
    }

    #[test]
    fn equals_sha256sum() {
        // echo -n loan-api/2/17 | sha256sum: 2c98bfbe…, a fraction of .1742
        assert!(!takes_canary("loan-api", 2, "17", 17));
        assert!(takes_canary("loan-api", 2, "17", 18));
    }

    proptest! {
        #[test]
        fn a_greater_weight_keeps_whom_it_had(who: String, version: u32, low in 0..=100_u8, more in 0..=100_u8) {
            let high = low.saturating_add(more).min(100);
            prop_assert!(!takes_canary("s", version, &who, low) || takes_canary("s", version, &who, high));
            prop_assert!(takes_canary("s", version, &who, 100));
            prop_assert!(!takes_canary("s", version, &who, 0));
        }
    }
}
