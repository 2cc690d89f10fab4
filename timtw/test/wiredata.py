"""What the tests of the codecs share: vectors, random structures, the oracle."""

from typing import Any

from hypothesis import strategies as st
from thriftpy2 import load
from thriftpy2.protocol.compact import TCompactProtocol
from thriftpy2.transport import TMemoryBuffer

from timtw.protocols import idl
from timtw.protocols.structs import (
    SPECS,
    STRUCTS,
    Tid,
    TimAck,
    TimError,
    TimMessage,
    TimMessageList,
    TimNodes,
    TimPresence,
    TimReq,
    TimStream,
    TimUserBean,
    WireStruct,
)

ORACLE: Any = load(str(idl.IDL_PATH), module_name="oracle_thrift")

FULL_MESSAGE = TimMessage(
    msType=2,
    odType=1,
    id=1,
    mid=7,
    fromTid=Tid(node="a", domain="", resource="r", termtyp=1),
    toTid=Tid(node="b"),
    dataBinary=b"\x01\x02\xff",
    dataString="<hi> & \u4e2d",
    isOffline=False,
    timestamp=1700000000000000000,
    udtype=-1,
    extend={"e": "f"},
    extra={"k": b"\xfb\xff"},
    ToList=["x"],
)

# docs/reference/protocol.md, the test vectors: value, Thrift, JSON.
VECTORS: list[tuple[WireStruct, str, str]] = [
    (
        TimAck(ok=True, timType=16, t=-5, n="node1", n2="sid"),
        "11 13 10 26 09 18 05 6e6f646531 28 03 736964 00",
        '{"ok":true,"timType":16,"t":-5,"n":"node1","n2":"sid"}',
    ),
    (
        TimAck(
            ok=False, timType=90, error=TimError(code=4105, info="permission denied")
        ),
        "12 13 5a 1c 15 9240 18 11 7065726d697373696f6e2064656e696564 00 00",
        '{"ok":false,"timType":90,"error":{"code":4105,"info":"permission denied"}}',
    ),
    (
        TimReq(rtype=1, node="bob", reqInt=0, reqInt2=10),
        "15 02 18 03 626f62 26 00 16 14 00",
        '{"rtype":1,"node":"bob","reqInt":0,"reqInt2":10}',
    ),
    (
        TimPresence(
            id=3,
            offline=True,
            subStatus=1,
            fromTid=Tid(node="a"),
            toTid=Tid(node="b"),
            show=1,
            status="s",
        ),
        "16 06 11 13 01 1c 18 01 61 00 1c 18 01 62 00 24 02 18 01 73 00",
        '{"id":3,"offline":true,"subStatus":1,"fromTid":{"node":"a"},'
        '"toTid":{"node":"b"},"show":1,"status":"s"}',
    ),
    (
        TimStream(id=5, VNode="V", body=b"\x01", fromNode="a"),
        "16 0a 18 01 56 28 01 01 18 01 61 00",
        '{"id":5,"VNode":"V","body":"AQ==","fromNode":"a"}',
    ),
    (
        TimNodes(ntype=4, usermap={"u": TimUserBean(name="n", createtime=1)}),
        "15 08 2b 01 8c 01 75 18 01 6e 76 02 00 00",
        '{"ntype":4,"usermap":{"u":{"name":"n","createtime":1}}}',
    ),
    (
        TimNodes(ntype=4, nodelist=[], usermap={}),
        "15 08 19 08 1b 00 00",
        '{"ntype":4,"nodelist":[],"usermap":{}}',
    ),
    (
        TimMessageList(id=9, messageList=[]),
        "16 12 19 0c 00",
        '{"id":9,"messageList":[]}',
    ),
    (
        FULL_MESSAGE,
        "13 02 13 01 16 02 16 0e 2c 18 01 61 18 00 18 01 72 13 01 00 1c 18 01 62 00"
        "28 03 0102ff 18 0a 3c68693e202620e4b8ad 12 16 8080d0e2c6bfce972f 14 01"
        "2b 01 88 01 65 01 66 1b 01 88 01 6b 02 fbff 19 18 01 78 00",
        '{"msType":2,"odType":1,"id":1,"mid":7,"fromTid":{"node":"a","domain":"",'
        '"resource":"r","termtyp":1},"toTid":{"node":"b"},"dataBinary":"AQL/",'
        '"dataString":"<hi> & \u4e2d","isOffline":false,'
        '"timestamp":1700000000000000000,"udtype":-1,"extend":{"e":"f"},'
        '"extra":{"k":"+/8="},"ToList":["x"]}',
    ),
]


def _values(kind: idl.FieldType) -> st.SearchStrategy[Any]:
    """Draw values of a type; lists reach beyond the short form of their header."""
    if kind.kind in idl.INTEGER_BITS:
        top = 1 << idl.INTEGER_BITS[kind.kind] - 1
        return st.integers(-top, top - 1)
    if kind.kind == "list":
        return st.lists(_values(kind.item), max_size=17)
    if kind.kind == "map":
        return st.dictionaries(TEXTS, _values(kind.item), max_size=3)
    if kind.kind == "struct":
        return structs_of(STRUCTS[kind.struct])
    return {"bool": st.booleans(), "string": TEXTS, "binary": st.binary(max_size=200)}[
        kind.kind
    ]


TEXTS = st.text(max_size=20) | st.text("ab", min_size=126, max_size=130)


def structs_of(struct: type[WireStruct]) -> st.SearchStrategy[Any]:
    """Draw complete structures of one class."""
    fields = SPECS[struct].fields
    return st.fixed_dictionaries(
        {field.name: _values(field.type) for field in fields if field.required},
        optional={
            field.name: _values(field.type) for field in fields if not field.required
        },
    ).map(lambda values: struct(**values))


STRUCTURES = st.sampled_from(sorted(SPECS, key=lambda struct: struct.__name__)).flatmap(
    structs_of
)


def to_oracle(value: Any) -> Any:
    """Turn a structure of ours, or a value in one, into thriftpy2's."""
    if isinstance(value, WireStruct):
        spec = SPECS[type(value)]
        fields = {
            field.name: to_oracle(getattr(value, field.name)) for field in spec.fields
        }
        return getattr(ORACLE, spec.name)(**fields)
    if isinstance(value, list):
        return [to_oracle(entry) for entry in value]
    if isinstance(value, dict):
        return {key: to_oracle(entry) for key, entry in value.items()}
    return value


def oracle_encode(value: WireStruct) -> bytes:
    """Write a structure with thriftpy2."""
    buffer = TMemoryBuffer()
    to_oracle(value).write(TCompactProtocol(buffer))
    encoded: bytes = buffer.getvalue()
    return encoded


def oracle_decode(struct: type[WireStruct], data: bytes) -> Any:
    """Read a structure with thriftpy2; for bytes that are right."""
    value = getattr(ORACLE, struct.__name__)()
    value.read(TCompactProtocol(TMemoryBuffer(data)))
    return value
