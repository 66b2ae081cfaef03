"""Texts as our tasks read them: a second reading, by columns, of what `workloads/model/src/{parse,value}.rs` say."""

import numpy as np
import pandas as pd

MISSING = ["", "na", "n/a", "nan", "null"]
# A number, then a unit: a percent or plus sign, or a word after a blank.
NUMBER = r"^(?P<less><?)\s*(?P<number>[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:[eE][+-]?\d+)?)[%+]?(?:\s+[^\W\d_]*|\s*%)?$"
FORMATS = ["%Y-%m-%d", "%Y-%m", "%b-%Y", "%b-%y"]


def texts(cells: pd.Series) -> pd.Series:
    """Without the blanks around them; nothing where there is no value."""
    stripped = cells.str.strip()
    return stripped.mask(stripped.str.lower().isin(MISSING))


def numbers(cells: pd.Series) -> np.ndarray:
    """`13.5%` is 13.5, `10+ years` 10, `< 1 year` 0."""
    written = texts(cells)
    plain = pd.to_numeric(written, errors="coerce")
    others = written[plain.isna() & written.notna()]
    if len(others):
        parts = others.str.extract(NUMBER)
        read = pd.to_numeric(parts["number"].str.replace(",", ""), errors="coerce")
        plain.loc[others.index] = read.mask(read.notna() & (parts["less"] == "<"), 0.0)
    return plain.to_numpy(float)


def dates(cells: pd.Series) -> pd.Series:
    """`2011-12-01`, `2011-12`, `Dec-2011` and `Dec-11`."""
    written = texts(cells)
    read = pd.Series(pd.NaT, index=cells.index, dtype="datetime64[ns]")
    for form in FORMATS:
        read = read.fillna(pd.to_datetime(written, format=form, errors="coerce"))
    return read


def months_before(cells: pd.Series, application: pd.Series) -> np.ndarray:
    """Whole months from a date to the application."""
    date, applied = dates(cells).dt, dates(application).dt
    months = 12 * (applied.year - date.year) + applied.month - date.month
    return (months - (applied.day < date.day)).to_numpy(float)


def values(loans: pd.DataFrame, kinds: dict[str, str], time: str | None) -> pd.DataFrame:
    """Columns by the kind that a manifest gives them: numbers, months, or texts."""

    def value(name: str, kind: str) -> np.ndarray | pd.Series:
        if kind == "Number":
            return numbers(loans[name])
        return months_before(loans[name], loans[time]) if kind == "Date" else texts(loans[name])

    return pd.DataFrame({name: value(name, kind) for name, kind in kinds.items()}, index=loans.index)
