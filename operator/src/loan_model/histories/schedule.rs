//! Runs that come by themselves.

use jiff::SignedDuration;
use underwriter_contract::request::TriggerType;

use super::{
    super::world::{Crash, Ending, Quality, World},
    deciding,
};

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
