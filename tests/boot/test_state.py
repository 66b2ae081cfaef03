"""A server that is replaced has the state that the one before it had: on the real scripts, real SQLite files, and S3."""

import gzip
import sqlite3
import threading
from pathlib import Path

import pytest
from rendering import rendered

BUCKET = "test-snapshots"
DATABASE = "/var/lib/rancher/k3s/server/db/state.db"


@pytest.fixture
def server(machine, folder, cloud):
    """Makes servers with the scripts on them, and a bucket for their copies."""
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    text = rendered(folder / "tofu")["text"]

    def make(instance: str = "i-0aaaaaaaaaaaaaaaa", **more):
        made = machine(instance, **more)
        made.written(text)
        return made

    return make


def opened(server) -> sqlite3.Connection:
    """The database as kine has it open: with a journal that is not yet in the file."""
    file = server.path(DATABASE)
    file.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("pragma journal_mode = wal")
    database.execute("pragma wal_autocheckpoint = 0")
    database.execute("create table if not exists kine (id integer primary key, name text, value blob)")
    return database


def rows(server) -> list:
    with sqlite3.connect(server.path(DATABASE)) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
        return database.execute("select * from kine order by id").fetchall()


def write(database: sqlite3.Connection, count: int) -> None:
    database.executemany("insert into kine (name, value) values (?, ?)", ((f"/registry/{n}", b"\0" * n) for n in range(count)))


def keys(cloud) -> list[str]:
    return sorted(one["Key"] for one in cloud.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", []))


def test_the_state_moves_to_another_machine(server, cloud):
    first, second = server(), server("i-0bbbbbbbbbbbbbbbb")
    database = opened(first)
    write(database, 1000)
    assert first.path(DATABASE + "-wal").stat().st_size > first.path(DATABASE).stat().st_size   # a copied file would lack it
    first.program("snapshot.py")
    said = second.program("restore.py").stdout
    assert "restored from s3://test-snapshots/k3s/" in said
    assert rows(second) == rows(first) and len(rows(second)) == 1000
    assert oct(second.path(DATABASE).stat().st_mode & 0o777) == "0o600"
    assert [file.name for file in second.path(DATABASE).parent.iterdir()] == ["state.db"]


def test_a_copy_is_of_one_moment_while_k3s_writes(server, cloud):
    first, second = server(), server("i-0bbbbbbbbbbbbbbbb")
    opened(first).close()
    stopped = threading.Event()

    def pairs() -> None:
        """Two rows in each transaction: a copy of one moment has an even number of them."""
        writing = opened(first)
        while not stopped.is_set():
            writing.execute("begin")
            write(writing, 2)
            writing.execute("commit")

    writer = threading.Thread(target=pairs)
    writer.start()
    for _ in range(3):
        first.program("snapshot.py")
    stopped.set()
    writer.join()
    second.program("restore.py")
    assert len(rows(second)) % 2 == 0
    assert 0 < len(rows(second)) <= len(rows(first))
    assert len(keys(cloud)) == 3


def test_the_newest_copy_is_taken_or_the_one_that_is_asked_for(server, cloud):
    first = server()
    database = opened(first)
    for _ in range(2):
        write(database, 10)
        first.program("snapshot.py")
    oldest, newest = keys(cloud)
    second, third = server("i-0bbbbbbbbbbbbbbbb"), server("i-0cccccccccccccccc")
    second.program("restore.py")
    third.program("restore.py", SNAPSHOT=oldest)
    assert oldest < newest and len(rows(second)) == 20 and len(rows(third)) == 10


def test_a_new_cluster_has_nothing_to_restore(server):
    made = server()
    assert "a new cluster" in made.program("restore.py").stdout
    assert not made.path(DATABASE).exists()


def test_a_server_with_state_keeps_it(server):
    made = server()
    database = opened(made)
    write(database, 5)
    made.program("snapshot.py")
    write(database, 5)
    database.close()
    assert not made.program("restore.py").stdout
    assert len(rows(made)) == 10


def damaged(content: bytes) -> bytes:
    """A database with a page of other bytes in its middle, packed as it should be."""
    plain = bytearray(gzip.decompress(content))
    plain[len(plain) // 2 : len(plain) // 2 + 4096] = b"\xff" * 4096
    return gzip.compress(bytes(plain))


@pytest.mark.parametrize(
    "spoil",
    [damaged, lambda content: content[: len(content) // 2], lambda content: b"", lambda content: gzip.compress(b"no database")],
    ids=["damaged", "cut", "empty", "something else"],
)
def test_a_copy_that_is_spoilt_starts_no_empty_cluster(server, cloud, spoil):
    first, second = server(), server("i-0bbbbbbbbbbbbbbbb")
    write(opened(first), 1000)
    first.program("snapshot.py")
    s3, (key,) = cloud.client("s3"), keys(cloud)
    content = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=key, Body=spoil(content))
    done = second.program("restore.py", check=False)
    assert done.returncode != 0 and "cannot be restored" in done.stderr
    assert not any(second.path(DATABASE).parent.iterdir())


def test_without_s3_no_empty_cluster_starts(server):
    made = server()
    done = made.program("restore.py", SNAPSHOTS_BUCKET="no-such-bucket", check=False)
    assert done.returncode != 0
    assert not made.path(DATABASE).exists()


def test_there_is_nothing_to_copy_before_k3s_has_started(server, cloud):
    done = server().program("snapshot.py", check=False)
    assert done.returncode != 0 and "never started" in done.stderr
    assert not keys(cloud)


def test_a_copy_that_does_not_arrive_is_an_error(server):
    made = server()
    opened(made)
    assert made.program("snapshot.py", SNAPSHOTS_BUCKET="no-such-bucket", check=False).returncode != 0


def test_with_the_state_in_rds_nothing_is_copied_or_restored(server, cloud):
    made = server()
    made.program("snapshot.py", DATASTORE="postgres")
    made.program("restore.py", DATASTORE="postgres")
    assert not keys(cloud) and not Path(made.path(DATABASE)).exists()
