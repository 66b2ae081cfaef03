"""Real loans, each with what is learnt from and on which rows it is judged.

The data sets lie in `../shared/data` where Underwriter is developed; elsewhere the loans of `examples/data` stand in for
the first rows. Every cell is text, as our tasks read it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from benches import ROOT

DATA = ROOT.parent / "shared" / "data"
EXAMPLE = ROOT / "examples" / "data" / "lending-club-2007-2011.csv.gz"
# What the lender decides before a loan is issued, and what is only known when it is funded.
PRICE = ["grade", "sub_grade", "int_rate", "installment"]
FUNDED = ["funded_amnt", "funded_amnt_inv"]
# Names of rows, free text, and where somebody lives.
NEVER = ["id", "member_id", "url", "issue_year", "desc", "title", "emp_title", "addr_state", "zip_code"]
# A fifth of the rows tests where no date divides them.
TEST_SHARE = 0.2
SEED = 20111201


@dataclass
class Row:
    """A row of the table: loans to learn from, later ones to be judged on, and what the model is told of them."""

    name: str
    columns: str
    train: pd.DataFrame
    test: pd.DataFrame
    data: dict = field(default_factory=dict)

    def bad(self, loans: pd.DataFrame) -> np.ndarray:
        """Whether each loan went bad."""
        label = self.data["label"]
        return loans[label["column"]].isin(label["bad"]).to_numpy()


def read(path: Path, **options: object) -> pd.DataFrame:
    """A file as texts."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, **options)


def spec(loans: pd.DataFrame, label: str, bad: list[str], good: list[str], excluded: list[str], **more: dict) -> dict:
    """A LoanModel's `data`, without its uri."""
    rules = [{"name": name, "role": "Excluded"} for name in excluded if name in loans.columns]
    return {"label": {"column": label, "bad": bad, "good": good}, "columns": rules, **more}


def finished(loans: pd.DataFrame, data: dict) -> pd.DataFrame:
    """The loans with one of the label's values."""
    label = data["label"]
    return loans[loans[label["column"]].isin(label["bad"] + label["good"])].reset_index(drop=True)


def later(name: str, columns: str, loans: pd.DataFrame, data: dict, since: str) -> Row:
    """Tests on the loans since a date."""
    loans = finished(loans, data)
    loans = loans.sort_values(data["time"]["column"], kind="stable", ignore_index=True)
    dates = loans[data["time"]["column"]]
    return Row(name, columns, loans[dates < since], loans[dates >= since], data)


def at_random(name: str, columns: str, loans: pd.DataFrame, data: dict) -> Row:
    """Tests on a fifth of the loans, drawn by a fixed seed."""
    loans = finished(loans, data)
    order = np.random.default_rng(SEED).permutation(len(loans))
    tests = np.sort(order[: round(TEST_SHARE * len(loans))])
    return Row(name, columns, loans.drop(index=tests), loans.loc[tests], data)


def lending_club(path: Path, name: str) -> Iterator[Row]:
    """2007 to 2011, without and with the price."""
    loans = read(path)
    time = {"time": {"column": "issue_d"}}

    def data(excluded: list[str]) -> dict:
        return spec(loans, "loan_status", ["Charged Off"], ["Fully Paid"], excluded + NEVER, **time)

    without, price = data(PRICE + FUNDED), data(FUNDED)
    yield later(f"{name}, test 2011", "A", loans, without, "2011-01")
    yield later(f"{name}, test 2011", "A+P", loans, price, "2011-01")
    yield later(f"{name}, test from 2011-07", "A+P", loans, price, "2011-07")


def psds() -> Iterator[Row]:
    """2007 to 2014, nearly in the order of time but without dates: a month stands for a thousand rows."""
    loans = read(DATA / "lc_2007_2014_psds_full_train_set.csv.gz")
    month = np.arange(len(loans)) // 1000
    loans["month"] = [f"{2000 + number // 12}-{number % 12 + 1:02}" for number in month]
    label = "outcome", ["default"], ["paid off"]
    by_order = spec(loans, *label, ["status"], time={"column": "month"})
    since = loans["month"].iloc[round((1 - TEST_SHARE) * len(loans))]
    yield later("psds, in row order", "A+P", loans, by_order, since)
    yield at_random("psds, at random", "A+P", loans, spec(loans, *label, ["status", "month"]))


def give_me_some_credit() -> Iterator[Row]:
    """The reference set that most is published on."""
    loans = read(DATA / "reference" / "cs-training.csv.gz").rename(columns={"Unnamed: 0": "row", "": "row"})
    yield at_random("cs-training, at random", "all", loans, with_age(spec(loans, "SeriousDlqin2yrs", ["1"], ["0"], ["row"])))


def with_age(data: dict, *others: str) -> dict:
    """Personal traits are learnt from where a person says so; what is published does."""
    included = [{"name": name, "role": "Feature"} for name in ("age", *others)]
    return data | {"columns": data["columns"] + included}


def later_years() -> Iterator[Row]:
    """2018 by month, and a sample of 2007 to 2018 without dates."""
    loans = read(DATA / "lc_2018_creditmodel.csv.gz")
    day = loans["issue_d"].str.split("/", expand=True)
    loans["issue_d"] = day[0] + "-" + day[1].str.zfill(2) + "-" + day[2].str.zfill(2)
    excluded = [*NEVER, *FUNDED]
    data = spec(loans, "loan_status", ["1"], ["0"], excluded, time={"column": "issue_d"})
    yield later("lc_2018_creditmodel, test from 2018-08", "A+P", loans, data, "2018-08")
    loans = read(DATA / "lc_2007_2018_finished_train.csv.gz")
    yield at_random("lc_2007_2018_finished, at random", "A+P", loans, spec(loans, "default", ["1"], ["0"], NEVER))


def elsewhere() -> Iterator[Row]:
    """Cards of Taiwan, and the smallest file of Lending Club's."""
    cards = read(DATA / "reference" / "UCI_Credit_Card.csv.gz")
    data = spec(cards, "default.payment.next.month", ["1"], ["0"], ["ID", "SEX", "MARRIAGE", "AGE"])
    yield at_random("UCI_Credit_Card, at random", "no traits", cards, data)
    loans = read(DATA / "loan_data.csv", lineterminator="\r")
    yield at_random("loan_data, at random", "A+P", loans, spec(loans, "not.fully.paid", ["1"], ["0"], []))


def smallest() -> Iterator[Row]:
    """What every run of the tests has time for."""
    loans = read(EXAMPLE)
    excluded = PRICE + FUNDED + NEVER
    data = spec(loans, "loan_status", ["Charged Off"], ["Fully Paid"], excluded, time={"column": "issue_d"})
    yield later("examples/data, test 2010-01 to 06", "A", loans[loans["issue_d"] < "2010-07"], data, "2010-01")


def rows() -> list[Callable[[], Iterator[Row]]]:
    """All there are, read one after the other."""
    if not DATA.exists():
        print(f"{DATA} is not here: only the loans of examples/data", flush=True)
        return [lambda: lending_club(EXAMPLE, "examples/data")]
    first = DATA / "lc_2007_2011_loanstats3a.csv.gz"
    return [lambda: lending_club(first, "loanstats3a"), elsewhere, later_years, psds, give_me_some_credit]
