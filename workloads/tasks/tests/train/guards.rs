//! The guards on the real file: every column that leaks is dropped and named, no honest one is.

use underwriter_contract::manifest::Guard;
use underwriter_tasks::train::{
    features::Feature,
    guards::{Columns, names, purity},
    table::Table,
};

use crate::loans::{finished, issued_before, request};

const HONEST: [&str; 19] = [
    "annual_inc",
    "delinq_2yrs",
    "dti",
    "earliest_cr_line",
    "emp_length",
    "home_ownership",
    "inq_last_6mths",
    "loan_amnt",
    "mths_since_last_delinq",
    "mths_since_last_record",
    "open_acc",
    "pub_rec",
    "pub_rec_bankruptcies",
    "purpose",
    "revol_bal",
    "revol_util",
    "term",
    "total_acc",
    "verification_status",
];

#[test]
fn drop_what_leaks_and_nothing_else() {
    for until in ["2010", "2011-10", "2012"] {
        let data = request().learning.data;
        let columns = Columns::judge(&finished(&issued_before(until), &data), &data).unwrap();
        // up to 2009 all loans run for 36 months
        let varies = |name: &&str| until != "2010" || *name != "term";
        assert_eq!(columns.learnt.iter().collect::<Vec<_>>(), HONEST.into_iter().filter(varies).collect::<Vec<_>>());
        for name in ["recoveries", "total_pymnt", "last_pymnt_amnt"] {
            let finding = columns.findings.iter().find(|finding| finding.column == name).unwrap();
            assert_eq!(finding.guard, Guard::LeaksByName);
            assert!(columns.features.iter().all(|feature| feature.name != name));
        }
        assert!(columns.findings.iter().all(|finding| finding.guard != Guard::LeaksByPurity), "{:?}", columns.findings);
    }
}

#[test]
fn find_recoveries_under_a_harmless_name() {
    for until in ["2010", "2012"] {
        let data = request().learning.data;
        let mut loans = finished(&issued_before(until), &data);
        let cells: Vec<_> = loans.table.cells("recoveries").map(|cell| vec![cell.map(str::to_owned)]).collect();
        loans.table = Table::from_rows(&["area_code_index"], &cells);
        let columns = Columns::judge(&loans, &data).unwrap();
        let finding = columns.findings.iter().find(|finding| finding.column == "area_code_index").unwrap();
        assert_eq!(finding.guard, Guard::LeaksByPurity);
        assert!(finding.evidence.contains("not 0") && finding.evidence.contains("all of them went bad"), "{finding:?}");
    }
}

#[test]
fn leave_the_lenders_own_columns_to_the_spec() {
    let loans = finished(&issued_before("2012"), &request().learning.data);
    for name in
        ["grade", "sub_grade", "int_rate", "installment", "funded_amnt", "funded_amnt_inv", "addr_state", "zip_code"]
    {
        assert!(!names::written_later(name));
        assert_eq!(purity::find(&Feature::read(name, &loans), &loans.bad, 60), None, "{name}");
    }
}
