"""The fixture `permissions_bind`: file permissions apply to root too, as they do to every other user."""

import ctypes
import os
import sys
from collections.abc import Iterator

import pytest

VERSION_3 = 0x20080522  # of the kernel's interface for capabilities
IGNORES_PERMISSIONS = 0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@pytest.fixture
def permissions_bind() -> Iterator[None]:
    """Take from root, for one test, the right to ignore permissions; skip where that is impossible."""
    if os.name != "posix":
        pytest.skip("not POSIX: permissions work differently here")
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("root ignores permissions here")
    libc, header, data = ctypes.CDLL(None, use_errno=True), _Header(VERSION_3, 0), (_Data * 2)()
    if libc.capget(ctypes.byref(header), data):
        pytest.skip("this system does not tell what root may do")
    before = data[0].effective
    data[0].effective &= ~IGNORES_PERMISSIONS
    if libc.capset(ctypes.byref(header), data):
        pytest.skip("root's rights cannot be reduced here")
    yield
    data[0].effective = before
    assert libc.capset(ctypes.byref(header), data) == 0
