"""The wire structures for type checkers; written by structstub, do not edit."""

from timtw.protocols import idl

class WireStruct:
    """What all wire structures have in common."""

SPECS: dict[type[WireStruct], idl.Struct]
STRUCTS: dict[str, type[WireStruct]]

class TimError(WireStruct):
    code: int | None
    info: str | None
    def __init__(
        self,
        *,
        code: int | None = ...,
        info: str | None = ...,
    ) -> None: ...

class TimAck(WireStruct):
    ok: bool
    timType: int
    error: TimError | None
    t: int | None
    n: str | None
    t2: int | None
    n2: str | None
    def __init__(
        self,
        *,
        ok: bool,
        timType: int,
        error: TimError | None = ...,
        t: int | None = ...,
        n: str | None = ...,
        t2: int | None = ...,
        n2: str | None = ...,
    ) -> None: ...

class TimReq(WireStruct):
    rtype: int | None
    node: str | None
    node2: str | None
    reqInt: int | None
    reqInt2: int | None
    reqStr: str | None
    reqStr2: str | None
    def __init__(
        self,
        *,
        rtype: int | None = ...,
        node: str | None = ...,
        node2: str | None = ...,
        reqInt: int | None = ...,
        reqInt2: int | None = ...,
        reqStr: str | None = ...,
        reqStr2: str | None = ...,
    ) -> None: ...

class Tid(WireStruct):
    node: str
    domain: str | None
    resource: str | None
    termtyp: int | None
    extend: dict[str, str] | None
    def __init__(
        self,
        *,
        node: str,
        domain: str | None = ...,
        resource: str | None = ...,
        termtyp: int | None = ...,
        extend: dict[str, str] | None = ...,
    ) -> None: ...

class TimUserBean(WireStruct):
    name: str | None
    nickName: str | None
    brithday: str | None
    gender: int | None
    cover: str | None
    area: str | None
    createtime: int | None
    photoTidAlbum: list[str] | None
    extend: dict[str, str] | None
    extra: dict[str, bytes] | None
    def __init__(
        self,
        *,
        name: str | None = ...,
        nickName: str | None = ...,
        brithday: str | None = ...,
        gender: int | None = ...,
        cover: str | None = ...,
        area: str | None = ...,
        createtime: int | None = ...,
        photoTidAlbum: list[str] | None = ...,
        extend: dict[str, str] | None = ...,
        extra: dict[str, bytes] | None = ...,
    ) -> None: ...

class TimRoomBean(WireStruct):
    founder: str | None
    managers: list[str] | None
    cover: str | None
    topic: str | None
    label: str | None
    gtype: int | None
    kind: int | None
    createtime: int | None
    extend: dict[str, str] | None
    extra: dict[str, bytes] | None
    def __init__(
        self,
        *,
        founder: str | None = ...,
        managers: list[str] | None = ...,
        cover: str | None = ...,
        topic: str | None = ...,
        label: str | None = ...,
        gtype: int | None = ...,
        kind: int | None = ...,
        createtime: int | None = ...,
        extend: dict[str, str] | None = ...,
        extra: dict[str, bytes] | None = ...,
    ) -> None: ...

class TimAuth(WireStruct):
    name: str | None
    pwd: str | None
    domain: str | None
    resource: str | None
    termtyp: int | None
    token: str | None
    extend: dict[str, str] | None
    def __init__(
        self,
        *,
        name: str | None = ...,
        pwd: str | None = ...,
        domain: str | None = ...,
        resource: str | None = ...,
        termtyp: int | None = ...,
        token: str | None = ...,
        extend: dict[str, str] | None = ...,
    ) -> None: ...

class TimPresence(WireStruct):
    id: int | None
    offline: bool | None
    subStatus: int | None
    fromTid: Tid | None
    toTid: Tid | None
    toList: list[str] | None
    show: int | None
    status: str | None
    extend: dict[str, str] | None
    extra: dict[str, bytes] | None
    def __init__(
        self,
        *,
        id: int | None = ...,
        offline: bool | None = ...,
        subStatus: int | None = ...,
        fromTid: Tid | None = ...,
        toTid: Tid | None = ...,
        toList: list[str] | None = ...,
        show: int | None = ...,
        status: str | None = ...,
        extend: dict[str, str] | None = ...,
        extra: dict[str, bytes] | None = ...,
    ) -> None: ...

class TimMessage(WireStruct):
    msType: int
    odType: int
    id: int | None
    mid: int | None
    bnType: int | None
    fromTid: Tid | None
    toTid: Tid | None
    roomTid: Tid | None
    dataBinary: bytes | None
    dataString: str | None
    isOffline: bool | None
    timestamp: int | None
    udtype: int | None
    udshow: int | None
    extend: dict[str, str] | None
    extra: dict[str, bytes] | None
    ToList: list[str] | None
    seq: int | None
    def __init__(
        self,
        *,
        msType: int,
        odType: int,
        id: int | None = ...,
        mid: int | None = ...,
        bnType: int | None = ...,
        fromTid: Tid | None = ...,
        toTid: Tid | None = ...,
        roomTid: Tid | None = ...,
        dataBinary: bytes | None = ...,
        dataString: str | None = ...,
        isOffline: bool | None = ...,
        timestamp: int | None = ...,
        udtype: int | None = ...,
        udshow: int | None = ...,
        extend: dict[str, str] | None = ...,
        extra: dict[str, bytes] | None = ...,
        ToList: list[str] | None = ...,
        seq: int | None = ...,
    ) -> None: ...

class TimStream(WireStruct):
    id: int | None
    VNode: str
    dtype: int | None
    body: bytes | None
    fromNode: str | None
    def __init__(
        self,
        *,
        id: int | None = ...,
        VNode: str,
        dtype: int | None = ...,
        body: bytes | None = ...,
        fromNode: str | None = ...,
    ) -> None: ...

class TimNodes(WireStruct):
    ntype: int
    nodelist: list[str] | None
    usermap: dict[str, TimUserBean] | None
    roommap: dict[str, TimRoomBean] | None
    node: str | None
    def __init__(
        self,
        *,
        ntype: int,
        nodelist: list[str] | None = ...,
        usermap: dict[str, TimUserBean] | None = ...,
        roommap: dict[str, TimRoomBean] | None = ...,
        node: str | None = ...,
    ) -> None: ...

class TimMessageList(WireStruct):
    id: int | None
    messageList: list[TimMessage] | None
    def __init__(
        self,
        *,
        id: int | None = ...,
        messageList: list[TimMessage] | None = ...,
    ) -> None: ...
