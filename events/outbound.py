"""Requests to addresses that people gave: never into the private network, unless the operator allows it."""

import ipaddress
import socket
import ssl
import time
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import httpx
from django.conf import settings

TIMEOUT_SECONDS = 10.0
LONGEST_DOWNLOAD_SECONDS = 20.0
MOST_REDIRECTS = 3
# Shorter than servers wait before they hang up: a request that meets a closed connection is lost.
KEPT_OPEN_SECONDS = 2.0
NAT64 = ipaddress.ip_network("64:ff9b::/96")


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Which certificates are believed, read once: reading them takes longer than a whole request."""
    return httpx.create_ssl_context(trust_env=False)


class AddressRefused(Exception):
    """The address may not be called; the message says why."""


def is_public(address: str) -> bool:
    """Whether an IP address is out on the internet; one that wraps an IPv4 address counts as that."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ipaddress.IPv4Address(ip.packed[-4:]) if ip in NAT64 else ip.ipv4_mapped or ip.sixtofour
        ip = inner or ip
    return ip.is_global and not ip.is_multicast


def resolve(url: str) -> tuple[str, str]:
    """The host of an http(s) address and the IP address to connect to; raises AddressRefused for what is not public.

    The caller connects to the returned IP itself, so that a second DNS answer can't lead elsewhere.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise AddressRefused("Only http:// and https:// addresses can be called.")
    if parts.username or parts.password:
        raise AddressRefused("Put no user name or password into the address.")
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpx.ConnectError(f"{parts.hostname} could not be found: {error}") from error
    addresses = [str(row[4][0]) for row in found]
    if not settings.OUTBOUND_PRIVATE_ADDRESSES:
        for address in addresses:
            if not is_public(address):
                raise AddressRefused(
                    f"{parts.hostname} is inside a private network. "
                    "An operator can allow such addresses with OUTBOUND_PRIVATE_ADDRESSES=true."
                )
    return parts.hostname, addresses[0]


def get(url: str, *, headers: dict[str, str], most_bytes: int) -> tuple[httpx.Response, bytes]:
    """GETs a public address; returns the answer and its body. Follows up to three redirects, each looked at anew.

    Waits at most twenty seconds in all. Raises AddressRefused, or httpx.HTTPError when the request could not be made,
    took too long, or brought more than `most_bytes`.
    """
    deadline = time.monotonic() + LONGEST_DOWNLOAD_SECONDS
    for _hop in range(MOST_REDIRECTS + 1):
        host, address = resolve(url)
        target = httpx.URL(url)
        given = {**headers, "Host": target.netloc.decode(), "User-Agent": "Sitrep"}
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False, verify=_tls()) as client,
            client.stream(
                "GET", target.copy_with(host=address), headers=given, extensions={"sni_hostname": host}
            ) as answer,
        ):
            if answer.has_redirect_location:
                url = str(target.join(answer.headers["Location"]))
                continue
            return answer, _body(answer, most_bytes, deadline)
    raise httpx.TooManyRedirects(f"{url} redirects more than {MOST_REDIRECTS} times.")


def _body(answer: httpx.Response, most_bytes: int, deadline: float) -> bytes:
    found = bytearray()
    for piece in answer.iter_bytes():
        found += piece
        if len(found) > most_bytes:
            raise httpx.DecodingError(f"The answer is larger than {most_bytes} bytes.")
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout(f"The answer took longer than {LONGEST_DOWNLOAD_SECONDS:.0f} seconds.")
    return bytes(found)


def request(
    method: str, url: str, *, content: bytes, headers: dict[str, str], most_bytes: int
) -> tuple[httpx.Response, bytes]:
    """Sends a request to a public address; returns the answer and its body. Follows no redirects.

    Waits at most twenty seconds in all. Raises AddressRefused, or httpx.HTTPError as `get` does.
    """
    deadline = time.monotonic() + LONGEST_DOWNLOAD_SECONDS
    host, address = resolve(url)
    target = httpx.URL(url)
    given = {**headers, "Host": target.netloc.decode(), "User-Agent": "Sitrep"}
    with _client_of(host).stream(
        method, target.copy_with(host=address), content=content, headers=given, extensions={"sni_hostname": host}
    ) as answer:
        return answer, _body(answer, most_bytes, deadline)


def post(url: str, *, content: bytes, headers: dict[str, str]) -> httpx.Response:
    """POSTs to a public address and returns the answer; follows no redirects, waits at most ten seconds.

    Raises AddressRefused, or httpx.HTTPError when the request could not be made.
    """
    host, address = resolve(url)
    target = httpx.URL(url)
    headers = {**headers, "Host": target.netloc.decode(), "User-Agent": "Sitrep"}
    return _client_of(host).post(
        target.copy_with(host=address), content=content, headers=headers, extensions={"sni_hostname": host}
    )


@lru_cache(maxsize=64)
def _client_of(host: str) -> httpx.Client:
    """What keeps connections to one host open for the next of a storm: a handshake takes longer than a page.

    Each host has its own, for what was proved of one name must not be believed of another at the same IP address.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=KEPT_OPEN_SECONDS)
    client = httpx.Client(
        timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False, verify=_tls(), limits=limits
    )
    # Nothing that one receiver sets is sent with what is meant for another.
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client
