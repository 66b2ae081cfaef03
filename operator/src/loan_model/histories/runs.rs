//! Runs that end well, badly or not at all, and the Jobs that are left of them.

use underwriter_crds::loan_model::RunResult;

use super::{
    super::world::{Crash, Ending, Quality, World},
    deciding, with_second,
};
use crate::summary::Progress;

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
fn a_run_out_of_time_names_the_deadline() {
    let mut world = World::new();
    world.settle();
    world.end_run(Ending::Late);
    world.settle();
    let message = world.status().last_run.unwrap().message.unwrap();
    assert!(message.contains("spec.training.deadline, 1h"), "{message}");
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
