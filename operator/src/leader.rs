//! Leader election by a Lease: of several operators one works, the others wait.
//!
//! Who loses the lease, or cannot renew it before it runs out, ends the process: nothing half-done goes on beside a new
//! leader. A pod that starts again takes its own lease up at once.

use std::time::{Duration, Instant};

use kube::Client;
use kube_lease_manager::{LeaseManager, LeaseManagerBuilder, LeaseManagerError};

use crate::settings::Settings;

/// How long a lease holds without being renewed.
const LEASE: Duration = Duration::from_secs(15);
/// How long before its end it is renewed.
const GRACE: Duration = Duration::from_secs(5);
/// The pause after a fault.
const PAUSE: Duration = Duration::from_secs(1);

/// A wish to lead, granted or not.
pub struct Leadership(LeaseManager);

impl Leadership {
    /// Joins the election.
    ///
    /// # Errors
    /// When the lease can neither be read nor made.
    pub async fn join(client: Client, settings: &Settings) -> Result<Self, LeaseManagerError> {
        let builder = LeaseManagerBuilder::new(client, &settings.lease_name)
            .with_namespace(&settings.lease_namespace)
            .with_identity(&settings.pod_name)
            .with_duration(LEASE.as_secs())
            .with_grace(GRACE.as_secs());
        builder.build().await.map(Self)
    }

    /// Ends when this process leads.
    pub async fn won(&self) {
        loop {
            match self.0.changed().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "lease not reached");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Ends when this process leads no longer, or may not.
    pub async fn lost(&self) {
        let mut outage = Outage::default();
        loop {
            match self.0.changed().await {
                Ok(false) => return,
                Ok(true) => {}
                Err(error) if outage.outlasts(Instant::now()) => {
                    return tracing::error!(%error, "lease not renewed in time");
                }
                Err(error) => tracing::warn!(%error, "lease not renewed"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Gives the lease up, so that another need not wait for its end.
    pub async fn resign(self) {
        if let Err(error) = self.0.release().await {
            tracing::warn!(%error, "lease not given up");
        }
    }
}

/// Renewals that fail one after the other.
#[derive(Default)]
struct Outage(Option<(Instant, Instant)>);

impl Outage {
    /// Whether, with one more failure now, the lease may have run out. Failures further apart than a lease are two outages:
    /// a renewal came between.
    fn outlasts(&mut self, now: Instant) -> bool {
        let first = self.0.filter(|(_, last)| now.duration_since(*last) < LEASE).map_or(now, |(first, _)| first);
        self.0 = Some((first, now));
        now.duration_since(first) >= GRACE // the renewal is tried that long before the end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_lasts_until_the_lease_ends() {
        let (mut outage, start) = (Outage::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(!outage.outlasts(at(0)) && !outage.outlasts(at(3)) && outage.outlasts(at(6)));
    }

    #[test]
    fn failures_far_apart_are_two_outages() {
        let (mut outage, start) = (Outage::default(), Instant::now());
        assert!(!outage.outlasts(start) && !outage.outlasts(start + Duration::from_secs(60)));
    }
}
