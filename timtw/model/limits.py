"""Every bound of the server, with its reason. Nothing collects without one.

Times are seconds, sizes are bytes, unless a name says otherwise. What operators may
change is in ``[limits]`` of the configuration; the rest is fixed here.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# Texts of accounts.
NODE_BYTES: Final = 64
"""Longest node, ours and foreign ones; what the existing clients were promised."""
NAME_BYTES: Final = 256
"""Longest login name or domain in UTF-8; e-mail addresses end at 254."""
PASSWORD_BYTES: Final = 1024
"""Longest password in UTF-8: a sentence fits, argon2 stays cheap to feed."""
DEVICE_BYTES: Final = 256
"""Longest resource text in UTF-8; it travels with every live message."""
DISPLAY_NAME_BYTES: Final = 256
"""Longest display name or nickname in UTF-8."""
PROFILE_FIELD_BYTES: Final = 1024
"""Longest other text of a profile, and its album, texts and values of an application,
each with its keys and a few bytes per entry: one real client drops frames with longer
ones, and a whole profile fits into ``SMALL_FRAME``."""
PROFILES: Final = 16 * MIB
"""Bytes of profiles that are remembered, each with 300 bytes for itself; the least
recently used one is read again."""
MAP_ENTRY_BYTES: Final = 64
"""What each entry of a map weighs besides: thousands of tiny ones would take forty
times as much memory as they have bytes."""
EXTEND_ENTRIES: Final = 64
"""Most entries of a login's extend map, which a token keeps for its lifetime."""
EXTEND_BYTES: Final = 4096
"""Longest extend map of a login, keys and values together, in UTF-8."""

# Connections.
LOGIN_DEADLINE: Final = 5.0
"""A connection that has not logged in by then is closed; waiting for its turn at
the password check does not count."""
FRAME_BEFORE_LOGIN: Final = 4 * KIB
"""Largest frame before login: the largest login fits, a flood does not."""
STALLED_SECONDS: Final = 60.0
"""A client that takes no byte for so long is disconnected; it can replay. Over TCP also
how long a frame may take from its first byte to its last."""
OUTBOX_BYTES: Final = 2 * MIB
"""Bytes waiting in one connection above which the client is disconnected."""
PENDING_COMMANDS: Final = 64
"""Commands of one session waiting for their turn; above it the socket is paused."""
SENDS_UNDER_WAY: Final = 32
"""Sends of one session that may wait for commits at once; above it commands wait."""
LARGE_SEND: Final = 16 * KIB
"""Content of a send that is large: of one session only one of them is under way, and
while another waits the socket is paused. So a frame may be large, and what one client
has waiting here is a few of them and not a hundred."""
REQUEST_BYTES: Final = 128 * KIB
"""Longest frame that is no message and no stream: what a group tells about itself fits
as JSON in which each byte is escaped. Dozens of requests may wait on a connection."""
LOGINS_AT_ONCE: Final = 128
"""Logins by token or credential that are decided at the same time: enough to fill the
commits of storage; those behind them take a hundred bytes each and not thousands."""
LISTEN_BACKLOG: Final = 4096
"""Connections that wait to be let in: all clients of a node that was restarted come at
the same moment, and whoever finds no place tries again only after seconds."""
DRAIN_SECONDS: Final = 10.0
"""How long a stopping node waits for what is under way."""
NODE_LIST: Final = 100
"""Most accounts in one request for profiles."""
SKIPPED_NESTING: Final = 32
"""Containers inside one another in a Thrift field that is skipped; the deepest value
of the protocol itself has four, so a field of the future has room."""

# Presence.
PRESENCE_LIST: Final = 100
"""Most accounts in one request to show presence; each of them is looked up."""
PRESENCE_BYTES: Final = 4 * KIB
"""Longest texts and values of a presence together: everybody on a roster gets a copy,
and one real client takes no frame above ``SMALL_FRAME``."""
PRESENCE_COPIES_PER_MINUTE: Final = 50_000
"""Copies of presence that one account may cause: ten times those of the longest
roster. Who is named counts, shown or not; what nobody gets counts as one."""
PRESENCE_WAITING: Final = 1_000
"""Messages, reads or writes waiting for storage from which presence is refused with
5104: the first that goes, because the next change makes up for it."""
PRESENCE_GATHER_SECONDS: Final = 0.1
"""How long presence for other nodes, and friends of who has gone, is gathered."""
PRESENCE_GATHERED: Final = 10_000
"""Receivers gathered for other nodes with which they are told at once."""
PRESENCE_UNSEEN: Final = 5_000
"""Appearances that wait for a slow line: the longest roster."""
PRESENCE_MARK_SECONDS: Final = 30.0
"""How long is remembered what the newest of an account was: no older one is under way
between nodes for longer."""
PRESENCE_MARKS: Final = 50_000
"""Accounts of which that is remembered, about 400 bytes each; the one that was not
heard of longest is forgotten."""
SHOWN_TO: Final = 100
"""Accounts that somebody who shows nothing to all friends has shown itself to; with
more, all friends are told when it goes."""
PARTING_SECONDS: Final = 3.0
"""How long a lost connection may take to come back before anybody is told: the real
clients that come back by themselves do so after 2 seconds at best."""
PARTINGS: Final = 200_000
"""Accounts that are given this time at once; of more the first goes unnoticed."""
PARTINGS_AT_ONCE: Final = 64
"""Accounts whose friends are told in one turn that they are gone."""

# Read marks.
READ_MARKS_PER_MINUTE: Final = 600
"""Read marks of one account: ten a second, more than anybody reads."""
READ_MARKS_WAITING: Final = 10_000
"""Read marks that wait for storage, one per account and conversation; beyond it new
ones are refused with 5104."""
READ_MARKS_AT_ONCE: Final = 500
"""Read marks of one transaction."""
READ_MARKS_LISTED: Final = 200
"""Read marks in one answer; a list of all is asked for piece by piece."""

# Virtual rooms, streams and parcels: what is kept by nobody.
LIVE_ROOMS: Final = 10_000
"""Virtual rooms that begin on one node: every node knows all, some 500 bytes each."""
LIVE_ROOMS_PER_MINUTE: Final = 60
"""Virtual rooms that one account makes, and rights to push that it gives and takes:
every node is told of each."""
LIVE_SUBSCRIPTIONS: Final = 64
"""Virtual rooms that one connection has subscribed to: a page full of small videos."""
LIVE_PUSHERS: Final = 100
"""Accounts beside the founder that may push into one virtual room."""
LIVE_QUESTIONS_PER_MINUTE: Final = 60
"""How often other nodes are asked for one account what they know of a virtual room that
this one would refuse."""
LIVE_VOLLEY_BYTES: Final = 64 * KIB
"""Octets of pieces with which those gathered in one turn go out: as much as a line is
given at once (``WRITE_BYTES``). One larger piece goes alone."""
LIVE_VOLLEY_PIECES: Final = 256
"""The same in pieces."""
PIECE_BYTES: Final = 128
"""What a piece or a parcel weighs besides its content, so that a million of tiny ones
are not free."""
LIVE_QUEUE_BYTES: Final = MIB
"""Octets that wait for one slow connection, of each virtual room and of parcels: above
it a live room drops the oldest, others hold who sends until half of it is gone."""
LIVE_QUEUE_PIECES: Final = 1024
"""The same in pieces."""
LIVE_QUEUES_BYTES: Final = 256 * MIB
"""Octets in all these queues of a node, counted once for each; above it a slow
subscriber of a live room gets nothing, and who sends to other slow ones is held."""
LIVE_PACE_SECONDS: Final = 1.0
"""So many seconds of its pace an account may push at once."""
LIVE_LISTED: Final = 500
"""Virtual rooms that an operator is shown, those with most subscribers first."""
LIVE_LOOK_SECONDS: Final = 5.0
"""How often a node looks for virtual rooms that have ended by themselves, and for nodes
that do not answer."""
LIVE_LOOKED_AT: Final = 1_000
"""Virtual rooms at which it looks in one turn: about half a millisecond."""
LIVE_STEP_SECONDS: Final = 0.05
"""Pause between two such turns."""
STREAM_WINDOW: Final = 256 * KIB
"""Octets of one stream that are under way to one other node; a message waits behind no
more of it. One larger load may be alone."""
LINK_WINDOW: Final = 4 * MIB
"""The same of all streams to one other node, which take turns."""
STREAM_WAITING_BYTES: Final = MIB
"""Octets of one stream that wait for this; then it is as with a slow connection."""
CREDIT_SECONDS: Final = 75.0
"""How long a node may leave a stream unanswered until what is under way counts as lost:
longer than a connection may stall there (``STALLED_SECONDS``)."""

# Feeds (docs/guarantees.md).
WINDOW_FRAMES: Final = 32
"""Unacknowledged frames of one connection."""
ROOM_FRAMES: Final = 256
"""The same of one room, where all that a commit brings goes out together; the bytes are
those of ``WINDOW_BYTES``."""
ROOM_VOLLEYS: Final = 1024
"""Entries that went out together and are not all confirmed, of all rooms of one
connection; of the oldest is remembered entry by entry what is missing."""
WINDOW_ECHOES: Final = 1024
"""Echoes written behind an unacknowledged frame; they need no answer themselves."""
WINDOW_BYTES: Final = 256 * KIB
"""Unacknowledged bytes of one connection; one larger frame may be alone in it."""
ENTRY_BYTES: Final = 128
"""What the window counts for an entry besides its content."""
TRANSMISSIONS: Final = 3
"""How often a frame is sent before its connection is suspended."""
LAST_RECEIPT: Final = 2**31 - 1
"""The highest receipt of a connection."""
FIRST_ROOM_RECEIPT: Final = 2**30
"""Receipts from here on are of the logs of rooms, those below of the account's own;
each half begins again after its last one."""
ROOM_RECEIPTS: Final = 4096
"""Receipts of rooms that one connection is expected to answer, the oldest go first: as
many as hundred rooms have in their windows."""
LATE_RECEIPTS: Final = 256
"""Receipts of frames that were sent again under others and still count."""
READ_AGAIN_SECONDS: Final = 1.0
"""How long a feed waits after storage could not be read."""
ACK_SECONDS: Final = 10.0
"""How long each transmission waits for its acknowledgement."""
HOLD_SECONDS: Final = 3.0
"""How long a backlog waits for the client to ask; one real client sleeps a second."""
PAGE_ENTRIES: Final = 10
"""Most entries of one page of offline messages; what the existing clients expect."""
CURSOR_SECONDS: Final = 0.25
"""How long a moved cursor may wait for a commit to travel with."""
ECHOES_UNTOLD: Final = 64
"""Echoes that a cursor may move over before storage hears of it, as long as the client
confirms nothing else and stays: what was echoed to a line is stepped over anyway."""
FLIGHT_SECONDS: Final = 600.0
"""How long a node remembers what a lost connection had in flight."""
FLIGHTS: Final = 10_000
"""How many lost connections a node remembers for that."""
STUCK_TIMES: Final = 5
"""How often one entry may stop a reader before the reader steps over it."""
LOOK_SECONDS: Final = 5.0
"""How often feeds compare their head with storage where hints can be lost."""
LOOK_ACCOUNTS: Final = 500
"""Logs whose heads are compared in one request to storage."""
LOOK_MEMBERS: Final = 200
"""Accounts of which is compared at each look which rooms they are in, by turns: a node
with so many sessions makes up for lost word within ``LOOK_SECONDS``, one with a hundred
times as many within minutes, and storage has forty questions a second."""
READERS: Final = 32
"""Readers of one account; the least recently seen is forgotten."""

# The client protocol.
SMALL_FRAME: Final = 8 * KIB
"""Longest frame with a list on Thrift: one real client closes at a longer one."""
LARGE_FRAME: Final = 64 * KIB
"""Longest frame with a list on JSON; a page shall not keep a slow line for long."""
HISTORY_BYTES: Final = 512 * KIB
"""Bytes of entries of one history answer; two entries always fit."""
NODES_BYTES: Final = 512 * KIB
"""Longest frame with a list of nodes or rooms on JSON, whose clients take one frame for
the whole list: some 35,000 nodes are one."""
SHARED_ENCODINGS: Final = 1024
"""Messages whose encodings are remembered for further receivers."""
SHARED_SALVOS: Final = 64
"""The same of deliveries that go to members of a room together."""
SHARED_ENCODINGS_BYTES: Final = 8 * MIB
"""Bytes of encodings that are remembered for further receivers."""
CLOSE_SECONDS: Final = 10.0
"""How long a closing connection may take to send what is waiting and to answer the
closing handshake; then it is cut."""
WRITE_BYTES: Final = 64 * KIB
"""What one connection hands to its transport at once while the line is slow: its
being taken is a sign of life of a slow reader."""
FRAGMENTS: Final = 4096
"""Pieces of one WebSocket message; empty ones would otherwise collect for ever."""
HTTP_BODY: Final = 4 * KIB
"""Largest body of an HTTP request; the largest registration fits."""
HTTP_CONNECTIONS: Final = 10_000
"""Connections to the port for clients that are no WebSocket, or not yet: all clients of
a large node that come back at once are that for the moment of a handshake."""
HTTP_SECONDS: Final = 30.0
"""How long an HTTP request may take to arrive, and a connection to be idle."""
PROXY_HEADER: Final = 4 * KIB
"""Longest PROXY header: the addresses take 36 bytes, a proxy's remarks may follow."""
PROXY_SECONDS: Final = 5.0
"""How long a connection of a trusted proxy may take to say whom it is for."""
BIG_DATA_SECONDS: Final = 30.0
"""How long the pieces of one big-data frame may take to arrive."""
COLLECTED_BYTES: Final = 64 * MIB
"""Bytes of all big-data frames that a node collects from pieces: as many as it can
spare for frames that nobody has to bring to an end for ``BIG_DATA_SECONDS``."""
COLLECTED_BYTES_ACCOUNT: Final = 4 * MIB
"""The same of one account, on all its connections: two of the largest frames that an
operator may allow, so that one account takes a sixteenth of what there is."""
SKIPPED_BYTES: Final = 64 * MIB
"""Longest refused big-data frame whose pieces are passed over, so that nothing in them
is taken for a frame; a longer one is no frame but a mistake."""

# Storage.
BATCH_DRAFTS: Final = 512
"""Most messages of one commit, so that a flood cannot delay the first of them."""
BATCH_CURSORS: Final = 2048
"""Most cursor moves of one commit."""
REPEAT_SECONDS: Final = 25 * 3600
"""How long a send is remembered by its id; the promise is 24 hours."""
HISTORY_ENTRIES: Final = 100
"""Most entries of one history answer."""
LOG_READ_ENTRIES: Final = 64
"""Entries that a feed reads from storage at once."""
LOG_READ_BYTES: Final = 512 * KIB
"""Bytes of bodies that a feed reads from storage at once; one entry always fits."""
HISTORY_WAITING: Final = 2_500
"""Messages waiting for a commit, reads or single writes, whichever are most, from which
history, profiles and look-ups are refused with 5104: more than a node has waiting that
keeps up with what it is asked."""
LOGINS_WAITING: Final = 7_500
"""The same for logins, tokens and registrations: more than when all devices of a large
node come back at once. What is left is for those who are in."""
STORAGE_WAITING: Final = 10_000
"""Messages waiting for a commit from which new ones are refused with 5103."""
STORAGE_WAITING_BYTES: Final = 64 * MIB
"""What these may weigh together: large ones would take all memory before they are so
many."""
STATEMENT_BYTES: Final = 4 * MIB
"""Bytes of bodies in one statement to a database on a server, above which another one
follows: MariaDB takes 16 MiB, and a body that is written into a text may double."""
DATABASE_CONNECTIONS: Final = 4
"""Connections of a node to a database on a server: one commits, others read."""
DATABASE_CONNECT_SECONDS: Final = 5.0
"""How long connecting to a database may take."""
DATABASE_STATEMENT_SECONDS: Final = 10
"""How long a statement may take in the server, and a transaction be silent there."""
DATABASE_LOCK_SECONDS: Final = 5
"""How long a statement waits there for what another transaction holds."""
DATABASE_SILENT_SECONDS: Final = 12
"""How long a transaction may take altogether before its connection is closed; a server
that is there has ended its statement earlier."""
DATABASE_DOUBT_SECONDS: Final = 30.0
"""How long is asked whether a commit took place whose answer was lost; the server ends
the transaction of a lost connection within ``DATABASE_STATEMENT_SECONDS``."""
DATABASE_PAUSE_FIRST: Final = 0.1
"""Pause after a failed attempt to connect; each pause is drawn between half of its
bound and the bound, and the bound doubles."""
DATABASE_PAUSE_MOST: Final = 5.0
"""The longest bound of such a pause."""
DATABASE_TRIES: Final = 5
"""How often an operation is begun that collides with others."""
BREAKER_FAILURES: Final = 3
"""Failures in a row after which nothing more is asked of a database but a probe."""
MARK_SECONDS: Final = 24 * 3600
"""How long the mark of a connection is kept after its last write."""

# Passwords and tokens.
PASSWORD_THREADS: Final = 2
"""Passwords that are checked at the same time."""
REMEMBERED_SECONDS: Final = 600.0
"""How long a right password costs no argon2id; reconnecting clients come sooner."""
REMEMBERED_PASSWORDS: Final = 50_000
"""Right passwords remembered for that, about 150 bytes each; the oldest one goes."""
SILENT_SECONDS: Final = 20.0
"""A line that was silent for longer may be taken over from another address; the real
clients are heard every 10 to 15 seconds."""
TAKEOVERS: Final = 3
"""How often in ``TAKEOVER_SECONDS`` a device may take over its own old line."""
TAKEOVER_SECONDS: Final = 60.0
"""See ``TAKEOVERS``."""
COMEBACK_SECONDS: Final = 60.0
"""So long a displaced device displaces nobody; the real clients come back by themselves
after 2 to 75 seconds, and each attempt begins the time again."""
COMEBACKS: Final = 10_000
"""Devices remembered for that, and for takeovers; the oldest one is forgotten."""
PRESENT_SECONDS: Final = 2.0
"""How long a login waits for what other nodes know of the account's sessions."""
TURN_SECONDS: Final = 10.0
"""How long one node may keep others from letting devices of an account in, and how long
a login waits for that: long enough for slow storage, too short to lock anybody out."""
SETTLE_SECONDS: Final = 0.5
"""How long a login waits until other nodes have stored what its device has confirmed
there. What they have not is sent again; a commit takes far less."""
BLOCK_SECONDS: Final = 100 * 366 * 24 * 3600
"""Longest block that ends by itself: its end still fits into 64 bits."""
PASSWORD_QUEUE: Final = 1000
"""Password checks waiting for a thread; beyond it logins are refused with 5105."""
BUCKETS: Final = 50_000
"""Token buckets remembered per kind; the least recently used one is dropped."""
ADDRESSES: Final = 100_000
"""Accounts whose number, node and domain, which never change, are remembered."""
RELATIONS: Final = 5_000
"""Friends, open requests and blocks of one account together: more than a person knows,
and a list of so many is still one frame."""
REQUEST_TEXT_BYTES: Final = 1024
"""Longest text of a request in UTF-8: it comes from somebody who may not write yet."""
RELATION_STEPS_PER_MINUTE: Final = 60
"""Requests, removals and blocks of one account: a person who tidies up is not stopped,
a program that asks everybody is."""
BONDS: Final = 200_000
"""Pairs of accounts of which is remembered what they are to each other, about 200 bytes
each; the least recently used one is read again."""
BONDS_AT_ONCE: Final = 100
"""Pairs of which that is read in one statement."""
ROSTERS: Final = 1_000_000
"""Friends and accounts that are remembered as lists of friends, about 40 bytes each;
the least recently used list is read again."""
ROSTERS_AT_ONCE: Final = 64
"""Accounts whose friends are read in one statement."""
BOND_SECONDS: Final = 5.0
"""How long that is believed where there are other nodes, whose word of a change can be
lost."""
ROOMS: Final = 1_000
"""Rooms that one account is in, has asked, or blocks, together: its feeds read each of
them, and a list of so many is one frame."""
ROOM_MEMBERS: Final = 100_000
"""Members of one room: the list of so many is less than ``OUTBOX_BYTES``."""
ROOM_MANAGERS: Final = 50
"""Managers of one room: each is told of every request to be let in."""
ROOM_REQUESTS: Final = 1_000
"""Open requests to be let in of one room, which somebody has to decide one by one."""
ROOM_BARRED: Final = 5_000
"""Accounts that one room bars: a list of so many is still one frame."""
ROOM_INFO_BYTES: Final = 16 * KIB
"""Longest that a room tells about itself: whoever looks at a list of rooms gets it from
each of them."""
ROOM_STEPS_PER_MINUTE: Final = 60
"""Steps of one account by which others are told of it, or something is made; steps that
end something are not counted."""
ROOM_NEWS_SECONDS: Final = 1.0
"""How long changes of rooms are gathered before the members who are there are told to
look: many who join at once are one look for each of them."""
ROOMS_KNOWN: Final = 20_000
"""Rooms of which is remembered what they are, about 300 bytes each."""
BELONGINGS: Final = 200_000
"""Of how many accounts in how many rooms is remembered what they are to each other,
about 300 bytes each; the least recently used one is read again."""
ROOM_LISTS: Final = 1_000_000
"""Members of rooms, and rooms of accounts, that are remembered as lists, about 40 bytes
each; the least recently used list is read again."""
ROOM_PROFILES_BYTES: Final = 32 * MIB
"""What is remembered of what rooms tell about themselves."""
MEMBERS_AT_ONCE: Final = 5_000
"""Members of a room that are read in one statement, so that others come in between."""
FINDS_PER_MINUTE: Final = 30
"""Exact-name look-ups of one account: enough to find people, too few to list them."""
CURSOR_RETRY_SECONDS: Final = 10.0
"""Longest pause before cursors that could not be stored are tried again."""
STORAGE_READS_WAITING: Final = 10_000
"""Reads waiting for a thread above which new ones fail with 5103."""
STORAGE_WRITES_WAITING: Final = 10_000
"""Single writes (accounts, tokens, readers) waiting; above it they fail with 5103."""
STORAGE_READERS: Final = 2
"""Threads that read beside the one that writes; a node has few cores to itself."""
STORAGE_BUSY_SECONDS: Final = 2.0
"""How long a statement waits for another program's lock on the database."""
JOURNAL_ROWS: Final = 40_000
"""Messages and cursors in the journal with which a move to the tables begins: so many
that each page of a table is written once for many of them."""
JOURNAL_BYTES: Final = 16 * MIB
"""The same in bytes of content, which the node holds in memory until then."""
JOURNAL_MOST: Final = 200_000
"""Messages and cursors in the journal above which commits are refused: moving has
failed all the time, and memory is not endless."""
JOURNAL_MOST_BYTES: Final = 128 * MIB
"""The same in bytes of content."""
MOVE_ROWS: Final = 1024
"""Rows that one step of a move brings to their places, beside a commit which waits for
it: a few milliseconds."""
MOVE_DRAFTS: Final = 128
"""For each so many messages of a commit one more step is made, to keep up with them."""
COUNTERS_CACHED: Final = 200_000
"""Counters and cursors that the writer knows by heart between two commits, about 150
bytes each."""
CLEAN_SECONDS: Final = 1.0
"""Pause between two steps of deleting what has expired."""
CLEAN_HURRY_SECONDS: Final = 0.1
"""The same pause while there is more than fits into one step: 5,000 rows a second."""
CLEAN_ROWS: Final = 500
"""Rows of one such step, so that no commit waits for it noticeably."""
CLEAN_BYTES: Final = 4 * MIB
"""The same in bytes: a long body takes many pages, and each of them is touched."""
KEEP_SECONDS: Final = 600.0
"""Pause between two rounds through all that is kept, and before the first: time for a
clock that is wrong after the start of the machine to be set."""
KEEP_STEP_SECONDS: Final = 0.5
"""Pause between two steps of a round: a thousand conversations, or as many rows that
are deleted, in a second."""
SEEN_SECONDS: Final = 24 * 3600.0
"""How often it is noted of connected devices that they are here; ages are days."""
SEEN_DEVICES: Final = 500
"""Devices of which that is noted in one transaction."""
CLEAN_SERVER_SECONDS: Final = 10.0
"""Pause between two steps in a database on a server, where every node makes them."""

# Accounts by hand.
CONTROL_LINE: Final = 64 * KIB
"""Longest request on the control socket; the longest texts fit several times."""
CONTROL_CONNECTIONS: Final = 16
"""Connections to the control socket at a time; a person has one."""
CONTROL_ACCOUNTS: Final = 500
"""Accounts in one answer; a list of all is asked for piece by piece."""
CONTROL_SECONDS: Final = 30.0
"""How long a command waits for an answer of a node."""
SOCKET_PATH_BYTES: Final = 107
"""Longest path of a Unix socket on Linux, without the byte that ends it."""

# The client library.
CLIENT_PING_SECONDS: Final = 15.0
"""How often our client pings; docs/reference/protocol.md, section 1.6."""
CLIENT_SILENCE_SECONDS: Final = 45.0
"""A line on which nothing came for so long is dead: three pings went unanswered."""
CLIENT_LINE_SECONDS: Final = 20.0
"""How long connecting, the handshake and the login may take together."""
CLIENT_ECHO_SECONDS: Final = 15.0
"""How long our client waits for an echo before it sends the same once more."""
CLIENT_ASK_AGAIN_SECONDS: Final = 2.0
"""The same for a client that takes no messages: its echo may stand behind some."""
CLIENT_BACKOFF_FIRST: Final = 0.5
"""The longest pause before the first return to a lost node."""
CLIENT_BACKOFF_MOST: Final = 60.0
"""The longest pause between two attempts; each pause is at least half of its bound."""
CLIENT_FRAME_BYTES: Final = MIB
"""Longest frame our client sends: what a node takes unless its operator says else."""
CLIENT_TAKES_BYTES: Final = 16 * MIB
"""Longest frame our client takes from a node; an operator may have raised theirs."""
CLIENT_HEAD_BYTES: Final = 16 * KIB
"""Longest answer to a WebSocket handshake."""
CLIENT_WAITING: Final = 10_000
"""Sends and requests of our client without an answer, above which it takes no more."""
CLIENT_FRAMES: Final = 1_024
"""Frames of one virtual room that wait in our client for a program to take them."""
CLIENT_FRAMES_BYTES: Final = 4 * MIB
"""The same in bytes; one larger frame may be alone."""
CLIENT_FILE_PIECE: Final = 63 * KIB
"""Bytes of a file in one push: with the room in front of them less than 64 KiB."""
CLIENT_FILE_END_SECONDS: Final = 30.0
"""How long the sender of a file waits to hear that all of it has arrived; the virtual
room through which it goes is there as long."""
CLIENT_OFFERS: Final = 64
"""Files that were offered and neither taken nor refused; more are refused."""
CLIENT_LINE_CHARACTERS: Final = 10_000
"""Longest line that can be typed or pasted into ``timtw chat``."""
CLIENT_LINES_REMEMBERED: Final = 200
"""Lines that ``timtw chat`` brings back with the arrow keys."""
CLIENT_CHAT_HISTORY: Final = 20
"""Messages that ``timtw chat`` shows when a conversation is opened."""
