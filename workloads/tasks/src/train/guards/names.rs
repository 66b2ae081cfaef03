//! Columns that are known by name to be written after a loan was granted.
//!
//! Lending Club's own names, from its data dictionary, and those that OpenIntro gave to the same columns. Any other
//! lender's columns are left to the guard of purity.

/// In order of the alphabet, in small letters.
const WRITTEN_LATER: [&str; 44] = [
    "balance",
    "collection_recovery_fee",
    "debt_settlement_flag",
    "debt_settlement_flag_date",
    "deferral_term",
    "hardship_amount",
    "hardship_dpd",
    "hardship_end_date",
    "hardship_flag",
    "hardship_last_payment_amount",
    "hardship_length",
    "hardship_loan_status",
    "hardship_payoff_balance_amount",
    "hardship_reason",
    "hardship_start_date",
    "hardship_status",
    "hardship_type",
    "last_credit_pull_d",
    "last_fico_range_high",
    "last_fico_range_low",
    "last_pymnt_amnt",
    "last_pymnt_amnt.1",
    "last_pymnt_d",
    "next_pymnt_d",
    "orig_projected_additional_accrued_interest",
    "out_prncp",
    "out_prncp_inv",
    "paid_interest",
    "paid_late_fees",
    "paid_principal",
    "paid_total",
    "payment_plan_start_date",
    "pymnt_plan",
    "recoveries",
    "settlement_amount",
    "settlement_date",
    "settlement_percentage",
    "settlement_status",
    "settlement_term",
    "total_pymnt",
    "total_pymnt_inv",
    "total_rec_int",
    "total_rec_late_fee",
    "total_rec_prncp",
];

/// Whether a column is known by its name to be written after the loan was granted.
pub fn written_later(name: &str) -> bool {
    let name = name.trim().to_lowercase().replace([' ', '-'], "_");
    WRITTEN_LATER.binary_search(&name.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{WRITTEN_LATER, written_later};

    #[test]
    fn knows_its_names_in_any_spelling() {
        assert!(WRITTEN_LATER.is_sorted());
        assert!(written_later("recoveries") && written_later("Total Pymnt") && written_later("last_pymnt_amnt.1"));
        assert!(!written_later("revol_bal") && !written_later("delinq_2yrs"));
    }
}
