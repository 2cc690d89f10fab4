"""What went wrong in the server that the existing clients were written for: one table.

The letter of a number is its chapter: D delivery, L logins, H history, X limits,
Q behaviour towards clients, I identity, A rights, R friends, G groups, P presence,
V virtual rooms. A test that would see a fault is named after it, as ``test_d1_gaps`` or
in a class ``D13EntriesAreUnique`` (but for P: classes are named after promises); it may
be named after several. ``timtw.test.defectspage`` finds them and makes
docs/reference/defects.md.
"""

from __future__ import annotations

from typing import Final

import attrs


@attrs.frozen
class Defect:
    """One fault. Unless it cannot occur, there are tests that are named after it.

    Args:
        later: What has to exist before it can occur; empty if it can.
        never: Why it cannot occur here; empty if it could.
    """

    number: str
    title: str
    later: str = ""
    never: str = ""


DEFECTS: Final[tuple[Defect, ...]] = (
    Defect("D1", "entries of withdrawn messages block everything behind them"),
    Defect("D2", "the sender is told before the message is safe"),
    Defect("D3", "the backlog stops after its first page, without an end mark"),
    Defect("D4", "a waiting revocation does not say of which message"),
    Defect("D5", "what one device has acknowledged never reaches the others"),
    Defect("D6", "a group message that is not stored vanishes silently"),
    Defect("D7", "a crash loses what was accepted and not yet acknowledged"),
    Defect("D8", "messages sent in a burst arrive in another order"),
    Defect("D9", "a silent device delays all other recipients"),
    Defect("D10", "anybody can acknowledge what others were sent"),
    Defect("D11", "a repeated frame has a new number, and repeats never end"),
    Defect("D12", "a client that sends again has written twice"),
    Defect("D13", "a message waits twice for the same account"),
    Defect("D14", "requests for the backlog at the same time get the same page"),
    Defect("D15", "an entry that cannot be read is thrown away in silence"),
    Defect("D16", "live messages overtake the backlog, and pages are mixed"),
    Defect("D17", "the sender's other devices do not learn what was sent"),
    Defect(
        "D18",
        "a system message to an absent account of another program is lost",
        later="system messages, accounts of other programs",
    ),
    Defect("D19", "an acknowledgement in advance counts, a flood of them costs memory"),
    Defect("D20", "storage that fails looks like an empty backlog or history"),
    Defect(
        "D21",
        "an absent member of a group crashes one of the databases",
        never="it is not supported",
    ),
    Defect("D22", "a long text is accepted and cannot be stored"),
    Defect("D23", "a guess about who exists is wrong for some, for ever"),
    Defect(
        "L1", "many lost connections at once block each other while friends are told"
    ),
    Defect("L2", "of logins at the same moment one stays connected and hears nothing"),
    Defect("L3", "logins at the same moment pass the limit of devices"),
    Defect("L4", "one more device of a kind is let in than allowed"),
    Defect("L5", "devices on other nodes are neither counted nor displaced"),
    Defect("L6", "a displaced device is not told why, and comes back"),
    Defect("L7", "a quick reconnect shows as offline and online"),
    Defect("L8", "passwords can be guessed without limit, at the server's cost"),
    Defect("L9", "a message in the moment of a login comes in the wrong encoding"),
    Defect("L10", "a quick login is closed by the deadline that it has met"),
    Defect(
        "L11",
        "looking whether a connection lives prolongs its life",
        never="only what a client sends counts as life",
    ),
    Defect("L12", "only pings count as a sign of life"),
    Defect("L13", "a block ends with a restart and leaves sessions alone"),
    Defect("L14", "a new password leaves sessions and tokens of the old one alive"),
    Defect("L15", "an empty new password is taken and nobody can log in any more"),
    Defect("L16", "names and passwords may be empty or of any length"),
    Defect("L17", "a connection is closed as not logged in while it works"),
    Defect("H1", "one request brings the whole conversation"),
    Defect("H2", "an empty history is not answered"),
    Defect("H3", "entries of the history cannot be compared with live messages"),
    Defect("H4", "message numbers are unordered, negative or too large for JavaScript"),
    Defect("H5", "nothing is ever deleted"),
    Defect("H6", "new members read what was written before them"),
    Defect("X1", "the limit on requests of a connection is never applied"),
    Defect("X2", "one client uses up what all are allowed"),
    Defect("X3", "frames of any size are collected, before login as well"),
    Defect("X4", "the limit on sizes refuses what is smaller"),
    Defect(
        "X5", "what was switched off is served, and a missing key breaks registration"
    ),
    Defect("X6", "each frame is a task of its own, without bound"),
    Defect("X7", "connections that say nothing do not count"),
    Defect("X8", "lists in requests have no limit"),
    Defect("X9", "a client that reads nothing blocks those behind it"),
    Defect("X10", "each refused right is looked up again"),
    Defect("X11", "young entries of the cache of rights are always checked"),
    Defect("X12", "bodies of HTTP requests are read whole before they are measured"),
    Defect("X13", "a few bytes that declare a length reserve that much memory"),
    Defect("Q1", "a request with an empty result is not answered"),
    Defect("Q2", "a refused group request is answered twice"),
    Defect("Q3", "a frame that ends too early is taken as far as it goes"),
    Defect("Q4", "ids in JSON are too large for JavaScript"),
    Defect("Q5", "big data to a group does not name the group"),
    Defect("Q6", "some nodes break the frames of big data"),
    Defect("Q7", "custom kinds are refused for groups"),
    Defect("Q8", "too long big data is reported as another type"),
    Defect("Q9", "a logout is not understood"),
    Defect("Q10", "messages of the system have no sender", later="system messages"),
    Defect("I1", "an account has several spellings of its node"),
    Defect("I2", "a name can be calculated that has a given node"),
    Defect("I3", "names can be calculated from nodes"),
    Defect("I4", "people of different domains meet"),
    Defect("I5", "two pairs of name and domain are one account"),
    Defect("I6", "only the first bytes of a long password count"),
    Defect("I7", "what is stored is masked, not encrypted"),
    Defect(
        "I8",
        "a password is overwritten while it is checked",
        never="texts cannot be changed once they exist",
    ),
    Defect(
        "I9",
        "one way of asking for a token gives one for nobody",
        never="there is one way, with name and password",
    ),
    Defect("I10", "tokens can be guessed"),
    Defect("I11", "some good tokens are refused"),
    Defect("I12", "a token works twice at the same moment"),
    Defect("I13", "secrets have values that everybody knows"),
    Defect("A1", "a hidden list of recipients reaches people who blocked the sender"),
    Defect("A2", "big data reaches everybody, whatever the rights"),
    Defect("A3", "clients write notices of the server"),
    Defect("A4", "anybody reads the history of any group"),
    Defect("A5", "presence reaches strangers and those who block"),
    Defect("A6", "rights that have ended are used for minutes, on other nodes as well"),
    Defect("A7", "where anybody may write, blocks mean nothing"),
    Defect("A8", "one request reads any number of profiles"),
    Defect("A9", "private messages in a group pass personal blocks"),
    Defect("A10", "texts cannot be taken back after the end of a friendship"),
    Defect(
        "A11",
        "authors with the same digest remove each other's texts",
        never="the author's number is stored",
    ),
    Defect("A12", "everybody is told the map that a device gave at its login"),
    Defect("R1", "asking twice puts both on each other's list"),
    Defect("R2", "who is blocked is told so"),
    Defect("R3", "asking lifts a block by half, and revives the friendship before it"),
    Defect("R4", "of mutual blocks one is lost, or lifted by the other side"),
    Defect("R5", "who accepts is not told that the friendship exists"),
    Defect("R6", "requests can be repeated without limit, and all are kept"),
    Defect("R7", "a relation is stored in pieces, and half of it is left by a crash"),
    Defect("R8", "accounts that do not exist can be asked"),
    Defect("R9", "who is blocked writes the old state back"),
    Defect(
        "R10",
        "who is blocked is told so when asking",
        never="it is kept, as the existing clients show it; nothing else tells it",
    ),
    Defect("R11", "people of different domains can ask and never meet"),
    Defect("G1", "who is no member any more keeps the powers of a manager"),
    Defect("G2", "anybody brings anybody, who may not exist, into an open group"),
    Defect("G3", "a manager removes the founder"),
    Defect("G4", "a group without its founder can be dissolved by nobody"),
    Defect("G5", "a removal lifts the block of the removed account itself"),
    Defect("G6", "people are removed from groups that are dissolved"),
    Defect("G7", "who comes in stays on the list of blocks"),
    Defect("G8", "changes of a group at the same time undo each other"),
    Defect("G9", "why somebody is not let in is lost"),
    Defect("G10", "who joins hears of it on one node only, and other members nowhere"),
    Defect("G11", "asking again and again is told every manager each time"),
    Defect("G12", "a group that could not be made is answered by nothing"),
    Defect("G13", "a block of the group and one of the account overwrite each other"),
    Defect("G14", "barring a member removes the manager"),
    Defect("G15", "groups that do not exist are blocked, and listed"),
    Defect("G16", "groups, their members and managers are unlimited"),
    Defect("G17", "members of another domain are half in a group"),
    Defect("P1", "friends are told of the end of one device while another is there"),
    Defect("P2", "each of many lost connections asks storage for its friends"),
    Defect("P3", "what somebody showed last arrives first"),
    Defect("P4", "what is shown to all friends loses its id"),
    Defect("V1", "pieces of a stream arrive in another order"),
    Defect("V2", "virtual rooms begin to exist because somebody names them"),
    Defect("V3", "what the founder pushes on another node vanishes"),
    Defect("V4", "a node that only has subscribers ends the room for everybody"),
    Defect("V5", "subscriptions of lost connections stay"),
    Defect("V6", "the first pieces behind the answer to a subscription are missing"),
    Defect("V7", "nobody learns that a room has ended, and anybody may end it"),
    Defect("V8", "the right to push cannot be given"),
    Defect("V9", "one subscriber that reads nothing stops the stream for all"),
    Defect("V10", "virtual rooms of an account have no limit"),
    Defect("V11", "a malformed piece crashes what reads it"),
    Defect("V12", "nodes remember for ever where a room was"),
    Defect("V13", "a room ends while its founder is there and pauses"),
)
"""All of them, in the order of the page."""
