# SPDX-License-Identifier: ISC
"""TLS ends in front of the web server: what clients are then told by `https = always`, and that no header of a client
says the same."""

import json
import shutil

import pytest
import requests

from lab import dialects, machine, servers
from lab.receiver import Authority

MOUNT = dialects.mount_at("/api/jwt/refresh")


@pytest.fixture
def proxied(world):
    """(world, start): start() gives the https URL of a proxy before a web server that speaks plain http, and the
    file of its authority."""
    folder = machine.folder("retoken-proxy-")
    world.cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
    authority = Authority(folder)
    certificate = authority.issue("site.pem")

    def start():
        server, port = world.serve("lighttpd"), machine.free_port()
        config = folder / "proxy.conf"
        temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};"
                              for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config.write_text(f"""daemon off; pid {folder}/pid; events {{ }} http {{ {temporary} access_log off;
            server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {certificate};
            location / {{ proxy_pass http://127.0.0.1:{server.port}; proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-Proto https; }} }} }}""")
        machine.own(folder)
        process = machine.start(["/usr/sbin/nginx", "-p", folder, "-e", folder / "error.log", "-c", config],
                                log=folder / "output.log", cwd=folder)
        world.cleanup.callback(machine.stop, process)
        machine.wait_until(lambda: machine.listens(port), what="the proxy")
        return f"https://127.0.0.1:{port}", str(authority.file)

    return world, start


def refresh(world, site, **headers):
    """(status, whether the cookies are Secure) of a refresh with a slash behind the path."""
    url, authority = site
    login = world.login(MOUNT)
    answer = requests.post(url + MOUNT.path + "/", data=json.dumps({"refreshToken": login.refresh_token}), verify=authority,
                           headers={"Content-Type": "application/json", **headers}, timeout=30, allow_redirects=False)
    cookies = answer.raw.headers.getlist("set-cookie")
    return answer.status_code, bool(cookies) and all("; Secure" in cookie for cookie in cookies)


def test_a_header_is_not_believed(proxied):
    world, start = proxied
    assert refresh(world, start(), Forwarded="proto=https") == (200, False)


def test_the_setting_is(proxied):
    """Cookies are Secure, a page of the site is its own, and one of plain http on the same host is not."""
    world, start = proxied
    world.installed.set_retoken(https="always")
    site = start()
    assert refresh(world, site) == (200, True)
    assert refresh(world, site, Origin=site[0]) == (200, True)
    assert refresh(world, site, Origin=site[0].replace("https", "http")) == (403, False)
