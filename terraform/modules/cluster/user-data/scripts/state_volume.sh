#!/bin/bash
# Attaches the volume that keeps the server's state, and mounts it where k3s and kubelet write. A volume still attached
# to the server before is waited for, never torn away; only one without any file system is formatted.
set -euo pipefail
[ -n "$STATE_VOLUME" ] || exit 0
instance=$(cat /var/lib/cloud/data/instance-id)
device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${STATE_VOLUME/-/}
state=/var/lib/underwriter

# The instance that has the volume; None where none has it.
holder() {
  aws ec2 describe-volumes --volume-ids "$STATE_VOLUME" --query 'Volumes[0].Attachments[0].InstanceId' --output text
}

attach() {
  local holder try
  for try in {1..150}; do    # ten minutes, for a server that is ending
    holder=$(holder)
    case $holder in
      "$instance") return 0 ;;
      None) aws ec2 attach-volume --volume-id "$STATE_VOLUME" --instance-id "$instance" --device /dev/sdf >/dev/null ;;
      *) [ "$try" != 1 ] || echo "waiting for $holder to end"; sleep 4 ;;
    esac
  done
  echo "$STATE_VOLUME is still attached to $holder" >&2
  return 1
}

appear() {
  local second
  for second in {1..120}; do [ ! -b "$device" ] || return 0; sleep 1; done
  echo "$device has not appeared within $second s" >&2
  return 1
}

# blkid says 2 where it finds nothing at all; a disk that it cannot read must not be taken for an empty one.
format() {
  local status=0
  blkid --probe "$device" >/dev/null || status=$?
  case $status in
    0) ;;
    2) mkfs.ext4 -q -L underwriter "$device" ;;
    *) echo "blkid cannot read $device: $status" >&2; return 1 ;;
  esac
}

mount_at() { mkdir -p "$2"; mountpoint -q "$2" || mount "${@:3}" "$1" "$2"; }

attach
appear
format
mount_at "$device" $state -o noatime
for name in rancher kubelet; do    # k3s's database and images; the pods' folders, so that no spooled record is lost
  mkdir -p $state/$name
  mount_at $state/$name /var/lib/$name --bind
done
