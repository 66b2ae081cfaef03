"""Machines that boot by user data: this machine's programs under a root of its own, thrown away afterwards.

An overlay lies over this machine's files, so that the scripts find and write their real paths and leave nothing behind.
cloud-init's part is played here, systemd's and k3s's by the programs in `machine/`. Everything else is what it is.
"""

import ctypes
import os
import stat
import subprocess
import sys
from pathlib import Path

import yaml

FAKES = Path(__file__).with_name("machine")
PYTHON = Path(sys.executable).parent
CLONE_NEWNS = 0x20000
PATIENCE = 240  # seconds that any program may take


class Machine:
    """One machine. Where it has a disk, its state volume is that folder."""

    def __init__(self, folder: Path, instance: str, environment: dict, disk: Path | None = None):
        self.root = folder / "root"
        self.environment = environment
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True)
        layers = f"lowerdir=/,upperdir={folder}/upper,workdir={folder}/work"
        mount("-t", "overlay", "overlay", "-o", layers, self.root)
        mount("--rbind", "/proc", self.root / "proc")
        self.make_devices()
        self.write("var/lib/cloud/data/instance-id", instance)
        for fake in ("systemctl",):
            self.install(FAKES / fake, f"usr/local/bin/{fake}")
        # Nothing of a Kubernetes or a helm that this machine happens to have.
        for stray in ("usr/local/bin/kubectl", "usr/local/bin/helm", "usr/bin/kubectl"):
            (self.root / stray).unlink(missing_ok=True)
        if disk is not None:
            self.mount_state(disk)

    def make_devices(self) -> None:
        """Of its own, so that a disk can be one of them."""
        mount("-t", "tmpfs", "none", self.root / "dev")
        for name, minor in {"null": 3, "zero": 5, "random": 8, "urandom": 9}.items():
            self.make_device(f"dev/{name}", stat.S_IFCHR | 0o666, os.makedev(1, minor))
        (self.root / "dev/fd").symlink_to("/proc/self/fd")

    def make_device(self, path: str, mode: int, device: int) -> None:
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        os.mknod(file, mode, device)
        file.chmod(mode & 0o777)

    def mount_state(self, disk: Path) -> None:
        """What state_volume.sh does with a block device."""
        for name in ("rancher", "kubelet"):
            (disk / name).mkdir(exist_ok=True)
            (self.root / "var/lib" / name).mkdir(parents=True, exist_ok=True)
            mount("--bind", disk / name, self.root / "var/lib" / name)

    def path(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def write(self, path: str, content: str, mode: int = 0o644) -> None:
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(content)
        file.chmod(mode)

    def install(self, program: Path, path: str) -> None:
        self.write(path, program.read_text(), 0o755)

    def run(self, *command: str, check: bool = True, given: str = "", **more: str) -> subprocess.CompletedProcess:
        """Runs a program on the machine, and gives back what it said."""
        environment = {"PATH": f"/usr/local/bin:{PYTHON}:/usr/sbin:/usr/bin:/sbin:/bin", **self.environment, **more}
        command = ("chroot", str(self.root), *command)
        try:
            done = subprocess.run(command, env=environment, input=given, text=True, capture_output=True, check=False, timeout=PATIENCE)
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f"{command} has not ended in {PATIENCE} s: {late.stdout} {late.stderr}") from None
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def settings(self) -> dict:
        """The settings that cloud-init has written."""
        lines = self.path("/etc/underwriter/settings.env").read_text().splitlines()
        return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines if "=" in line)}

    def program(self, name: str, *arguments: str, **more) -> subprocess.CompletedProcess:
        """Runs one of the scripts, as systemd would."""
        return self.run(f"/opt/underwriter/{name}", *arguments, **{**self.settings(), **more})

    def written(self, user_data: str) -> list:
        """Writes the files of the user data, as cloud-init would, and gives back the commands."""
        assert user_data.startswith("#cloud-config\n")
        config = yaml.load(user_data, yaml.CSafeLoader)  # the other takes half a second
        for file in config["write_files"]:
            assert file["owner"] == "root:root"
            self.write(file["path"], file["content"], int(file["permissions"], 8))
        return config["runcmd"]

    def boot(self, user_data: str) -> str:
        """Does all that cloud-init would, and gives back what was said."""
        said = ""
        for command in self.written(user_data):
            done = self.run(*command)
            said += done.stdout + done.stderr
        return said


def mount(*arguments) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def scratch(folder: Path) -> Path:
    """A folder in memory: no overlay can lie within what it lies over. All mounts are this process's own, and end with it."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "no mounts of our own: are you root?")
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "none", folder)
    return folder

