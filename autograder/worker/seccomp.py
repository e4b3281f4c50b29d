"""Refuse the system calls that no notebook needs: namespaces, mounts, other processes' memory.

A filter in the kernel's classic BPF: refused calls fail with EPERM, `clone3` with ENOSYS, after
which the C library falls back to `clone`, whose flags can be looked at.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from functools import cache

PR_SET_SECCOMP, MODE_FILTER = 22, 2
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT = 0, 4, 16
NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW* flag
X32_BIT = 0x40000000  # calls of the x32 interface have numbers of their own

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
REFUSED = {  # numbers by name, x86_64 and aarch64
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "quotactl": (179, 60),
    "swapon": (167, 224),
    "reboot": (169, 142),
}
CLONE, CLONE3 = (56, 220), (435, 435)

_libc = ctypes.CDLL(None, use_errno=True)


class UnknownMachineError(OSError):
    """The filter has no numbers for this processor."""


def refuse_calls() -> None:
    """Set the filter for this process and all that come from it; it cannot be taken back.

    Raises
    ------
    OSError
        If the kernel has no such filters, or the processor is not known here.
    """
    program = filter_program(os.uname().machine)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    )
    if _libc.prctl(PR_SET_SECCOMP, MODE_FILTER, header, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel takes no filter for system calls")


@cache
def filter_program(machine: str) -> bytes:
    """Return the filter for a kind of processor; made once, before the first fork.

    Raises
    ------
    UnknownMachineError
        If the processor is not known here.
    """
    if machine not in ARCHITECTURES:
        raise UnknownMachineError(f"no list of system calls for {machine}")
    column = list(ARCHITECTURES).index(machine)
    refuse = _instruction(RETURN, REFUSE | errno.EPERM)
    lines = [
        _instruction(LOAD, ARCHITECTURE_AT),
        _instruction(EQUAL, ARCHITECTURES[machine], yes=1),
        _instruction(RETURN, KILL),
        _instruction(LOAD, NUMBER_AT),
    ]
    if machine == "x86_64":
        lines += [_instruction(ANY_BIT, X32_BIT, no=1), refuse]
    for numbers in REFUSED.values():
        lines += [_instruction(EQUAL, numbers[column], no=1), refuse]
    lines += [
        _instruction(EQUAL, CLONE3[column], no=1),
        _instruction(RETURN, REFUSE | errno.ENOSYS),
        _instruction(EQUAL, CLONE[column], no=3),
        _instruction(LOAD, FIRST_ARGUMENT_AT),
        _instruction(ANY_BIT, NEW_NAMESPACES, no=1),
        refuse,
        _instruction(RETURN, ALLOW),
    ]
    return b"".join(lines)


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)
