//! `compare` as a Job runs it, between versions that were learnt here.

use serde_json::{Value as Json, json};
use underwriter_contract::summary::{Comparison, Summary, Trained};
use underwriter_servers::Folder;

use crate::process::{made, request, run};

/// A version, by its number, learnt from so many of the made loans; compared with another where there is one.
fn learnt(folder: &Folder, number: u32, rows: usize, champion: Option<&Json>) -> (Json, Trained) {
    let mut wanted = request(&folder.write("loans.csv", made(rows)).display().to_string(), folder);
    (wanted["version"], wanted["run"]) = (json!(number), json!(format!("run-{number}")));
    wanted["artifact"] = json!(format!("{}/v{number}/", folder.path().display()));
    if let Some(champion) = champion {
        wanted["champion"] = champion.clone();
    }
    let (code, summary) = run(&["train"], folder, &wanted, &[]);
    let Summary::Trained(trained) = summary else { panic!("{code}: {summary:?}") };
    let reference =
        json!({"version": number, "run": trained.run, "uri": wanted["artifact"], "digest": trained.manifest});
    (reference, *trained)
}

fn asked(folder: &Folder, version: &Json, champion: &Json) -> Json {
    let data = request(&folder.path().join("loans.csv").display().to_string(), folder)["learning"]["data"].clone();
    json!({"format": 1, "model": "bank/loans", "data": data, "version": version, "champion": champion})
}

fn compared(folder: &Folder, wanted: &Json) -> Comparison {
    match run(&["compare"], folder, wanted, &[]) {
        (0, Summary::Compared(compared)) => {
            assert_eq!(json!(compared.run), wanted["version"]["run"]);
            compared.comparison
        }
        other => panic!("{other:?}"),
    }
}

fn refused(folder: &Folder, wanted: &Json) -> String {
    match run(&["compare"], folder, wanted, &[]) {
        (2, Summary::Failed(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn finds_what_a_run_would_have_found_and_says_what_is_no_proof() {
    let folder = Folder::new("compare");
    let (first, _) = learnt(&folder, 1, 20_000, None);
    let (second, trained) = learnt(&folder, 2, 24_000, Some(&first));
    assert_eq!(Some(compared(&folder, &asked(&folder, &second, &first))), trained.compared_with);

    // the second has used all that the first was not made from
    let back = asked(&folder, &first, &second);
    let used = compared(&folder, &back);
    assert_eq!((used.version, used.rows, used.reused), (2, 6000, true));

    folder.write("loans.csv", made(26_000));
    let honest = compared(&folder, &back);
    assert_eq!((honest.version, honest.rows, honest.reused), (2, 2000, false));
    let recall = &honest.differences[1];
    assert!(recall.low < Some(recall.value) && Some(recall.value) < recall.high, "{recall:?}");

    says_what_is_wrong(&folder, &back);
}

fn says_what_is_wrong(folder: &Folder, wanted: &Json) {
    let changed = |change: &dyn Fn(&mut Json)| {
        let mut wanted = wanted.clone();
        change(&mut wanted);
        refused(folder, &wanted)
    };
    let undated = changed(&|wanted| wanted["data"]["time"] = json!(null));
    assert!(undated.starts_with("TooFewBad: ") && undated.contains("v1 was not made from them"), "{undated}");
    let digest = json!(format!("sha256:{}", "0".repeat(64)));
    let corrupt = changed(&|wanted| wanted["champion"]["digest"] = digest.clone());
    assert!(corrupt.starts_with("ArtifactCorrupt: "), "{corrupt}");

    folder.write("loans.csv", made(26_000).replace(",x,grade", ",y,grade"));
    let missing = refused(folder, wanted);
    assert!(missing.starts_with("ColumnNotFound: ") && missing.contains("\"x\""), "{missing}");
}
