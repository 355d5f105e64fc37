# SPDX-License-Identifier: ISC
"""Guards of the table of dialects: every place that says something about a dialect is there and
agrees with `retoken dialects --json`. Each says what to add where; src/dialect/README lists all of
it in order. RETOKEN_BUILD names the folder with `retoken` (build/ unless set)."""

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("RETOKEN_BUILD", ROOT / "build")).resolve() / "retoken"
SOURCES = ROOT / "src" / "dialect"
FILES = ROOT / "dialects"
GOLDENS = ROOT / "tests" / "dialect" / "golden"
MANUAL = "man/retoken.conf.5"
DOCUMENT = "docs/dialects.md"
DATA = "www/dialects.json"
FIELDS = {"refresh_token", "access_token", "username", "password", "client_id", "client_secret", "scope",
          "auth_key"}
BEHAVIOURS = ("documented", "deployed")

sys.path.insert(0, str(ROOT / "scripts"))

from lab import dialects, goldens  # noqa: E402

# Where each server's sample has its one list of paths, and what comes before and after it.
LISTS = {
    "apache-conf/mounts.conf": r'Define RETOKEN_MOUNTS "\^\(\?:(.*)\)/\?\$"',
    "apache-conf/shared-host/.htaccess": r"RewriteRule \^\(\?:(.*)\)/\?\$ retoken\.fcgi/\$0 \[L\]",
    "lighttpd-conf/mounts.conf": r'var\.retoken_mounts = "\^\(\?:(.*)\)/\?\$"',
    "nginx-conf/retoken.conf": r"location ~ \^\(\?:(.*)\)/\?\$ \{",
    "apache-conf/login.conf": r'Define RETOKEN_LOGIN_MOUNTS "\^\(\?:(.*)\)/\?\$"',
    "lighttpd-conf/login.conf": r'var\.retoken_login_mounts = "\^\(\?:(.*)\)/\?\$"',
    "nginx-conf/login.conf": r"location ~ \^\(\?:(.*)\)/\?\$ \{",
}


def read(path):
    return (ROOT / path).read_text()


def described_names():
    """Those that files describe and that have mounts of their own."""
    return re.findall(r"^\s*DESCRIBED\((\w+)\)", read("src/dialect/dialect.h"), re.M)


def names():
    """The dialects by their sources, so that one without a row is found too."""
    found = [row[1] for path in SOURCES.glob("*.c")
             for row in re.finditer(r"^const struct dialect (\w+)_dialect\b", path.read_text(), re.M)]
    assert len(found) > 4, "the dialects in C were not found"
    assert len(described_names()) > 2, "the described dialects were not found"
    return sorted(found + described_names())


NAMES = names()
DESCRIBED = described_names()
# In the program, and mounted where a configuration names them only.
LIBRARY = sorted({path.stem for path in FILES.glob("*.dialect")} - set(DESCRIBED))
ISSUING = [name for name in NAMES if name in DESCRIBED or
           "static const struct layout " in (SOURCES / f"{name}.c").read_text()]


@functools.cache
def printed():
    """Those that have mounts without a configuration."""
    done = subprocess.run([PROGRAM, "dialects", "--json"], check=True, capture_output=True)
    return [row for row in json.loads(done.stdout) if row["origin"] == "program"]


@pytest.fixture
def table():
    """name -> what the program says."""
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built, so the dialects cannot be compared with it: run make")
    rows = {row["dialect"]: row for row in printed()}
    assert sorted(rows) == NAMES, (
        "`retoken dialects` and src/dialect/*.c differ: each needs DIALECT(NAME) in dialect.h; then make")
    return rows


@pytest.fixture(params=NAMES)
def row(request, table):
    return table[request.param]


@pytest.fixture(params=ISSUING)
def issuing(request, table):
    """A dialect that issues tokens."""
    assert table[request.param]["policy"], f"{request.param} has a layout and no policy"
    return table[request.param]


def paths_of(row, operation=None):
    return [endpoint["path"] for endpoint in row["endpoints"]
            if operation in (None, endpoint["operation"])]


def section(text, heading, following):
    """From a heading to the next one; "" where there is none."""
    start = re.search(heading, text, re.M)
    if start is None:
        return ""
    end = re.compile(following, re.M).search(text, start.end())
    return text[start.start():end.start() if end else len(text)]


@functools.cache
def described():
    return json.loads(read(DATA))


# ---- source and tests ----

@pytest.mark.parametrize("name", NAMES)
def test_source(name):
    if name in DESCRIBED:
        assert (FILES / f"{name}.dialect").exists(), f"dialects/{name}.dialect is not there"
        return
    assert re.search(rf"^\s*DIALECT\({name}\)", read("src/dialect/dialect.h"), re.M), (
        f"add DIALECT({name}) to DIALECT_ROWS in src/dialect/dialect.h")
    assert f"src/dialect/{name}.c" in read("src/dialect/local.mk"), (
        f"add src/dialect/{name}.c to src/dialect/local.mk")


@pytest.mark.parametrize("path", sorted(FILES.glob("*.dialect")), ids=lambda path: path.stem)
def test_file_is_in_the_program(path):
    assert f"dialects/{path.name}" in read("src/process/local.mk"), (
        f"add dialects/{path.name} to DIALECT_FILES in src/process/local.mk")


@pytest.mark.parametrize("name", LIBRARY)
def test_library_names_its_source_and_is_listed(name):
    comment = re.match(r"(?:#.*\n)+", read(f"dialects/{name}.dialect"))
    assert comment and "# https://" in comment[0], f"name the public documentation at the top of dialects/{name}.dialect"
    listed = section(read(DOCUMENT), r"^## \d+\. The library$", r"^## ")
    paths = re.findall(r"^path *= *(.*)$", read(f"dialects/{name}.dialect"), re.M)
    row = next((line for line in listed.splitlines() if line.startswith(f"| {name} |")), "")
    missing = [path for path in paths if f"`{path}`" not in row]
    assert row and not missing, f"add {name} with {missing or paths} to the table of the library in {DOCUMENT}"
    assert re.search(rf"\b{name}\b", read("NEWS")), f"add {name} to NEWS"
    assert re.search(rf"\b{name}\b", section(read(MANUAL), r"^\.It Cm dialect$", r"^\.It ")), (
        f"add {name} to the values of dialect in {MANUAL}")


@pytest.mark.parametrize("name", NAMES + LIBRARY)
def test_goldens(name):
    wanted = ["usual.request", "usual.answer", "outcomes.documented", "outcomes.deployed"]
    if name in ISSUING + LIBRARY:
        wanted += ["tokens.full", "tokens.bare"]
    missing = [file for file in wanted if not (GOLDENS / name / file).exists()]
    assert not missing, (f"tests/dialect/golden/{name} lacks {missing}: write usual.request, then run "
                         "test_dialect and test_layout with RETOKEN_GOLDEN_WRITE=1")


def test_manual_lists_every_outcome():
    rows = re.findall(r'OUTCOME\(\w+, (\w+), "([^"]+)"', read("src/model/outcome.h"))
    manual = read("man/retoken-dialect.5")
    missing = [word for kind, word in rows if kind != "GRANTED" and not re.search(rf"(?m)^\.Li (.* )?{word}( |$)", manual)]
    assert len(rows) > 40 and not missing, f"add {missing} to [refusals] in man/retoken-dialect.5"


@pytest.mark.parametrize("file", ["src/token/layout_names.c", "src/dialect/described_names.c"])
def test_manual_lists_every_value(file):
    """Of templates: with its suffixes, whose meanings the manual tells apart."""
    names = {name.partition(".")[0] for name in re.findall(r'^\s*(?:CLAIM|ANSWER)\("([^"]+)"', read(file), re.M)}
    manual = read("man/retoken-dialect.5")
    missing = [name for name in names if not re.search(rf"(?m)^\.Li (.* )?{name}\.?( |$)", manual)]
    assert len(names) > 8 and not missing, f"add {missing} to TEMPLATES or the tokens in man/retoken-dialect.5"


# ---- documents ----

def test_readme(row):
    lines = [line for line in read("README.md").splitlines() if line.startswith("| `/")]
    line = next((line for line in lines if f"`{paths_of(row)[0]}`" in line), "")
    missing = [path for path in paths_of(row) if f"`{path}`" not in line]
    assert not missing, f"add {', '.join(missing)} to the table of mounts in README.md"
    assert row["policy"] is None or re.search(rf"\b{row['dialect']}\b", line), (
        f"the table of mounts in README.md does not name {row['dialect']} beside its paths")


def test_news(issuing):
    assert re.search(rf"\b{issuing['dialect']}\b", read("NEWS")), f"add {issuing['dialect']} to NEWS"


def test_manual_names_it(issuing):
    listed = section(read(MANUAL), r"^\.It Cm dialect$", r"^\.It ")
    assert re.search(rf"\b{issuing['dialect']}\b", listed), (
        f"add {issuing['dialect']} to the values of dialect in {MANUAL}")


def test_manual_has_its_section(row):
    name = row["dialect"]
    text = section(read(MANUAL), rf"^\.Ss {name}$", r"^\.S[sh] ")
    assert text, f"add a section `.Ss {name}` to DIALECTS in {MANUAL}"
    missing = [path for path in paths_of(row) if f".Pa {path}" not in text]
    assert not missing, f"the section {name} of {MANUAL} does not name {missing}"
    if row["policy"] is None:
        return
    assert ".It Request" in text and ".It Answer" in text and ".It Errors" in text, (
        f"the section {name} of {MANUAL} needs .It Request, Answer and Errors")
    defaults = section(text, r"^\.It Defaults$", r"^\.El$")
    policy = row["policy"]
    wanted = [f"{key} {policy[key]}" for key in ("rotation", "access-lifetime", "format", "algorithm")]
    wanted += [f"{key} {policy[key]}" for key in ("idle-lifetime", "absolute-lifetime")
               if policy[key] != "0"]
    wanted += [f"{setting['name']} {setting['usual']}" for setting in row["settings"]]
    wrong = [fact for fact in wanted if not re.search(rf"(?<!\w){re.escape(fact)}(?!\w)", defaults)]
    assert not wrong, f"Defaults of {name} in {MANUAL} does not say: {', '.join(wrong)}"


def column(text, head, name):
    """label -> cell in the column `name` of the table whose first line begins so; {} when it has none."""
    lines = section(text, rf"^{re.escape(head)}", r"^$").splitlines()
    assert lines, f"{DOCUMENT} has no table {head} …"
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines]
    if name not in cells[0]:
        return {}
    at = cells[0].index(name)
    return {line[1]: line[at] for line in cells[2:]}


def test_document_has_its_columns(issuing):
    name, policy, text = issuing["dialect"], issuing["policy"], read(DOCUMENT)
    facts = column(text, "| | ", name)
    assert facts, f"add a column {name} to the matrix in {DOCUMENT}"
    assert column(text, "| outcome | ", name), f"add a column {name} to the table of outcomes in {DOCUMENT}"
    for label, right in (
            ("default mounts", sorted(paths_of(issuing))),
            ("rotates", "yes" if policy["rotation"] == "on" else "no"),
            ("access token", policy["algorithm"])):
        said = facts[label] if label != "default mounts" else sorted(re.findall(r"`(.*?)`", facts[label]))
        assert said == right, f"`{label}` of {name} in {DOCUMENT} is {said} instead of {right}"


def test_document_has_its_sections(issuing):
    name, text = issuing["dialect"], read(DOCUMENT)
    assert re.search(rf"^#+ \w+\. {name}\b", text, re.M), f"add a section `## N. {name}` to {DOCUMENT}"
    assert re.search(rf"^\| {name}\b.*\|.*\|", section(text, r"^### Layouts", r"^### "), re.M), (
        f"add a row {name} to the table of layouts in {DOCUMENT}")


# ---- sample configurations ----

def is_listed(sample, endpoint):
    """nginx takes the first location that matches, so what needs a login is in login.conf only, and
    /metrics has a location of its own. On a shared host, from where nothing can ask, it is not served."""
    if endpoint["path"] == "/metrics":
        return sample in ("apache-conf/mounts.conf", "lighttpd-conf/mounts.conf")
    login = sample.endswith("login.conf")
    return endpoint["remote_user"] == login or not (login or sample.startswith("nginx-conf"))


@pytest.mark.parametrize("sample", LISTS)
def test_sample_names_every_path(sample, table):
    found = re.search(LISTS[sample], read(sample))
    assert found, f"{sample} has no list of paths as this guard knows it"
    listed = ["/" + path.removesuffix("(?:/[0-9a-f-]+)?").removesuffix("/?").replace("\\", "").removeprefix("/")
              for path in found[1].split("|")]
    known = [endpoint["path"] for row in table.values() for endpoint in row["endpoints"]
             if is_listed(sample, endpoint)]
    missing = [path for path in known if path not in listed]
    assert not missing, f"add {', '.join(missing)} to the paths in {sample}"
    unknown = [path for path in listed if path not in known]
    assert not unknown, f"{sample} names {', '.join(unknown)}, which no dialect has"


def test_every_sample_has_the_paths():
    """A sample has the list of its server, or uses the one of mounts.conf."""
    used = {"apache-conf": "${RETOKEN_MOUNTS}", "lighttpd-conf": "var.retoken_mounts"}
    samples = [path for folder in ("apache-conf", "lighttpd-conf", "nginx-conf")
               for path in (ROOT / folder).rglob("*") if path.suffix == ".conf" or path.name == ".htaccess"]
    assert len(samples) > 8, samples
    for path in samples:
        name = str(path.relative_to(ROOT))
        if name in LISTS or path.name in ("settings.conf", "upstream.conf", "page.conf", "check.conf"):
            continue
        text = path.read_text()
        assert used[path.parent.name] in text and "mounts.conf" in text, (
            f"{name} does not use the paths of mounts.conf")


# ---- page, lab and demo ----

def test_description(issuing):
    name = issuing["dialect"]
    assert name in described(), f"add {name} to {DATA}: the page, the test lab and the demo read it"
    data = described()[name]
    assert sorted(data["paths"]) == sorted(paths_of(issuing, "refresh")), f"paths of {name} in {DATA}"
    assert data.get("keeps", False) == (issuing["policy"]["rotation"] == "off"), f"keeps of {name} in {DATA}"
    assert data["title"] and data["summary"] and data["forms"], f"title, summary or forms of {name} in {DATA}"
    ids = [form["id"] for form in data["forms"]]
    assert len(set(ids)) == len(ids) and data.get("usual", ids[0]) in ids, f"forms of {name} in {DATA}"
    for form in data["forms"]:
        fields = {field if isinstance(field, str) else field["name"] for field in form["fields"]}
        used = set(re.findall(r"\{(\w+)\}", json.dumps({key: value for key, value in form.items()
                                                        if key != "fields"})))
        assert used == fields <= FIELDS, f"form {form['id']} of {name} in {DATA} uses {used}, shows {fields}"


@pytest.mark.parametrize("word", dialects.BESIDE)
def test_description_of_what_is_beside_a_refresh(issuing, word):
    """Where a dialect has an endpoint for it, lab and demo log in and out there, and verify."""
    name = issuing["dialect"]
    data = described()[name]
    beside = data.get(word, {"paths": {}})
    missing = [path for path in paths_of(issuing, word) if path not in beside["paths"].values()]
    assert not missing, f"add {missing} to {word}.paths of {name} in {DATA}"
    if word not in data:
        return
    assert list(beside["paths"]) == data["paths"], f"{word}.paths of {name} in {DATA} names other paths than paths"
    assert set(beside["paths"].values()) <= set(paths_of(issuing)), f"{word}.paths of {name} in {DATA}"
    used = set(re.findall(r"\{(\w+)\}", json.dumps({key: value for key, value in beside.items()
                                                    if key not in ("fields", "paths")})))
    assert used == set(beside["fields"]) <= FIELDS, f"{word} of {name} in {DATA} uses {used}"


def test_description_of_answers(issuing):
    """Where the tokens are in an answer, and what a refused token looks like, by the goldens."""
    name = issuing["dialect"]
    data = described().get(name)
    assert data, f"add {name} to {DATA}"
    for behaviour in BEHAVIOURS:
        outcomes = goldens.outcomes(name, behaviour)
        body = json.loads(outcomes["rotated"].body)
        assert body[data["answer"]["access"]] == "new.access.token", f"answer.access of {name} in {DATA}"
        given = next((key for key, value in body.items() if value == "next-refresh-token"), None)
        assert data["answer"].get("refresh") == given, f"answer.refresh of {name} in {DATA}"
        for word in ("invalid", "unknown", "expired", "revoked", "reused"):
            said = outcomes[word]
            assert any(row["status"] == said.status and row.get("body", "") in said.body.decode()
                       for row in data["refused"]), f"refused of {name} in {DATA} has no row for {word}, {behaviour}"


def test_nothing_else_is_described(table):
    unknown = [name for name in described() if name not in table]
    assert not unknown, f"{DATA} describes {unknown}, which the program does not know"
