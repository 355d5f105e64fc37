#!/bin/sh
# SPDX-License-Identifier: ISC
# pytest.sh: runs one file of Python tests for `make check`, in the build folder. Skipped (77), with
# the reason on `make`'s own standard error (9), where there is no pytest.
python=/usr/bin/python3
if ! "$python" -c 'import pytest' 2>/dev/null; then
    echo "$1 is skipped: install python3-pytest to run it" >&9
    exit 77
fi
RETOKEN_BUILD=$(pwd) exec "$python" -B -m pytest -p no:cacheprovider -q --color=no -o addopts= "$1"
