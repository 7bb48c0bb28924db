# SPDX-License-Identifier: Apache-2.0
"""takc serve behind TLS: what is spoken, a certificate read again on SIGHUP, broken pairs that change nothing, however many; and homes that
were taken away or damaged, which it has to tell."""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import live  # noqa: E402
from live import check  # noqa: E402

warnings.simplefilter("ignore", DeprecationWarning)  # what nobody should speak is asked for
PING = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def make(folder, name, *more):
    """A certificate for localhost and its key; their paths."""
    files = [os.path.join(folder, name + end) for end in (".crt", ".key")]
    done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=" + name,
                           "-addext", "subjectAltName=DNS:localhost", "-out", files[0], "-keyout", files[1], *more], capture_output=True, text=True, timeout=60)
    check(done.returncode == 0, "openssl: " + done.stderr)
    return files


def old(folder):
    """One that has ended."""
    cert, key = make(folder, "old")
    request = os.path.join(folder, "old.csr")
    for args in (["req", "-new", "-key", key, "-subj", "/CN=old", "-out", request], ["x509", "-req", "-in", request, "-signkey", key, "-days", "-1", "-out", cert]):
        done = subprocess.run(["openssl", *args], capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, "openssl: " + done.stderr)
    return cert, key


def dial(server, context):
    return context.wrap_socket(socket.create_connection((server.host, server.port), timeout=20), server_hostname="localhost")


def anyone():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def served(server):
    """The DER of the certificate that a new connection is shown, which is then used."""
    with dial(server, anyone()) as s:
        der = s.getpeercert(True)
        s.sendall(PING)
        check(s.recv(64).startswith(b"HTTP/1.1 200"), "a reply over TLS")
    return der


def der_of(cert):
    with open(cert) as f:
        return ssl.PEM_cert_to_DER_cert(f.read())


def spoken(server):
    for version, cipher in ((ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM"), (ssl.TLSVersion.TLSv1_2, "ECDHE+CHACHA20"), (ssl.TLSVersion.TLSv1_3, None)):
        context = anyone()
        context.minimum_version = context.maximum_version = version
        if cipher:
            context.set_ciphers(cipher)
        with dial(server, context) as s:
            check(s.version() == {ssl.TLSVersion.TLSv1_2: "TLSv1.2"}.get(version, "TLSv1.3"), "%s: %s" % (version, s.version()))
    for why, version, ciphers in (("TLS 1.1", ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0"), ("CBC", ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0")):
        context = anyone()
        context.set_ciphers(ciphers)
        context.minimum_version = context.maximum_version = version
        try:
            dial(server, context).close()
        except (ssl.SSLError, ConnectionError):
            continue
        check(False, why + " is spoken")


def cpu_ticks(server):
    with open("/proc/%d/stat" % server.process.pid) as f:
        rest = f.read().rsplit(")", 1)[1].split()
    return int(rest[11]) + int(rest[12])


def stalled(server):
    """Clients who stop amid the handshake cost no processor time while they are waited for: a loop that turns would take a second of it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = anyone().wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        hello.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = outgoing.read()
    for said in (hello[:1], hello[:len(hello) // 2], hello):
        held = [socket.create_connection((server.host, server.port), timeout=20) for _ in range(4)]
        for s in held:
            s.sendall(said)
        time.sleep(0.2)
        before = cpu_ticks(server)
        time.sleep(1)
        used = (cpu_ticks(server) - before) / os.sysconf("SC_CLK_TCK")
        check(used < 0.2, "%d bytes of a handshake take %.2f s of processor time in a second" % (len(said), used))
        for s in held:
            s.close()


class Pair:
    """The two files that the server reads."""

    def __init__(self, folder):
        self.files = [os.path.join(folder, "now" + end) for end in (".crt", ".key")]

    def put(self, pair):
        for there, new in zip(self.files, pair):
            shutil.copy(new, there)


def reload(server, word):
    """SIGHUP, until the log has the word once more."""
    before, end = server.said().count(word), time.monotonic() + 30
    server.process.send_signal(signal.SIGHUP)
    while server.said().count(word) == before:
        check(time.monotonic() < end, "after SIGHUP the log does not say '%s': %s" % (word, server.said()[-800:]))
        time.sleep(0.01)


def files_of(server):
    return len(os.listdir("/proc/%d/fd" % server.process.pid))


def read_again(server, pair, folder):
    first, second = make(folder, "first"), make(folder, "second")
    pair.put(first)
    reload(server, "was read again")
    kept = dial(server, anyone())
    pair.put(second)
    reload(server, "was read again")
    check(served(server) == der_of(second[0]), "the new one is shown")
    kept.sendall(PING)
    check(kept.recv(64).startswith(b"HTTP/1.1 200"), "a connection that stood goes on")
    kept.close()
    broken = [(first[0], second[1]), (second[1], second[0]), (second[0], make(folder, "third")[1]), ("/dev/null", "/dev/null")]
    files = files_of(server)
    for pieces in broken + broken:
        pair.put(pieces)
        reload(server, "the old certificate stays: serve.tls_")
        check(served(server) == der_of(second[0]), "the old one stays, with %s" % (pieces,))
    os.unlink(pair.files[0])
    reload(server, "the old certificate stays: serve.tls_cert")
    check(served(server) == der_of(second[0]), "the old one stays when its file is gone")
    check(files_of(server) <= files + 2, "descriptors: %d, then %d" % (files, files_of(server)))
    pair.put(old(folder))
    reload(server, "clients will not have it")
    pair.put(first)
    reload(server, "was read again")
    check(served(server) == der_of(first[0]), "and a good one is taken behind all of that")


def damaged(home):
    made = json.loads(live.run("key", "create", "app", "--may", "query", "--json", home=home))
    with live.Server(home, "--auth", "key") as server:
        check(server.ask("GET", "/tasks", headers={"X-API-Key": made["key"]})[0] == 200 and "there is none yet" not in server.said(), server.said())
    for name in os.listdir(home):
        if name.startswith("catalog.sqlite-"):
            os.unlink(os.path.join(home, name))
    with open(os.path.join(home, "catalog.sqlite"), "w") as f:
        f.write("no catalogue at all " * 500)
    with live.Server(home, "--auth", "key") as server:
        check(server.ask("GET", "/tasks", headers={"X-API-Key": made["key"]})[0] == 401, "nobody is let in by a key that is not known")
        end = time.monotonic() + 30
        while "so are API keys" not in server.said():
            check(time.monotonic() < end, "the log does not say what was lost: " + server.said())
            time.sleep(0.01)
        check("there is none yet: takc key create" in server.said(), "that there is no key: " + server.said())
        check("catalog.sqlite.damaged-1" in server.said() and server.said().count("so are API keys") == 1, "where it is, once: " + server.said())


def gone(home):
    """A home that is not there any more, a volume that was taken away: the server is not ready, and says so until it is back."""
    with live.Server(home) as server:
        def states():
            return [server.ask("GET", path)[0] for path in ("/readyz", "/health", "/livez")]
        check(states() == [200, 200, 200], "with its home: %s" % states())
        os.rename(home, home + "-away")
        check(states() == [503, 503, 200], "without its home: %s" % states())
        shutil.rmtree(home, ignore_errors=True)
        os.rename(home + "-away", home)
        check(states() == [200, 200, 200], "with its home again: %s" % states())


def main():
    if not shutil.which("openssl"):
        live.skip("openssl is missing")
    with live.home() as home:
        folder = os.path.dirname(home)
        pair = Pair(folder)
        pair.put(make(folder, "zeroth"))
        with live.Server(home, "--tls-cert", pair.files[0], "--tls-key", pair.files[1], "--log-level", "info") as server:
            spoken(server)
            stalled(server)
            read_again(server, pair, folder)
        gone(home)
        damaged(home)
    print("TLS 1.2 and 1.3; certificates read again, broken ones not taken")


main()
