//! Whatever may happen to a model, in any order.

use std::time::Duration;

use proptest::prelude::*;
use underwriter_contract::summary::FailureReason;
use underwriter_crds::{
    loan_model::{DeletionPolicy, PromotionPolicy},
    model_version::Decision,
};

use super::{
    super::{
        comparison::ObservedComparison,
        world::{Crash, Ending, Quality, World},
    },
    mirrored, numbers, with_third,
};
use crate::summary::Progress;

/// Whether the operator stops looking again soon. What it waits for may be a moment away, but not time after time.
fn comes_to_rest(world: &mut World) -> bool {
    (0..4).any(|_| {
        world.settle();
        let pause = world.decide().requeue;
        world.now += pause;
        pause > Duration::from_secs(1)
    })
}

/// What may happen to a model.
#[derive(Clone, Debug)]
enum Happening {
    Wait(i64),
    End(Ending),
    Say(usize, Decision),
    TakeBack,
    ChangeSpec(u32),
    AskAnew,
    Drift { anew: bool, new_bad: u64 },
    DriftEnds,
    Suspend(bool),
    Sweep(Option<u32>),
    EndTrial(bool),
    Manual(bool),
    RelaxGates(bool),
    Schedule(Option<&'static str>),
    KeepHistory(u32),
    DeleteVersions(bool),
    Pin(Option<u32>),
    Deleted,
    AddService,
    RemoveServices,
    Vote(bool),
    LoseStatuses,
    Restore,
    CutOff(Crash),
    Registry(bool),
    EndMirror(bool),
    EndComparison(Result<(Quality, bool), FailureReason>),
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        4 => Just(Ending::Trained(Quality::Better)),
        1 => Just(Ending::Trained(Quality::Unclear)),
        1 => Just(Ending::Trained(Quality::Beaten)),
        1 => Just(Ending::Trained(Quality::Worse)),
        1 => Just(Ending::Skipped),
        1 => Just(Ending::Invalid),
        1 => Just(Ending::Unreachable),
        1 => Just(Ending::Lost),
        1 => Just(Ending::Broken),
        1 => Just(Ending::Late),
    ]
}

/// A model nobody has looked at yet, or one that has come a long way.
fn beginning() -> impl Strategy<Value = World> {
    let qualities = prop::sample::select(vec![Quality::Better, Quality::Unclear, Quality::Beaten]);
    prop_oneof![1 => Just(()).prop_map(|()| World::new()), 2 => qualities.prop_map(with_third)]
}

fn found() -> impl Strategy<Value = Result<(Quality, bool), FailureReason>> {
    let quality = prop_oneof![3 => Just(Quality::Better), 1 => Just(Quality::Unclear), 1 => Just(Quality::Beaten)];
    prop_oneof![
        4 => (quality, prop::bool::weighted(0.2)).prop_map(Ok),
        1 => Just(Err(FailureReason::TooFewBad)),
        1 => Just(Err(FailureReason::Unreachable)),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let verb = prop_oneof![Just(Decision::Approved), Just(Decision::Denied), Just(Decision::Revoked)];
    prop_oneof![
        2 => (-3_i64..200).prop_map(Happening::Wait),
        6 => ending().prop_map(Happening::End),
        3 => (0_usize..9, verb).prop_map(|(number, verb)| Happening::Say(number, verb)),
        2 => Just(Happening::TakeBack),
        2 => (0_u32..4).prop_map(Happening::ChangeSpec),
        1 => Just(Happening::AskAnew),
        3 => (any::<bool>(), 0_u64..300).prop_map(|(anew, new_bad)| Happening::Drift { anew, new_bad }),
        1 => Just(Happening::DriftEnds),
        1 => any::<bool>().prop_map(Happening::Suspend),
        1 => prop::option::of(1_u32..4).prop_map(Happening::Sweep),
        2 => any::<bool>().prop_map(Happening::EndTrial),
        1 => any::<bool>().prop_map(Happening::Manual),
        1 => any::<bool>().prop_map(Happening::RelaxGates),
        2 => prop::sample::select(vec![None, Some("0 * * * *"), Some("0 2 * * *"), Some("*/5 * * * *"), Some("0 0 1 * *")])
            .prop_map(Happening::Schedule),
        2 => (1_u32..6).prop_map(Happening::KeepHistory),
        1 => any::<bool>().prop_map(Happening::DeleteVersions),
        1 => prop::option::of(1_u32..5).prop_map(Happening::Pin),
        1 => Just(Happening::Deleted),
        1 => Just(Happening::AddService),
        1 => Just(Happening::RemoveServices),
        4 => any::<bool>().prop_map(Happening::Vote),
        1 => Just(Happening::LoseStatuses),
        1 => Just(Happening::Restore),
        4 => prop_oneof![Just(Crash::AfterAction), Just(Crash::AfterVersions), Just(Crash::Never)].prop_map(Happening::CutOff),
        2 => any::<bool>().prop_map(Happening::Registry),
        4 => any::<bool>().prop_map(Happening::EndMirror),
        4 => found().prop_map(Happening::EndComparison),
    ]
}

/// Lets something happen; the operator looks only afterwards.
fn happen(world: &mut World, happening: &Happening) {
    match *happening {
        Happening::Wait(hours) => world.wait(hours),
        Happening::End(ending) => world.end_run(ending),
        Happening::Say(number, verb) => world.say(number, verb),
        Happening::TakeBack => world.take_back(),
        Happening::ChangeSpec(seed) => world.change_spec(seed),
        Happening::AskAnew => world.ask(world.token + 1),
        Happening::Drift { anew, new_bad } => world.drift(world.scan + u32::from(anew), new_bad),
        Happening::DriftEnds => world.monitors.clear(),
        Happening::Sweep(trials) => world.sweep(trials),
        Happening::EndTrial(well) => world.end_trial(well),
        Happening::Suspend(suspend) => world.model.spec.suspend = suspend,
        Happening::Manual(true) => world.model.spec.promotion.policy = PromotionPolicy::Manual,
        Happening::Manual(false) => world.model.spec.promotion.policy = PromotionPolicy::Automatic,
        Happening::RelaxGates(relaxed) => world.relax_gates(relaxed),
        Happening::Schedule(schedule) => world.schedule(schedule),
        Happening::KeepHistory(limit) => world.model.spec.history_limit = limit,
        Happening::DeleteVersions(true) => world.model.spec.deletion_policy = DeletionPolicy::Delete,
        Happening::DeleteVersions(false) => world.model.spec.deletion_policy = DeletionPolicy::Retain,
        Happening::Pin(version) => {
            world.services.iter_mut().for_each(|service| service.spec.model_ref.version = version)
        }
        Happening::Deleted => deleted(world),
        Happening::AddService => world.add_service(),
        Happening::RemoveServices => world.services.clear(),
        Happening::Vote(passes) => world.vote(passes),
        Happening::LoseStatuses => forget(world, World::lose_statuses),
        Happening::Restore => restore(world),
        Happening::CutOff(crash) => drop(world.pass(crash)),
        Happening::Registry(wanted) => world.set_registry(wanted),
        Happening::EndMirror(up) => world.end_mirror(up),
        Happening::EndComparison(found) => world.end_comparison(found),
    }
}

/// Statuses are derived again: nothing is started for it, the champion stays.
fn forget(world: &mut World, lose: fn(&mut World)) {
    world.settle();
    let before = (world.started.len(), world.status().champion);
    let kept = numbers(world);
    lose(world);
    world.settle();
    assert_eq!((world.started.len(), world.status().champion), before, "a lost status has consequences");
    let come = numbers(world).into_iter().find(|number| !kept.contains(number)); // some may go with the drift they answer
    assert_eq!(come, None, "a version comes again");
}

fn restore(world: &mut World) {
    world.settle();
    if world.status().run.is_none() && !world.has_loose_ends() {
        forget(world, World::restore);
        let versions: Vec<_> = world.versions.iter().map(|version| version.spec.version).collect();
        world.started.retain(|origin| versions.contains(&origin.version)); // a backup knows of no other
    }
}

/// MLflow, where there is one, comes to show what it should.
fn catches_up(world: &mut World) {
    let failed = world.status().mirror.and_then(|mirror| mirror.failure).map_or(world.now, |failure| failure.at);
    world.now = world.now.max(failed);
    world.wait(1);
    for _ in 0..2 {
        world.settle(); // what runs may be of old
        world.end_mirror(true);
    }
    world.settle();
    if let Some(wanted) = world.to_be_shown() {
        assert_eq!(world.shown.as_ref(), Some(&wanted));
        assert_eq!(mirrored(world).as_deref(), Some("True/Mirrored"));
    }
}

/// A version that waits is compared with the champion in the end, or a person is told that it cannot be.
fn compares(world: &mut World) {
    for _ in 0..6 {
        world.wait(25);
        world.settle();
        world.end_comparison(Ok((Quality::Better, false)));
        world.settle();
    }
    let conditions = world.status().conditions;
    let waits = conditions.iter().find(|condition| condition.type_ == "AwaitingApproval");
    let compared = waits.is_none_or(|waits| waits.reason != "NotCompared" || waits.message.contains("not tried again"));
    assert!(compared, "{waits:?}");
    let runs = |comparison: &ObservedComparison| matches!(comparison.progress, Some(Progress::Running(_)));
    assert!(!world.comparisons.iter().any(runs), "{:?}", world.comparisons);
    assert!(world.comparisons.len() <= 1, "Jobs are left behind");
}

/// The model goes and comes again: with its versions, or without them.
fn deleted(world: &mut World) {
    world.settle();
    if world.status().run.is_some() || world.has_loose_ends() {
        return;
    }
    if world.model.spec.deletion_policy == DeletionPolicy::Delete {
        world.delete_and_describe_again();
        assert_eq!(numbers(world), [0_u32; 0], "a version outlives its model");
        world.started.clear(); // another model of the same name, which counts from one
    } else {
        forget(world, World::delete_and_describe_again);
        let kept = numbers(world);
        world.started.retain(|origin| kept.contains(&origin.version));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_history_keeps_the_invariants(mut world in beginning(), history in prop::collection::vec(happening(), 1..40)) {
        for happening in &history {
            happen(&mut world, happening);
            if !matches!(happening, Happening::CutOff(_)) {
                world.settle();
            }
        }
        world.settle();
        let again = world.decide();
        prop_assert_eq!(again.action, None);
        prop_assert_eq!(again.notices, vec![]);
        prop_assert!(comes_to_rest(&mut world), "polls for nothing");
        catches_up(&mut world);
        compares(&mut world);
    }
}
