//! Versions that stay and versions that go.

use kube::ResourceExt as _;
use underwriter_crds::{
    loan_model::{DeletionPolicy, PromotionPolicy},
    model_version::Decision,
};

use super::{
    super::world::{Ending, Quality, World},
    deciding, numbers,
};

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
