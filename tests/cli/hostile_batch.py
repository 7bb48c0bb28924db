# SPDX-License-Identifier: Apache-2.0
#
# hostile_batch.py - a folder of hostile documents among good ones goes through `takc ingest`: the good ones are accepted, each hostile one is
# refused (or read harmlessly) with its name and the place, exit code 1, in bounded time and memory, and the task works on.
import gzip, json, os, resource, shutil, struct, subprocess, sys, tempfile, time, zipfile, zlib

TAKC = os.environ["TAKC"]
failures = 0
base = tempfile.mkdtemp(prefix="takc-hostile-")
docs = os.path.join(base, "docs")
env = dict(os.environ, TAKC_HOME=os.path.join(base, "home"), HOME=base)


def check(good, what):
    global failures
    if not good:
        failures += 1
        print("FAILED", what)


def takc(*args):
    p = subprocess.run([TAKC, *args], env=env, capture_output=True)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def put(name, data):
    path = os.path.join(docs, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def docx(name, document, extra=()):
    os.makedirs(docs, exist_ok=True)
    with zipfile.ZipFile(os.path.join(docs, name), "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", "<Types/>")
        for n, data in extra:
            z.writestr(n, data)
        z.writestr("word/document.xml", document)


WORD = ('<?xml version="1.0"?>%s<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
        "<w:p><w:r><w:t>%s</w:t></w:r></w:p></w:body></w:document>")
BILLION = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">" + "".join(
    f'<!ENTITY {b} "{("&" + a + ";") * 10}">' for a, b in zip("abcdefghi", "bcdefghij")) + "]>"

good = {"a-good.md": "# Good\n\nThe pump must not exceed 12 bar.\n", "m-good.txt": "The valve is rated for 9 bar.\n",
        "z-good.csv": "name,limit\nV-17,9 bar\n"}
for n, t in good.items():
    put(n, t)
docx("good.docx", WORD % ("", "The Geneva office has 4 pumps."))

refused = []  # name, words one of which the message must hold
# A zip bomb: 1 GiB of blanks in 1 MB.
docx("bomb.docx", WORD % ("", " " * (1 << 30)))
refused.append(("bomb.docx", ("large", "limit", "more than", "bytes")))
# A gzip bomb of text.
with gzip.open(os.path.join(docs, "bomb.txt.gz"), "wb", 9) as f:
    for _ in range(512):
        f.write(b"pump " * (1 << 18))
refused.append(("bomb.txt.gz", ("large", "limit", "more than", "bytes")))
# Entity expansion.
docx("entities.docx", WORD % (BILLION, "&j;"))
refused.append(("entities.docx", ("entit", "DOCTYPE", "Entit")))
# A name that climbs out of the archive, and one with a NUL.
docx("climb.docx", WORD % ("", "x"), [("../../../../tmp/takc-climbed.txt", "out")])
docx("nul.docx", WORD % ("", "x"), [("word/aXb.xml", "nul")])
data = open(os.path.join(docs, "nul.docx"), "rb").read().replace(b"aXb.xml", b"a\0b.xml")
put("nul.docx", data)
refused.append(("nul.docx", ("NUL", "name", "zip", "archive")))
# A header that claims 4 GiB.
data = bytearray(open(os.path.join(docs, "good.docx"), "rb").read())
at = data.rfind(b"PK\x01\x02")
struct.pack_into("<I", data, at + 24, 0xFFFFFFFE)
put("claims.docx", bytes(data))
refused.append(("claims.docx", ("large", "limit", "bytes", "more than", "size")))
# Deep nesting.
put("deep.json", "[" * 10000 + "1" + "]" * 10000)
refused.append(("deep.json", ("deep", "nest", "depth", "level")))
put("deep.html", "<html><body>" + "<div>" * 10000 + "The deep pump." + "</div>" * 10000)
put("deep.md", "> " * 10000 + "The quoted pump.\n")
put("broken.json", '{"id": "a", "text": "The pump')
refused.append(("broken.json", ("byte", "line", "end")))
put("empty.pdf", b"%PDF-1.4\n%%EOF\n")
refused.append(("empty.pdf", ("pdf", "PDF", "page", "damaged")))
put("torn.docx", open(os.path.join(docs, "good.docx"), "rb").read()[:120])
refused.append(("torn.docx", ("zip", "archive", "damaged")))
put("records.jsonl", '{"id":"ok","title":"A","text":"The good line has 3 pumps."}\n{"id":"nul\\u0000name","title":"B","text":"x"}\n'
    + '{"id":"../../up","title":"C","text":"The climbing line."}\n' + "[" * 5000 + "\n" + '{"id":"last","title":"D","text":"The last line has 5 valves."}\n')
os.symlink("/etc/passwd", os.path.join(docs, "link.txt"))
os.mkfifo(os.path.join(docs, "pipe.txt"))

resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
takc("init", "fin")
began = time.monotonic()
code, out, err = takc("ingest", "-t", "fin", "--json", docs)
took = time.monotonic() - began
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
check(code == 1, f"exit code {code}, not 1: {err[-500:]}")
items = {i["document"]: i for i in json.loads(out)["documents"]} if out else {}
for n in list(good) + ["good.docx", "records.jsonl#ok", "records.jsonl#last"]:
    check(items.get(n, {}).get("outcome") == "new", f"{n} is {items.get(n)}")
for n, words in refused:
    i = items.get(n) or items.get(n.removesuffix(".gz")) or {}
    check(i.get("outcome") == "refused", f"{n} is {i}")
    check(any(w in i.get("message", "") for w in words), f"{n}: {i.get('message')!r} says none of {words}")
check("leads out of the archive" in items.get("climb.docx", {}).get("message", ""), "the climbing entry is told")
for n in ("link.txt", "pipe.txt"):
    check(items.get(n, {}).get("outcome") in ("skipped", "refused"), f"{n} is {items.get(n)}")
lines = [i for n, i in items.items() if n.startswith("records.jsonl") and i["outcome"] == "refused"]
check(any(i["document"].endswith("#4") for i in lines), f"the deep line is named by its number: {lines}")
for n, i in items.items():
    check("\0" not in n and ".." not in n.split("/") and "../" not in n, f"a name {n!r} was taken")
check(not os.path.exists("/tmp/takc-climbed.txt"), "something climbed out of an archive")
check(took < 120, f"it took {took:.0f} s")
check(peak < 3000, f"it took {peak:.0f} MB")
code, out, err = takc("compress", "-t", "fin", "--rates", "2")
check(code == 0, f"compress: {code} {err}")
code, out, err = takc("verify", "-t", "fin")
check(code == 0, f"verify: {code} {out}{err}")
code, out, err = takc("query", "-t", "fin", "What must the pump not exceed?")
check(code == 0 and "12 bar" in out, f"query: {code} {out}{err}")
for n in sorted(items):
    if items[n]["outcome"] != "new":
        print(f"{items[n]['outcome']} {n!r}: {items[n].get('message')}")
print(f"{len(items)} items, {took:.1f} s, {peak:.0f} MB at most")
shutil.rmtree(base)
sys.exit(1 if failures else 0)
