//! Stories of a LoanModel, told and random: every pass is checked by the [`World`], and may be cut off after any write.

mod comparison;
mod drift;
mod keeping;
mod mirror;
mod promotion;
mod random;
mod runs;
mod schedule;
mod sweeps;

use underwriter_crds::model_version::VersionState;

use super::world::{Ending, Quality, World};

/// A model whose first version decides.
pub fn deciding() -> World {
    let mut world = World::new();
    world.settle();
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    world
}

/// A model whose second version has just been learnt, for a change of its spec.
pub fn with_second(quality: Quality) -> World {
    let mut world = deciding();
    world.add_service();
    world.change_spec(1);
    world.settle();
    world.end_run(Ending::Trained(quality));
    world.settle();
    world
}

/// A model whose third version has just been learnt, against the second, which decides.
pub fn with_third(quality: Quality) -> World {
    let mut world = with_second(Quality::Better);
    world.vote(true);
    world.settle();
    world.change_spec(2);
    world.settle();
    world.end_run(Ending::Trained(quality));
    world.settle();
    assert_eq!(world.status().champion, Some(2));
    world
}

pub fn state(world: &World, number: u32) -> Option<VersionState> {
    world.versions.iter().find(|version| version.spec.version == number)?.status.as_ref()?.state
}

pub fn mirrored(world: &World) -> Option<String> {
    let conditions = world.status().conditions;
    let condition = conditions.into_iter().find(|condition| condition.type_ == "RegistryMirrored")?;
    Some(format!("{}/{}", condition.status, condition.reason))
}

pub fn numbers(world: &World) -> Vec<u32> {
    world.versions.iter().map(|version| version.spec.version).collect()
}
