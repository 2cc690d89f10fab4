"""Groups on the page, in real browsers."""

from __future__ import annotations

from typing import Final

from timtw.loss.nodes import CONFIGURATION
from timtw.test.browser import PHONE, Browser, BrowserCase

ENTER, TAB, ESCAPE, LEFT = "\ue007", "\ue004", "\ue00c", "\ue012"
NAME: Final = "Engines and books"
OPEN: Final = """
    const states = Object.entries(localStorage)
      .filter(([key]) => key.startsWith("timtw.slot."))
      .map(([, text]) => JSON.parse(text).open);
    return states.find((node) => node)
"""


class GroupsCase(BrowserCase):
    """Ada makes groups; Bob looks at a telephone."""

    def make(self, who: Browser, opened: bool = False) -> str:
        """Make a group and open it; its number."""
        who.click("#tab-groups")
        who.click("#make-group summary")
        if opened:
            who.click("#group-open")
        who.write("#group-name", NAME)
        who.one("#text")
        number: str = who.run(OPEN)
        return number

    def enter(self, who: Browser, number: str, words: str = "") -> None:
        """Go into a group, or ask to be let in."""
        who.click("#tab-groups")
        who.click("#join-group summary")
        who.one("#group-words").send_keys(words)
        who.write("#group-number", number)

    def members(self, who: Browser, *expected: str) -> None:
        """Wait until the members that are listed are exactly these."""
        script = """
            return [...document.querySelectorAll("[data-people=members] .who")]
              .map((one) => one.textContent)
        """
        who.until(lambda: who.run(script) == list(expected), f"members {expected}")


class GroupsTests(GroupsCase):
    """What people do with a group."""

    def test_private(self) -> None:
        """Whoever asks to be let in is seen with their words, let in, made a manager,
        and barred; each of it is seen on both sides, and the founder dissolves it."""
        ada, bob = self.person("ada"), self.person("bob", PHONE)
        number = self.make(ada)
        self.enter(bob, number, "It is me, bob")
        bob.click("[data-groups=asked] .entry")
        bob.see(".standing", "You have asked to be let into")
        bob.keys(ESCAPE)
        ada.see("#tab-groups", "1")
        ada.click("#peer")
        ada.see("[data-people=requests]", "It is me, bob")
        ada.click("[data-act=letin]")
        self.members(ada, "ada (you)", "bob")
        bob.click("[data-groups=mine] .entry")
        bob.click("#peer")
        self.members(bob, "ada", "bob (you)")
        ada.click("[data-act=manage]")
        ada.see("[data-people=members] li:nth-child(2)", "Manager")
        ada.click("[data-act=dissolve]")
        ada.click(".about > .actions .sure")
        ada.see(".about > .actions .problem", "Remove the other members")
        ada.click("[data-act=bar]")
        ada.click(".sure")
        ada.see("[data-people=barred]", "bob")
        ada.click("[data-act=dissolve]")
        ada.click(".about > .actions .sure")
        ada.see(".standing", "You are not in")
        bob.keys(ESCAPE, ESCAPE)
        self.enter(bob, number)
        bob.see("#join-problem", "dissolved")

    def test_conversation(self) -> None:
        """Texts in an open group reach everybody with their author's name, live and
        after being away; its author takes one back for all; what one window of an
        account has not read, or has, is the same in its others."""
        ada, bob = self.person("ada"), self.person("bob", PHONE)
        number = self.make(ada, opened=True)
        self.enter(bob, number)
        bob.one("#text")
        ada.say("Hello everybody", "by mistake")
        bob.shows("Hello everybody", "by mistake")
        bob.see(".author", "ada")
        bob.driver.get("about:blank")
        ada.say("while you were away")
        ada.until(lambda: ada.states() == ["sent"] * 3, "sent")
        bob.driver.get(self.url)
        bob.shows("Hello everybody", "by mistake", "while you were away")
        ada.run("document.querySelectorAll('.act')[1].click()")
        ada.click(".removal .sure")
        ada.shows("> Hello everybody", "> while you were away")
        bob.shows("Hello everybody", "while you were away")
        bob.keys(ESCAPE)
        bob.click("#tab-chats")
        ada.say("unread")
        bob.see(".conversations .entry", "ada: unread")
        bob.see(".unread", "1")
        other = self.browser()
        other.log_in("bob")
        other.see(".unread", "1")
        bob.click(".conversations .entry")
        other.gone(".unread")


class OrderTests(GroupsCase):
    """Where conversations stand."""

    def test_newest_first(self) -> None:
        """Whatever was written last, in a group or between two, stands at the top."""
        ada, bob = self.person("ada"), self.person("bob", PHONE)
        number = self.make(ada, opened=True)
        self.enter(bob, number)
        bob.one("#text")
        bob.keys(ESCAPE)
        bob.click("#tab-chats")
        first = ".conversations li:first-child .who"
        ada.click("#tab-chats")
        ada.find("bob")
        for _ in range(2):
            ada.say("to you")
            bob.see(first, "ada")
            ada.run(
                "[...document.querySelectorAll('.conversations .entry')]"
                ".find((one) => one.textContent.includes(arguments[0])).click()",
                NAME,
            )
            ada.see("#peer", NAME)
            ada.say("to all")
            bob.see(first, NAME)
            ada.run(
                "[...document.querySelectorAll('.conversations .entry')]"
                ".find((one) => one.textContent.includes(arguments[0])).click()",
                "bob",
            )
            ada.see("#peer", "bob")


class ChangesTests(GroupsCase):
    """What others do, or the own other windows, is seen at once."""

    def test_other_window(self) -> None:
        """A group that is entered, blocked, or left by force in one window changes in
        the account's other windows, and so do its members where somebody looks."""
        ada, bob = self.person("ada"), self.person("bob", PHONE)
        other = self.browser()
        other.log_in("bob")
        other.click("#tab-groups")
        number = self.make(ada, opened=True)
        ada.click("#peer")
        self.members(ada, "ada (you)")
        self.enter(bob, number)
        other.see("[data-groups=mine]", NAME)
        self.members(ada, "ada (you)", "bob")
        bob.click("#peer")
        bob.click("[data-act=blockgroup]")
        bob.click(".about > .actions .sure")
        other.see("[data-groups=blocked]", NAME)
        self.members(ada, "ada (you)")
        other.click("[data-groups=blocked] [data-act=unblock]")
        bob.see(".standing", "You are not in")
        bob.click(".standing .main")
        other.see("[data-groups=mine]", NAME)
        self.members(ada, "ada (you)", "bob")
        ada.click("[data-act=bar]")
        ada.click(".sure")
        other.gone("[data-groups=mine] .entry")
        bob.see(".standing", "You are not in")

    def test_new_founder(self) -> None:
        """Who has made a group makes somebody else its founder, and leaves."""
        ada, bob = self.person("ada"), self.person("bob", PHONE)
        number = self.make(ada, opened=True)
        self.enter(bob, number)
        bob.click("#peer")
        self.members(bob, "ada", "bob (you)")
        ada.click("#peer")
        ada.click("[data-act=handover]")
        ada.click(".sure")
        self.members(ada, "bob", "ada (you)")
        ada.see("[data-people=members] li:first-child", "Founder")
        self.members(bob, "bob (you)", "ada")
        ada.click("[data-act=leave]")
        ada.click(".about > .actions .sure")
        ada.see(".standing", "You are not in")
        self.members(bob, "bob (you)")
        bob.click("[data-act=dissolve]")
        bob.click(".about > .actions .sure")
        bob.see(".standing", "You are not in")


class MeetingTests(GroupsCase):
    """People who meet in a group, where only friends write to each other."""

    configuration = CONFIGURATION.replace("from = anyone", "from = friends")

    def test_a9_private_message(self) -> None:
        """One member writes to another without being a friend, and is answered; not
        across a block, and whoever blocks is not offered to write."""
        ada, bob = self.person("ada"), self.person("bob", PHONE)
        number = self.make(ada, opened=True)
        self.enter(bob, number)
        bob.one("#text")
        ada.click("#peer")
        self.members(ada, "ada (you)", "bob")
        ada.click("[data-act=write]")
        ada.at("text")
        ada.see(".peer .preview", "In the group " + NAME)
        ada.say("psst")
        ada.shows("> psst")
        bob.keys(ESCAPE)
        bob.click("#tab-chats")
        bob.see(".conversations", "psst")
        bob.run("document.querySelector('.conversations .unread').click()")
        bob.shows("psst")
        bob.say("yes?")
        ada.shows("> psst", "yes?")
        bob.click("#peer")
        bob.click("[data-act=block]")
        bob.click(".sure")
        bob.gone("#text")
        ada.say("are you there?")
        ada.see(".remedy", "from friends only")
        ada.gone("#text")
        ada.one("#ask-text")
        bob.keys(ESCAPE, ESCAPE)
        bob.click("#tab-groups")
        bob.click("[data-groups=mine] .entry")
        bob.click("#peer")
        self.members(bob, "ada", "bob (you)")
        bob.gone("[data-act=write]")


class GroupsKeyboardTests(GroupsCase):
    """A group without a mouse."""

    def test_leaving(self) -> None:
        """Tab and Enter go into a group, find out about it, and leave it."""
        number = self.make(self.person("ada"), opened=True)
        bob = self.person("bob", PHONE)
        bob.at("find")
        bob.keys(TAB, TAB, LEFT)
        bob.at("tab-groups")
        bob.keys(TAB, TAB, ENTER, TAB, number, ENTER)
        bob.at("text")
        while not bob.run("return document.activeElement.id === 'peer'"):
            bob.shifted(TAB)
        bob.keys(ENTER)
        bob.one("[data-act=leave]")
        while not bob.run("return document.activeElement.dataset.act === 'leave'"):
            bob.keys(TAB)
        bob.keys(ENTER)
        bob.held(".keep")
        bob.shifted(TAB)
        bob.held(".sure")
        bob.keys(ENTER)
        bob.see(".standing", "You are not in")

    def test_keys(self) -> None:
        """Tab, Enter, Space and arrows make a group, write in it, and close it."""
        ada = self.person("ada", PHONE)
        ada.at("find")
        ada.keys(TAB, TAB, LEFT)
        ada.at("tab-groups")
        ada.keys(TAB, ENTER, TAB, NAME, ENTER)
        ada.at("text")
        ada.keys("typed", ENTER)
        ada.shows("> typed")
        ada.keys(ESCAPE)
        ada.gone("#text")


class GroupsLookTests(GroupsCase):
    """Every screen with groups, on a telephone, light and dark."""

    def test_chinese(self) -> None:
        """Nothing is too wide, and axe-core finds nothing serious."""
        ada = self.person("ada", PHONE, "zh-CN")
        ada.click("#tab-groups")
        ada.click("#join-group summary")
        self.look(ada)
        number = self.make(ada)
        bob = self.person("W" * 60)
        self.enter(bob, number, "x" * 200)
        bob.one("[data-groups=asked] li")
        self.look(bob)
        ada.click("#peer")
        ada.one("[data-people=requests] li")
        self.look(ada)
        ada.click("[data-act=letin]")
        ada.until(lambda: len(ada.all("[data-people=members] li")) == 2, "both")
        ada.click("[data-act=bar]")
        self.look(ada)

    def look(self, browser: Browser) -> None:
        """The page as it is."""
        self.fits(browser)
        self.accessible(browser)
