"""Nothing is installed but what its checksum says it is."""

import pytest
import servers
from rendering import NO_SUM, rendered


@pytest.fixture
def downloads(folder):
    """A folder with a program, served by HTTP."""
    published = folder / "published"
    published.mkdir()
    (published / "program").write_text("#!/bin/bash\necho it runs\n")
    with servers.files(published) as address:
        yield published / "program", f"{address}/program"


@pytest.fixture
def bare(machine, folder):
    """A machine with the scripts on it, that has started none."""
    made = machine()
    made.written(rendered(folder / "tofu")["text"])
    return made


def test_what_is_right_is_installed(bare, downloads):
    program, address = downloads
    bare.program("fetch.sh", address, servers.checksum(program), "/usr/local/bin/program")
    assert bare.run("program").stdout == "it runs\n"


@pytest.mark.parametrize("checksum", ["", NO_SUM, "0" * 63])
def test_what_is_wrong_or_unknown_is_not(bare, downloads, checksum):
    done = bare.program("fetch.sh", downloads[1], checksum, "/usr/local/bin/program", check=False)
    assert done.returncode != 0 and "checksum" in done.stderr
    assert not list(bare.path("/usr/local/bin").glob("program*"))


def test_what_is_there_is_not_fetched_again(bare, downloads):
    program, address = downloads
    again = ("fetch.sh", address, servers.checksum(program), "/usr/local/bin/program")
    bare.program(*again)
    program.unlink()
    bare.program(*again)


def test_what_was_changed_on_the_machine_is_fetched_again(bare, downloads):
    program, address = downloads
    bare.write("/usr/local/bin/program", "#!/bin/bash\necho something else\n", 0o755)
    bare.program("fetch.sh", address, servers.checksum(program), "/usr/local/bin/program")
    assert bare.run("program").stdout == "it runs\n"


def test_k3s_is_not_started_where_it_is_not_what_was_pinned(bare, downloads):
    done = bare.program("k3s.sh", K3S_DOWNLOAD=downloads[1], check=False)
    assert done.returncode != 0 and "expected 0000" in done.stderr
    assert not bare.path("/usr/local/bin/k3s").exists()
    assert "start k3s" not in (bare.path("/var/log/systemctl").read_text() if bare.path("/var/log/systemctl").exists() else "")


def test_the_boot_ends_there(bare, downloads, cloud):
    cloud.secret("test/k3s-token", "t" * 64)
    cloud.client("s3").create_bucket(Bucket="test-snapshots")
    bare.write("/var/cache/ca.crt", "no certificate")
    done = bare.program("boot.sh", CA_BUNDLE_URL="file:///var/cache/ca.crt", check=False)
    assert done.returncode != 0 and "==> address.sh" in done.stdout and "==> state_volume.sh" not in done.stdout
