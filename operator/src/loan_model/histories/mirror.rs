//! What MLflow shows.

use underwriter_crds::{loan_model::PromotionPolicy, model_version::Decision};

use super::{
    super::world::{Ending, Quality, World},
    deciding, mirrored,
};
use crate::summary::Progress;

/// A model whose first version decides and is to be shown in MLflow.
fn shown() -> World {
    let mut world = deciding();
    world.set_registry(true);
    world.settle();
    world
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
