//! Objects of tests: small real versions, and traffic to them.

pub mod artifact;

use std::sync::Arc;

use jiff::Timestamp;
use underwriter_contract::{
    FORMAT,
    manifest::{Evidence, Manifest},
    serving::{Canary, Traffic},
};

use crate::{decision::Policy, metrics::Tally, traffic::InForce, version::Version};

/// A version as [`artifact::manifest`] describes it.
pub fn version(number: u32) -> Arc<Version> {
    loaded(artifact::manifest(number))
}

/// A version with this manifest.
pub fn loaded(manifest: Manifest) -> Arc<Version> {
    Arc::new(Version::new(manifest, None, Tally::default()).unwrap())
}

/// A version whose score is not finite for an income of 1e300 or more.
pub fn erring(number: u32) -> Arc<Version> {
    let mut manifest = artifact::manifest(number);
    overflow(&mut manifest);
    loaded(manifest)
}

/// Every number in the manifest stays finite; only their product is not.
fn overflow(manifest: &mut Manifest) {
    for column in manifest.columns.iter_mut().filter(|column| column.name == "income") {
        if let Some(Evidence::Bins(bins)) = column.learnt.as_mut().map(|learnt| &mut learnt.evidence) {
            bins.evidence[1] = f64::MAX;
        }
    }
    for term in manifest.scorer.linear.iter_mut().flat_map(|linear| &mut linear.terms) {
        term.weight = 4.0;
    }
}

/// Traffic to the first of some versions, and to the second by weight.
pub fn traffic(versions: &[Arc<Version>], weight: Option<u8>) -> InForce {
    let canary = weight.map(|weight| Canary { version: versions[1].number(), weight });
    let active_from = Timestamp::UNIX_EPOCH;
    let traffic = Traffic { format: FORMAT, generation: 1, active_from, stable: versions[0].number(), canary };
    InForce::new(&traffic, versions).unwrap()
}

/// Traffic in force to versions of these numbers.
pub fn in_force(numbers: &[u32], weight: Option<u8>) -> InForce {
    let versions: Vec<_> = numbers.iter().copied().map(version).collect();
    traffic(&versions, weight)
}

/// What is the same for all decisions.
pub fn policy() -> Policy {
    Policy { model: "loans/consumer-loans".into(), service: "loan-api".into(), reasons: 4 }
}
