//! Drift and what it leads to.

use underwriter_crds::loan_model::OnDriftMode;

use super::{
    super::world::{Ending, Quality},
    deciding, with_second,
};

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
