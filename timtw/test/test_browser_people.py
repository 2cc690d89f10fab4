"""Friends, requests and blocks on the page, in real browsers."""

from collections.abc import Callable
from typing import Final

from timtw.loss.nodes import CONFIGURATION
from timtw.test.browser import PHONE, Browser, BrowserCase

ENTER, TAB, ESCAPE, RIGHT = "\ue007", "\ue004", "\ue00c", "\ue014"
WORDS: Final = "It is me, Ada, from the library"


class PeopleCase(BrowserCase):
    """A node with the program's own rule: friends write to each other."""

    configuration = CONFIGURATION.replace("from = anyone", "from = friends")

    def ask(self, who: Browser, name: str, words: str = WORDS) -> None:
        """Find somebody and ask to be friends."""
        who.write("#find", name)
        who.write("#ask-text", words)
        who.one("[data-act=takeback]")

    def befriend(self, one: Browser, other: Browser, name: str) -> None:
        """Make friends; ``name`` is that of the other, who looks at people then."""
        self.ask(one, name)
        other.click("#tab-people")
        other.click("[data-act=accept]")
        one.one("#text")

    def people(self, who: Browser) -> dict[str, list[str]]:
        """Who stands in which list."""
        found: dict[str, list[str]] = who.run(
            """
            const lists = [...document.querySelectorAll(".people")];
            return Object.fromEntries(lists
              .filter((list) => list.checkVisibility())
              .map((list) => [list.dataset.standing,
                [...list.querySelectorAll(".who")].map((one) => one.textContent)]))
            """
        )
        return found

    def lists(self, who: Browser, **expected: list[str]) -> None:
        """Wait until the lists of people are exactly these."""
        try:
            who.until(lambda: self.people(who) == expected, "lists")
        except Exception as error:
            raise AssertionError(f"{self.people(who)}, not {expected}") from error


class FriendsTests(PeopleCase):
    """From a stranger to a friend, and back."""

    def test_first_conversation(self) -> None:
        """A stranger is asked with a few words instead of written to; after the other
        has accepted, on a telephone, both write, and the page says all of it."""
        ada, bob = self.person("ada"), self.person("bob", PHONE)
        ada.write("#find", "bob")
        ada.at("ask-text")
        self.assertEqual([], ada.all("#text"))
        ada.see(".standing", "not friends yet")
        ada.keys(WORDS, ENTER)
        ada.see(".standing", "You have asked bob")
        bob.see("#tab-people", "1")
        self.assertEqual("(1) timtw", bob.driver.title)
        bob.click("#tab-people")
        bob.see("[data-standing=asking] .entry", WORDS)
        bob.click("[data-act=accept]")
        self.lists(bob, friend=["ada"])
        ada.at("text")
        ada.say("Hello Bob")
        bob.click("#tab-chats")
        bob.see(".conversations .entry", "Hello Bob")
        bob.click(".conversations .entry")
        bob.say("Hello Ada")
        ada.shows("> Hello Bob", "Hello Ada")

    def test_away(self) -> None:
        """A request that came while the page was away is there when it comes back, also
        after a reload; declined, it is gone, and whoever asked may ask again."""
        ada, bob = self.person("ada"), self.person("bob")
        bob.driver.get("about:blank")
        self.ask(ada, "bob")
        bob.driver.get(self.url)
        bob.click("#tab-people")
        for _ in range(2):
            bob.see("[data-standing=asking] .entry", WORDS)
            bob.driver.refresh()
        bob.click("[data-act=decline]")
        bob.one("#no-people")
        ada.at("ask-text")
        ada.click("#tab-people")
        ada.one("#no-people")

    def test_two_windows(self) -> None:
        """What one window does is true in the other as well, in every list, without a
        reload; and in a third one that is opened later."""
        ada, bob = self.person("ada"), self.person("bob")
        other = self.browser()
        other.log_in("bob")
        for window in (bob, other):
            window.click("#tab-people")
        self.ask(ada, "bob")
        for window in (bob, other):
            self.lists(window, asking=["ada"])
        other.click("[data-act=accept]")
        for window in (bob, other):
            self.lists(window, friend=["ada"])
        bob.click(".more")
        bob.click("[data-act=block]")
        bob.click(".sure")
        for window in (bob, other):
            self.lists(window, blocked=["ada"])
        other.click("[data-act=unblock]")
        for window in (bob, other):
            window.one("#no-people")
        self.ask(bob, "ada")
        for window in (bob, other):
            self.lists(window, asked=["ada"])
        third = self.browser()
        third.log_in("bob")
        third.click("#tab-people")
        self.lists(third, asked=["ada"])
        third.click("[data-act=takeback]")
        for window in (bob, other, third):
            window.one("#no-people")

    def test_refused_in_words(self) -> None:
        """Whoever was blocked without knowing is told at the text why it did not go
        out, and at the request why it cannot be made; nothing is lost when both are
        friends again."""
        ada, bob = self.person("ada"), self.person("bob")
        self.befriend(ada, bob, "bob")
        bob.click(".more")
        bob.click("[data-act=block]")
        bob.click(".sure")
        self.lists(bob, blocked=["ada"])
        ada.say("Hello?")
        ada.see(".remedy", "friends only")
        ada.write("#ask-text", "please")
        ada.see("#ask-problem", "has blocked you")
        bob.click("[data-act=unblock]")
        bob.one("#no-people")
        ada.keys(ENTER)
        bob.click("[data-act=accept]")
        ada.one("#text")
        ada.click(".again")
        ada.until(lambda: ada.states() == ["delivered"], "delivered at last")


class PresenceTests(PeopleCase):
    """How friends see each other."""

    def test_presence(self) -> None:
        """A friend is seen as here, busy with words of their own, not at all when they
        wish so, and as gone when they are; also after a reload."""
        ada, bob = self.person("ada"), self.person("bob", PHONE)
        self.befriend(ada, bob, "bob")
        ada.one("#peer .dot.here")
        bob.one(".people .dot.here")
        bob.click("#you")
        bob.click("label[for=show-busy]")
        bob.write("#status-text", "reading until 3")
        ada.one("#peer .dot.busy")
        ada.see("#peer", "Busy · reading until 3")
        ada.driver.refresh()
        ada.see("#peer", "Busy · reading until 3")
        bob.click("label[for=show-hidden]")
        ada.gone("#peer .dot")
        bob.driver.refresh()
        bob.see("#you", "Invisible")
        ada.driver.refresh()
        ada.see("#peer", "Friend")
        self.assertEqual([], ada.all("#peer .dot"))
        bob.click("#you")
        bob.click("label[for=show-here]")
        ada.one("#peer .dot.here")
        bob.driver.get("about:blank")
        ada.gone("#peer .dot")


class PeopleKeyboardTests(PeopleCase):
    """The same without a mouse, on a telephone's screen."""

    def test_keys(self) -> None:
        """Tab, Enter, Escape and arrows ask, accept, write, end and block; the focus is
        always where one goes on."""
        ada, bob = self.person("ada", PHONE), self.person("bob", PHONE)
        ada.at("find")
        ada.keys("bob", ENTER)
        ada.at("ask-text")
        ada.keys(WORDS, ENTER)
        ada.one("[data-act=takeback]")
        bob.see("#tab-people", "1")
        bob.keys(TAB, TAB, RIGHT)
        bob.at("tab-people")
        bob.keys(TAB, TAB, ENTER)
        bob.held("[data-standing=friend] .entry")
        bob.keys(ENTER)
        bob.at("text")
        ada.at("text")
        bob.keys("typed", ENTER)
        ada.shows("typed")
        bob.keys(ESCAPE)
        bob.gone("#text")
        bob.keys(TAB, ENTER, TAB, TAB, ENTER)
        bob.one(".sure")
        bob.keys(ESCAPE)
        bob.gone(".sure")
        bob.held("[data-act=block]")
        bob.keys(ENTER)
        bob.one(".sure")
        bob.shifted(TAB)
        bob.keys(ENTER)
        bob.held("[data-standing=blocked] .entry")
        bob.keys(ENTER)
        bob.see(".standing", "You have blocked ada")
        bob.held("[data-act=unblock]")
        bob.keys(ENTER)
        bob.at("ask-text")
        bob.keys(ESCAPE)
        bob.at("find")


class PeopleLookTests(PeopleCase):
    """Every screen with people, on a telephone, light and dark."""

    def test_english(self) -> None:
        """Nothing has to be scrolled sideways, and axe-core finds nothing serious."""
        self.tour("en")

    def test_chinese(self) -> None:
        """The same in Chinese."""
        self.tour("zh-CN")

    def tour(self, language: str) -> None:
        """Show every screen with people."""
        looks: list[Callable[[Browser], None]] = [self.fits, self.accessible]
        name = "W" * 60
        bob = self.person(name)
        ada = self.person("ada", PHONE, language)

        def look() -> None:
            for one in looks:
                one(ada)

        ada.click("#tab-people")
        look()
        self.ask(bob, "ada", "x" * 300)
        ada.one("[data-standing=asking] .entry")
        look()
        ada.click("[data-standing=asking] .entry")
        ada.one(".standing blockquote")
        look()
        ada.click("[data-act=accept]")
        ada.one("#text")
        ada.click("#peer")
        ada.click("[data-act=end]")
        look()
        ada.click(".sure")
        ada.one("#ask-text")
        look()
        ada.write("#ask-text", "y" * 1025)
        ada.one("#ask-problem")
        look()
