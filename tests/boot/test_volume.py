"""The state volume: formatted once, and with all that is on it at the next server. On a real disk, by loop device."""

import os
import stat
import subprocess
import threading
import time

import pytest
from rendering import rendered


@pytest.fixture
def disk(folder):
    """A blank disk."""
    file = folder / "disk"
    with file.open("wb") as blank:
        blank.truncate(64 << 20)
    device = subprocess.run(["losetup", "--find", "--show", file], check=True, capture_output=True, text=True).stdout.strip()
    yield device
    subprocess.run(["umount", "--all-targets", device], check=False, capture_output=True)
    subprocess.run(["losetup", "--detach", device], check=True)


@pytest.fixture
def volume(cloud):
    made = cloud.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=20)
    return made["VolumeId"]


@pytest.fixture
def server(machine, folder, cloud, disk, volume):
    """Makes servers to which EC2 shows the disk, by the name that udev gives it."""
    text = rendered(folder / "tofu", state_volume=volume)["text"]
    run = {"ImageId": "ami-12345678", "InstanceType": "t4g.small", "MinCount": 1, "MaxCount": 1}

    def make():
        instance = cloud.client("ec2").run_instances(**run)["Instances"][0]["InstanceId"]
        made = machine(instance)
        made.written(text)
        name = f"dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '')}"
        made.make_device(name, stat.S_IFBLK | 0o600, os.stat(disk).st_rdev)
        return made

    return make


def holder(cloud, volume: str) -> str:
    attachments = cloud.client("ec2").describe_volumes(VolumeIds=[volume])["Volumes"][0]["Attachments"]
    return attachments[0]["InstanceId"] if attachments else ""


def instance(machine) -> str:
    return machine.path("/var/lib/cloud/data/instance-id").read_text()


def leave(machine, cloud, volume: str) -> None:
    """The server ends, as AWS ends it."""
    for place in ("var/lib/rancher", "var/lib/kubelet", "var/lib/underwriter"):
        subprocess.run(["umount", machine.root / place], check=True)
    cloud.client("ec2").detach_volume(VolumeId=volume, InstanceId=instance(machine), Device="/dev/sdf")


def test_what_is_on_it_is_there_at_the_next_server(server, cloud, volume):
    first = server()
    first.program("state_volume.sh")
    assert holder(cloud, volume) == instance(first)
    first.write("/var/lib/rancher/k3s/server/db/state.db", "state")
    first.write("/var/lib/kubelet/pods/1/spool", "records")
    leave(first, cloud, volume)

    second = server()
    second.program("state_volume.sh")
    assert holder(cloud, volume) == instance(second)
    assert second.path("/var/lib/rancher/k3s/server/db/state.db").read_text() == "state"
    assert second.path("/var/lib/kubelet/pods/1/spool").read_text() == "records"


def test_it_may_run_again(server):
    made = server()
    made.program("state_volume.sh")
    made.write("/var/lib/rancher/file", "kept")
    made.program("state_volume.sh")
    assert made.path("/var/lib/rancher/file").read_text() == "kept"
    mounts = made.run("cat", "/proc/self/mounts").stdout
    assert mounts.count(" /var/lib/rancher ") <= 1


def test_a_server_that_is_ending_is_waited_for(server, cloud, volume):
    first = server()
    first.program("state_volume.sh")
    second = server()
    ended = []

    def end() -> None:
        time.sleep(3)
        ended.append(holder(cloud, volume))
        leave(first, cloud, volume)

    ending = threading.Thread(target=end)
    ending.start()
    second.program("state_volume.sh")
    ending.join()
    assert ended == [instance(first)] and holder(cloud, volume) == instance(second)


@pytest.mark.parametrize("status", [4, 8])
def test_a_disk_that_cannot_be_read_is_not_formatted(server, status):
    made = server()
    made.write("/usr/local/bin/blkid", f"#!/bin/sh\nexit {status}\n", 0o755)
    made.write("/usr/local/bin/mkfs.ext4", "#!/bin/sh\ntouch /formatted\n", 0o755)
    done = made.program("state_volume.sh", check=False)
    assert done.returncode != 0 and "cannot read" in done.stderr
    assert not made.path("/formatted").exists()
