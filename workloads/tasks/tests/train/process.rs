//! The binary as a Job runs it: exit code and termination message of what a user may get wrong.

use std::{fs, process::Command};

use serde_json::{Value as Json, json};
use underwriter_contract::{request::TrainRequest, summary::Summary};
use underwriter_servers::{Folder, KEY, S3, SECRET};

use crate::loans;

/// Exit code and summary of a run with some request.
fn train(folder: &Folder, request: &Json, environment: &[(&str, &str)]) -> (i32, Summary) {
    run(&["train"], folder, request, environment)
}

/// The same of one trial of its sweep.
fn attempt(index: u32, folder: &Folder, request: &Json, environment: &[(&str, &str)]) -> (i32, Summary) {
    let environment: Vec<_> = environment.iter().copied().chain([("JOB_COMPLETION_INDEX", "9")]).collect();
    run(&["sweep", "--index", &index.to_string()], folder, request, &environment)
}

/// Exit code and summary of a task with some request.
pub fn run(task: &[&str], folder: &Folder, request: &Json, environment: &[(&str, &str)]) -> (i32, Summary) {
    let (file, message) = (folder.write("request.json", request.to_string()), folder.path().join("message.json"));
    let output = Command::new(env!("CARGO_BIN_EXE_underwriter-tasks"))
        .args(task)
        .arg("--request")
        .arg(&file)
        .arg("--termination-log")
        .arg(&message)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = fs::read(&message).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert!(text.len() <= 2048);
    (output.status.code().unwrap(), serde_json::from_slice(&text).unwrap())
}

/// Asks for a version of loans in a file, to be written into a folder.
pub fn request(data: &str, folder: &Folder) -> Json {
    let mut request: TrainRequest = loans::request();
    request.learning.data.uri = data.to_owned();
    request.artifact = format!("{}/artifact/", folder.path().display());
    serde_json::to_value(request).unwrap()
}

fn failure(name: &str, data: &str, change: impl Fn(&mut Json)) -> (i32, String) {
    let folder = Folder::new(name);
    let mut request = request(&folder.write("loans.csv", data).display().to_string(), &folder);
    change(&mut request);
    match train(&folder, &request, &[]) {
        (code, Summary::Failed(failure)) => (code, failure.to_string()),
        (_, other) => panic!("{other:?}"),
    }
}

/// Made loans, a thousand a month: every fourth is bad, and `x` is higher for those as a rule.
pub fn made(rows: usize) -> String {
    let names = "grade,sub_grade,int_rate,installment,funded_amnt,funded_amnt_inv,addr_state,zip_code";
    let noise = |at: usize, factor: u64| ((at as u64 + 1).wrapping_mul(factor) >> 40) % 100;
    let row = |at: usize| {
        let bad = at.is_multiple_of(4);
        let (one, other) = (noise(at, 0x9e37_79b9_7f4a_7c15), noise(at, 0xbf58_476d_1ce4_e5b9));
        let x = if at.is_multiple_of(8) { one.max(other) } else { one };
        let (year, month) = (8 + at / 12_000, at / 1000 % 12 + 1);
        let status = if bad { "Charged Off" } else { "Fully Paid" };
        format!("{at},20{year:02}-{month:02}-01,{status},{x},a,a,a,a,a,a,a,a\n")
    };
    format!("id,issue_d,loan_status,x,{names}\n{}", (0..rows).map(row).collect::<String>())
}

#[test]
fn trains_once_and_summarises_again() {
    let folder = Folder::new("once");
    let request = request(&folder.write("loans.csv", made(20_000)).display().to_string(), &folder);
    let (code, first) = train(&folder, &request, &[]);
    assert_eq!(code, 0);
    let written = fs::metadata(folder.path().join("artifact/manifest.json")).unwrap().modified().unwrap();
    assert_eq!(train(&folder, &request, &[]), (0, first.clone()));
    assert_eq!(fs::metadata(folder.path().join("artifact/manifest.json")).unwrap().modified().unwrap(), written);
    let Summary::Trained(trained) = first else { panic!("{first:?}") };

    let champion = json!({
        "version": 1, "run": trained.run, "uri": request["artifact"], "digest": trained.manifest,
    });
    let mut again = request.clone();
    again["champion"] = champion;
    again["artifact"] = json!(format!("{}/other/", folder.path().display()));
    assert!(matches!(train(&folder, &again, &[]), (0, Summary::Skipped(skipped)) if skipped.same_as == 1));

    let mut known = again.clone();
    known["champion"] = json!(null);
    known["known"] = json!([{"version": 7, "data": trained.data.digest}]);
    assert!(matches!(train(&folder, &known, &[]), (0, Summary::Skipped(skipped)) if skipped.same_as == 7));
    again["known"] = known["known"].clone();

    folder.write("loans.csv", made(24_000));
    let (code, compared) = train(&folder, &again, &[]);
    let Summary::Trained(compared) = compared else { panic!("{compared:?}") };
    let comparison = compared.compared_with.unwrap();
    assert_eq!((code, comparison.version, comparison.reused), (0, 1, false));
    assert_eq!(comparison.differences.len(), 2);

    again["champion"]["digest"] = json!(format!("sha256:{}", "0".repeat(64)));
    again["run"] = json!("third");
    let (code, corrupt) = train(&folder, &again, &[]);
    assert!(
        matches!(corrupt, Summary::Failed(failure) if code == 2 && failure.to_string().starts_with("ArtifactCorrupt"))
    );
}

#[test]
fn says_what_is_wrong_with_the_spec() {
    let (code, message) =
        failure("column", &made(2000), |request| request["learning"]["data"]["label"]["column"] = json!("loan_state"));
    assert_eq!(code, 2);
    assert!(
        message.contains("ColumnNotFound") && message.contains("\"loan_state\" (is \"loan_status\" meant?)"),
        "{message}"
    );

    let (code, message) =
        failure("label", &made(2000), |request| request["learning"]["data"]["label"]["bad"] = json!(["Default"]));
    assert_eq!(code, 2);
    assert!(message.starts_with("LabelInvalid: column \"loan_status\" has 0 bad (Default) and 1500 good"), "{message}");

    let (code, message) = failure("recall", &made(20_000), |request| {
        request["learning"]["decision"]["recall"] = json!({"atLeast": 0.999})
    });
    assert_eq!(code, 2);
    assert!(message.starts_with("RecallOutOfReach") && message.contains("would be needed"), "{message}");

    let (code, message) = failure("request", "", |request| request["learning"]["decision"] = json!({}));
    assert_eq!(code, 2);
    assert!(
        message.starts_with(
            "RequestInvalid: decision: exactly one of recall, cost, approvalRate and threshold must be set"
        ),
        "{message}"
    );
}

#[test]
fn says_what_is_wrong_with_the_data() {
    let (code, message) = failure("broken", &format!("{}1,2,3\n", made(20)), |_| ());
    assert_eq!(code, 2);
    assert!(
        message.contains("1 of 21 rows cannot be read")
            && message.contains("loans.csv line 22: 3 fields instead of 12"),
        "{message}"
    );

    let (code, message) = failure("few", &made(600), |_| ());
    assert_eq!(code, 2);
    assert!(message.starts_with("TooFewBad: the test block"), "{message}");

    let (code, message) =
        failure("nothing", "", |request| request["learning"]["data"]["uri"] = json!("/nowhere/loans.csv"));
    assert_eq!(code, 3);
    assert!(message.starts_with("NotFound: /nowhere/loans.csv"), "{message}");
}

/// How a run ends whose loans are in a store, for a key's secret.
fn refused(uri: &str, endpoint: &str, secret: &str) -> (i32, String) {
    let folder = Folder::new("tasks");
    let environment = [
        ("DATA_AWS_ACCESS_KEY_ID", KEY),
        ("DATA_AWS_SECRET_ACCESS_KEY", secret),
        ("DATA_AWS_ENDPOINT_URL", endpoint),
        ("DATA_AWS_REGION", "us-east-1"),
    ];
    match train(&folder, &request(uri, &folder), &environment) {
        (code, Summary::Failed(failure)) => (code, failure.to_string()),
        (_, other) => panic!("{other:?}"),
    }
}

#[test]
fn says_which_store_cannot_be_reached() {
    let (code, message) = refused("s3://loans/lending-club/", "http://127.0.0.1:9", "any");
    assert!(code == 1 && message.starts_with("Unreachable: s3://loans/lending-club/"), "{message}");
}

#[tokio::test]
async fn says_which_store_refuses_its_keys_or_has_no_such_bucket() {
    let s3 = S3::shared();
    let uri = format!("s3://{}/loans.csv", s3.bucket().await);
    let (code, message) = refused(&uri, &s3.url(), "wrong");
    assert!(code == 3 && message.starts_with(&format!("AccessDenied: {uri}")), "{message}");
    let (code, message) = refused("s3://no-such-bucket/loans.csv", &s3.url(), SECRET);
    assert!(code == 3 && message.starts_with("NotFound: s3://no-such-bucket/loans.csv"), "{message}");
}

/// The keys of the shared S3 server, for both stores.
fn keys(endpoint: &str) -> Vec<(&'static str, &str)> {
    let of = |id, secret, url, region| [(id, KEY), (secret, SECRET), (url, endpoint), (region, "us-east-1")];
    let data = of("DATA_AWS_ACCESS_KEY_ID", "DATA_AWS_SECRET_ACCESS_KEY", "DATA_AWS_ENDPOINT_URL", "DATA_AWS_REGION");
    let artifacts = of(
        "ARTIFACTS_AWS_ACCESS_KEY_ID",
        "ARTIFACTS_AWS_SECRET_ACCESS_KEY",
        "ARTIFACTS_AWS_ENDPOINT_URL",
        "ARTIFACTS_AWS_REGION",
    );
    data.into_iter().chain(artifacts).collect()
}

#[tokio::test]
async fn trials_of_a_sweep_are_merged_and_one_may_be_missing() {
    let (s3, folder) = (S3::shared(), Folder::new("sweep"));
    let (url, bucket) = (s3.url(), s3.bucket().await);
    let keys = keys(&url);
    let mut request = request(&folder.write("loans.csv", made(20_000)).display().to_string(), &folder);
    request["artifact"] = json!(format!("s3://{bucket}/models/run/"));
    request["learning"]["training"] = json!({"algorithm": "GradientBoosting", "sweep": {"trials": 3}});

    let (code, none) = train(&folder, &request, &keys);
    let Summary::Failed(none) = none else { panic!("{none:?}") };
    assert_eq!(code, 3);
    assert!(none.to_string().contains("/models/run/trials/: none of the 3 trials"), "{none}");

    let (code, first) = attempt(0, &folder, &request, &keys);
    let Summary::Tried(tried) = &first else { panic!("{first:?}") };
    assert_eq!((code, tried.trial, tried.run.as_str()), (0, 0, "run"));
    assert_eq!(attempt(2, &folder, &request, &keys).0, 0);
    let (code, beyond) = attempt(3, &folder, &request, &keys);
    assert!(code == 2 && matches!(beyond, Summary::Failed(why) if why.to_string().contains("there is no trial 3")));

    // what stands is kept: without the loans there is nothing to try again
    let mut blind = request.clone();
    blind["learning"]["data"]["uri"] = json!("/nowhere/loans.csv");
    assert_eq!(attempt(0, &folder, &blind, &keys), (0, first.clone()));

    let (code, trained) = train(&folder, &request, &keys);
    let Summary::Trained(trained) = trained else { panic!("{trained:?}") };
    assert_eq!((code, trained.algorithm), (0, underwriter_contract::learning::Family::GradientBoosting));
    let store = |name: &str| {
        keys.iter().find(|(key, _)| format!("ARTIFACTS_{name}") == *key).map(|(_, value)| (*value).to_owned())
    };
    let settings = underwriter_data::store::Settings::read("", None, store).unwrap();
    let report = format!("s3://{bucket}/models/run/report.json").parse().unwrap();
    let report = underwriter_data::store::Store::new(settings).read(&report, 1 << 20).await.unwrap();
    let report: Json = serde_json::from_slice(&report).unwrap();
    assert_eq!((&report["sweep"]["wanted"], &report["sweep"]["missing"]), (&json!(3), &json!([1])));
    assert_eq!(report["sweep"]["trials"].as_array().unwrap().len(), 2);
    let default = &report["sweep"]["trials"][0];
    assert_eq!((&default["leaves"], &default["learningRate"]), (&json!(8), &json!(0.05)));
    let again = report["trials"].as_array().unwrap();
    assert!(again.iter().all(|trial| report["sweep"]["trials"].as_array().unwrap().contains(trial)), "{report:#}");

    // the loans have changed since: what was tried on others does not count
    folder.write("loans.csv", made(24_000));
    request["artifact"] = json!(format!("s3://{bucket}/models/other/"));
    assert_eq!(attempt(0, &folder, &request, &keys).0, 0);
    folder.write("loans.csv", made(20_000));
    let (code, changed) = train(&folder, &request, &keys);
    assert!(code == 3 && matches!(changed, Summary::Failed(why) if why.to_string().contains("the loans have changed")));
}
