//! Versions that are compared again, because another decides than the one they were compared with.

use underwriter_contract::summary::FailureReason;
use underwriter_crds::{
    loan_model::PromotionPolicy,
    model_version::{Decision, VersionState},
};

use super::{
    super::world::{Crash, Ending, Quality, World},
    state, with_second, with_third,
};

/// A model whose third version was learnt against the second, which a person has taken back: the first decides again.
fn gone_back(quality: Quality) -> World {
    let mut world = with_third(quality);
    world.say(1, Decision::Revoked);
    world.settle();
    assert_eq!(world.status().champion, Some(1));
    world
}

fn jobs(world: &World) -> Vec<&str> {
    world.comparisons.iter().map(|comparison| comparison.job.as_str()).collect()
}

/// Why a version may not be served.
fn explained(world: &World, number: u32) -> (String, String) {
    let version = world.versions.iter().find(|version| version.spec.version == number).unwrap();
    let condition = version.status.as_ref().unwrap().conditions[0].clone();
    (condition.reason, condition.message)
}

fn awaiting(world: &World) -> Option<String> {
    world.true_conditions().get("AwaitingApproval").cloned()
}

#[test]
fn a_version_is_compared_with_the_champion_that_came_back() {
    let mut world = gone_back(Quality::Better);
    assert_eq!((jobs(&world), state(&world, 3)), (vec!["loans-v3-vs-v1"], Some(VersionState::Candidate)));
    let told = ("NotCompared".into(), "Job loans-v3-vs-v1 compares it with v1, which decides by now".into());
    assert_eq!((explained(&world, 3), awaiting(&world)), (told, None));
    world.end_comparison(Ok((Quality::Better, false)));
    world.settle();
    assert_eq!((world.status().challenger, world.compared.len()), (Some(3), 1));
    world.vote(true);
    world.settle();
    assert_eq!(world.status().champion, Some(3));
    assert_eq!(world.notices.iter().filter(|notice| *notice == "ComparisonStarted").count(), 1);
    assert!(!world.notices.contains(&"AwaitingApproval".to_owned()), "{:?}", world.notices);
}

#[test]
fn the_gates_judge_what_was_found() {
    for (quality, reused, expected, reason) in [
        (Quality::Worse, false, VersionState::Rejected, "WorseThanChampion"),
        (Quality::Unclear, false, VersionState::Candidate, "DifferenceUnclear"),
        (Quality::Better, true, VersionState::Candidate, "RowsReused"),
    ] {
        let mut world = gone_back(Quality::Better);
        world.end_comparison(Ok((quality, reused)));
        world.settle();
        assert_eq!((state(&world, 3), explained(&world, 3).0.as_str()), (Some(expected), reason));
        assert_eq!(awaiting(&world).as_deref(), (expected == VersionState::Candidate).then_some(reason));
        world.wait(100);
        world.settle();
        assert_eq!(world.compared.len(), 1);
    }
}

#[test]
fn a_loss_against_a_version_that_was_taken_back_says_nothing() {
    let mut world = with_third(Quality::Beaten);
    assert_eq!(state(&world, 3), Some(VersionState::Rejected));
    world.say(1, Decision::Revoked);
    world.settle();
    world.end_comparison(Ok((Quality::Better, false)));
    world.settle();
    assert_eq!((world.status().champion, world.status().challenger), (Some(1), Some(3)));
}

#[test]
fn a_loss_against_a_version_that_stands_is_enough() {
    let mut world = with_second(Quality::Better);
    world.change_spec(2);
    world.settle();
    world.end_run(Ending::Trained(Quality::Beaten));
    world.settle();
    world.vote(true);
    world.settle();
    assert_eq!((world.status().champion, state(&world, 3)), (Some(2), Some(VersionState::Rejected)));
    assert_eq!(world.compared, []);
}

#[test]
fn an_unclear_version_is_compared_with_the_challenger_that_was_promoted_before_it() {
    let mut world = with_second(Quality::Better);
    world.change_spec(2);
    world.settle();
    world.end_run(Ending::Trained(Quality::Unclear));
    world.settle();
    assert_eq!((world.status().challenger, awaiting(&world).as_deref()), (Some(2), Some("DifferenceUnclear")));
    world.vote(true);
    world.settle();
    assert_eq!((world.status().champion, jobs(&world), awaiting(&world)), (Some(2), vec!["loans-v3-vs-v2"], None));
}

#[test]
fn one_that_fails_is_tried_again_and_then_left_to_a_person() {
    let mut world = gone_back(Quality::Better);
    for (attempt, hours) in [(1, 1), (2, 4), (3, 24), (4, 500)] {
        assert_eq!(world.compared.last().map(|pair| pair.attempt), Some(attempt));
        world.end_comparison(Err(FailureReason::TooFewBad));
        world.settle();
        assert_eq!(awaiting(&world).as_deref(), Some("NotCompared"));
        let message = explained(&world, 3).1;
        assert!(message.contains("no loan to compare on") && message.contains("approve it by hand"), "{message}");
        assert_eq!(message.contains("not tried again"), attempt == 4, "{message}");
        world.wait(hours);
        world.settle();
    }
    assert_eq!((world.compared.len(), jobs(&world)), (4, vec!["loans-v3-vs-v1-a4"]));
    assert!(world.true_conditions().contains_key("Ready"), "nothing else waits for it");
    world.say(2, Decision::Approved);
    world.settle();
    assert_eq!(world.status().challenger, Some(3));
}

#[test]
fn a_version_that_was_learnt_meanwhile_is_compared_in_the_place_of_the_older() {
    let mut world = gone_back(Quality::Better);
    world.end_comparison(Err(FailureReason::Unreachable));
    world.model.spec.promotion.policy = PromotionPolicy::Manual;
    world.change_spec(3);
    world.settle();
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    world.wait(1);
    world.settle();
    assert_eq!((awaiting(&world).as_deref(), world.compared.len()), (Some("PolicyManual"), 1));
}

#[test]
fn it_is_compared_once_wherever_a_pass_is_cut_off_and_whatever_status_is_lost() {
    for crash in [Crash::AfterAction, Crash::AfterVersions] {
        let mut world = with_third(Quality::Better);
        world.say(1, Decision::Revoked);
        for _ in 0..6 {
            world.pass(crash);
            world.lose_statuses();
        }
        world.settle();
        world.end_comparison(Ok((Quality::Better, false)));
        world.pass(crash);
        world.lose_statuses();
        world.settle();
        assert_eq!((world.compared.len(), world.status().challenger), (1, Some(3)));
        world.lose_statuses();
        world.settle();
        assert_eq!((world.compared.len(), world.status().challenger), (1, Some(3)), "its Job tells it again");
        world.comparisons.clear();
        world.lose_statuses();
        world.settle();
        assert_eq!((world.compared.len(), state(&world, 3)), (2, Some(VersionState::Candidate)));
    }
}

#[test]
fn a_job_that_nobody_waits_for_is_removed() {
    let mut world = gone_back(Quality::Better);
    world.say(2, Decision::Approved);
    world.settle();
    assert_eq!((world.status().challenger, jobs(&world).len()), (Some(3), 0));

    let mut world = with_third(Quality::Better);
    world.vote(true);
    world.change_spec(3);
    world.settle();
    world.end_run(Ending::Trained(Quality::Better));
    world.settle();
    assert_eq!((world.status().champion, world.status().challenger), (Some(3), Some(4)));
    for (place, expected) in [(2, "loans-v4-vs-v2"), (1, "loans-v4-vs-v1")] {
        world.say(place, Decision::Revoked);
        world.settle();
        assert_eq!(jobs(&world), [expected]);
    }
}

#[test]
fn a_suspended_model_is_compared_all_the_same() {
    let mut world = with_third(Quality::Better);
    world.model.spec.suspend = true;
    world.say(1, Decision::Revoked);
    world.settle();
    assert_eq!(jobs(&world), ["loans-v3-vs-v1"]);
}
