"""A network of one's own: this process, and what it starts from now on, moves into a new network namespace
(unshare), with a wire whose ends are "here" and "there". Needs no privileges where user namespaces are allowed."""

import ctypes
import os
import subprocess

import pytest

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
HERE, THERE = "10.77.0.1", "10.77.0.2"  # both are this host's: one end for the daemon, one for phones


def unshare():
    """@return None, or why it cannot be"""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNET) == 0:
        return None
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        return os.strerror(ctypes.get_errno())
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as f:
            f.write(text)
    return None


def ip(*args):
    subprocess.run(["ip", *args], check=True, capture_output=True)


def enter():
    """For a session's or module's first fixture: all tests of the process run inside from then on."""
    why = unshare()
    if why:
        pytest.skip(f"no network namespace here: {why}")
    try:
        ip("link", "set", "lo", "up")
        ip("link", "add", "here", "type", "veth", "peer", "name", "there")
        ip("address", "add", f"{HERE}/24", "dev", "here")
        ip("address", "add", f"{THERE}/24", "dev", "there")
        ip("link", "set", "here", "up")
        ip("link", "set", "there", "up")
        for name in ("all", "here", "there"):  # what comes by the wire may be from the other end: us
            for key, value in (("accept_local", "1"), ("rp_filter", "0")):
                with open(f"/proc/sys/net/ipv4/conf/{name}/{key}", "w") as f:
                    f.write(value)
    except (OSError, subprocess.CalledProcessError) as e:
        pytest.skip(f"no network interfaces in a namespace here: {getattr(e, 'stderr', e)}")
