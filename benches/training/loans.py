"""Many loans of 45 columns, made from the example loans by a fixed seed.

Each row is a real loan with noise on its numbers, so that rows differ; what a real loan lacks is missing here too. The
columns that there are not are mixtures of those that there are. Nothing that is measured here depends on how well the
loans can be told apart.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from benches.quality import datasets, reading

COLUMNS = 45
SEED = 45
LABEL = {"column": "loan_status", "bad": ["Charged Off"], "good": ["Fully Paid"]}
CATEGORIES = ["home_ownership", "verification_status", "purpose"]
NUMBERS = [
    "loan_amnt", "term", "emp_length", "annual_inc", "dti", "delinq_2yrs", "inq_last_6mths", "mths_since_last_delinq",
    "mths_since_last_record", "open_acc", "pub_rec", "revol_bal", "revol_util", "total_acc", "pub_rec_bankruptcies",
]  # fmt: skip
# A tenth of its standard deviation is added to each number.
NOISE = 0.1


def mixtures(random: np.random.Generator, numbers: np.ndarray) -> np.ndarray:
    """One more column a missing one: standardised columns, weighted at random, with as much noise."""
    standard = np.nan_to_num((numbers - np.nanmean(numbers, axis=0)) / np.nanstd(numbers, axis=0))
    more = COLUMNS - len(NUMBERS) - len(CATEGORIES)
    weights = random.normal(size=(len(NUMBERS), more)) / np.sqrt(len(NUMBERS))
    return standard @ weights + random.normal(size=(len(numbers), more))


def make(rows: int) -> pa.Table:
    """As many loans as are wanted, a thousandth of them a month or so, oldest first."""
    loans = datasets.read(datasets.EXAMPLE)
    random = np.random.default_rng(SEED)
    drawn = loans.iloc[random.integers(len(loans), size=rows)]
    numbers = np.column_stack([reading.numbers(loans[name]) for name in NUMBERS])[drawn.index]
    numbers += random.normal(size=numbers.shape) * NOISE * np.nanstd(numbers, axis=0)
    columns = {"loan_status": drawn["loan_status"], "issue_d": months(rows)}
    columns |= {name: drawn[name] for name in CATEGORIES}
    columns |= dict(zip(NUMBERS, numbers.round(3).T, strict=True))
    mixed = mixtures(random, numbers).round(4).T
    columns |= {f"x{place:02}": column for place, column in enumerate(mixed)}
    return pa.table({name: pa.array(np.asarray(column), from_pandas=True) for name, column in columns.items()})


def months(rows: int) -> np.ndarray:
    """Sixty months, all as large."""
    month = np.arange(rows) * 60 // rows
    return np.array([f"{2010 + number // 12}-{number % 12 + 1:02}-01" for number in range(60)])[month]


def write(rows: int, file: Path) -> None:
    """A CSV file of them."""
    pyarrow.csv.write_csv(make(rows), file)


def read(file: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """As a pipeline of pandas would."""
    loans = pd.read_csv(file)
    return loans.drop(columns=["loan_status", "issue_d"]), loans["loan_status"].isin(LABEL["bad"]).to_numpy()
