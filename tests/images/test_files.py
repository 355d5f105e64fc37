# SPDX-License-Identifier: ISC
"""What container/ says, by rules that need no engine. `./check container` does what the Dockerfile says."""

import pathlib
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

from lab import dockerfile, machine

FOLDER = machine.ROOT / "container"
LINT = machine.ROOT / "tests" / "clients" / "node_modules" / ".bin" / "dockerfile-utils"
STAGES = {stage.name: stage for stage in dockerfile.parse((FOLDER / "Dockerfile").read_text())}


@pytest.fixture(scope="module")
def compose():
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())


def lint(path):
    """What dockerfile-utils, which knows all of the language, has to say."""
    assert LINT.exists(), "run: scripts/prepare clients"
    return subprocess.run([LINT, "lint", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False).stdout


def test_lint(tmp_path):
    assert lint(FOLDER / "Dockerfile") == ""
    (tmp_path / "Dockerfile").write_text("FROM a AS b\nWORKDIR c\n")
    assert "should be absolute" in lint(tmp_path / "Dockerfile")


def test_what_a_dockerfile_may_not_say():
    for text in ("RUN true\n", "FROM debian\n", "FROM a AS b\nADD x y\n", "FROM a AS b\nrun true\n"):
        with pytest.raises(dockerfile.Unknown):
            dockerfile.parse(text)
    stage, = dockerfile.parse("FROM a AS b\n# no\nRUN one \\\n    && two\nUSER x:y\nUSER z\n")
    assert (stage.base, stage.name, stage.last("USER")) == ("a", "b", "z")
    assert stage.steps[0] == ("RUN", "one && two")


@pytest.mark.parametrize("name", ["retoken", "web"])
def test_images_run_as_a_user_of_their_own(name):
    stage = STAGES[name]
    assert re.fullmatch("[a-z-]+:www-data", stage.last("USER"))
    assert dockerfile.words(stage.last("CMD"))
    at = [word for word, _ in stage.steps]
    assert at.index("USER") > max(n for n, word in enumerate(at) if word in ("RUN", "COPY"))


def test_images_are_small():
    """Nothing of the build stage but what it installed, no lists of packages, no recommendations."""
    for name in ("retoken", "web"):
        for word, argument in STAGES[name].steps:
            if word == "COPY" and "--from=" in argument:
                assert dockerfile.copy(argument)[1].startswith("/installed")
            if word == "RUN" and "apt-get install" in argument:
                assert "--no-install-recommends" in argument and "rm -rf /var/lib/apt/lists/*" in argument


def test_health_check_is_an_exec_form():
    assert dockerfile.words(STAGES["web"].last("HEALTHCHECK").partition("CMD ")[2])[0] == "bash"


def test_compose_is_what_the_dockerfile_has(compose):
    assert set(compose) == {"name", "x-confined", "services", "volumes"}
    for name, service in compose["services"].items():
        build = service["build"]
        assert build["target"] == name and name in STAGES
        assert (FOLDER / build["context"]).resolve() == machine.ROOT
        assert (machine.ROOT / build["dockerfile"]) == FOLDER / "Dockerfile"
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert {volume.partition(":")[0] for volume in service["volumes"]} <= set(compose["volumes"])
    retoken, web = compose["services"]["retoken"], compose["services"]["web"]
    assert retoken["network_mode"] == "none" and "ports" not in retoken
    places = [volume.split(":")[1] for volume in retoken["volumes"]]
    assert places == dockerfile.words(STAGES["retoken"].last("VOLUME"))
    assert web["volumes"] == ["socket:/run/retoken:ro"]
    # one replica, because the store is LMDB
    assert "deploy" not in retoken and "scale" not in retoken
    port = STAGES["web"].last("EXPOSE")
    assert web["ports"] == [f"{port}:{port}"]
    assert re.search(rf"^\s+listen {port};$", (FOLDER / "nginx.conf").read_text(), re.M)
