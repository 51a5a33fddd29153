"""Holds the write lock of a daemon's database, so that its store thread waits as for a slow disk."""

import contextlib
import ctypes
import pathlib


@contextlib.contextmanager
def blocked_store(daemon):
    """Begin and end on one thread: LMDB's lock belongs to it."""
    lmdb = ctypes.CDLL("liblmdb.so.0")
    env, txn = ctypes.c_void_p(), ctypes.c_void_p()
    path = str(pathlib.Path(daemon.conf["store"]["path"])).encode()

    def check(rc):
        assert rc == 0, f"lmdb: error {rc} at {path}"
    check(lmdb.mdb_env_create(ctypes.byref(env)))
    check(lmdb.mdb_env_open(env, path, 0, 0o600))
    try:
        check(lmdb.mdb_txn_begin(env, None, 0, ctypes.byref(txn)))
        try:
            yield
        finally:
            lmdb.mdb_txn_abort(txn)
    finally:
        lmdb.mdb_env_close(env)
