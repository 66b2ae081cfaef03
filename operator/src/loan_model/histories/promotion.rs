//! Who decides, who is tried, and who waits for a person.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use underwriter_crds::{
    PredictionService,
    loan_model::{PromotionPolicy, RunResult},
    model_version::{Decision, VersionState},
};

use super::{
    super::world::{Ending, Quality, World},
    deciding, state, with_second,
};

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
