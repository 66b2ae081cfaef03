//! A sweep comes before the training of its run.

use underwriter_crds::loan_model::SweepProgress;

use super::super::world::{Crash, Ending, Quality, World};

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
