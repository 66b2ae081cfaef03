#!/usr/bin/env python3
"""Makes the example data: lending-club-2007-2011.csv.gz, from the file that README.md names as its source.

    ./make.py SOURCE.csv.gz

What it does: keeps the loans within the credit policy (all of them are finished), drops columns that hold nothing,
free text and the year that repeats `issue_d`, rounds numbers to four decimals, sorts by the month of issue and
numbers the rows. What it does not do: the columns that leak the outcome stay, for the guard against them to find.

The same input gives the same content; README.md has the digests. Standard library only.
"""

import csv
import gzip
import hashlib
import io
import re
import sys
from collections import Counter
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

OUTPUT = Path(__file__).with_name("lending-club-2007-2011.csv.gz")
OUTCOMES = {"Fully Paid", "Charged Off"}
FREE_TEXT = {"desc", "title", "emp_title", "url"}
REPEATED = {"issue_year"}
NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")


def rounded(text: str) -> str:
    """A number with at most four decimals and no trailing zeros; any other text as it is."""
    if not NUMBER.fullmatch(text):
        return text
    value = Decimal(text).quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN)
    return f"{value:f}".rstrip("0").rstrip(".")


def read(source: Path) -> list[dict[str, str]]:
    """The loans within the credit policy, oldest month first, in the source's order within a month."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        loans = [row for row in csv.DictReader(file) if row["loan_status"] in OUTCOMES]
    return sorted(loans, key=lambda loan: loan["issue_d"])


def columns(loans: list[dict[str, str]]) -> list[str]:
    """The columns that hold something and are neither free text nor a repetition."""
    dropped = FREE_TEXT | REPEATED
    return [name for name in loans[0] if name not in dropped and any(loan[name] for loan in loans)]


def table(loans: list[dict[str, str]]) -> bytes:
    """The loans as CSV, numbered from 1."""
    names = columns(loans)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", *names])
    for number, loan in enumerate(loans, start=1):
        writer.writerow([number, *(rounded(loan[name]) for name in names)])
    return text.getvalue().encode()


def compress(content: bytes) -> bytes:
    """As gzip without a name or a time, whose bytes depend on nothing but the content and the zlib used."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    source = Path(sys.argv[1])
    loans = read(source)
    content = table(loans)
    OUTPUT.write_bytes(compress(content))
    for name, data in (("source", source.read_bytes()), ("output", OUTPUT.read_bytes()), ("content", content)):
        print(f"sha256 of {name}: {hashlib.sha256(data).hexdigest()}")
    years = Counter(loan["issue_d"][:4] for loan in loans)
    bad = Counter(loan["issue_d"][:4] for loan in loans if loan["loan_status"] == "Charged Off")
    for year, count in sorted(years.items()):
        print(f"{year}: {count} loans, {bad[year]} charged off")


if __name__ == "__main__":
    main()
