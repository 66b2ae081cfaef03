//! Columns that are known by name: to be written after a loan was granted, to tell where somebody lives, or who somebody
//! is.
//!
//! Written later are Lending Club's own names, from its data dictionary, and those that OpenIntro gave to the same
//! columns; any other lender's columns are left to the guard of purity. Where and who somebody is are the names that
//! public loan data have for what Regulation B (12 CFR 1002) and the proxies for it are about.

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

/// In order of the alphabet, in small letters.
const IDENTIFIER: [&str; 12] = [
    "account_id",
    "applicant_id",
    "application_id",
    "borrower_id",
    "client_id",
    "customer_id",
    "id",
    "loan_id",
    "member_id",
    "row_id",
    "sk_id_curr",
    "user_id",
];

/// In order of the alphabet, in small letters.
const LOCATION: [&str; 25] = [
    "addr_state",
    "address",
    "borough",
    "census_tract",
    "city",
    "country",
    "county",
    "district",
    "home_address",
    "latitude",
    "longitude",
    "msa",
    "municipality",
    "neighborhood",
    "neighbourhood",
    "post_code",
    "postal_code",
    "postcode",
    "province",
    "region",
    "state",
    "street",
    "zip",
    "zip_code",
    "zipcode",
];

/// In order of the alphabet, in small letters.
const PERSONAL: [&str; 34] = [
    "age",
    "birth_date",
    "birthday",
    "citizenship",
    "civil_status",
    "code_gender",
    "date_of_birth",
    "days_birth",
    "disability",
    "dob",
    "email",
    "ethnic_group",
    "ethnicity",
    "family_status",
    "first_name",
    "full_name",
    "gender",
    "last_name",
    "marital_status",
    "marriage",
    "name",
    "name_family_status",
    "national_id",
    "national_origin",
    "nationality",
    "phone",
    "phone_number",
    "race",
    "religion",
    "sex",
    "sexual_orientation",
    "ssn",
    "surname",
    "year_of_birth",
];

/// Whether a column is known by its name to be written after the loan was granted.
pub fn written_later(name: &str) -> bool {
    is_among(&WRITTEN_LATER, name)
}

/// Whether a column is known by its name to say which loan or whose it is.
pub fn identifier(name: &str) -> bool {
    is_among(&IDENTIFIER, name)
}

/// Whether a column is known by its name to tell where somebody lives.
pub fn location(name: &str) -> bool {
    is_among(&LOCATION, name)
}

/// Whether a column is known by its name to tell who somebody is.
pub fn personal(name: &str) -> bool {
    is_among(&PERSONAL, name)
}

fn is_among(names: &[&str], name: &str) -> bool {
    let name = name.trim().to_lowercase().replace([' ', '-'], "_");
    names.binary_search(&name.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{IDENTIFIER, LOCATION, PERSONAL, WRITTEN_LATER, location, personal, written_later};

    #[test]
    fn knows_its_names_in_any_spelling() {
        assert!(IDENTIFIER.is_sorted() && WRITTEN_LATER.is_sorted() && LOCATION.is_sorted() && PERSONAL.is_sorted());
        assert!(
            location("ZIP code") && personal("Date-of-birth") && !personal("mortgage") && !location("home_ownership")
        );
        assert!(written_later("recoveries") && written_later("Total Pymnt") && written_later("last_pymnt_amnt.1"));
        assert!(!written_later("revol_bal") && !written_later("delinq_2yrs"));
    }
}
