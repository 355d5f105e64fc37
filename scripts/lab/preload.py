# SPDX-License-Identifier: ISC
"""Libraries that are preloaded into the responder, so that it meets what a test cannot wait for. Knows how
they are built and how any web server gets to start a responder with one; does not know what they do."""

import atexit
import functools
import os
import pathlib
import shlex
import shutil
import subprocess

from . import installation, machine


@functools.cache
def library(source):
    """The library that this file becomes, of tests/ or named from the top; built once a run, where the user can
    read it."""
    folder = machine.folder("retoken-preload-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / (pathlib.Path(source).stem + ".so")
    subprocess.run(["cc", "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o", path,
                    next(place for place in (machine.ROOT / "tests" / source, machine.ROOT / source)
                                       if place.exists())], check=True)
    return machine.own(path)


def variables(source, **more):
    """Such a library opens files of its own, which a responder with confined files cannot."""
    return {"LD_PRELOAD": str(library(source)), "RETOKEN_CONFINE": "calls", **more}


def preloaded(installed, folder, source, **more):
    """The same installation with a responder that preloads the library, however it is started. The
    variables are what the library is told."""
    programs = pathlib.Path(folder) / "preloaded"
    programs.mkdir(exist_ok=True)
    settings = shlex.join(f"{name}={value}" for name, value in variables(source, **more).items())
    script = programs / "retoken.fcgi"
    script.write_text(f'#!/bin/sh\nexec env {settings} {shlex.quote(str(installed.responder))} "$@"\n')
    os.chmod(script, 0o755)
    link = programs / "retoken"
    if not link.exists():
        link.symlink_to(installed.programs / "retoken")
    machine.own(programs)
    return installation.Installation(installed.folder, programs)
