# SPDX-License-Identifier: ISC
"""The bill of materials of built packages, as CycloneDX 1.5 in JSON. Knows where dpkg-buildpackage
wrote down what it linked (Depends and Static-Built-Using of the packages) and what it built with
(.buildinfo); asks dpkg which versions those were. The same packages give the same bytes."""

import datetime
import hashlib
import json
import pathlib
import re
import subprocess
import uuid


def fields(text):
    """A paragraph of control data as a dictionary."""
    found = {}
    for name, value in re.findall(r"^(\S+?):[ \t]*(.*(?:\n[ \t].*)*)", text, re.M):
        found.setdefault(name, value.strip())
    return found


def control(package):
    shown = subprocess.run(["dpkg-deb", "--field", package], capture_output=True, text=True, check=True)
    return fields(shown.stdout)


def built_with(buildinfo):
    """Package -> version of all that was installed for the build."""
    listed = fields(buildinfo.read_text())["Installed-Build-Depends"]
    return dict(re.findall(r"(\S+) \(= ([^)]+)\)", listed))


def alternatives(value):
    """The groups of names of a dependency field."""
    return [[re.match(r"[^\s(:]+", name.strip()).group() for name in group.split("|")]
            for group in value.split(",") if group.strip()]


def distribution():
    text = pathlib.Path("/etc/os-release").read_text()
    found = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.M))
    return found["ID"], f"{found['ID']}-{found['VERSION_ID']}"


def component(name, version, architecture, kind="library", **more):
    vendor, distro = distribution()
    quoted = version.replace(":", "%3A").replace("+", "%2B").replace("~", "~")
    purl = f"pkg:deb/{vendor}/{name}@{quoted}?arch={architecture}&distro={distro}"
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl, **more}


def described(folder, release):
    """The document, from what is in folder."""
    inventory = built_with(next(folder.glob(f"retoken_{release.version}_*.buildinfo")))
    parts, depends = {}, {}

    def part(name, version, architecture, **more):
        made = component(name, version, architecture, **more)
        return parts.setdefault(made["bom-ref"], made)["bom-ref"]

    for package in sorted(folder.glob(f"retoken*_{release.version}_*.deb")):
        about = control(package)
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        top = part(about["Package"], about["Version"], about["Architecture"], kind="application",
                   licenses=[{"license": {"id": "ISC"}}], hashes=[{"alg": "SHA-256", "content": digest}])
        linked = [part(name, inventory[name], release.architecture, scope="required")
                  for group in alternatives(about.get("Depends", "")) for name in group[:1] if name in inventory]
        loaded = [part(name, inventory[name], release.architecture, scope="optional")
                  for group in alternatives(about.get("Recommends", "")) for name in group if name in inventory]
        copied = [part(name, version, "source", scope="required")
                  for name, version in re.findall(r"(\S+) \(= ([^)]+)\)", about.get("Static-Built-Using", ""))]
        depends[top] = sorted({*linked, *loaded, *copied})
    tools = [component(name, version, release.architecture) for name, version in sorted(inventory.items())]
    moment = datetime.datetime.fromtimestamp(release.epoch, datetime.timezone.utc)
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "application", "bom-ref": "retoken", "name": "retoken",
                          "version": release.upstream, "licenses": [{"license": {"id": "ISC"}}]},
        },
        "components": sorted(parts.values(), key=lambda one: one["bom-ref"]),
        "dependencies": [{"ref": "retoken", "dependsOn": sorted(depends)},
                         *({"ref": ref, "dependsOn": on} for ref, on in sorted(depends.items()))],
        "formulation": [{"bom-ref": "build", "components": tools}],
    }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    return {"serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}", **document}


def write(folder, release):
    target = folder / f"retoken-{release.upstream}-{release.architecture}.cdx.json"
    target.write_text(json.dumps(described(folder, release), indent=1) + "\n")
    return target
