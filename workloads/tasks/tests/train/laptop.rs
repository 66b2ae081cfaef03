//! The binary as a person calls it: arguments, what it prints, and how it exits.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use underwriter_servers::{Folder, KAGGLE_KEY, KAGGLE_USERNAME, Published, free_port};

use crate::process::made;

struct Answer {
    code: i32,
    out: String,
    error: String,
}

fn tasks(arguments: &[&str], environment: &[(&str, &str)]) -> Answer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_underwriter-tasks"));
    let output = command.args(arguments).envs(environment.iter().copied()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer { code: output.status.code().unwrap(), out: text(output.stdout), error: text(output.stderr) }
}

/// Whether some line begins with these words.
fn has(text: &str, words: &[&str]) -> bool {
    text.lines().any(|line| line.split_whitespace().collect::<Vec<_>>().starts_with(words))
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The loans of [`made`] from one row to another.
fn part(folder: &Folder, name: &str, rows: std::ops::Range<usize>) -> PathBuf {
    let loans = made(rows.end);
    let lines: Vec<&str> = loans.lines().collect();
    folder.write(name, [&lines[..1], &lines[rows.start + 1..]].concat().join("\n"))
}

#[test]
fn explores_trains_and_evaluates() {
    let folder = Folder::new("laptop");
    let (old, older) = (part(&folder, "old.csv", 10_000..20_000), part(&folder, "older.csv", 0..10_000));
    let (new, out) = (part(&folder, "new.csv", 20_000..24_000), folder.path().join("model"));
    let spec = ["--label", "LOAN_STATUS", "--time", "issue_d", "--id", "id", "--exclude", "grade"];

    let page = folder.path().join("loans.html");
    let explored = tasks(&[&["explore", "--data", shown(&old), "--out", shown(&page)], spec.as_slice()].concat(), &[]);
    assert_eq!(explored.code, 0, "{}", explored.error);
    assert!(std::fs::read_to_string(&page).unwrap().contains("<svg"));
    for line in ["10,000 rows, 10,000 finished loans, 2,500 of them bad (25.0 %)", "Vintages"] {
        assert!(explored.out.contains(line), "{line} is not in\n{}", explored.out);
    }

    assert!(
        has(&explored.out, &["sub_grade", "Constant"]) && !has(&explored.out, &["grade", "Constant"]),
        "{}",
        explored.out
    );

    let data = ["train", "--data", shown(&older), shown(&old), "--out", shown(&out), "--algorithm", "Scorecard"];
    let trained = tasks(&[data.as_slice(), &spec].concat(), &[]);
    assert_eq!(trained.code, 0, "{}", trained.error);
    for line in
        ["Scorecard learnt from", "calibrate", "RocAuc", "Recall", "Refused from a probability of 0.", "Constant"]
    {
        assert!(trained.out.contains(line), "{line} is not in\n{}", trained.out);
    }
    let again = tasks(&[data.as_slice(), &spec].concat(), &[]);
    assert_eq!((again.code, again.out), (0, trained.out));

    let evaluated = tasks(&["evaluate", "--model-dir", shown(&out), "--data", shown(&new)], &[]);
    assert_eq!(evaluated.code, 0, "{}", evaluated.error);
    assert!(evaluated.out.contains("laptop/loans version 1 on 4,000 finished loans"), "{}", evaluated.out);
    assert!(evaluated.out.contains("All are later") && evaluated.out.contains("RocAuc"), "{}", evaluated.out);
    let used = tasks(&["evaluate", "--model-dir", shown(&out), "--data", shown(&old), shown(&new)], &[]);
    assert!(used.out.contains("Warning: 10,000 of these loans are not later than 2009-08-01"), "{}", used.out);
    assert!(used.out.contains("On the 4,000 loans that are later"), "{}", used.out);

    let other = folder.write("other.csv", "id,issue_d,loan_status\n1,2012-01,Charged Off\n2,2012-01,Fully Paid\n");
    let lacking = tasks(&["evaluate", "--model-dir", shown(&out), "--data", shown(&other)], &[]);
    assert!(lacking.code == 2 && lacking.error.contains("has no column \"x\""), "{}", lacking.error);
    let nothing = tasks(&["evaluate", "--model-dir", shown(folder.path()), "--data", shown(&other)], &[]);
    assert!(nothing.code == 3 && nothing.error.contains("has no manifest.json"), "{}", nothing.error);
}

const MODEL: &str = "apiVersion: underwriter.dev/v1alpha1
kind: LoanModel
metadata: {name: made}
spec:
  data:
    uri: s3://loans/elsewhere/
    label: {column: loan_status, bad: [Charged Off], good: [Fully Paid]}
    time: {column: issue_d}
  training: {algorithm: LogisticRegression, deadline: 1h}
  decision: {recall: {atLeast: 0.6}}
  promotion: {policy: Manual}
";

#[test]
fn learns_what_the_clusters_file_says() {
    let folder = Folder::new("yaml");
    let (loans, out) = (folder.write("loans.csv", made(20_000)), folder.path().join("model/"));
    let model = folder.write("made.yaml", MODEL);
    let arguments = ["train", "--model", shown(&model), "--data", shown(&loans), "--out", shown(&out)];
    let trained = tasks(&arguments, &[]);
    assert!(trained.code == 0 && trained.out.starts_with("LogisticRegression learnt from"), "{}", trained.error);

    folder.write("made.yaml", MODEL.replace("decision", "decisions"));
    let misspelt = tasks(&arguments, &[]);
    assert!(
        misspelt.code == 2 && misspelt.error.contains("made.yaml: ") && misspelt.error.contains("decision"),
        "{}",
        misspelt.error
    );
    folder.write("made.yaml", MODEL.replace("time:", "tme:"));
    let unknown = tasks(&arguments, &[]);
    assert!(unknown.error.contains("made.yaml: line 8: a LoanModel has no field spec.data.tme"), "{}", unknown.error);
}

#[test]
fn says_what_an_argument_lacks() {
    let folder = Folder::new("arguments");
    let loans = folder.write("loans.csv", "status,when,x\n0,2011-01,1\n1,2011-01,2\n");
    let refused = |arguments: &[&str]| {
        let answer = tasks(arguments, &[]);
        assert_eq!(answer.code, 2, "{}", answer.error);
        answer.error
    };
    assert!(refused(&["explore", "--label", "status"]).contains("there are no loans: give --data FILE"));
    assert!(refused(&["explore", "--data", shown(&loans)]).contains("Give --label COLUMN"));
    let message = refused(&["explore", "--data", shown(&loans), "--label", "status"]);
    assert!(message.contains("LabelInvalid: column \"status\" has 2 values, \"0\" (1), \"1\" (1)"), "{message}");
    let message = refused(&["train", "--data", shown(&loans), "--label", "stauts", "--bad", "1", "--good", "0"]);
    assert!(message.contains("no column \"stauts\" (is \"status\" meant?)"), "{message}");
    assert!(refused(&["train", "--data", "a", "--label", "b", "--recall", "2"]).contains("between 0.01 and 0.99"));
    assert!(refused(&["train", "--data", "a", "--request", "b"]).contains("--request says all that is wanted"));
    assert!(tasks(&["train", "--help"], &[]).out.contains("Examples:"));
    let missing = tasks(&["explore", "--data", "/nowhere.csv", "--label", "status"], &[]);
    assert!(missing.code == 3 && missing.error.contains("NotFound: /nowhere.csv"), "{}", missing.error);
}

/// What lenders and their spreadsheets really write, all in one file.
#[test]
fn reads_odd_files() {
    let folder = Folder::new("odd");
    let row = |at: usize| {
        let status = if at.is_multiple_of(4) { "Charged Off" } else { "Fully Paid" };
        let (month, title) = (["Nov", "Dec"][at % 2], format!("\"b\u{e4}r {}\rtwo lines\"", at % 3));
        format!(
            "{at},{month}-2011, 36 months,{}.5%,10+ years,,{},{title},{status},\r",
            at % 9,
            if at.is_multiple_of(5) { "n/a" } else { "7" }
        )
    };
    let rows: String = (0..400).map(row).collect();
    let text = format!(
        "Loans (https://example.org)\r\rID,Issue_D,term,int_rate,emp_length,empty,mixed,title,Loan_Status,\r{rows}1,2\r"
    );
    let latin: Vec<u8> = text.chars().map(|character| character as u8).collect();
    let loans = folder.write("odd.csv", latin);
    let arguments = ["explore", "--data", shown(&loans), "--label", "loan_status", "--time", "issue_d", "--id", "id"];
    let explored = tasks(&arguments, &[]);
    assert_eq!(explored.code, 0, "{}", explored.error);
    for line in [
        ["int_rate", "Number", "0.0", "%", "9"].as_slice(),
        &["term", "Number", "0.0", "%", "1"],
        &["emp_length", "Number"],
        &["mixed", "Number", "20.0", "%"],
        &["title", "Category", "0.0", "%", "3"],
        &["empty", "Category", "100.0", "%"],
        &["2011-12", "200"],
        &["broken", "1"],
    ] {
        assert!(has(&explored.out, line), "{line:?} is not in\n{}", explored.out);
    }
    assert!(explored.out.contains("line 804: 2 fields instead of 9"), "{}", explored.out);
}

fn zipped(name: &str, text: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}

#[test]
fn reads_datasets_of_kaggle() {
    let published = Published::start();
    published.put("lender/loans/accepted loans.csv", zipped("accepted loans.csv", &made(2000)));
    let base = published.kaggle();
    let explore = |file: &str, key: &str, base: &str| {
        let environment = [("KAGGLE_USERNAME", KAGGLE_USERNAME), ("KAGGLE_KEY", key), ("KAGGLE_BASE_URL", base)];
        tasks(&["explore", "--data", file, "--label", "loan_status"], &environment)
    };
    let explored = explore("kaggle://lender/loans/accepted loans.csv", KAGGLE_KEY, &base);
    assert!(explored.code == 0 && explored.out.contains("2,000 rows"), "{}", explored.error);
    let refused = explore("kaggle://lender/loans/accepted loans.csv", "wrong", &base);
    assert!(refused.code == 3 && refused.error.contains("AccessDenied: kaggle://lender/loans/"), "{}", refused.error);
    let missing = explore("kaggle://lender/loans/none.csv", KAGGLE_KEY, &base);
    assert!(
        missing.code == 3 && missing.error.contains("NotFound: kaggle://lender/loans/none.csv"),
        "{}",
        missing.error
    );
    let nobody = explore("kaggle://lender/loans/a.csv", KAGGLE_KEY, &format!("http://127.0.0.1:{}", free_port()));
    assert!(nobody.code == 1 && nobody.error.contains("Unreachable: kaggle://lender/loans/a.csv"), "{}", nobody.error);
}
