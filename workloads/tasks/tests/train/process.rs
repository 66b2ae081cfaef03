//! The binary as a Job runs it: exit code and termination message of what a user may get wrong.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value as Json, json};
use underwriter_contract::{request::TrainRequest, summary::Summary};

use crate::loans;

/// A folder of its own, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("underwriter-tasks-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Exit code and summary of a run with some request.
fn train(folder: &Path, request: &Json, environment: &[(&str, &str)]) -> (i32, Summary) {
    let (file, message) = (folder.join("request.json"), folder.join("message.json"));
    fs::write(&file, request.to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_underwriter-tasks"))
        .args(["train", "--request"])
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

fn request(data: &str, folder: &Folder) -> Json {
    let mut request: TrainRequest = loans::request();
    request.learning.data.uri = data.to_owned();
    request.artifact = format!("{}/artifact/", folder.0.display());
    serde_json::to_value(request).unwrap()
}

fn failure(name: &str, data: &str, change: impl Fn(&mut Json)) -> (i32, String) {
    let folder = Folder::new(name);
    let mut request = request(&folder.write("loans.csv", data), &folder);
    change(&mut request);
    match train(&folder.0, &request, &[]) {
        (code, Summary::Failed(failure)) => (code, failure.to_string()),
        (_, other) => panic!("{other:?}"),
    }
}

/// Made loans, a thousand a month: every fourth is bad, and `x` is higher for those as a rule.
fn made(rows: usize) -> String {
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
    let request = request(&folder.write("loans.csv", made(20_000)), &folder);
    let (code, first) = train(&folder.0, &request, &[]);
    assert_eq!(code, 0);
    let written = fs::metadata(folder.0.join("artifact/manifest.json")).unwrap().modified().unwrap();
    assert_eq!(train(&folder.0, &request, &[]), (0, first.clone()));
    assert_eq!(fs::metadata(folder.0.join("artifact/manifest.json")).unwrap().modified().unwrap(), written);
    let Summary::Trained(trained) = first else { panic!("{first:?}") };

    let champion = json!({
        "version": 1, "run": trained.run, "uri": request["artifact"], "digest": trained.manifest,
    });
    let mut again = request.clone();
    again["champion"] = champion;
    again["artifact"] = json!(format!("{}/other/", folder.0.display()));
    assert!(matches!(train(&folder.0, &again, &[]), (0, Summary::Skipped(skipped)) if skipped.same_as == 1));

    folder.write("loans.csv", made(24_000));
    let (code, compared) = train(&folder.0, &again, &[]);
    let Summary::Trained(compared) = compared else { panic!("{compared:?}") };
    let comparison = compared.compared_with.unwrap();
    assert_eq!((code, comparison.version, comparison.reused), (0, 1, false));
    assert_eq!(comparison.differences.len(), 2);

    again["champion"]["digest"] = json!(format!("sha256:{}", "0".repeat(64)));
    again["run"] = json!("third");
    let (code, corrupt) = train(&folder.0, &again, &[]);
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
    assert!(message.starts_with("RequestInvalid: the request cannot be read: missing field `recall`"), "{message}");
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

#[test]
fn says_which_store_cannot_be_reached() {
    let folder = Folder::new("unreachable");
    let request = request("s3://loans/lending-club/", &folder);
    let unreachable = [
        ("DATA_AWS_ACCESS_KEY_ID", "a"),
        ("DATA_AWS_SECRET_ACCESS_KEY", "b"),
        ("DATA_AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("DATA_AWS_REGION", "us-east-1"),
    ];
    let (code, summary) = train(&folder.0, &request, &unreachable);
    assert!(matches!(summary, Summary::Failed(failure) if code == 1 && failure.to_string().starts_with("Unreachable")));
}
