"""Below a path of a host that others share, behind a real nginx, in a real browser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from server.core.reasons import Reason
from tests.support.browsers.chromium import Windows, fill_in
from tests.support.browsers.seen import is_live, log_out
from tests.support.clients.client import PASSWORD
from tests.support.running.ports import free_port
from tests.support.servers.balancers import nginx
from tests.support.servers.server import ROOT, CurfewServer

pytestmark = pytest.mark.browser

NGINX = """
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    server {{
        listen 127.0.0.1:{port};
        default_type text/html;
        location / {{ return 200 '<title>Neighbour</title>'; }}
        location /auth/ {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
        location /cut/ {{
            proxy_pass http://127.0.0.1:{behind}/;
            proxy_set_header Host $http_host;
        }}
    }}
"""
ADDRESSES = """() => ['href', 'src', 'action', 'data-options', 'data-stale'].flatMap(
  (name) => [...document.querySelectorAll(`[${name}]`)].map((each) => each.getAttribute(name)))"""


@dataclass
class Site:
    """A host with a neighbour at its root.

    Attributes:
        server: below `/auth`.
        origin: of everything.
    """

    server: CurfewServer
    origin: str

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"{self.origin}/auth"


@pytest.fixture(scope="module", params=["run.py", "examples/messages.py"], ids=["own", "messages"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Curfew, or an application, below a path."""
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        server = CurfewServer(
            script=ROOT / request.param,
            base_path="/auth",
            origins=f"http://127.0.0.1:{port}",
            trusted_proxies="127.0.0.1",
        )
        with server, nginx(NGINX.format(port=port, behind=server.port), port):
            yield Site(server, f"http://127.0.0.1:{port}")
            assert "Traceback" not in server.log


@pytest.fixture
def windows(site: Site, browser: Browser) -> Iterator[Windows]:
    """Opens windows on the host."""
    windows = Windows(browser, site.origin)
    yield windows
    windows.close()
    assert windows.faults == []


@pytest.fixture
def page(windows: Windows, site: Site, username: str) -> Page:
    """A page of somebody who has just signed up."""
    page = windows.open().new_page()
    page.goto("/")
    page.evaluate("localStorage.setItem('neighbour', 'kept')")
    page.goto(f"{site.url}/signup")
    fill_in(page, username, PASSWORD)
    page.wait_for_url("**/auth/account")
    return page


def everything_is_below(page: Page) -> None:
    """Assert that every address on the page stays in the application."""
    found = [each for each in page.evaluate(ADDRESSES) if each and not each.startswith("#")]
    assert found
    assert [each for each in found if not each.startswith("/auth/")] == []


def test_a_person_signs_in_and_sees_the_session_end_from_elsewhere(
    page: Page, windows: Windows, site: Site, username: str
) -> None:
    is_live(page)
    other = windows.open().new_page()
    other.goto(f"{site.url}/account")
    other.wait_for_url(f"**/auth/login?next={quote('/account', safe='')}")
    fill_in(other, username, PASSWORD)
    other.wait_for_url("**/auth/account")
    is_live(other)
    expect(page.locator("#news, #sessions").first).to_be_visible()
    expect(page.locator("#sessions li")).to_have_count(2)  # fetched again by the script
    assert site.server.command("sessions", "end", "--user", username).returncode == 0
    for each in (page, other):
        each.wait_for_url(f"**/auth/login?reason={Reason.ADMIN}*")
        fill_in(each, username, PASSWORD)
        each.wait_for_url("**/auth/account")
        is_live(each)


def test_every_page_stays_below_the_path(page: Page, site: Site, windows: Windows) -> None:
    for path in ("/", "", "/account", "/account/security", "/reauthenticate?next=/account",
                 "/logout", "/nowhere"):  # fmt: skip
        page.goto(site.url + path)
        everything_is_below(page)
    page.goto(f"{site.url}/account/security")
    page.locator("form[action$='/totp'] button").click()
    everything_is_below(page)
    visitor = windows.open().new_page()
    for path in ("/", "/login", "/signup"):
        visitor.goto(site.url + path)
        everything_is_below(visitor)
        expect(visitor.locator("link[rel=stylesheet]")).to_have_count(1)
        assert visitor.evaluate("getComputedStyle(document.body).fontFamily") != ""
    windows.faults.clear()  # a page that is not there is told on the console


def test_a_logout_leaves_the_neighbours_storage_alone(page: Page, site: Site) -> None:
    tab = page.context.new_page()
    tab.goto(f"{site.url}/")
    is_live(tab)
    page.goto(f"{site.url}/account")
    log_out(page)
    page.wait_for_url("**/auth/login?reason=logout")
    tab.wait_for_url("**/auth/login?reason=logout&next=*")
    page.goto("/")
    assert page.evaluate("localStorage.getItem('neighbour')") == "kept"


def test_the_cookie_is_of_the_whole_host_and_has_a_name_of_its_own(page: Page) -> None:
    cookies = [each for each in page.context.cookies() if each.get("name", "").startswith("__Host")]
    assert {each.get("path") for each in cookies} == {"/"}
    assert "__Host-Http-curfew-auth" in {each.get("name") for each in cookies}


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("given", ["/auth/account/security", "/account/security"])
def test_a_way_back_is_found_with_the_path_and_without(
    windows: Windows, site: Site, username: str, given: str
) -> None:
    assert arrival(windows, site, username, given) == "/auth/account/security"


@pytest.mark.usefixtures("page")
def test_a_deep_link_comes_back_whole(windows: Windows, site: Site, username: str) -> None:
    other = windows.open().new_page()
    other.goto(f"{site.url}/account?id=42&at=/auth/x")
    fill_in(other, username, PASSWORD)
    other.wait_for_url("**/auth/account?id=42&at=/auth/x")


@pytest.mark.usefixtures("page")
def test_a_tab_that_waits_for_a_sign_in_goes_on(
    windows: Windows, site: Site, username: str
) -> None:
    window = windows.open()
    waiting, tab = window.new_page(), window.new_page()
    waiting.goto(f"{site.url}/login")
    tab.goto(f"{site.url}/login")
    fill_in(tab, username, PASSWORD)
    for each in (tab, waiting):
        each.wait_for_url("**/auth/account")
        is_live(each)


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("given", ["/auth//other.example", "//other.example", "/auth/\\other"])
def test_a_way_back_leads_to_nobody_else(
    windows: Windows, site: Site, username: str, given: str
) -> None:
    assert arrival(windows, site, username, given) == "/auth/account"


def arrival(windows: Windows, site: Site, username: str, next_path: str) -> str:
    """The path at which one arrives by the login page, with its query; sockets work there."""
    page = windows.open().new_page()
    page.goto(f"{site.url}/login?next={quote(next_path, safe='')}")
    fill_in(page, username, PASSWORD)
    is_live(page)
    return page.url.removeprefix(site.origin)


def test_programs_find_the_api_the_description_and_the_probes(site: Site) -> None:
    with httpx.Client(headers={"Origin": site.origin}) as client:
        refused = client.get(f"{site.url}/api/session")
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/unauthenticated")
        described = client.get(f"{site.url}/openapi.json").json()
        assert described["servers"] == [{"url": "/auth"}]
        assert "/api/session" in described["paths"]
        direct = f"http://127.0.0.1:{site.server.port}"
        assert client.get(f"{direct}/readyz").status_code == 200
        assert client.get(f"{site.url}/readyz").status_code == 200


def test_a_proxy_that_cuts_the_path_off_is_told_of(site: Site) -> None:
    for path in ("/account", "/api/session", "/ws", "/"):
        assert httpx.get(f"{site.origin}/cut{path}").status_code == 404
    warnings = re.findall("WARNING curfew.http  a request was not below .*", site.server.log)
    assert len(warnings) == 1
    assert "/auth" in warnings[0]


@pytest.mark.parametrize("site", ["examples/messages.py"], indirect=True)
def test_an_application_has_its_own_pages_there(page: Page, site: Site, username: str) -> None:
    page.goto(f"{site.url}/messages")
    expect(page.locator("#state")).to_have_text("Live")
    assert site.server.command("sessions", "end", "--user", username).returncode == 0
    page.wait_for_url("**/auth/login?reason=admin")
