"""What went wrong in the server that the existing clients were written for: one table.

The letter of a number is its chapter: D delivery, L logins, H history, X limits,
Q behaviour towards clients, I identity.
``timtw.test.defectspage`` makes docs/reference/defects.md of it.
"""

from __future__ import annotations

from typing import Final

import attrs


@attrs.frozen
class Defect:
    """One fault, and how it is kept out.

    Args:
        tests: Tests that would see it, below ``timtw.test``.
        later: What has to exist before it can occur; empty if it can.
        never: Why it cannot occur here; empty if it could.
    """

    number: str
    title: str
    tests: tuple[str, ...] = ()
    later: str = ""
    never: str = ""


def _seen(number: str, title: str, *tests: str) -> Defect:
    """A fault that these tests look for."""
    return Defect(number, title, tests)


def _later(number: str, title: str, what: str) -> Defect:
    """A fault of something that this version does not have."""
    return Defect(number, title, later=what)


def _never(number: str, title: str, why: str) -> Defect:
    """A fault that the way this server is built leaves no room for."""
    return Defect(number, title, never=why)


_PROMISES: Final = "test_promises."
_BAD: Final = "test_bad_input."
_OWN: Final = "test_defects."
_SCRIPTS: Final = "test_scripts.ScriptTests.test_"
_PACE: Final = "test_session_pace."
_BACKLOG: Final = "test_feed_backlog."

DEFECTS: Final[tuple[Defect, ...]] = (
    _seen(
        "D1",
        "entries of withdrawn messages block everything behind them",
        _BACKLOG + "StorageTests.test_gaps",
        _BACKLOG + "StorageTests.test_everything_gone",
        _BACKLOG + "StorageTests.test_gone_at_the_end_of_a_page",
        "test_removals.WaitingTests.test_away",
    ),
    _seen(
        "D2",
        "the sender is told before the message is safe",
        _PROMISES + "P1DurableBeforeAcknowledged.test_no_echo_before_the_commit",
        "test_shards_groupcommit.GatheringTests.test_outage_refuses_what_travelled",
    ),
    _seen(
        "D3",
        "the backlog stops after its first page, without an end mark",
        _PROMISES + "P4EveryDeviceGetsEverything.test_pages_are_small_and_end",
        _SCRIPTS + "go_backlog",
    ),
    _seen(
        "D4",
        "a waiting revocation does not say of which message",
        "test_removals.WaitingTests.test_away",
        "test_connection_kinds.Removals.test_delivered",
    ),
    _seen(
        "D5",
        "what one device has acknowledged never reaches the others",
        _PROMISES + "P4EveryDeviceGetsEverything.test_second_device_is_not_robbed",
    ),
    _later("D6", "a group message that is not stored vanishes silently", "groups"),
    _seen(
        "D7",
        "a crash loses what was accepted and not yet acknowledged",
        _PROMISES + "P1DurableBeforeAcknowledged.test_echoed_survives_the_node",
        _PROMISES + "P1DurableBeforeAcknowledged.test_unconfirmed_comes_again",
        "test_loss.LossTests.test_histories",
    ),
    _seen(
        "D8",
        "messages sent in a burst arrive in another order",
        _PROMISES + "P3Order.test_burst_keeps_its_order",
    ),
    _seen(
        "D9",
        "a silent device delays all other recipients",
        _PROMISES + "P4EveryDeviceGetsEverything.test_a_dead_device_holds_up_nobody",
    ),
    _seen(
        "D10",
        "anybody can acknowledge what others were sent",
        _BAD + "Conduct.test_acknowledged_in_advance",
        "test_loss.PlantedTests.test_foreign_acknowledgement",
    ),
    _seen(
        "D11",
        "a repeated frame has a new number, and repeats never end",
        _SCRIPTS + "go_repeats",
        "test_feed.RepeatTests.test_three_transmissions",
    ),
    _seen(
        "D12",
        "a client that sends again has written twice",
        _PROMISES + "P2IdempotentSends.test_repeat_is_one_message",
        _PROMISES + "P2IdempotentSends.test_repeat_on_another_node",
    ),
    _seen(
        "D13",
        "a message waits twice for the same account",
        _OWN + "D13EntriesAreUnique.test_one_entry",
    ),
    _seen(
        "D14",
        "requests for the backlog at the same time get the same page",
        _OWN + "D14FetchesAtTheSameTime.test_two_devices",
        _BACKLOG + "PageTests.test_second_request_joins",
    ),
    _seen(
        "D15",
        "an entry that cannot be read is thrown away in silence",
        "test_shards_sqlite.OutageTests.test_damaged_record",
    ),
    _seen(
        "D16",
        "live messages overtake the backlog, and pages are mixed",
        _PROMISES + "P3Order.test_live_never_overtakes_a_backlog",
    ),
    _seen(
        "D17",
        "the sender's other devices do not learn what was sent",
        _PROMISES
        + "P4EveryDeviceGetsEverything.test_all_own_devices_see_what_was_sent",
        "test_own_texts.OwnTextsTests.test_nothing_had_arrived",
    ),
    _later(
        "D18",
        "a system message to an absent account of another program is lost",
        "system messages, accounts of other programs",
    ),
    _seen(
        "D19",
        "an acknowledgement in advance counts, a flood of them costs memory",
        _BAD + "Conduct.test_acknowledged_in_advance",
        "test_feed.LiveTests.test_strange_receipts",
    ),
    _seen(
        "D20",
        "storage that fails looks like an empty backlog or history",
        _PACE + "FaultTests.test_storage_away",
        _BACKLOG + "StorageTests.test_read_again",
    ),
    _never(
        "D21",
        "an absent member of a group crashes one of the databases",
        "it is not supported",
    ),
    _seen(
        "D22",
        "a long text is accepted and cannot be stored",
        _OWN + "D22LongTexts.test_longest_text",
    ),
    _seen(
        "D23",
        "a guess about who exists is wrong for some, for ever",
        "test_posting.PeopleTests.test_look_up",
        "test_posting.RightsTests.test_nobody",
    ),
    _later(
        "L1",
        "many lost connections at once block each other while friends are told",
        "presence",
    ),
    _seen(
        "L2",
        "of logins at the same moment one stays connected and hears nothing",
        _OWN + "L2LoginsAtTheSameTime.test_everybody_hears",
    ),
    _seen(
        "L3",
        "logins at the same moment pass the limit of devices",
        "test_session.DisplacedTests.test_two_at_once",
    ),
    _seen(
        "L4",
        "one more device of a kind is let in than allowed",
        "test_admission.DisplacementTests.test_l4_kind_limit",
    ),
    _seen(
        "L5",
        "devices on other nodes are neither counted nor displaced",
        "test_devices.TwoNodesTests.test_l5_displaced_elsewhere",
        "test_devices.TwoNodesTests.test_l5_oldest_of_both",
    ),
    _seen(
        "L6",
        "a displaced device is not told why, and comes back",
        "test_devices.OneNodeTests.test_l6_displaced_with_notice",
        "test_devices.OneNodeTests.test_s7_loser_comes_back",
        "test_devices.TwoNodesTests.test_s7_loser_on_any_node",
        _SCRIPTS + "javascript_displaced",
    ),
    _later("L7", "a quick reconnect shows as offline and online", "presence"),
    _seen(
        "L8",
        "passwords can be guessed without limit, at the server's cost",
        "test_accounts.GuessingTests.test_both_sides",
        "test_accounts.ProofTests.test_logins_of_an_address",
        "test_passwords.QueueTests.test_both_sides",
    ),
    _seen(
        "L9",
        "a message in the moment of a login comes in the wrong encoding",
        _OWN + "L9TextsDuringALogin.test_encoding",
    ),
    _seen(
        "L10",
        "a quick login is closed by the deadline that it has met",
        "test_session.DeadlineTests.test_login_ends_it",
    ),
    _never(
        "L11",
        "looking whether a connection lives prolongs its life",
        "only what a client sends counts as life",
    ),
    _seen(
        "L12",
        "only pings count as a sign of life",
        "test_session.SilenceTests.test_anything_is_life",
    ),
    _seen(
        "L13",
        "a block ends with a restart and leaves sessions alone",
        "test_office.EverythingEndsTests.test_l13_block_survives_a_restart",
        "test_office.EverythingEndsTests.test_block",
    ),
    _seen(
        "L14",
        "a new password leaves sessions and tokens of the old one alive",
        "test_office.EverythingEndsTests.test_new_password",
        "test_password_change.ChangeTests.test_l14_others_end",
    ),
    _seen(
        "L15",
        "an empty new password is taken and nobody can log in any more",
        "test_office.NamesTests.test_bad_parameters",
        "test_password_change.ChangeTests.test_l15_what_will_not_do",
    ),
    _seen(
        "L16",
        "names and passwords may be empty or of any length",
        "test_accounts.RegisterTests.test_names",
        "test_accounts.RegisterTests.test_passwords",
        "test_accounts.RegisterTests.test_domains",
        _BAD + "Conduct.test_long_and_empty_texts",
    ),
    _seen(
        "L17",
        "a connection is closed as not logged in while it works",
        "test_session.DeadlineTests.test_login_ends_it",
    ),
    _seen(
        "H1",
        "one request brings the whole conversation",
        "test_serving.HistoryTests.test_most_entries",
        "test_connection_outgoing.Lists.test_history_is_limited",
    ),
    _seen(
        "H2",
        "an empty history is not answered",
        "test_serving.HistoryTests.test_nothing_there",
        _SCRIPTS + "javascript_first_words",
    ),
    _seen(
        "H3",
        "entries of the history cannot be compared with live messages",
        "test_connection_outgoing.Lists.test_history",
    ),
    _seen(
        "H4",
        "message numbers are unordered, negative or too large for JavaScript",
        _PROMISES + "P3Order.test_burst_keeps_its_order",
        "test_shards_memory.MemoryMessageTests.test_numbers_count_without_gaps",
        "test_shards_sqlite.SqliteMessageTests.test_numbers_count_without_gaps",
    ),
    _later("H5", "nothing is ever deleted", "keeping for so many days"),
    _later("H6", "new members read what was written before them", "groups"),
    _seen(
        "X1",
        "the limit on requests of a connection is never applied",
        _PACE + "RateTests.test_pauses",
        _PACE + "RateTests.test_the_pace_is_kept",
    ),
    _seen(
        "X2",
        "one client uses up what all are allowed",
        "test_buckets.BucketsTests.test_keys_are_apart",
        "test_accounts.RegisterTests.test_bucket",
    ),
    _seen(
        "X3",
        "frames of any size are collected, before login as well",
        _BAD + "Frames.test_oversized",
        _BAD + "Frames.test_never_continued",
        "test_connection_incoming.BigData.test_stranger",
    ),
    _seen(
        "X4",
        "the limit on sizes refuses what is smaller",
        _BAD + "Frames.test_oversized",
    ),
    _seen(
        "X5",
        "what was switched off is served, and a missing key breaks registration",
        "test_accounts.RegisterTests.test_closed",
        "test_config.ReadingTests.test_empty_file_is_the_defaults",
        _SCRIPTS + "go_first_words",
    ),
    _seen(
        "X6",
        "each frame is a task of its own, without bound",
        _PACE + "CrowdTests.test_pending_commands",
        _PACE + "CrowdTests.test_sends_under_way",
    ),
    _seen(
        "X7",
        "connections that say nothing do not count",
        _PROMISES + "P6NothingUnbounded.test_connections",
    ),
    _seen(
        "X8",
        "lists in requests have no limit",
        "test_serving.ProfileTests.test_most_nodes",
        _BAD + "Conduct.test_what_belongs_to_the_server",
    ),
    _seen(
        "X9",
        "a client that reads nothing blocks those behind it",
        "test_outflow.OutflowTests.test_stalled",
        "test_outflow.OutflowTests.test_limit",
        _PROMISES + "P6NothingUnbounded.test_a_slow_line_is_waited_for",
    ),
    _later("X10", "each refused right is looked up again", "friendship"),
    _later(
        "X11", "young entries of the cache of rights are always checked", "friendship"
    ),
    _seen(
        "X12",
        "bodies of HTTP requests are read whole before they are measured",
        "test_http.Registration.test_size",
        "test_http.Registration.test_chunked",
    ),
    _seen(
        "X13",
        "a few bytes that declare a length reserve that much memory",
        "test_hostile.HostileTests.test_declared_counts",
        "test_hostile.HostileTests.test_declared_entries",
        _BAD + "DamagedPayloads.test_lengths_beyond_the_frame",
    ),
    _seen(
        "Q1",
        "a request with an empty result is not answered",
        "test_serving.HistoryTests.test_nothing_there",
        "test_connection_outgoing.Answers.test_no_profiles",
        _SCRIPTS + "java_first_words",
    ),
    _later("Q2", "a refused group request is answered twice", "groups"),
    _seen(
        "Q3",
        "a frame that ends too early is taken as far as it goes",
        _BAD + "DamagedPayloads.test_truncated",
    ),
    _seen(
        "Q4",
        "ids in JSON are too large for JavaScript",
        "test_posting.IdentityTests.test_idents",
    ),
    _later("Q5", "big data to a group does not name the group", "groups"),
    _seen(
        "Q6",
        "some nodes break the frames of big data",
        "test_bigdata.BeginTests.test_first_separator",
        "test_idents.SpellingTests.test_inverse",
    ),
    _later("Q7", "custom kinds are refused for groups", "groups"),
    _seen(
        "Q8",
        "too long big data is reported as another type",
        "test_bigdata.BeginTests.test_lengths",
        "test_bigdata.CollectingTests.test_too_much",
    ),
    _seen(
        "Q9",
        "a logout is not understood",
        "test_session.LoggedInTests.test_logout",
    ),
    _later("Q10", "messages of the system have no sender", "system messages"),
    _seen(
        "I1",
        "an account has several spellings of its node",
        _BAD + "Conduct.test_aliases",
        "test_idents.SpellingTests.test_refused",
    ),
    _seen(
        "I2",
        "a name can be calculated that has a given node",
        "test_idents.SlotTests.test_chance",
        _OWN + "I2NodesAreNotCalculated.test_same_name",
    ),
    _seen(
        "I3",
        "names can be calculated from nodes",
        _OWN + "I2NodesAreNotCalculated.test_same_name",
        "test_canaries.CanaryTests.test_nothing_is_found",
    ),
    _seen(
        "I4",
        "people of different domains meet",
        "test_accounts.RegisterTests.test_domains_apart",
        "test_serving.FindTests.test_other_domain",
        "test_serving.ProfileTests.test_other_domain",
        "test_posting.RightsTests.test_nobody",
    ),
    _seen(
        "I5",
        "two pairs of name and domain are one account",
        "test_shards_sealing.DigestTests.test_fields_do_not_run_together",
        _OWN + "I5NamesAndDomains.test_apart",
    ),
    _seen(
        "I6",
        "only the first bytes of a long password count",
        _OWN + "I6LongPasswords.test_last_byte",
    ),
    _seen(
        "I7",
        "what is stored is masked, not encrypted",
        "test_shards_sealing.SealingTests.test_equal_texts_are_sealed_differently",
        "test_shards_sealing.SealingTests.test_damaged_record_does_not_open",
        "test_canaries.CanaryTests.test_nothing_is_found",
    ),
    _never(
        "I8",
        "a password is overwritten while it is checked",
        "texts cannot be changed once they exist",
    ),
    _never(
        "I9",
        "one way of asking for a token gives one for nobody",
        "there is one way, with name and password",
    ),
    _seen(
        "I10",
        "tokens can be guessed",
        "test_accounts.TokenTests.test_spelling",
        "test_accounts.TokenTests.test_expiry",
        "test_accounts.ProofTests.test_logins_of_an_address",
    ),
    _seen(
        "I11",
        "some good tokens are refused",
        _OWN + "I11GoodTokens.test_all_are_taken",
    ),
    _seen(
        "I12",
        "a token works twice at the same moment",
        _OWN + "I12TokensAtTheSameTime.test_one_login",
    ),
    _seen(
        "I13",
        "secrets have values that everybody knows",
        "test_shards_sqlite.KeyTests.test_missing_key_is_refused",
        "test_shards_sqlite.KeyTests.test_open_key_is_refused",
        "test_shards_sealing.DigestTests.test_digests_are_keyed",
    ),
)
"""All of them, in the order of the page."""
