"""Runs a command under the system call filters of a systemd unit, as systemd sets them.

as_the_unit.py UNIT errno|kill COMMAND...

`kill` ends the process at the first call that the unit refuses, where systemd makes it fail: what
passes under it has tried none of them.
"""

import errno
import os
import subprocess
import sys

import seccomp

FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
WRITE, EXEC = 2, 4
SHM_EXEC = 0o100000
# SCHED_FIFO, SCHED_RR, SCHED_DEADLINE.
REALTIME = (1, 2, 6)


def settings(unit):
    found = []
    with open(unit) as lines:
        for line in lines:
            name, equals, value = line.strip().partition("=")
            if equals and not name.startswith(("#", ";")):
                found.append((name, value.split()))
    return found


def calls(word):
    """The calls that a word of the unit names, groups resolved by systemd itself."""
    if not word.startswith("@"):
        return {word}
    printed = subprocess.run(
        ["systemd-analyze", "syscall-filter", word], check=True, capture_output=True, text=True
    ).stdout
    words = [line.strip() for line in printed.splitlines()[1:]]
    return set().union(*(calls(word) for word in words if word and not word.startswith("#")))


def allowed(found):
    """systemd.exec(5): the first line decides that this is a list of what is allowed."""
    allowed = calls("@default")
    for name, words in found:
        if name != "SystemCallFilter":
            continue
        denied = words[0].startswith("~")
        for word in words:
            named = calls(word.removeprefix("~"))
            allowed = allowed - named if denied else allowed | named
    return allowed


def load(found, refused):
    restrict(found, refused)
    # Last, because it refuses further filters.
    filter = seccomp.SyscallFilter(refused)
    for call in sorted(allowed(found)):
        try:
            filter.add_rule(seccomp.ALLOW, call)
        except (RuntimeError, ValueError):
            # A call of another machine, or one newer than libseccomp.
            pass
    filter.load()


def restrict(found, refused):
    """The switches of the unit that are filters, too."""
    yes = {name for name, words in found if words == ["yes"]}
    filter = seccomp.SyscallFilter(seccomp.ALLOW)

    def refuse(call, *arguments):
        filter.add_rule(refused, call, *arguments)

    if "MemoryDenyWriteExecute" in yes:
        refuse("mmap", seccomp.Arg(2, seccomp.MASKED_EQ, EXEC | WRITE, EXEC | WRITE))
        refuse("mprotect", seccomp.Arg(2, seccomp.MASKED_EQ, EXEC, EXEC))
        refuse("pkey_mprotect", seccomp.Arg(2, seccomp.MASKED_EQ, EXEC, EXEC))
        refuse("shmat", seccomp.Arg(2, seccomp.MASKED_EQ, SHM_EXEC, SHM_EXEC))
    if "RestrictNamespaces" in yes:
        refuse("unshare")
        refuse("setns")
    if "RestrictRealtime" in yes:
        for policy in REALTIME:
            refuse("sched_setscheduler", seccomp.Arg(1, seccomp.EQ, policy))
    if "LockPersonality" in yes:
        refuse("personality")
    families = {
        FAMILIES[word] for name, words in found if name == "RestrictAddressFamilies" for word in words
    }
    # A library may ask for a family and do without it, so this is the error of systemd in any case.
    unsupported = seccomp.ERRNO(errno.EAFNOSUPPORT)
    for family in set(range(64)) - families:
        filter.add_rule(unsupported, "socket", seccomp.Arg(0, seccomp.EQ, family))
    filter.load()


def main():
    unit, how, *command = sys.argv[1:]
    refused = seccomp.KILL_PROCESS if how == "kill" else seccomp.ERRNO(errno.EPERM)
    load(settings(unit), refused)
    os.execv(command[0], command)


main()
