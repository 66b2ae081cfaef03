//! Random histories of a service in a small simulated cluster: Deployment controller, kubelet, traffic, a model that
//! nominates and promotes, and an operator that may be killed after any write.

use std::{collections::BTreeSet, time::Duration};

use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;
use underwriter_contract::{
    Digest,
    learning::SecretRef,
    request::ArtifactRef,
    serving::{Analysis, Traffic, VersionFigures},
};
use underwriter_crds::{
    PredictionServiceStatus,
    conditions::{check, merge},
    loan_model::{Artifacts, PredictionLog, Resolved},
    prediction_service::{AnalysisBounds, RolloutPhase, Step},
};

use super::{
    decide::{Decision, decide},
    rollout,
    state::{DeploymentState, Ended, Observed, PodState, TrafficState},
    validate::{Goal, Validated},
};

const LEAD: Duration = Duration::from_secs(3);
const PREDICTIONS: u64 = 100;

/// What befalls a service.
#[derive(Clone, Debug)]
enum Happening {
    /// The operator looks, and is killed after so many writes.
    Reconcile(usize),
    /// The Deployment controller and kubelet do a step.
    Progress,
    /// kubelet brings the ConfigMap to one pod.
    Sync(usize),
    /// So many applications reach the version on trial in every pod.
    Serve(u64),
    /// Seconds pass.
    Pass(i32),
    /// A pod is deleted.
    Kill(usize),
    /// A pod's process ends.
    Restart(usize),
    /// A pod stops or begins to report.
    Silence(usize),
    /// The model looks at the service.
    Promote,
    /// A new version is nominated: fine, erring or corrupt.
    Nominate(Kind),
    /// Another version that was champion is so again.
    Revoke,
    /// The status is deleted.
    Forget,
    /// The ConfigMap is deleted.
    Lose,
    /// The Deployment controller loses patience.
    RunLate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Fine,
    Erring,
    Corrupt,
}

#[derive(Clone, Debug)]
struct Pod {
    state: PodState,
    template: Vec<ArtifactRef>,
    held: Option<Traffic>,
    predictions: u64,
    errors: u64,
    silent: bool,
}

struct World {
    now: Timestamp,
    traffic: Option<TrafficState>,
    deployment: Option<DeploymentState>,
    pods: Vec<Pod>,
    status: PredictionServiceStatus,
    kinds: Vec<Kind>,
    champions: BTreeSet<u32>,
    champion: u32,
    challenger: Option<u32>,
    replicas: usize,
    names: u32,
    notices: Vec<String>,
}

fn artifact(version: u32) -> ArtifactRef {
    let (run, uri) = (format!("run{version}"), format!("s3://artifacts/{version}/"));
    ArtifactRef { version, run, uri, digest: Digest::of(&version.to_le_bytes()) }
}

impl World {
    fn new(replicas: usize) -> Self {
        Self {
            now: Timestamp::UNIX_EPOCH + 1_000_000.seconds(),
            traffic: None,
            deployment: None,
            pods: Vec::new(),
            status: PredictionServiceStatus::default(),
            kinds: vec![Kind::Fine, Kind::Fine],
            champions: BTreeSet::from([1, 2]),
            champion: 1,
            challenger: None,
            replicas,
            names: 0,
            notices: Vec::new(),
        }
    }

    fn kind(&self, version: u32) -> Kind {
        self.kinds[version as usize - 1]
    }

    fn validated(&self) -> Validated {
        let artifacts = Artifacts { uri: "s3://artifacts/".into(), secret_ref: None };
        let prediction_log = Some(PredictionLog { secret_ref: SecretRef { name: "log".into() } });
        let step = |weight| Step { weight, predictions: PREDICTIONS, hold: underwriter_crds::Duration::seconds(5) };
        Validated {
            goal: Goal::Follow { champion: artifact(self.champion), challenger: self.challenger.map(artifact) },
            steps: vec![step(10), step(10), step(50)],
            bounds: AnalysisBounds::default(),
            resolved: Resolved { artifacts, prediction_log, config_digest: Digest::of(b"") },
        }
    }

    fn analysis(&self, pod: &Pod) -> Option<Analysis> {
        let held = pod.held.as_ref().filter(|_| !pod.silent)?;
        let canary = held.canary.map(|canary| VersionFigures {
            version: canary.version,
            predictions: pod.predictions,
            errors: pod.errors,
            latency_p50: 1.0,
            latency_p99: 2.0,
        });
        Some(Analysis {
            pod: pod.state.name.clone(),
            started: pod.state.started.unwrap(),
            generation: held.generation,
            active: held.active_from <= self.now,
            versions: canary.into_iter().collect(),
        })
    }

    fn observed(&self) -> Observed {
        let mut observed = Observed {
            traffic: self.traffic.clone(),
            deployment: self.deployment.clone(),
            pods: Vec::new(),
            rollout: self.status.rollout.clone(),
            rejected: self.status.rejected_versions.clone(),
        };
        if !rollout::steady(&rollout::plan(&self.validated().goal, &observed), &observed) {
            let look = |pod: &Pod| PodState { analysis: self.analysis(pod), ..pod.state.clone() };
            observed.pods = self.pods.iter().map(look).collect();
        }
        observed
    }

    /// One pass, of which the first `writes` come through.
    fn reconcile(&mut self, writes: usize) -> Decision {
        let decision = decide(&Ok(self.validated()), &self.observed(), LEAD, self.now);
        let mut left = writes;
        let mut write = || {
            left = left.saturating_sub(1);
            left > 0
        };
        if let Some(state) = &decision.traffic {
            self.write_traffic(state.clone());
            if !write() {
                return decision;
            }
        }
        if let Some(versions) = decision.versions.clone().filter(|versions| self.loaded() != Some(versions)) {
            self.write_template(versions);
            if !write() {
                return decision;
            }
        }
        for pod in self.pods.iter_mut().filter(|pod| decision.tell.contains(&pod.state.name)) {
            pod.state.told = decision.told.unwrap_or_default();
        }
        self.write_status(&decision);
        decision
    }

    fn loaded(&self) -> Option<&Vec<ArtifactRef>> {
        self.deployment.as_ref().map(|deployment| &deployment.versions)
    }

    fn write_traffic(&mut self, state: TrafficState) {
        let before = self.traffic.as_ref();
        let changed = before.is_none_or(|before| before.traffic != state.traffic);
        let grown = before.is_none_or(|before| before.traffic.generation < state.traffic.generation);
        assert!(grown || !changed, "{state:?} after {before:?}");
        if let Some(canary) = state.traffic.canary {
            assert!(!state.record.rejects(&artifact(canary.version).run), "version {} again", canary.version);
            assert_ne!(self.kind(canary.version), Kind::Corrupt, "a corrupt version answers");
            let generation = before.map(|before| before.traffic.generation);
            let holds = |pod: &Pod| pod.held.as_ref().map(|held| held.generation) >= generation;
            assert!(
                self.pods.iter().filter(|pod| pod.state.ready).all(holds),
                "{state:?} before all hold {generation:?}"
            );
        }
        self.traffic = Some(state);
    }

    fn write_template(&mut self, versions: Vec<ArtifactRef>) {
        let numbers: Vec<_> = versions.iter().map(|version| version.version).collect();
        for held in self.pods.iter().filter(|pod| pod.state.ready).filter_map(|pod| pod.held.as_ref()) {
            assert!(names(held, &numbers), "{numbers:?} is loaded while a pod holds {held:?}");
        }
        let wanted = self.replicas as i32;
        let deployment = self.deployment.get_or_insert_default();
        (deployment.versions, deployment.wanted, deployment.current, deployment.late) =
            (versions, wanted, false, false);
    }

    fn write_status(&mut self, decision: &Decision) {
        let conditions = merge(&self.status.conditions, decision.conditions.clone(), Some(1), self.now);
        check(&conditions).unwrap();
        if let Some(rollout) = decision.rollout.as_ref().filter(|rollout| rollout.phase == RolloutPhase::Passed) {
            let allowed = rollout.predictions as f64 * AnalysisBounds::default().error_rate.at_most;
            assert!(rollout.predictions >= PREDICTIONS && rollout.errors as f64 <= allowed, "{rollout:?}");
            assert_eq!((rollout.step, rollout.weight), (2, 50));
        }
        self.notices.extend(decision.notices.iter().map(|notice| notice.reason.clone()));
        self.status = PredictionServiceStatus {
            stable: decision.stable,
            rollout: decision.rollout.clone(),
            rejected_versions: decision.rejected.clone(),
            conditions,
            ..PredictionServiceStatus::default()
        };
    }

    /// A pod is ready when its versions can be loaded and the traffic names none but them.
    fn progress(&mut self) {
        let Some(deployment) = self.deployment.clone() else { return };
        let (now, traffic) = (self.now, self.traffic.clone().map(|state| state.traffic));
        let hopeless =
            |pod: &Pod| pod.template.iter().any(|version| self.kinds[version.version as usize - 1] == Kind::Corrupt);
        for pod in self.pods.iter_mut().filter(|pod| !pod.state.ready) {
            let names = traffic.as_ref().is_some_and(|traffic| names(traffic, &pod.state.versions));
            if hopeless(pod) {
                pod.state.restarts += 1;
                pod.state.ended = Some(Ended { code: 2, at: now, message: "corrupt".into() });
            } else if names {
                (pod.state.ready, pod.state.ready_since, pod.held) = (true, Some(now), traffic.clone());
            }
        }
        let newest = |pod: &Pod| pod.template == deployment.versions;
        let ready = self.pods.iter().filter(|pod| pod.state.ready).count();
        if ready > self.replicas || self.pods.len() > self.replicas {
            let surplus = self.pods.iter().position(|pod| !newest(pod) && (ready > self.replicas || !pod.state.ready));
            surplus.map(|index| self.pods.remove(index));
        }
        let updated = self.pods.iter().filter(|pod| newest(pod)).count();
        if updated < self.replicas && self.pods.len() <= self.replicas {
            self.start(deployment.versions.clone());
        }
        self.figure();
    }

    fn start(&mut self, template: Vec<ArtifactRef>) {
        self.names += 1;
        let versions = template.iter().map(|version| version.version).collect();
        let name = format!("pod-{}", self.names);
        let (started, ready_since) = (Some(self.now), Some(self.now));
        let state = PodState { name, versions, started, ready_since, ..PodState::default() };
        self.pods.push(Pod { state, template, held: None, predictions: 0, errors: 0, silent: false });
    }

    /// The figures of the Deployment's status.
    fn figure(&mut self) {
        let Some(deployment) = &mut self.deployment else { return };
        let count = |of: &dyn Fn(&&Pod) -> bool| self.pods.iter().filter(of).count() as i32;
        deployment.updated = count(&|pod| pod.template == deployment.versions);
        (deployment.replicas, deployment.ready, deployment.current) =
            (count(&|_| true), count(&|pod| pod.state.ready), true);
    }

    fn sync(&mut self, index: usize) {
        let Some(state) = &self.traffic else { return };
        let count = self.pods.len();
        let Some(pod) = self.pods.get_mut(index % count.max(1)).filter(|pod| pod.state.ready) else { return };
        let newer = pod.held.as_ref().is_none_or(|held| held.generation < state.traffic.generation);
        if newer && names(&state.traffic, &pod.state.versions) {
            (pod.held, pod.predictions, pod.errors) = (Some(state.traffic.clone()), 0, 0);
        }
    }

    fn serve(&mut self, applications: u64) {
        for pod in self.pods.iter_mut().filter(|pod| pod.state.ready) {
            let held = pod.held.as_ref().filter(|held| held.active_from <= self.now);
            let Some(canary) = held.and_then(|held| held.canary) else { continue };
            pod.predictions += applications;
            if self.kinds[canary.version as usize - 1] == Kind::Erring {
                pod.errors += applications;
            }
        }
    }

    fn promote(&mut self) {
        let Some(challenger) = self.challenger else { return };
        let run = artifact(challenger).run;
        let passed = self
            .status
            .rollout
            .as_ref()
            .is_some_and(|rollout| (rollout.version, rollout.phase) == (challenger, RolloutPhase::Passed));
        if self.status.rejected_versions.iter().any(|rejected| rejected.run == run) {
            self.challenger = None;
        } else if passed {
            assert_eq!(self.kind(challenger), Kind::Fine);
            self.champions.insert(challenger);
            (self.champion, self.challenger) = (challenger, None);
        }
    }

    fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Reconcile(writes) => drop(self.reconcile(*writes)),
            Happening::Progress => self.progress(),
            Happening::Sync(index) => self.sync(*index),
            Happening::Serve(applications) => self.serve(*applications),
            Happening::Pass(seconds) => self.now += seconds.seconds(),
            Happening::Kill(index) if self.pods.len() > 1 => {
                self.pods.remove(index % self.pods.len());
                self.figure();
            }
            Happening::Restart(index) if self.pods.len() > 1 => {
                let (now, count) = (self.now, self.pods.len());
                let pod = &mut self.pods[index % count];
                (pod.state.ready, pod.state.ready_since, pod.state.restarts) =
                    (false, Some(now), pod.state.restarts + 1);
                pod.state.ended = Some(Ended { code: 137, at: now, message: "killed".into() });
                (pod.predictions, pod.errors) = (0, 0);
                self.figure();
            }
            Happening::Silence(index) if !self.pods.is_empty() => {
                let count = self.pods.len();
                let pod = &mut self.pods[index % count];
                pod.silent = !pod.silent;
            }
            Happening::Promote => self.promote(),
            Happening::Nominate(kind) => {
                self.kinds.push(*kind);
                self.challenger = Some(self.kinds.len() as u32);
            }
            Happening::Revoke if self.champions.len() > 1 => {
                let champion = self.champion;
                self.champion = *self.champions.iter().rev().find(|version| **version != champion).unwrap();
            }
            Happening::Forget => self.status = PredictionServiceStatus::default(),
            Happening::Lose => {
                self.now += 30.seconds(); // more than there were generations in this time
                self.traffic = None;
            }
            Happening::RunLate => {
                let unready = self.pods.iter().any(|pod| !pod.state.ready);
                self.deployment.iter_mut().for_each(|deployment| deployment.late = unready);
            }
            Happening::Kill(_) | Happening::Restart(_) | Happening::Silence(_) | Happening::Revoke => {}
        }
    }

    /// What no pod that answers may ever be told: a version it does not hold.
    fn check(&self) {
        let (Some(state), Some(deployment)) = (&self.traffic, &self.deployment) else { return };
        assert!(deployment.artifact(state.traffic.stable).is_some(), "{state:?} {deployment:?}");
        for pod in self.pods.iter().filter(|pod| pod.state.ready) {
            assert!(names(&state.traffic, &pod.state.versions), "{:?} cannot serve {:?}", pod.state, state.traffic);
        }
    }

    /// Everything goes well from here on, until nothing moves any more.
    fn settle(&mut self) {
        self.pods.iter_mut().for_each(|pod| pod.silent = false);
        for _ in 0..300 {
            self.happen(&Happening::Progress);
            let generation = self.traffic.as_ref().map_or(0, |state| state.traffic.generation);
            for index in 0..self.pods.len() {
                if self.pods[index].state.told >= generation {
                    self.sync(index); // kubelet may take a minute, unless it is told
                }
            }
            self.happen(&Happening::Pass(4));
            self.serve(200);
            self.reconcile(usize::MAX);
            self.promote();
            self.check();
            let observed = self.observed();
            let plan = rollout::plan(&self.validated().goal, &observed);
            if rollout::steady(&plan, &observed) && self.challenger.is_none() && self.status.rollout.is_none() {
                self.reconcile(usize::MAX);
                return;
            }
        }
        panic!("never settles: {:?} {:?} {:?} {:?}", self.traffic, self.deployment, self.pods, self.status);
    }
}

fn names(traffic: &Traffic, held: &[u32]) -> bool {
    held.contains(&traffic.stable) && traffic.canary.is_none_or(|canary| held.contains(&canary.version))
}

fn happening() -> impl Strategy<Value = Happening> {
    let kind = prop_oneof![3 => Just(Kind::Fine), 1 => Just(Kind::Erring), 1 => Just(Kind::Corrupt)];
    prop_oneof![
        10 => prop_oneof![4 => Just(usize::MAX), 1 => 1..4_usize].prop_map(Happening::Reconcile),
        10 => Just(Happening::Progress),
        8 => (0..4_usize).prop_map(Happening::Sync),
        6 => prop_oneof![1..10_u64, Just(200_u64)].prop_map(Happening::Serve),
        6 => (1..8_i32).prop_map(Happening::Pass),
        1 => (0..4_usize).prop_map(Happening::Kill),
        1 => (0..4_usize).prop_map(Happening::Restart),
        1 => (0..4_usize).prop_map(Happening::Silence),
        3 => Just(Happening::Promote),
        1 => kind.prop_map(Happening::Nominate),
        1 => Just(Happening::Revoke),
        1 => Just(Happening::Forget),
        1 => Just(Happening::Lose),
        1 => Just(Happening::RunLate),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn no_history_breaks_what_a_rollout_promises(
        replicas in 1..4_usize,
        history in prop::collection::vec(happening(), 1..200),
    ) {
        let mut world = World::new(replicas);
        for happening in &history {
            world.happen(happening);
            world.check();
        }
        world.settle();
        prop_assert_eq!(world.traffic.as_ref().unwrap().traffic.stable, world.champion);
        let held: BTreeSet<_> = world.pods.iter().filter_map(|pod| pod.held.as_ref()).map(|held| held.stable).collect();
        prop_assert_eq!(held, BTreeSet::from([world.champion]));
        let (traffic, status) = (world.traffic.clone(), world.status.clone());
        let decision = world.reconcile(usize::MAX);
        prop_assert_eq!((&world.traffic, &world.status), (&traffic, &status));
        prop_assert!(decision.traffic.is_none() && decision.tell.is_empty() && decision.notices.is_empty());
    }
}

fn served() -> World {
    let mut world = World::new(2);
    world.settle();
    world.notices.clear();
    world
}

#[test]
fn the_first_champion_is_served_without_a_trial() {
    let world = served();
    assert_eq!((world.status.stable, world.traffic.unwrap().traffic.generation), (Some(1), 1));
}

#[test]
fn a_fine_challenger_takes_every_step() {
    let mut world = served();
    world.happen(&Happening::Nominate(Kind::Fine));
    world.settle();
    assert_eq!((world.champion, world.status.stable), (3, Some(3)));
    assert_eq!(world.notices, ["Loading", "Trying", "Trying", "Trying", "Passed", "Switched", "Loading"]);
}

#[test]
fn a_revoked_champion_gives_way_to_one_that_is_loaded_first() {
    let mut world = served();
    world.happen(&Happening::Revoke);
    world.settle();
    assert_eq!((world.champion, world.status.stable), (2, Some(2)));
    assert_eq!(world.notices, ["Loading", "Switched", "Loading"]);
}

#[test]
fn an_erring_or_corrupt_challenger_goes_back_once() {
    for (kind, reason) in [(Kind::Erring, "ErrorRate"), (Kind::Corrupt, "PodsCrashing")] {
        let mut world = served();
        world.happen(&Happening::Nominate(kind));
        world.settle();
        let rejected = &world.status.rejected_versions;
        assert_eq!((rejected.len(), world.champion, world.status.stable), (1, 1, Some(1)));
        assert!(rejected[0].reason.starts_with(reason), "{rejected:?}");
        assert!(world.status.conditions.iter().any(|condition| condition.type_ == "RolledBack"));
        assert_eq!(world.notices.iter().filter(|notice| *notice == "RolledBack").count(), 1);
    }
}

#[test]
fn a_silent_pod_holds_and_a_restarted_one_fails() {
    for (happening, stepping) in [(Happening::Silence(0), true), (Happening::Restart(0), false)] {
        let mut world = served();
        world.happen(&Happening::Nominate(Kind::Fine));
        while world.traffic.as_ref().unwrap().traffic.canary.is_none() {
            world.happen(&Happening::Progress);
            world.reconcile(usize::MAX);
        }
        world.happen(&Happening::Pass(10));
        (0..2).for_each(|index| world.sync(index));
        world.serve(1_000);
        world.happen(&happening);
        world.reconcile(usize::MAX);
        let traffic = &world.traffic.as_ref().unwrap().traffic;
        assert_eq!(traffic.canary.map(|canary| canary.weight), stepping.then_some(10), "{happening:?}");
    }
}

#[test]
fn figures_of_a_vanished_pod_count_once() {
    let mut world = served();
    world.happen(&Happening::Nominate(Kind::Fine));
    while world.traffic.as_ref().unwrap().traffic.canary.is_none() {
        world.happen(&Happening::Progress);
        world.reconcile(usize::MAX);
    }
    world.happen(&Happening::Pass(10));
    (0..2).for_each(|index| world.sync(index));
    world.serve(20);
    world.reconcile(usize::MAX);
    world.happen(&Happening::Kill(0));
    world.reconcile(usize::MAX);
    world.reconcile(usize::MAX);
    assert_eq!(world.status.rollout.unwrap().predictions, 40);
}
