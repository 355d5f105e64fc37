# SPDX-License-Identifier: ISC
"""./package: Debian packages of this tree, and what goes with a release. Knows dpkg-buildpackage and
what a source is made of; what is in the packages is in debian/."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import sbom

ROOT = pathlib.Path(__file__).resolve().parents[2]
HELP = """\
what to make:
  (nothing)  retoken_*.deb and retoken-static_*.deb
  static     those, and retoken-static-VERSION-ARCH.tar.xz: programs of one file each, to unpack in
             a home directory (tar -xJf FILE -C ~)
  source     those, and a source package
  release    all of these, a bill of materials (CycloneDX) and SHA256SUMS; docs/releasing.md goes on
"""


class PackageError(Exception):
    """Something the person at the keyboard can mend; the text says how."""


def say(text):
    print(f"package   {text}", flush=True)


class Release:
    """What debian/changelog and the machine say."""

    def __init__(self):
        self.version = self.asked("dpkg-parsechangelog", "-S", "Version")
        self.epoch = int(self.asked("dpkg-parsechangelog", "-S", "Timestamp"))
        self.architecture = self.asked("dpkg", "--print-architecture")
        self.upstream = self.version.rsplit("-", 1)[0]

    @staticmethod
    def asked(*words):
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    @property
    def name(self):
        return f"retoken-{self.upstream}"


def source_files():
    """What git knows and does not ignore; in an unpacked tarball all but what builds leave."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                cwd=ROOT, capture_output=True, text=True, check=True).stdout
        names = [name for name in listed.split("\0") if name]
    else:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")
                 if path.is_symlink() or path.is_file()]
        names = [name for name in names if not re.match(r"build(-\w+)?/|autom4te\.cache/", name)]
    return sorted(name for name in names if os.path.lexists(ROOT / name) and "__pycache__" not in name)


def copy_source(folder):
    """A tree of its own: a package build cleans and configures the folder it is in."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in source_files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    for path in [folder, *folder.rglob("*")]:  # whatever umask the checkout was made under
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def run(log, *words, cwd, **more):
    with log.open("ab") as output:
        output.write(("$ " + " ".join(map(str, words)) + "\n").encode())
        output.flush()
        status = subprocess.run(words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                env={**os.environ, **more}).returncode
    if status != 0:
        tail = log.read_text(errors="replace").splitlines()[-40:]
        raise PackageError("\n".join([*tail, f"{words[0]} failed; all of its output: {log}"]))


def tar(log, release, target, top, names, cwd):
    """The same bytes from the same files, whoever packs them when and where."""
    run(log, "tar", "--create", "--xz", f"--file={target}", "--sort=name", "--owner=root:0", "--group=root:0",
        "--numeric-owner", f"--mtime=@{release.epoch}", "--mode=go-w", "--format=gnu",
        *([f"--transform=flags=r;s|^\\./|{top}/|"] if top else []), *names, cwd=cwd)


def build_packages(release, folder, log, source):
    """dpkg-buildpackage in a copy of the tree; its results are in folder."""
    work = folder / "work"
    tree = work / release.name
    copy_source(tree)
    if source:
        tar(log, release, work / f"retoken_{release.upstream}.orig.tar.xz", release.name, ["--exclude=./debian", "."],
            cwd=tree)
    options = os.environ.get("DEB_BUILD_OPTIONS", "nocheck noautodbgsym")  # ./check has the tests
    run(log, "dpkg-buildpackage", "-us", "-uc", "--build=full" if source else "--build=binary", cwd=tree,
        DEB_BUILD_OPTIONS=f"parallel={os.cpu_count()} {options}")
    made = [shutil.move(path, folder / path.name) for path in sorted(work.iterdir()) if path.is_file()]
    shutil.rmtree(work)
    return made


def make_tarball(release, folder, log):
    """The programs of the package retoken-static, and what a home directory needs besides."""
    target = folder / f"retoken-static-{release.upstream}-{release.architecture}.tar.xz"
    package = folder / f"retoken-static_{release.version}_{release.architecture}.deb"
    with tempfile.TemporaryDirectory(prefix="static-", dir=folder) as work:
        home = pathlib.Path(work) / "retoken"
        run(log, "dpkg-deb", "--extract", package, work, cwd=folder)
        shutil.copytree(pathlib.Path(work) / "usr/lib/retoken-static", home, symlinks=True)
        for name in ("apache-conf/shared-host", "www", "man", "docs"):
            shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("*.mk", "*.svg", "*.png", "bench"),
                            dirs_exist_ok=True)
        shutil.copy(ROOT / "www/icon.svg", home / "www")
        for name in ("README.md", "NEWS", "COPYING"):
            shutil.copy(ROOT / name, home)
        for path in [home, *home.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        tar(log, release, target, None, ["retoken"], cwd=work)
    return target


def sums(folder, files):
    listed = subprocess.run(["sha256sum", *sorted(path.name for path in files)], cwd=folder, capture_output=True,
                            text=True, check=True).stdout
    (folder / "SHA256SUMS").write_text(listed)
    return folder / "SHA256SUMS"


def make(what, folder):
    release = Release()
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("retoken[_-]*"), *folder.glob("SHA256SUMS*")]:
        old.unlink()
    log = folder / "build.log"
    log.unlink(missing_ok=True)
    say(f"retoken {release.version} for {release.architecture}; log: {log}")
    made = build_packages(release, folder, log, what in ("source", "release"))
    if what in ("static", "release"):
        made.append(make_tarball(release, folder, log))
    if what == "release":
        made.append(sbom.write(folder, release))
        made.append(sums(folder, made))
    return [path for path in made if path.suffix not in (".changes", ".buildinfo")]


def shown(path):
    return os.path.relpath(path)


def main():
    parser = argparse.ArgumentParser(prog="./package", description="Builds Debian packages of this tree.",
                                     formatter_class=argparse.RawDescriptionHelpFormatter, epilog=HELP)
    parser.add_argument("what", nargs="?", choices=["static", "source", "release"], help="see below")
    parser.add_argument("--output", metavar="DIR", type=pathlib.Path, default=ROOT / "build" / "packages",
                        help="where they go (build/packages)")
    options = parser.parse_args()
    try:
        made = make(options.what, options.output.resolve())
    except PackageError as error:
        print(f"{error}", file=sys.stderr)
        return 3
    for path in made:
        print(f"✓ {shown(path):64} {path.stat().st_size / 1e6:6.1f} MB")
    deb = next(path for path in made if re.match(r"retoken_.*\.deb$", path.name))
    print(f"next: sudo apt install ./{shown(deb)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
