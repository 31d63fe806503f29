#!/usr/bin/env python3
"""seeds.py FOLDER: one folder of small inputs a fuzzer, where its search begins; text, or made here from the contract.

Whatever a fuzzer has found once belongs here too, so that it is tried first for ever.
"""

import base64
import gzip
import hashlib
import os
import struct
import subprocess
import sys
import tempfile
import zlib

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GRPC_PROTO = "/usr/share/grpc-proto"
SERVICES = ["alliance.v1.BankService", "alliance.v1.DiagnosticsService", "alliance.v1.MemberService",
            "alliance.v1.OperatorService", "alliance.v1.RedemptionService", "alliance.v1.RosterService",
            "alliance.v1.RulesService", "alliance.v1.SettlementService", "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection"]  # as tests/fuzz/message.c collects them
UUID = "0190a5c2-7b1c-7def-8123-456789abcdef"
UUID_MS = int(UUID[:8] + UUID[9:13], 16)


def contract():
    """A pool with every message of the contract."""
    folder = os.path.join(ROOT, "proto", "alliance", "v1")
    files = sorted("alliance/v1/" + name for name in os.listdir(folder) if name.endswith(".proto"))
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc", "-I" + os.path.join(ROOT, "proto"), "-I" + GRPC_PROTO, "-I/usr/include", "--include_imports",
                        "--descriptor_set_out=" + out.name, *files, "grpc/health/v1/health.proto",
                        "grpc/reflection/v1/reflection.proto"], check=True)
        described = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    pool = descriptor_pool.DescriptorPool()
    for file in described.file:
        pool.Add(file)
    return pool


def scalar(field):
    """Something a caller might say."""
    if field.cpp_type == field.CPPTYPE_STRING:
        if field.type == field.TYPE_BYTES:
            return b"\0\xff bytes"
        name = field.name
        return UUID if name == "request_id" else UUID + ".ab12" if name == "redemption_id" else "2028-02-29" \
            if "date" in name else "CNY" if "currency" in name else "m\u00fc-1"
    if field.cpp_type == field.CPPTYPE_ENUM:
        return field.enum_type.values[-1].number
    return field.cpp_type == field.CPPTYPE_BOOL or 300


def fill(message, depth=0):
    """Every field set; the last of a oneof wins."""
    for field in message.DESCRIPTOR.fields:
        many = field.label == field.LABEL_REPEATED
        if field.cpp_type == field.CPPTYPE_MESSAGE:
            if depth < 4:
                for _ in range(2 if many else 1):
                    inner = getattr(message, field.name)
                    fill(inner.add() if many else inner, depth + 1)
                    if not many:
                        inner.SetInParent()
        elif many:
            getattr(message, field.name).extend([scalar(field)] * 2)
        else:
            setattr(message, field.name, scalar(field))
    return message


def messages():
    """(number, message) for each distinct request type."""
    pool = contract()
    make = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    inputs = [method.input_type for name in SERVICES for method in pool.FindServiceByName(name).methods]
    seen = set()
    for number, kind in enumerate(inputs):
        if kind.full_name not in seen:
            seen.add(kind.full_name)
            yield number, fill(make(kind)())


def der(tag, content):
    """One DER value."""
    size = len(content)
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x82]) + struct.pack(">H", size)) + content


def array(oid, elements):
    """A one-dimensional array in PostgreSQL's binary format."""
    head = struct.pack(">iiI", bool(elements), 0, oid) + (struct.pack(">ii", len(elements), 1) if elements else b"")
    return head + b"".join(struct.pack(">i", len(e)) + e for e in elements)


def token(role, caller, method, filters, key):
    """A page token as service/page.c makes it."""
    who = f"{role}/{caller}/{method}".encode() + b"\0"
    inner = hashlib.sha256(who + filters.encode()).digest()
    return base64.b64encode(hashlib.sha256(inner + key.encode()).digest()[:8] + key.encode()).decode()


def requests_file():
    """The side file of the batch that fuzz_requests_file.c runs."""
    content = hashlib.sha256(bytes(32) + b"member_ref,points\nm1,10\n").hexdigest()
    return f"instant=2026-01-15T12:00:00Z\nseed={'0f' * 16}\ncontent={content}\n".encode()


def request_ids():
    """A clock and an id, at both ends of the window and just past them."""
    back, ahead = 35 * 86400 * 1000, 5 * 60 * 1000
    for off_ms in (0, back, back + 1, -ahead, -ahead - 1):
        yield struct.pack("<q", (UUID_MS + off_ms) * 1000) + UUID.encode()
    yield struct.pack("<q", UUID_MS * 1000) + UUID.upper().encode() + b".0fA9"
    yield struct.pack("<q", 0) + UUID.replace("-7def-", "-4def-").encode()


def names():
    """Names of certificates: lines, then DER."""
    uris = [b"alliance://bank/harbour", b"alliance://merchant/shop-01/store/s1/terminal/t-9", b"alliance://carrier/swift",
            b"alliance://operator/demo\nhttps://example.com", b"alliance://bank/a\nalliance://bank/b", b"alliance://channel/app\0x"]
    yield from (b"\0" + uri for uri in uris)
    yield from (b"\1" + der(0x30, b"".join(der(0x86, part) for part in uri.split(b"\n"))) for uri in uris)
    yield b"\1" + der(0x30, der(0x82, b"localhost") + der(0x87, bytes([127, 0, 0, 1])) + der(0x86, uris[0]))


PAGES = [("demo", "shop-09"), ("demo", UUID + "/3"), ("demo/2026-01/PAIR", "demo/2026-01/PAIR/harbour/shop-09/CNY"),
         ("demo/2026-01/PAIR/harbour/shop-09/CNY", "12"), ("harbour/member-1/0", "123456789012345678"),
         ("harbour/2028-02-29", "0/" + UUID + "/20000/7"), ("", "9223372036854775807/1")]
SETTINGS = ["lanes = 4\nlisten = 127.0.0.1:0\n", "database = host=/run/x dbname=alliance\nlog_level = debug\n",
            "[section]\nlanes = 1\n", "listen = [::1]:443\nallow_loopback_partners = true\n", "no equals sign\n",
            "lanes = 1\nlanes = 2\n", "# comment\n\nhold_default_s = 900 ; more\n"]
ROWS = ["member_ref,points\nm1,10\nm2,\n", "\"a\",\"b\"\n\"x, \"\"y\"\"\",2\n", "a,b\r\n1,2\r\n", "\ufeffa,b\n 1 ,\" 2 \"\n",
        "a\n1\r2\n", "\r\r\n\r\r\n", " \n \n", "a,b\n1,\"2\n3,4\n"]
SIGNED = "id.1\n1800000000\nv1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4= v1a,x\n{\"a\":1}"
TRACKING = ('{"events":[{"time":"2026-01-15T12:00:00Z","code":"DELIVERED","remark":"at the d\u00f6\u00f6r"},'
            '{"time":"x","code":"","remark":3}]}')


def member_files():
    """A choice of mapping and encoding, then the file."""
    head = "member_ref,credit_limit,status,card_tokens,card_products,card_status,card_expiry,card_holders,name,phone,email,consents\n"
    ours = head + "m-1,5,ACTIVE,token-01|token-02,gold|,|BLOCKED,2027-12-31|,|Bob,\"Lee, Ann\",+86 10,a@b.example,sms|post\n-2,0,,,,,,,,,,\n"
    theirs = "a;b;c;d;e\n17;$1,200.50;x;4111111111111111;706213\n17;0.5;y;;\n18;;z;tok_27plf6ets2twfyhuqx7wfg7nqa;450204\n"
    for text in (ours, head, "member_ref,credit_limit\n=1+1,5\nm,many\nm,\"5\n", "member_ref,credit_limit,tier,temporary_limit,temporary_last_date\nm,TIER,7,9,2026-02-01\n",
                 "member_ref,credit_limit,name\nm,1,\u4f1a\u5458\n"):
        yield b"\0" + text.encode()
        yield b"\4" + text.encode("gb18030")
        yield b"\0" + gzip.compress(text.encode(), mtime=0)
    for choice in range(1, 8):
        yield bytes([choice]) + theirs.encode()
    yield b"\0" + gzip.compress(b"member_ref,credit_limit\n" + b"m,1\n" * 300000, mtime=0)


def wire_values():
    """A value of each kind, in the order of enum kind."""
    yield from (b"\x80\0", b"\x7f\xff\xff\xff", bytes(8), b"\1", "tëxt".encode(), b"\0bytes", bytes(16),
                struct.pack(">i", 9800), struct.pack(">q", 10 ** 15))
    yield from (array(20, [bytes(8)] * 2), array(1082, [bytes(4)]), array(1184, [bytes(8)] * 3), array(2950, [bytes(16)]),
                array(25, [b"a", b"", "é".encode()]), array(16, []))


ID1, ID2 = (f"0190abcd-0000-7000-8000-00000000000{n}.00ff" for n in (1, 2))
STATEMENT = (f"{{1:F01BANKXXXX}}{{2:I940}}{{4:\n:20:STMT1\n:25:1234/567\n:28C:1/1\n:60F:C170103USD1000,00\n:61:1701030104C12,34NTRF"
             f"PAY1//BANKREF\n:86:?20EREF+{ID1[:30]}?2{ID1[30:]}KREF+x?22y\n:61:170104D5,NTRFNONREF\nmore\n:86:/EREF/{ID2}/REMI/a\n"
             ":61:170104RC1,1FMSCX\n:62F:C170104USD1006,24\n:64:C170104USD1006,24\n-}\n")
REPORT = ("01,122099999,123456789,170103,0200,1,80,,2/\n02,031001234,122099999,1,170103,,USD,2/\n"
          "03,0123456789,,010,500000,,,190,70000,4,0/\n88,100,-10000,,\n16,165,123400,V,170104,,BREF," + ID1 + ",A, B / C/\n"
          "16,409,5000,S,1000,2000,2000,BREF2,,more /EREF/01\n88,90abcd-0000-7000-8000-000000000002.00ff/x\n"
          "16,890,,,,,a note/\n49,688400,7/\n03,77,JPY,,,,/\n16,399,12,,,REF3/\n49,12,3/\n98,688412,2,12/\n99,688412,1,14/\n")


def iso(message, root, body):
    return f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{message}"><{root}>{body}</{root}></Document>\n'


def counterparty_files():
    """What fuzz_counterparty.c reads, by the number in front."""
    def balance(code, amount):
        return (f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"USD\">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>"
                "<Dt><Dt>2017-01-31</Dt></Dt></Bal>")

    def entry(amount, side, reference):
        return (f"<Ntry><Amt Ccy=\"USD\">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2017-01-03</Dt>"
                f"</BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>")
    yield 0, f"key,date,amount,currency,points,state,party\n{ID1},2017-01-03,12.34,USD,1234,CONFIRM,shop-1\n{ID2},2017-01-04,-5,JPY,,,\n"
    yield 0, "key,date,amount_minor,currency\nX,2017-02-03,100,USD\n"
    yield 1, ("SEQ;TXN_REF;CARD_NO;POST_DT;CCY;AMT;DRCR;PTS;ACCEPTOR;BRANCH\n"
              f"1;{ID1};4111111111111111;20170131;USD;12.30;D;1230;shop-1;7\n2;{ID2};;20170131;USD;1.00;C;100;shop-1;7\n")
    yield 2, ("\u6d41\u6c34\u53f7,\u4ea4\u6613\u65f6\u95f4,\u4ea4\u6613\u7c7b\u578b,\u91d1\u989d,\u79ef\u5206,\u95e8\u5e97\u540d\u79f0\n"
              f"{UUID},2017-01-31 23:59:59,\u6d88\u8d39,`8.05,805,x\n{UUID},2017-01-31 09:00:00,\u9000\u8d27,\"`1,200.00\",,x\n")
    for side in (0, 0x80):  # whose debit it is
        yield side + (3 - side) % 7, REPORT
        yield side + (4 - side) % 7, STATEMENT
    yield 5, iso("camt.053.001.08", "BkToCstmrStmt", "<GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>S</Id><Acct><Id><IBAN>DE00</IBAN></Id></Acct>"
                 + balance("OPBD", "1.00") + balance("CLBD", "12.84") + entry("12.34", "CRDT", ID1) + entry("0.50", "DBIT", "NOTPROVIDED") + "</Stmt>")
    yield 6, iso("pain.002.001.11", "CstmrPmtStsRpt", "<GrpHdr><MsgId>R</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>P1</OrgnlMsgId>"
                 "<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>P1-1</OrgnlPmtInfId><TxInfAndSts>"
                 "<OrgnlEndToEndId>M1-000001</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>no such account"
                 "</AddtlInf></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts>")


def everything():
    """(fuzzer, input) pairs."""
    for number, message in messages():
        for flags in range(2):
            yield "decode", bytes([number, flags]) + message.SerializeToString()
        yield "json", bytes([number]) + json_format.MessageToJson(message).encode()
    for plain in (b"", b"points " * 100, bytes(5000)):
        yield "inflate", b"\0" + gzip.compress(plain, mtime=0)
        yield "inflate", b"\1" + zlib.compress(plain)
    yield "inflate", b"\0" + gzip.compress(b"one", mtime=0) + gzip.compress(b"two", mtime=0)
    yield from (("ids", one) for one in request_ids())
    yield from (("san", one) for one in names())
    for filters, key in PAGES:
        yield "page", f"\5{filters}\n{key}\n{token(8, 'demo', 'ListMerchants', filters, key)}".encode()
    yield from (("settings", text.encode()) for text in SETTINGS)
    for named in (0, 1):
        yield from (("rows", bytes([named]) + text.encode()) for text in ROWS)
    yield from (("member_file", one) for one in member_files())
    yield "requests_file", requests_file()
    for kind, text in counterparty_files():
        yield "counterparty", bytes([kind]) + text.encode("gb18030" if kind == 2 else "utf-8")
    yield from (("wire", bytes([kind]) + value) for kind, value in enumerate(wire_values()))
    yield "carrier", b'\0\1{"waybill":"SIM61CCF90061C1"}'
    yield "carrier", b'\1\x80{"waybill":"a/b"}'
    yield "carrier", b"\2\1" + TRACKING.encode()
    yield "webhook", b"whsec_" + base64.b64encode(bytes(range(32))) + b"\n" + SIGNED.encode()
    for numbers in ((7, 10, 3), (-7, 5, 2), (2 ** 63 - 1, 2 ** 63 - 1, 1), (-2 ** 63, -1, 1), (-2 ** 63, 1, 2 ** 63 - 1), (1, 1, 0)):
        yield "exact", struct.pack("<qqq", *numbers)
    for kind, each in enumerate((16, 24, 24, 24, 80)):
        yield "packed", bytes([kind]) + bytes(range(each)) * 2
    for lines in (1, 3, 20):
        yield "allocate", bytes([lines - 1]) + b"".join(struct.pack("<q", 7 + 3 * n) for n in range(lines + 3)) + b"\1\5" * 20
    for text in ("2028-02-29", "2026-01-15T12:00:00.123456+08:00", "9999-12-31T23:59:59Z", "12.34", "1000000000000.00"):
        yield "when", text.encode()


def main():
    """Writes what is not there yet, each named by its hash."""
    for fuzzer, content in everything():
        folder = os.path.join(sys.argv[1], fuzzer)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, hashlib.sha256(content).hexdigest()[:16]), "wb") as file:
            file.write(content)


if __name__ == "__main__":
    main()
