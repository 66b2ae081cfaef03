"""Runs a program to its end: prints its seconds, those of the processors, and its bytes at the peak.

    python benches/training/measured.py OUTPUT PROGRAM [ARGUMENT ...]     what it says goes to the file OUTPUT

By itself and small, for a process is started with the peak of the one that starts it.
"""

import os
import sys
import time

WRITTEN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def main() -> None:
    output, *command = sys.argv[1:]
    redirected = [(os.POSIX_SPAWN_OPEN, 1, output, WRITTEN, 0o644), (os.POSIX_SPAWN_DUP2, 1, 2)]
    begun = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=redirected)
    _, status, used = os.wait4(process, 0)
    print(time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
