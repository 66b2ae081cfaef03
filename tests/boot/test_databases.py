"""Databases and roles on a Postgres as RDS has it. Here by datastore.py, which runs the same SQL as the Jobs do."""

import json
import subprocess

import pytest
import servers
import yaml
from rendering import rendered

PASSWORD = "a'b\"c\\d$e`f:g/h@i%j é"
DATASTORE = "/etc/rancher/k3s/config.yaml.d/datastore.yaml"


@pytest.fixture(scope="module")
def database(place):
    with servers.postgres(place / "postgres", PASSWORD) as running:
        yield running


@pytest.fixture
def server(machine, folder, cloud, database):
    """One of several servers, whose state is in RDS."""
    port, ca = database
    cloud.secret("test/k3s-token", "t" * 64)
    cloud.secret("test/master", json.dumps({"username": "master", "password": PASSWORD}))
    where = {"host": "127.0.0.1", "port": port, "master_secret_arn": "test/master"}
    made = machine()
    made.written(rendered(folder / "tofu", datastore="postgres", database=where)["text"])
    made.write("/etc/underwriter/ca.crt", ca.read_text())
    made.program("cluster_token.py")
    return made


def psql(url: str, sql: str) -> subprocess.CompletedProcess:
    return subprocess.run(["psql", "--no-psqlrc", "-tA", url, "-c", sql], text=True, capture_output=True, check=False)


def test_k3s_has_a_database_of_its_own(server, database):
    done = server.program("datastore.py")
    config = yaml.safe_load(server.path(DATASTORE).read_text())
    assert oct(server.path(DATASTORE).stat().st_mode & 0o777) == "0o600"
    assert config["datastore-cafile"] == "/etc/underwriter/ca.crt"
    url = f"{config['datastore-endpoint']}&sslrootcert={database[1]}".replace("postgres://", "postgresql://")
    made = psql(url, "create table kine (id int); drop table kine; select current_user, current_database()")
    assert made.stdout.split() == ["CREATE", "TABLE", "DROP", "TABLE", "k3s|k3s"], made.stderr
    for seen in (done.stdout, done.stderr):
        assert PASSWORD not in seen and "t" * 64 not in seen


def test_it_may_run_again_and_the_password_stays(server):
    server.program("datastore.py")
    before = server.path(DATASTORE).read_text()
    server.program("datastore.py")
    assert server.path(DATASTORE).read_text() == before


def test_the_servers_log_tells_no_password(server, place):
    server.program("datastore.py")
    endpoint = yaml.safe_load(server.path(DATASTORE).read_text())["datastore-endpoint"]
    log = (place / "postgres/log").read_text()
    assert "alter role k3s login password 'SCRAM-SHA-256$4096:" in log
    assert endpoint.split(":")[2].split("@")[0] not in log


def test_a_database_that_is_there_already_becomes_the_roles(server, database):
    port, ca = database
    master = {"PGUSER": "master", "PGPASSWORD": PASSWORD, "PGHOST": "127.0.0.1", "PGPORT": str(port), "PGDATABASE": "postgres"}
    server.run("psql", "--no-psqlrc", "--quiet", "--command=create database early", **master)
    server.run("psql", "--no-psqlrc", "--quiet", "--file=/opt/underwriter/role.sql", ROLE="early", ROLE_VERIFIER="p", **master)
    url = f"postgresql://early:p@127.0.0.1:{port}/early?sslmode=verify-full&sslrootcert={ca}"
    assert psql(url, "create table one (id int); select 1").stdout.split() == ["CREATE", "TABLE", "1"]


def test_nobody_else_may_connect_to_it(server, database):
    port, ca = database
    server.program("datastore.py")
    other = {"ROLE": "underwriter", "ROLE_VERIFIER": "p"}
    master = {"PGUSER": "master", "PGPASSWORD": PASSWORD, "PGHOST": "127.0.0.1", "PGPORT": str(port), "PGDATABASE": "postgres"}
    server.run("psql", "--no-psqlrc", "--quiet", "--file=/opt/underwriter/role.sql", **other, **master)
    server.run("psql", "--no-psqlrc", "--quiet", "--file=/opt/underwriter/role.sql", **other, **master)
    url = f"postgresql://underwriter:p@127.0.0.1:{port}/{{}}?sslmode=verify-full&sslrootcert={ca}"
    assert psql(url.format("underwriter"), "select 1").stdout == "1\n"
    assert "permission denied" in psql(url.format("k3s"), "select 1").stderr


def test_a_password_of_any_characters_is_set(server, database):
    port, ca = database
    settings = {"ROLE": "odd", "ROLE_VERIFIER": PASSWORD, "PGUSER": "master", "PGPASSWORD": PASSWORD}
    place = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/etc/underwriter/ca.crt"}
    server.run("psql", "--no-psqlrc", "--quiet", "--file=/opt/underwriter/role.sql", "postgres", **settings, **place)
    login = {"PGUSER": "odd", "PGPASSWORD": PASSWORD, "PGDATABASE": "odd"}
    assert server.run("psql", "-tAc", "select 1", **login, **place).stdout == "1\n"


def test_a_server_that_is_not_the_one_gets_no_password(server, machine, folder, cloud, place):
    other = place / "stranger"
    other.mkdir(exist_ok=True)
    server.write("/etc/underwriter/ca.crt", servers.authority(other, ["127.0.0.1"]).read_text())
    done = server.program("datastore.py", check=False)
    assert done.returncode != 0 and "certificate verify failed" in done.stderr
    assert not server.path(DATASTORE).exists()


def test_another_version_is_another_password(server, database):
    server.program("datastore.py")
    before = yaml.safe_load(server.path(DATASTORE).read_text())["datastore-endpoint"]
    server.program("datastore.py", PASSWORDS_VERSION="2")
    after = yaml.safe_load(server.path(DATASTORE).read_text())["datastore-endpoint"]
    assert before != after
    assert "password authentication failed" in psql(f"{before}&sslrootcert={database[1]}", "select 1").stderr
    assert psql(f"{after}&sslrootcert={database[1]}", "select 1").stdout == "1\n"
