# SPDX-License-Identifier: Apache-2.0
#
# odd_input.py - odd but harmless input is read for what it is: wide charsets in every format, names with all sorts of blanks, titles that hold
# them, fields and modes that change between two runs, and files that are there but damaged when --mirror looks for what has vanished.
import gzip, io, json, os, pty, shutil, subprocess, sys, tempfile, zipfile

TAKC = os.environ["TAKC"]
failures = 0
base = tempfile.mkdtemp(prefix="takc-odd-")


def check(good, what):
    global failures
    if not good:
        failures += 1
        print("FAILED", what)


class Home:
    """A home of its own, and a folder of documents beside it."""

    def __init__(self, name):
        self.docs = os.path.join(base, name, "docs")
        self.home = os.path.join(base, name, "home")
        os.makedirs(self.docs)
        self.takc("init", "fin")

    def takc(self, *args, code=0):
        p = subprocess.run([TAKC, *args], env=dict(os.environ, TAKC_HOME=self.home, HOME=base), capture_output=True)
        check(p.returncode == code, f"takc {' '.join(args)}: exit {p.returncode}, not {code}: {p.stderr.decode()[-300:]}")
        return p.stdout.decode()

    def put(self, name, data):
        path = os.path.join(self.docs, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())

    def ingest(self, *args, code=0, path=None):
        out = json.loads(self.takc("ingest", "-t", "fin", "--json", *args, path or self.docs, code=code))
        return {i["document"]: i for i in out["documents"]}

    def records(self):
        folder = os.path.join(self.home, "documents/fin")
        all = [json.load(open(os.path.join(folder, n))) for n in os.listdir(folder)]
        return {r["name"]: r["revisions"][-1] for r in all}

    def text(self, name):
        return open(os.path.join(self.home, "text/fin", self.records()[name]["text_sha256"]), encoding="utf-8").read()

    def proved(self):
        self.takc("compress", "-t", "fin", "--rates", "1x,2x")
        self.takc("verify", "-t", "fin")


def docx(paragraph, part="word/document.xml", encoding="UTF-8"):
    out = io.BytesIO()
    xml = (f'<?xml version="1.0" encoding="{encoding}"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
           f"<w:body><w:p><w:r><w:t>{paragraph}</w:t></w:r></w:p></w:body></w:document>")
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("[Content_Types].xml", "<Types/>")
        z.writestr(part, xml.encode(encoding))
    return out.getvalue()


def wide_charsets():
    """UTF-16 with and without a mark is read by the reader of its kind, and what comes out is the same as from UTF-8."""
    h = Home("wide")
    says = "Die Pumpe in Zürich hält 12 bar aus."
    forms = {"text.txt": says + "\nEs gibt 3 Ventile.\n", "md.md": f"# Größe\n\n{says}\n\n| a | b |\n|---|---|\n| ä | 5 |\n",
             "page.html": f"<html><head><title>Größe</title></head><body><p>{says}</p></body></html>",
             "table.csv": "Name;Größe\nPumpe;12\nVentil;9\n", "value.json": json.dumps({"k": says}, ensure_ascii=False),
             "lines.jsonl": "".join(json.dumps({"id": i, "text": says}, ensure_ascii=False) + "\n" for i in "ab"),
             "array.json": json.dumps([{"id": i, "text": says} for i in "ab"], ensure_ascii=False),
             "東京.txt": "東京の水泵的壓力是12巴。閥門有三個。この弁は九気圧です。\n", "насос.txt": "Насос выдерживает 12 бар.\n" * 2}
    for name, text in forms.items():
        for kind, data in {"utf8": text.encode(), "le": text.encode("utf-16-le"), "be": text.encode("utf-16-be"), "mark": text.encode("utf-16")}.items():
            h.put(f"{kind}/{name}", data)
    got = h.ingest()
    for name, i in got.items():
        folder, rest = name.split("/")
        twin = got["utf8/" + rest]
        check(i["outcome"] == "new" and i["reader"] == twin["reader"] and i["units"] == twin["units"], f"{name} is {i}, {twin}")
        check(i["outcome"] == "new" and h.text(name) == h.text("utf8/" + rest), f"{name}: another text")
    check(len(got) == 4 * (len(forms) + 2), f"{sorted(got)}")
    h.proved()


def charsets_told():
    """What a page declares counts more than a guess; UTF-8 with wrong bytes stays UTF-8; words that look like magic numbers are text."""
    h = Home("told")
    h.put("meta.html", b'<html><head><meta charset="iso-8859-1"><title>Gr\xf6\xdfe</title></head><body><p>Z\xfcrich has 5 bar.</p></body></html>')
    h.put("xml.html", b'<?xml version="1.0" encoding="windows-1251"?><html><body><p>\xcd\xe0\xf1\xee\xf1 has 7 bar.</p></body></html>')
    h.put("mixed.txt", b"Z\xc3\xbcrich and B\xc3\xa4ren, \xc3\xa9t\xc3\xa9, but \xff\xfe wrong \x80 here.\n")
    h.put("word.txt", "ID3 tags hold 4 fields.\n")
    h.put("song.mp3", b"ID3\x04\0\0\0\0\0\0" + bytes(range(200)))
    h.put("settings.yaml", "# The first setting.\na: 1\n# The second.\nb: 2\n# The third.\nc: 3\n# The fourth.\nd: 4\n")
    h.put("README", "# Name\n\nText of [a link](x).\n\n## Use\n\nIt has 5 options.\n")
    got = h.ingest()
    check(got["settings.yaml"]["reader"] == "text" and got["README"]["reader"] == "markdown", f"{got}")
    check("Zürich has 5 bar." in h.text("meta.html") and h.records()["meta.html"]["has_map"], "meta charset, with a map")
    check("Насос has 7 bar." in h.text("xml.html") and h.records()["xml.html"]["has_map"], "charset of the XML declaration, with a map")
    check("Zürich and Bären, été, but \ufffd\ufffd wrong \ufffd here." in h.text("mixed.txt"), h.text("mixed.txt"))
    check(got["xml.html"]["charset"] == "windows-1251" and "charset" not in got["mixed.txt"], f"{got}")
    check(got["mixed.txt"]["replaced_bytes"] == 3 and "wrong bytes" in got["mixed.txt"]["message"], f"{got['mixed.txt']}")
    check(got["word.txt"]["outcome"] == "new" and got["song.mp3"]["outcome"] == "skipped", f"{got}")
    h.proved()


def names_and_titles():
    """A name that stands in for a title, or a title, may hold any blanks: what is counted is what is shown."""
    h = Home("names")
    names = [" lead.txt", "two  blanks.txt", "no\u00a0break.txt", "thin\u2009blank.txt", "narrow\u202fno-break.txt", "line\u2028sep.txt", "\u3000.txt",
             "right\u202eleft.txt", "qu\"o'te.txt", "-dash.txt", "#7.txt", "n" * 251 + ".txt", "same/x.txt", "same_x.txt", "same-x.txt"]
    for n in names:
        h.put(n, f"The pump called {len(n)} has {sum(map(ord, n))} bars. It is red and new.\n")
    h.put("t.html", "<html><head><title>Ten\u202f000  bars\u2009of &nbsp; steel</title></head><body><p>The plant has 9 of them.</p></body></html>")
    h.put("later.txt", "This text begins with a paragraph that is long enough to be one, and only then has headings.\n\nINSTALLATION NOTES\n\n"
          "The pump needs 3 bolts of steel, and nothing else is needed for it at all.\n\nREMOVAL\n\nNobody has removed the 7 pumps yet.\n")
    h.put("r.jsonl", '{"id":"two  blanks","text":"The record has 8 bars."}\n')
    got = h.ingest()
    check(all(got[n]["outcome"] == "new" for n in names), f"{got}")
    chunks = [n for n in os.listdir(os.path.join(h.home, "fin")) if n.startswith("chunk_")]
    check(len(chunks) == len(got), f"{len(chunks)} chunk files of {len(got)} documents of one chunk")
    h.proved()
    check(h.records()["later.txt"]["title"] == "INSTALLATION NOTES", f"{h.records()['later.txt']}")
    shown = h.takc("cache", "-t", "fin", "show", "-r", "1x", "--text")
    check("Ten 000 bars of steel" in shown and "two blanks.txt" in shown and "no break.txt" in shown, shown)
    for bad in ("../x", "/abs", "a//b", "a/../b", ".", "..", "a/", "x\ny", "con\x7f"):
        h.takc("ingest", "-t", "fin", "--name", bad, os.path.join(h.docs, "same/x.txt"), code=2)
    h.takc("ingest", "-t", "fin", "--name", "one", os.path.join(h.docs, "same"), code=2)


def options_between_runs():
    """Field names and dates named in one run and not in the next change what is read."""
    h = Home("options")
    h.put("c.jsonl", '{"n":"1","head":"Heading","payload":"The payload has 21 units.","day":"2024-03-01","text":"The default has 99."}\n')
    named = ("--jsonl-fields", "id=n,title=head,text=payload,date=day")
    check(h.ingest(*named)["c.jsonl#1"]["outcome"] == "new", "named at first")
    check(h.ingest(*named)["c.jsonl#1"]["outcome"] == "same", "the same names again")
    check("payload" in h.text("c.jsonl#1") and h.records()["c.jsonl#1"]["date"] == "2024-03-01", h.text("c.jsonl#1"))
    h.proved()
    check(h.ingest()["c.jsonl#1"]["outcome"] == "changed", "names given before, none now")
    check(h.text("c.jsonl#1") == "The default has 99.", h.text("c.jsonl#1"))
    check(h.ingest()["c.jsonl#1"]["outcome"] == "same", "none again")
    h.proved()


def damage_under_mirror():
    """A file that is there but cannot be read whole has not vanished, and neither have the records in it."""
    h = Home("mirror")
    h.put("a.txt", "The pump A has 5 bars.\n")
    h.put("gone.txt", "The pump B has 6 bars.\n")
    h.put("j.json", '[{"id":"a","text":"one 61"},{"id":"b","text":"two 62"}]')
    h.put("l.jsonl", '{"id":"x","text":"l 1"}\n{"id":"y","text":"l 2"}\n')
    h.put("g.jsonl.gz", gzip.compress(b'{"id":"x","text":"g 1"}\n'))
    h.put("binary.txt", "Text now 12.\n")
    h.put("fine.jsonl", '{"id":"x","text":"f 1"}\n{"id":"y","text":"f 2"}\n')
    before = set(h.ingest())
    h.put("j.json", '[{"id":"a","text":"one 61"},{"id":"b","te')
    h.put("l.jsonl", '{"id":"x","text":"l 1"}\n{"id":"y","text":"l \n')
    h.put("g.jsonl.gz", gzip.compress(b'{"id":"x","text":"g 1"}\n')[:20])
    h.put("binary.txt", b"\x7fELF\0\0\0\1\2")
    h.put("fine.jsonl", '{"id":"x","text":"f 1"}\n\n{"id":"twice","text":"f 3","text":"f 4"}\n')
    os.remove(os.path.join(h.docs, "gone.txt"))
    got = h.ingest("--mirror", code=1)
    check({n for n, i in got.items() if i["outcome"] == "forgotten"} == {"gone.txt", "fine.jsonl#y"}, f"{got}")
    check("in line 3: " in got["fine.jsonl#twice"]["message"], f"{got['fine.jsonl#twice']}")
    check(set(h.records()) == before - {"gone.txt", "fine.jsonl#y"}, f"{sorted(h.records())}")


def odd_documents():
    """DOCX whose part is UTF-16 or numbered; CSV cut off within a quote."""
    h = Home("documents")
    h.put("wide.docx", docx("The wide part of Zürich has 41 bars.", encoding="UTF-16"))
    h.put("numbered.docx", docx("The numbered part has 42 bars.", part="word/document2.xml"))
    h.put("cut.csv", 'a,b\n1,"never closed\n2,3\n')
    got = h.ingest()
    check("Zürich has 41" in h.text("wide.docx") and "has 42" in h.text("numbered.docx"), "both parts are read")
    check("row 2, line 2" in got["cut.csv"].get("message", ""), f"{got['cut.csv']}")
    h.proved()


SAYS = {
    "zh": ("泵的压力不得超过12巴。阀门的额定压力为9巴。日内瓦办事处有四台泵！备用泵位于苏黎世工厂四号厅。",
           {"泵的压力不得超过多少？": "12", "日内瓦办事处有几台泵？": "四台", "备用泵在哪里？": "苏黎世"}, "法国首都的人口是多少？"),
    "ja": ("ポンプの圧力は12バールを超えてはならない。バルブは9バールに対応している。ジュネーブ事務所には4台のポンプがある。",
           {"ポンプの圧力は何バールを超えてはならないか？": "12", "ジュネーブ事務所にはポンプが何台ありますか？": "4台"}, "フランスの首都の人口はいくつですか？"),
    "ar": ("يجب ألا تتجاوز المضخة 12 بار. الصمام مصنف لـ 9 بار. يوجد في مكتب جنيف 4 مضخات.", {"كم عدد المضخات في مكتب جنيف؟": "جنيف 4"}, "من كتب رواية الشيخ والبحر؟"),
    "hi": ("पंप 12 बार से अधिक नहीं होना चाहिए। वाल्व 9 बार के लिए रेट किया गया है। जिनेवा कार्यालय में 4 पंप हैं।", {"जिनेवा कार्यालय में कितने पंप हैं?": "4"}, None),
    "th": ("ปั๊มต้องไม่เกิน 12 บาร์ สำนักงานเจนีวามีปั๊ม 4 เครื่อง", {"สำนักงานเจนีวามีปั๊มกี่เครื่อง": "4"}, None),
    "ko": ("펌프는 12바를 초과해서는 안 됩니다. 밸브는 9바로 정격되어 있습니다. 제네바 사무소에는 펌프가 4대 있습니다.", {"제네바 사무소에는 펌프가 몇 대 있습니까?": "4대"}, None),
    "ru": ("Насос не должен превышать 12 бар. Клапан рассчитан на 9 бар. В женевском офисе 4 насоса.", {"На сколько бар рассчитан клапан?": "9"}, None)}


def scripts():
    """Questions in scripts without blanks, without case, or both are answered by the right line; spans begin and end on characters."""
    h = Home("scripts")
    for name, (text, _, _) in SAYS.items():
        h.put(name + ".txt", text + "\n")
    for i in range(40):
        h.put(f"fill{i}.txt", f"Filler number {i} says nothing of interest about anything in the plant at all.\n")
    h.ingest()
    h.proved()
    for name, (_, questions, other) in SAYS.items():
        text = h.text(name + ".txt").encode()
        for q, want in questions.items():
            out = json.loads(h.takc("query", "-t", "fin", "--json", "--mode", "select", "--reader-tokens", "60", q))
            first = out["citations"][0] if out["citations"] else {"quote": "", "spans": []}
            check(not out["abstained"] and want in first["quote"], f"{q}: {out['abstained']} {out['confidence']} {first['quote']}")
            check("".join(text[s["start"] : s["end"]].decode() for s in first["spans"]) == first["quote"], f"{q}: spans of {first}")
        if other:
            out = json.loads(h.takc("query", "-t", "fin", "--json", "--mode", "select", other))
            check(out["abstained"], f"{other}: {out['confidence']} {out['citations'][:1]}")


def logs():
    """With a level that lets them through, log lines are JSON objects that name task and document and never the question's words."""
    h = Home("logs")
    h.put("a.txt", "The pump has 5 bars.\n")
    h.put("b.json", '{"a": ')
    quiet = ("--log-level", "info", "--log-format", "json", "-q")
    seen = []
    for verb, more in (("ingest", [h.docs]), ("compress", ["--rates", "1x"]), ("query", ["How many bars has the zebra pump?"]), ("forget", ["a.txt"])):
        p = subprocess.run([TAKC, verb, "-t", "fin", *quiet, *more], env=dict(os.environ, TAKC_HOME=h.home, HOME=base), capture_output=True)
        lines = [json.loads(x) for x in p.stderr.decode().splitlines()]
        seen += [x["subject"] for x in lines]
        check(any("task=fin" in x["message"] and x["subject"] == verb for x in lines), f"{verb}: {p.stderr.decode()}")
        check("zebra" not in p.stderr.decode(), "a question is in the log")
    check(seen.count("ingest") == 2, f"the refused document has a line of its own: {seen}")


def on_a_terminal(h, *args):
    """What takc writes where stdout and stderr are a terminal."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(TAKC, [TAKC, *args], dict(os.environ, TAKC_HOME=h.home, HOME=base))
    seen = b""
    try:
        while piece := os.read(fd, 65536):
            seen += piece
    except OSError:  # the other end is closed
        pass
    os.waitpid(pid, 0)
    os.close(fd)
    return seen


def terminals():
    """A document's control characters reach a file, never a terminal."""
    h = Home("terminals")
    h.put("a.txt", "The pump\x1b[31m has 5 bars\x07 of pressure.\n")
    h.ingest()
    h.proved()
    show = ("query", "-t", "fin", "--mode", "whole", "--context", "What pressure has the pump?")
    check("\x1b[31m" in h.takc(*show), "a pipe gets the bytes")
    seen = on_a_terminal(h, *show)
    check(b"pump?[31m has 5 bars?" in seen and b"\x1b[31m" not in seen and b"\x07" not in seen, f"{seen}")


try:
    for test in (scripts, logs, terminals, wide_charsets, charsets_told, names_and_titles, options_between_runs, damage_under_mirror, odd_documents):
        test()
finally:
    shutil.rmtree(base, ignore_errors=True)
print("failed:", failures)
sys.exit(1 if failures else 0)
