"""The example loans as our tasks read them: which columns are learnt from, and what their values are."""

from pathlib import Path

import pandas as pd

DATA = Path(__file__).parents[2] / "examples" / "data" / "lending-club-2007-2011.csv.gz"
CATEGORIES = ["home_ownership", "verification_status", "purpose"]
NUMBERS = [
    "loan_amnt",
    "term",
    "emp_length",
    "annual_inc",
    "dti",
    "delinq_2yrs",
    "earliest_cr_line",
    "inq_last_6mths",
    "mths_since_last_delinq",
    "mths_since_last_record",
    "open_acc",
    "pub_rec",
    "revol_bal",
    "revol_util",
    "total_acc",
    "pub_rec_bankruptcies",
]
PRICE_NUMBERS = ["int_rate", "installment"]
PRICE_CATEGORIES = ["grade", "sub_grade"]


def read() -> pd.DataFrame:
    """All loans, oldest first, with `bad` (0 or 1) beside the columns of the file.

    `emp_length` becomes years (`10+ years` is 10, `< 1 year` is 0, `n/a` is missing), `earliest_cr_line` whole months
    before the month of issue.
    """
    loans = pd.read_csv(DATA, parse_dates=["issue_d", "earliest_cr_line"])
    years = loans["emp_length"].str.extract(r"^(\d+)", expand=False).astype(float)
    loans["emp_length"] = years.mask(loans["emp_length"].str.startswith("<", na=False), 0.0)
    loans["earliest_cr_line"] = months(loans["issue_d"]) - months(loans["earliest_cr_line"])
    loans["bad"] = (loans["loan_status"] == "Charged Off").astype(int)
    return loans


def months(dates: pd.Series) -> pd.Series:
    """Months since year 0."""
    return 12 * dates.dt.year + dates.dt.month
