//! Stories of a LoanModel, told and random: every pass is checked by the [`World`], and may be cut off after any write.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;
use proptest::prelude::*;
use underwriter_contract::request::TriggerType;
use underwriter_crds::{
    PredictionService,
    loan_model::{DeletionPolicy, OnDriftMode, PromotionPolicy, RunResult, SweepProgress},
    model_version::{Decision, VersionState},
};

use crate::summary::Progress;

use super::{
    decide::decide,
    world::{Crash, Ending, Quality, World},
};

/// A model whose first version decides.
fn deciding() -> World {
    let mut world = World::new();
    world.settle();
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    world
}

/// A model whose second version has just been learnt, for a change of its spec.
fn with_second(quality: Quality) -> World {
    let mut world = deciding();
    world.add_service();
    world.change_spec(1);
    world.settle();
    world.end_run(Ending::Trained(quality));
    world.settle();
    world
}

fn state(world: &World, number: u32) -> Option<VersionState> {
    world.versions.iter().find(|version| version.spec.version == number)?.status.as_ref()?.state
}

/// A model whose run is trying points.
fn sweeping(trials: u32) -> World {
    let mut world = World::new();
    world.sweep(Some(trials));
    world.settle();
    world
}

#[test]
fn a_sweep_comes_before_the_training_of_its_run() {
    let mut world = sweeping(3);
    let told = |world: &World| world.status().run.map(|run| (run.job, run.sweep.unwrap()));
    let progress = |succeeded, failed| SweepProgress { trials: 3, succeeded, failed };
    assert_eq!(told(&world), Some(("loans-v1-sweep".into(), progress(0, 0))));
    world.end_trial(true);
    world.end_trial(false);
    world.settle();
    assert_eq!(told(&world), Some(("loans-v1-sweep".into(), progress(1, 1))));
    let message = &world.status().conditions[0].message;
    assert!(message.contains("tries 3 points for v1: 1 succeeded, 1 failed"), "{message}");
    world.end_trial(true);
    world.settle();
    assert_eq!(told(&world), Some(("loans-v1".into(), progress(2, 1))));
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    assert_eq!((world.status().champion, world.started.len()), (Some(1), 1));
    assert_eq!(world.notices, ["RunStarted", "SweepEnded", "VersionCreated", "Promoted"]);
}

#[test]
fn a_run_trains_once_wherever_it_is_cut_off() {
    for crash in [Crash::AfterAction, Crash::AfterVersions] {
        let mut world = World::new();
        world.sweep(Some(2));
        world.pass(crash);
        world.lose_statuses();
        world.settle();
        world.end_run(Ending::Broken);
        world.pass(crash);
        world.lose_statuses();
        world.settle();
        let started = world.status().run.map(|run| (run.job, run.started));
        assert_eq!(started, Some(("loans-v1".into(), world.runs[0].created)));
        world.end_run(Ending::Trained(Quality::Better));
        world.settle();
        assert_eq!((world.status().champion, world.started.len()), (Some(1), 1));
    }
}

#[test]
fn a_run_goes_on_to_train_whatever_is_changed_while_it_tries() {
    let mut world = sweeping(2);
    world.sweep(None);
    world.model.spec.suspend = true;
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    assert_eq!(world.status().run.map(|run| run.job), Some("loans-v1".into()));
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    assert_eq!((world.status().champion, world.started.len()), (Some(1), 1));
    world.model.spec.suspend = false;
    world.settle();
    assert_eq!(world.started.last().map(|origin| (origin.version, origin.trials)), Some((2, None)));
}

#[test]
fn both_jobs_of_a_run_are_cleared_away() {
    let mut world = sweeping(2);
    for seed in 1..6 {
        world.end_run(Ending::Trained(Quality::Better));
        world.settle();
        world.end_run(Ending::Trained(Quality::Better));
        world.settle();
        world.change_spec(seed);
        world.settle();
    }
    assert_eq!((world.runs.len(), world.versions.len()), (4, 5), "three that ended, and one that goes on");
}

#[test]
fn the_first_version_becomes_champion() {
    let world = deciding();
    assert_eq!((world.status().champion, state(&world, 1)), (Some(1), Some(VersionState::Champion)));
    assert_eq!(world.last_run(), Some((1, 1, RunResult::Succeeded)));
    assert_eq!(world.notices, ["RunStarted", "VersionCreated", "Promoted"]);
    assert_eq!(world.true_conditions().keys().collect::<Vec<_>>(), ["Ready"]);
}

#[test]
fn a_challenger_waits_for_its_services() {
    let mut world = with_second(Quality::Better);
    assert_eq!((world.status().champion, world.status().challenger), (Some(1), Some(2)));
    world.vote(true);
    world.settle();
    assert_eq!((world.status().champion, world.status().challenger), (Some(2), None));
    assert_eq!(state(&world, 1), Some(VersionState::Retired));
    assert_eq!(world.versions[0].spec.decisions.last().unwrap().decision, Decision::Retired);
}

#[test]
fn a_clock_that_goes_back_does_not_change_who_decides() {
    let mut world = with_second(Quality::Better);
    world.wait(-5);
    world.vote(true);
    world.settle();
    assert_eq!(world.status().champion, Some(2));
}

#[test]
fn a_challenger_that_one_service_sends_back_is_rolled_back() {
    let mut world = with_second(Quality::Better);
    world.vote(false);
    world.settle();
    assert_eq!((world.status().champion, state(&world, 2)), (Some(1), Some(VersionState::RolledBack)));
    assert_eq!(world.versions[1].spec.decisions.last().unwrap().reason, "it erred");
}

#[test]
fn only_services_that_follow_and_have_pods_vote() {
    for exempt in [
        |service: &mut PredictionService| service.spec.model_ref.version = Some(1),
        |service: &mut PredictionService| service.spec.replicas = 0,
        |service: &mut PredictionService| service.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH)),
    ] {
        let mut world = with_second(Quality::Better);
        assert_eq!(world.status().champion, Some(1));
        exempt(&mut world.services[0]);
        world.settle();
        assert_eq!(world.status().champion, Some(2));
    }
}

#[test]
fn drift_against_a_former_champion_is_nobodys_business() {
    let mut world = with_second(Quality::Better);
    world.model.spec.suspend = true;
    world.drift(1, 500);
    world.settle();
    assert_eq!(world.true_conditions().get("RetrainingRequired").map(String::as_str), Some("Suspended"));
    world.vote(true);
    world.settle();
    assert_eq!((world.status().champion, world.true_conditions().get("RetrainingRequired")), (Some(2), None));
}

#[test]
fn a_worse_version_is_rejected_and_an_unclear_one_waits_for_a_person() {
    let world = with_second(Quality::Worse);
    assert_eq!((world.status().champion, state(&world, 2)), (Some(1), Some(VersionState::Rejected)));
    let mut world = with_second(Quality::Unclear);
    assert_eq!(world.true_conditions().get("AwaitingApproval").map(String::as_str), Some("DifferenceUnclear"));
    world.say(1, Decision::Approved);
    world.settle();
    assert_eq!(world.status().challenger, Some(2));
    world.say(1, Decision::Denied);
    world.settle();
    assert_eq!((world.status().challenger, state(&world, 2)), (None, Some(VersionState::Rejected)));
}

#[test]
fn a_manual_policy_waits_for_a_person() {
    let mut world = World::new();
    world.model.spec.promotion.policy = PromotionPolicy::Manual;
    world.settle();
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    assert_eq!(world.true_conditions().get("AwaitingApproval").map(String::as_str), Some("PolicyManual"));
    world.say(0, Decision::Approved);
    world.settle();
    assert_eq!(world.status().champion, Some(1));
}

#[test]
fn a_newer_challenger_supersedes_an_older_one() {
    let mut world = with_second(Quality::Better);
    world.change_spec(2);
    world.settle();
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    assert_eq!((world.status().challenger, state(&world, 2)), (Some(3), Some(VersionState::Retired)));
}

#[test]
fn a_version_that_was_refused_does_not_come_back_behind_the_champion() {
    let mut world = with_second(Quality::Worse);
    world.services.clear();
    world.change_spec(2);
    world.settle();
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    world.relax_gates(true);
    world.settle();
    assert_eq!((world.status().champion, state(&world, 2)), (Some(3), Some(VersionState::Retired)));
}

#[test]
fn revoking_the_champion_brings_the_one_before_back() {
    let mut world = with_second(Quality::Better);
    world.vote(true);
    world.settle();
    world.say(1, Decision::Revoked);
    world.settle();
    assert_eq!((world.status().champion, state(&world, 2)), (Some(1), Some(VersionState::Revoked)));
    assert_eq!(world.versions[0].spec.decisions.last().unwrap().decision, Decision::Promoted);
}

#[test]
fn invalid_input_stalls_until_it_is_corrected() {
    let mut world = World::new();
    world.settle();
    world.end_run(Ending::Invalid);
    world.settle();
    assert_eq!(world.true_conditions().get("Stalled").map(String::as_str), Some("ColumnNotFound"));
    let message = &world.status().conditions[0].message;
    assert!(message.contains("no such column") && message.contains("retrain-requested"), "{message}");
    world.change_spec(1);
    world.settle();
    assert_eq!(world.started.last().map(|origin| (origin.version, origin.attempt)), Some((1, 2)));
    assert_ne!(world.started[0].run, world.started[1].run, "another configuration in the same folder");
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    assert_eq!(world.status().champion, Some(1));
}

#[test]
fn invalid_input_is_tried_again_after_an_hour_and_a_lost_result_soon() {
    for (ending, hours) in [(Ending::Invalid, 1), (Ending::Lost, 1), (Ending::Broken, 1)] {
        let mut world = World::new();
        world.settle();
        world.end_run(ending);
        world.settle();
        assert_eq!(world.started.len(), 1);
        world.wait(hours);
        world.settle();
        assert_eq!(world.started.len(), 2);
        let (first, second) = (&world.started[0], &world.started[1]);
        assert_eq!((&first.run, first.outcomes_before, second.attempt), (&second.run, second.outcomes_before, 2));
    }
}

#[test]
fn a_request_is_answered_once() {
    let mut world = deciding();
    world.ask(7);
    world.settle();
    world.end_run(Ending::Skipped);
    world.settle();
    world.settle();
    assert_eq!((world.started.len(), world.status().last_handled_retrain_request.as_deref()), (2, Some("7")));
    assert_eq!(world.last_run(), Some((2, 1, RunResult::Skipped)));
    world.lose_statuses();
    world.settle();
    assert_eq!(world.started.len(), 2);
}

#[test]
fn drift_trains_once_and_only_with_enough_to_learn_from() {
    let mut world = deciding();
    world.drift(1, 20);
    world.settle();
    assert_eq!(world.true_conditions().get("RetrainingRequired").map(String::as_str), Some("WaitingForOutcomes"));
    world.drift(1, 100);
    world.settle();
    assert_eq!(world.started.last().map(|origin| origin.trigger.episodes.clone()), Some(vec!["m-1-1".to_owned()]));
    world.end_run(Ending::Trained(Quality::Worse));
    world.settle();
    assert_eq!(
        (world.started.len(), world.true_conditions().get("RetrainingRequired").map(String::as_str)),
        (2, Some("WaitingForOutcomes"))
    );
    world.drift(2, 100);
    world.settle();
    assert_eq!(world.true_conditions().get("RetrainingRequired").map(String::as_str), Some("Cooldown"));
    world.wait(25);
    world.settle();
    assert_eq!(world.started.len(), 3);
    world.end_run(Ending::Trained(Quality::Worse));
    world.settle();
    world.wait(25);
    world.drift(3, 100);
    world.settle();
    assert_eq!(world.true_conditions().get("RetrainingRequired").map(String::as_str), Some("MaxPerWeek"));
}

#[test]
fn outcomes_counted_against_another_version_do_not_count() {
    let mut world = deciding();
    world.drift(1, 500);
    world.monitors[0].status.as_mut().unwrap().last_scan.as_mut().unwrap().reference_version = 7;
    world.settle();
    assert_eq!(world.true_conditions().get("RetrainingRequired").map(String::as_str), Some("WaitingForOutcomes"));
}

#[test]
fn drift_is_only_told_when_that_is_wanted() {
    for (mode, told) in [(OnDriftMode::Warn, Some("OnlyWarned")), (OnDriftMode::Disabled, None)] {
        let mut world = deciding();
        world.model.spec.retraining.on_drift.mode = mode;
        world.drift(1, 500);
        world.settle();
        assert_eq!(
            (world.started.len(), world.true_conditions().get("RetrainingRequired").map(String::as_str)),
            (1, told)
        );
    }
}

#[test]
fn a_suspended_model_starts_nothing_but_ends_what_runs() {
    let mut world = World::new();
    world.settle();
    world.model.spec.suspend = true;
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    assert_eq!(world.status().champion, Some(1));
    world.change_spec(1);
    world.ask(1);
    world.drift(1, 500);
    world.settle();
    assert_eq!(world.started.len(), 1);
}

#[test]
fn no_more_finished_jobs_are_kept_than_somebody_would_read() {
    let mut world = deciding();
    for seed in 1..9 {
        world.change_spec(seed);
        world.settle();
        world.end_run(Ending::Trained(Quality::Better));
        world.settle();
    }
    assert_eq!((world.runs.len(), world.versions.len()), (3, 9));
    world.change_spec(9);
    world.settle();
    assert_eq!(world.runs.len(), 4, "one that runs does not count");
}

#[test]
fn failed_attempts_are_cleared_away_as_well() {
    let mut world = World::new();
    for _ in 0..6 {
        world.settle();
        world.end_run(Ending::Invalid);
        world.settle();
        world.wait(25);
    }
    assert_eq!((world.runs.len(), world.started.len()), (3, 6));
}

#[test]
fn a_job_that_alone_knows_of_an_answer_is_kept() {
    let mut world = deciding();
    world.ask(1);
    world.settle();
    world.end_run(Ending::Skipped);
    for seed in 1..6 {
        world.change_spec(seed);
        world.settle();
        world.end_run(Ending::Trained(Quality::Better));
        world.settle();
    }
    world.lose_statuses();
    world.settle();
    assert_eq!((world.started.len(), world.runs.len()), (7, 4));
}

#[test]
fn a_version_makes_up_for_the_failure_before_it() {
    let mut world = World::new();
    world.settle();
    world.end_run(Ending::Invalid);
    world.settle();
    world.wait(1);
    world.settle();
    world.end_run(Ending::Trained(Quality::Better));
    world.pass(Crash::AfterAction);
    world.runs.clear();
    world.settle();
    assert_eq!((world.status().champion, world.started.len()), (Some(1), 2));
    assert_eq!(world.true_conditions().keys().collect::<Vec<_>>(), ["Ready"]);
}

#[test]
fn a_restored_cluster_trains_nothing_again() {
    let mut world = with_second(Quality::Better);
    world.vote(true);
    world.settle();
    let before = world.versions.iter().map(|version| version.spec.decisions.clone()).collect::<Vec<_>>();
    world.restore();
    world.settle();
    assert_eq!((world.started.len(), world.status().champion), (2, Some(2)));
    assert_eq!(world.versions.iter().map(|version| version.spec.decisions.clone()).collect::<Vec<_>>(), before);
}

/// A model whose first version decides and is to be shown in MLflow.
fn shown() -> World {
    let mut world = deciding();
    world.set_registry(true);
    world.settle();
    world
}

fn mirrored(world: &World) -> Option<String> {
    let conditions = world.status().conditions;
    let condition = conditions.into_iter().find(|condition| condition.type_ == "RegistryMirrored")?;
    Some(format!("{}/{}", condition.status, condition.reason))
}

#[test]
fn mlflow_is_shown_each_change_once() {
    let mut world = shown();
    assert_eq!((world.mirrors.len(), mirrored(&world).as_deref()), (1, Some("False/Mirroring")));
    world.end_mirror(true);
    world.settle();
    assert_eq!((world.shown.clone(), mirrored(&world).as_deref()), (world.to_be_shown(), Some("True/Mirrored")));
    world.change_spec(1);
    world.settle();
    world.wait(5);
    world.settle();
    assert_eq!((world.mirrors.len(), world.started.len()), (1, 2), "a run that goes on is nothing to show");
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    world.end_mirror(true);
    world.settle();
    assert_eq!((world.shown.clone().unwrap().champion, world.mirrors.len()), (Some(2), 1));
    world.say(1, Decision::Revoked);
    world.settle();
    world.end_mirror(true);
    world.settle();
    let request = world.shown.clone().unwrap();
    assert_eq!((request.champion, request.versions[1].state.as_str()), (Some(1), "Revoked"));
    assert_eq!(mirrored(&world).as_deref(), Some("True/Mirrored"));
}

#[test]
fn training_and_promotion_go_on_without_mlflow_and_it_catches_up() {
    let mut world = shown();
    let mut tries = 0;
    for minutes in [1, 5, 15, 60, 60] {
        world.end_mirror(false);
        world.settle();
        assert_eq!(mirrored(&world).as_deref(), Some("False/Unreachable"));
        assert!(world.true_conditions().contains_key("Ready"));
        world.now += jiff::SignedDuration::from_mins(minutes - 1) + jiff::SignedDuration::from_secs(59);
        world.settle();
        assert!(world.mirrors.iter().all(|(mirror, _)| !matches!(mirror.progress, Some(Progress::Running(_)))));
        world.now += jiff::SignedDuration::from_secs(1);
        world.settle();
        tries += 1;
        assert_eq!(world.status().mirror.unwrap().failure.unwrap().attempts, tries);
    }
    world.change_spec(1);
    world.settle();
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    assert_eq!(world.status().champion, Some(2));
    world.end_mirror(false);
    world.settle();
    world.end_mirror(true); // the new version is tried at once
    world.settle();
    assert_eq!((world.shown.clone(), mirrored(&world).as_deref()), (world.to_be_shown(), Some("True/Mirrored")));
    let told: Vec<_> = world.notices.iter().filter(|notice| notice.starts_with("Mirror")).collect();
    assert_eq!(told, ["MirrorFailed", "Mirrored"]);
}

#[test]
fn what_was_shown_before_is_shown_again_by_a_job_of_the_same_name() {
    let mut world = shown();
    world.end_mirror(true);
    world.settle();
    for relaxed in [true, false, true, false] {
        world.model.spec.registry.as_mut().unwrap().mlflow.experiment = relaxed.then(|| "other".into());
        world.settle();
        world.end_mirror(true);
        world.settle();
        assert_eq!(world.shown, world.to_be_shown());
    }
}

#[test]
fn without_a_registry_nothing_of_it_is_left() {
    let mut world = shown();
    world.set_registry(false);
    world.settle();
    assert_eq!((world.mirrors.len(), world.status().mirror), (1, None), "it still runs");
    world.end_mirror(true);
    world.settle();
    assert_eq!((world.mirrors.len(), mirrored(&world)), (0, None));
}

#[test]
fn no_more_versions_are_shown_than_a_job_can_be_told() {
    let mut world = deciding();
    world.model.spec.promotion.policy = PromotionPolicy::Manual;
    for seed in 1..60 {
        world.change_spec(seed);
        world.settle();
        world.end_run(Ending::Trained(Quality::Better));
        world.settle();
    }
    world.set_registry(true);
    let request = world.to_be_shown().unwrap();
    let numbers: Vec<_> = request.versions.iter().map(|version| version.artifact.version).collect();
    assert_eq!(numbers, [1].into_iter().chain(11..=60).collect::<Vec<_>>());
    assert_eq!(request.champion, Some(1));
}

#[test]
fn a_schedule_trains_when_its_time_has_come_and_not_for_the_past() {
    let mut world = deciding();
    world.wait(60);
    world.schedule(Some("0 2 * * *"));
    world.settle();
    let promised = world.status().next_scheduled_run.unwrap();
    let pause = promised.duration_since(world.now).as_secs();
    assert!(pause > 0 && pause < 24 * 3600 + 300, "{promised}");
    assert_eq!(world.started.len(), 1);
    world.now = promised;
    world.settle();
    let trigger = world.started.last().unwrap().trigger.clone();
    assert_eq!((trigger.kind, trigger.scheduled), (TriggerType::Schedule, Some(promised)));
    world.end_run(Ending::Skipped);
    world.settle();
    assert_eq!((world.started.len(), world.versions.len()), (2, 1));
    assert_eq!(world.status().next_scheduled_run, Some(promised + SignedDuration::from_hours(24)));
}

#[test]
fn missed_runs_are_caught_up_with_once_also_behind_another_run() {
    let mut world = deciding();
    world.schedule(Some("0 * * * *"));
    world.settle();
    world.wait(100);
    world.settle();
    assert_eq!(world.started.len(), 2);
    world.wait(3);
    world.settle();
    assert!(world.status().next_scheduled_run.unwrap() < world.now, "a moment that waits for a run is told");
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    assert_eq!(world.started.len(), 3);
    world.end_run(Ending::Skipped);
    world.settle();
    assert_eq!(world.started.len(), 3);
}

#[test]
fn a_pause_is_not_caught_up_with_nor_is_a_lost_status() {
    let pause = |world: &mut World| {
        world.model.spec.suspend = true;
        world.settle();
        assert_eq!(world.status().next_scheduled_run, None);
        world.wait(100);
        world.model.spec.suspend = false;
    };
    let forget = |world: &mut World| {
        world.wait(100);
        world.lose_statuses();
    };
    for happens in [pause, forget] {
        let mut world = deciding();
        world.schedule(Some("0 * * * *"));
        world.settle();
        happens(&mut world);
        world.settle();
        assert_eq!(world.started.len(), 1);
        world.wait(2);
        world.settle();
        assert_eq!(world.started.len(), 2);
    }
}

#[test]
fn a_run_that_was_started_before_a_crash_answers_its_moment() {
    let mut world = deciding();
    world.schedule(Some("0 * * * *"));
    world.settle();
    world.wait(2);
    world.pass(Crash::AfterAction);
    world.end_run(Ending::Skipped);
    world.settle();
    assert_eq!(world.started.len(), 2);
}

#[test]
fn what_suspend_holds_back_is_told() {
    let mut world = deciding();
    world.model.spec.suspend = true;
    world.ask(1);
    world.settle();
    assert_eq!(world.true_conditions().get("RetrainingRequired").map(String::as_str), Some("Suspended"));
    world.model.spec.suspend = false;
    world.settle();
    assert_eq!((world.started.len(), world.true_conditions().get("RetrainingRequired")), (2, None));
}

#[test]
fn what_a_run_waits_for_is_told_also_while_a_champion_decides() {
    let mut world = deciding();
    world.ask(1);
    world.settle();
    let waits = "JobSuspended: the queue nightly admits it when there is room";
    world.runs.last_mut().unwrap().progress = Some(Progress::Running(Some(waits.into())));
    world.settle();
    assert_eq!(world.status().run.unwrap().waiting.as_deref(), Some(waits));
    assert_eq!(world.true_conditions().keys().collect::<Vec<_>>(), ["Ready"]);
}

#[test]
fn a_run_out_of_time_names_the_deadline() {
    let mut world = World::new();
    world.settle();
    world.end_run(Ending::Late);
    world.settle();
    let message = world.status().last_run.unwrap().message.unwrap();
    assert!(message.contains("spec.training.deadline, 1h"), "{message}");
}

#[test]
fn a_person_is_told_the_command_that_approves() {
    let mut world = with_second(Quality::Unclear);
    let conditions = world.status().conditions;
    let waits = conditions.iter().find(|condition| condition.type_ == "AwaitingApproval").unwrap();
    assert!(waits.message.contains("kubectl -n bank patch modelversion loans-v2 --type json"), "{}", waits.message);
    world.say(1, Decision::Approved);
    world.vote(true);
    world.settle();
    world.vote(true);
    world.settle();
    let reasons: Vec<_> = world.versions[1].spec.decisions.iter().map(|record| record.reason.as_str()).collect();
    assert_eq!(reasons, ["because", "a person approved it, and a service tried it"]);
}

#[test]
fn drift_that_goes_on_after_its_retraining_is_told_and_trains_nothing() {
    let mut world = deciding();
    world.drift(1, 500);
    world.settle();
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    assert_eq!(world.status().champion, Some(2));
    let episode = world.versions[1].spec.trigger.episodes[0].clone();
    world.drift(1, 500);
    world.monitors[0].status.as_mut().unwrap().episode.as_mut().unwrap().id = episode;
    world.wait(200);
    world.settle();
    assert_eq!(world.true_conditions().get("RetrainingRequired").map(String::as_str), Some("RetrainingDidNotHelp"));
    assert_eq!((world.started.len(), world.notices.last().map(String::as_str)), (2, Some("RetrainingDidNotHelp")));
    world.drift(2, 500);
    world.settle();
    assert_eq!(world.started.len(), 3);
}

/// A model of so many versions, each champion after the other.
fn with_history(versions: u32, limit: u32) -> World {
    let mut world = deciding();
    world.model.spec.history_limit = limit;
    for seed in 1..versions {
        world.change_spec(seed);
        world.settle();
        world.end_run(Ending::Trained(Quality::Better));
        world.settle();
    }
    world
}

fn numbers(world: &World) -> Vec<u32> {
    world.versions.iter().map(|version| version.spec.version).collect()
}

#[test]
fn the_oldest_versions_go_first_and_their_numbers_never_come_again() {
    let mut world = with_history(9, 4);
    assert_eq!(numbers(&world), [6, 7, 8, 9]);
    assert_eq!(world.notices.iter().filter(|notice| *notice == "VersionPruned").count(), 5);
    world.runs.clear();
    world.lose_statuses();
    world.change_spec(99);
    world.settle();
    assert_eq!(world.started.last().map(|origin| origin.version), Some(10));
}

#[test]
fn a_version_that_somebody_needs_is_kept_beyond_the_limit() {
    let mut world = with_history(3, 20);
    world.add_service();
    world.services[0].spec.model_ref.version = Some(1);
    world.model.spec.promotion.policy = PromotionPolicy::Manual;
    world.change_spec(50);
    world.settle();
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    world.model.spec.history_limit = 1;
    world.settle();
    assert_eq!(numbers(&world), [1, 2, 3, 4], "pinned, previous, champion, waiting");
    world.services.clear();
    world.settle();
    assert_eq!(numbers(&world), [2, 3, 4]);
    world.say(1, Decision::Revoked);
    world.settle();
    assert_eq!((world.status().champion, numbers(&world)), (Some(2), vec![2, 4]));
}

#[test]
fn versions_go_with_their_model_only_where_that_is_wanted() {
    let mut world = with_history(3, 20);
    world.delete_and_describe_again();
    world.settle();
    assert_eq!((numbers(&world), world.status().champion, world.started.len()), (vec![1, 2, 3], Some(3), 3));
    world.model.spec.deletion_policy = DeletionPolicy::Delete;
    world.settle();
    world.model.spec.deletion_policy = DeletionPolicy::Retain;
    world.settle();
    assert!(world.versions.iter().all(|version| version.owner_references().is_empty()));
    world.model.spec.deletion_policy = DeletionPolicy::Delete;
    world.change_spec(9);
    world.settle();
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    world.delete_and_describe_again();
    assert_eq!(numbers(&world), [0_u32; 0]);
}

/// Whether the operator stops looking again soon. What it waits for may be a moment away, but not time after time.
fn comes_to_rest(world: &mut World) -> bool {
    (0..4).any(|_| {
        world.settle();
        let pause = decide(&world.validated(), &world.observe(), world.now).requeue;
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
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        4 => Just(Ending::Trained(Quality::Better)),
        1 => Just(Ending::Trained(Quality::Unclear)),
        1 => Just(Ending::Trained(Quality::Worse)),
        1 => Just(Ending::Skipped),
        1 => Just(Ending::Invalid),
        1 => Just(Ending::Unreachable),
        1 => Just(Ending::Lost),
        1 => Just(Ending::Broken),
        1 => Just(Ending::Late),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let verb = prop_oneof![Just(Decision::Approved), Just(Decision::Denied), Just(Decision::Revoked)];
    prop_oneof![
        2 => (-3_i64..200).prop_map(Happening::Wait),
        6 => ending().prop_map(Happening::End),
        3 => (0_usize..9, verb).prop_map(|(number, verb)| Happening::Say(number, verb)),
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
    ]
}

/// Lets something happen; the operator looks only afterwards.
fn happen(world: &mut World, happening: &Happening) {
    match *happening {
        Happening::Wait(hours) => world.wait(hours),
        Happening::End(ending) => world.end_run(ending),
        Happening::Say(number, verb) => world.say(number, verb),
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
    fn any_history_keeps_the_invariants(history in prop::collection::vec(happening(), 1..40)) {
        let mut world = World::new();
        for happening in &history {
            happen(&mut world, happening);
            if !matches!(happening, Happening::CutOff(_)) {
                world.settle();
            }
        }
        world.settle();
        let again = decide(&world.validated(), &world.observe(), world.now);
        prop_assert_eq!(again.action, None);
        prop_assert_eq!(again.notices, vec![]);
        prop_assert!(comes_to_rest(&mut world), "polls for nothing");
        catches_up(&mut world);
    }
}
